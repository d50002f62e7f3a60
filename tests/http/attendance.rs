//! At the door: tickets that only their holder gets, that scanners check without network, and that let somebody in once
//! (DOMAIN E9, and the faults of §9: tickets without an owner, booking of other people's tickets).

use jari::ticket::{PublicKey, TicketError, verify};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{customers::customer, field::Field, named::names};
use crate::support::{
    api::{Answer, Call, Hold},
    house::{Sale, admin, layout},
    staff::Colleague,
    waiting::eventually,
};

/// So far away that check-in has begun, and that the story is over before it starts.
fn soon() -> Sale {
    Sale::UntilItBegins(Timestamp::now() + SignedDuration::from_mins(40))
}

async fn placed(field: &Field, slot: Uuid, seats: &[&str]) -> Hold {
    let hold = field.api.done(&Call::hold(slot, seats)).await.hold();
    field.api.done(&Call::place(&hold, None)).await;
    hold
}

async fn paid(field: &Field, slot: Uuid, seats: &[&str]) -> Hold {
    let hold = placed(field, slot, seats).await;
    field.api.done(&staff(&hold, "mark-paid")).await;
    hold
}

fn staff(hold: &Hold, verb: &str) -> Call {
    Call::admin(format!("/v1/reservations/{}/{verb}", hold.number), json!({}))
}

fn of(hold: &Hold, what: &str) -> Call {
    Call::get(format!("/v1/reservations/{}/{what}", hold.number)).with_token(&hold.token)
}

async fn code(field: &Field, hold: &Hold) -> String {
    let ticket = field.api.done(&of(hold, "ticket")).await.json();
    ticket["code"].as_str().expect("a code").to_owned()
}

fn scan(code: &str) -> Call {
    Call::admin("/v1/check-ins", json!({ "code": code }))
}

async fn keys(field: &Field) -> Vec<PublicKey> {
    let published = field.api.done(&Call::get("/v1/ticket-keys")).await.json();
    serde_json::from_value(published["keys"].clone()).expect("keys")
}

async fn batch(field: &Field, scans: &[Value]) -> Vec<(String, Value)> {
    let told = Call::admin("/v1/check-ins/batch", json!({ "scans": scans }));
    let told = field.api.done(&told).await.json();
    let outcomes = told["outcomes"].as_array().expect("outcomes").clone();
    let places: Vec<u64> = outcomes
        .iter()
        .filter_map(|outcome| outcome["index"].as_u64())
        .collect();
    assert_eq!(places, (0..scans.len() as u64).collect::<Vec<_>>());
    outcomes
        .into_iter()
        .map(|outcome| {
            let word = outcome["outcome"].as_str().expect("a word");
            let reason = outcome["reason"]["type"]
                .as_str()
                .map(|kind| kind.trim_start_matches("/problems/"));
            (reason.unwrap_or(word).to_owned(), outcome.clone())
        })
        .collect()
}

fn words(outcomes: &[(String, Value)]) -> Vec<&str> {
    outcomes.iter().map(|(word, _)| word.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_belongs_to_a_placed_reservation_and_only_its_holder_gets_it() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening(api, 2, 5, soon()).await;
    let hold = api.done(&Call::hold(slot, &["A1", "A2"])).await.hold();
    for what in ["ticket", "ticket.svg", "calendar.ics"] {
        api.ask(&of(&hold, what))
            .await
            .refused(409, "reservation/not-placed");
    }
    api.done(&Call::place(&hold, None)).await;
    let other = placed(&field, slot, &["B1"]).await;
    let stranger = customer(api, "bada@example.com", "바다").await;
    let elsewhere = Colleague::enlist(api, "elsewhere", "STAFF", &[house.shop])
        .await
        .sign_in(api)
        .await;
    for what in ["ticket", "ticket.svg", "calendar.ics"] {
        let path = format!("/v1/reservations/{}/{what}", hold.number);
        for asked in [
            Call::get(path.clone()),
            Call::get(path.clone()).with_token(&other.token),
            Call::get(path.clone()).with_token(&stranger),
            Call::get(path.clone()).with_token(&elsewhere),
        ] {
            api.ask(&asked).await.refused(404, "reservation/not-found");
        }
        api.done(&of(&hold, what)).await;
        api.done(&Call::get(path).by_staff()).await;
    }
    let ticket = api.done(&of(&hold, "ticket")).await.json();
    assert_eq!(ticket["ticket"]["seats"], json!(["A1", "A2"]));
    let picture = String::from_utf8(api.done(&of(&hold, "ticket.svg")).await.body).expect("a text");
    assert!(
        picture.contains("<svg") && picture.contains("</svg>"),
        "{picture}"
    );
    // Anybody checks it without us, by the published keys.
    let read = verify(ticket["code"].as_str().expect("a code"), &keys(&field).await).expect("a ticket");
    assert_eq!(json!(read), ticket["ticket"]);
    // A transfer that has not come opens no door; a visit that was called off neither.
    let unpaid = api.done(&Call::hold(slot, &["B2"])).await.hold();
    api.done(&Call::place_paid_by(&unpaid, "bank_transfer")).await;
    api.ask(&of(&unpaid, "ticket"))
        .await
        .refused(409, "reservation/not-paid");
    api.done(&Call::step(&other, "cancel")).await;
    api.ask(&of(&other, "ticket"))
        .await
        .refused(410, "reservation/cancelled");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_lets_somebody_in_once_and_says_when_that_was() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening(api, 2, 5, soon()).await;
    let hold = placed(&field, slot, &["A1"]).await;
    let code = code(&field, &hold).await;
    api.ask(&scan(&code)).await.refused(409, "reservation/not-paid");
    api.done(&staff(&hold, "mark-paid")).await;
    let usher = Colleague::enlist(api, "usher", "STAFF", &[house.cinema]).await;
    let token = usher.sign_in(api).await;
    let first = api.done(&scan(&code).with_token(&token).keyed()).await.json();
    assert_eq!(
        (&first["outcome"], &first["seats"]),
        (&json!("checked_in"), &json!(["A1"]))
    );
    assert_eq!(first["checked_in_by"], json!(usher.id));
    let second = api.done(&scan(&code)).await.json();
    assert_eq!(second["outcome"], "already");
    assert_eq!(
        (&second["checked_in_at"], &second["checked_in_by"]),
        (&first["checked_in_at"], &first["checked_in_by"])
    );
    assert_eq!(api.done(&Call::show(&hold)).await.json()["state"], "attended");
    // The same by its number, and taken back by staff.
    api.done(&staff(&hold, "check-in")).await;
    api.done(&staff(&hold, "undo-check-in")).await;
    api.done(&staff(&hold, "undo-check-in")).await;
    assert_eq!(api.done(&scan(&code)).await.json()["outcome"], "checked_in");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_opens_no_door_says_why() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening(api, 3, 5, soon()).await;
    let later = house.screening(api, 1, 5, Sale::Long).await;
    let hold = paid(&field, slot, &["A1"]).await;
    let genuine = code(&field, &hold).await;
    names(&field, &scan("nonsense"), "ticket/unreadable", &["/code"]).await;
    let mut altered = genuine.clone();
    altered.replace_range(20..21, if &genuine[20..21] == "A" { "B" } else { "A" });
    names(&field, &scan(&altered), "ticket/wrong-signature", &["/code"]).await;
    let foreign = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
    let read = verify(&genuine, &keys(&field).await).expect("a ticket");
    let made_up = read.signed(jari::ticket::KeyId(7), &foreign);
    names(&field, &scan(&made_up), "ticket/unknown-key", &["/code"]).await;
    // Not at another door, whoever stands there.
    let elsewhere = Colleague::enlist(api, "elsewhere", "STAFF", &[house.shop])
        .await
        .sign_in(api)
        .await;
    api.ask(&scan(&genuine).with_token(&elsewhere))
        .await
        .refused(409, "ticket/other-branch");
    let at_shop = Call::admin("/v1/check-ins", json!({ "code": genuine, "branch": house.shop }));
    api.ask(&at_shop).await.refused(409, "ticket/other-branch");
    // Too early, and on another day.
    let early = code(&field, &paid(&field, later, &["A1"]).await).await;
    let refused: Answer = api.ask(&scan(&early)).await;
    assert!(
        ["reservation/too-early", "ticket/other-day"].contains(&refused.slug().as_str()),
        "{refused}"
    );
    let days_ago = Timestamp::now() - SignedDuration::from_hours(3 * 24);
    let scanned = |at: Timestamp| Call::admin("/v1/check-ins", json!({ "code": genuine, "scanned_at": at }));
    api.ask(&scanned(days_ago)).await.refused(409, "ticket/other-day");
    let long_ago = Timestamp::now() - SignedDuration::from_hours(8 * 24);
    names(
        &field,
        &scanned(long_ago),
        "ticket/scanned-long-ago",
        &["/scanned_at"],
    )
    .await;
    let ahead = Timestamp::now() + SignedDuration::from_mins(20);
    names(&field, &scanned(ahead), "ticket/scanned-ahead", &["/scanned_at"]).await;
    // Rescheduled, the old one is of no use.
    let body = json!({ "time_slot": slot, "seats": ["A2"] });
    let path = format!("/v1/reservations/{}/reschedule", hold.number);
    api.done(&Call::post(path, body).with_token(&hold.token)).await;
    api.ask(&scan(&genuine)).await.refused(410, "ticket/superseded");
    let renewed = code(&field, &hold).await;
    assert_ne!(renewed, genuine);
    // Called off, none is.
    api.done(&Call::step(&hold, "cancel")).await;
    api.ask(&scan(&renewed))
        .await
        .refused(410, "reservation/cancelled");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_device_scanned_without_network_is_told_later_in_any_order() {
    let field = Field::open().await;
    let api = &field.api;
    let slot = field.house.screening(api, 2, 5, soon()).await;
    let (first, second) = (
        paid(&field, slot, &["A1"]).await,
        paid(&field, slot, &["A2"]).await,
    );
    let gone = paid(&field, slot, &["A3"]).await;
    let unpaid = placed(&field, slot, &["A4"]).await;
    let mut codes = Vec::new();
    for hold in [&first, &second, &gone, &unpaid] {
        codes.push(code(&field, hold).await);
    }
    api.done(&Call::step(&gone, "cancel")).await;
    let minutes_ago = |minutes| Timestamp::now() - SignedDuration::from_mins(minutes);
    let scanned =
        |code: &str, at: Timestamp, device: &str| json!({ "code": code, "scanned_at": at, "device": device });
    let (early, late) = (minutes_ago(9), minutes_ago(3));
    let scans = [
        scanned(&codes[0], early, "입구 1"),
        scanned("nonsense", early, "입구 1"),
        scanned(&codes[1], late, "입구 2"),
        scanned(&codes[2], early, "입구 1"),
        scanned(&codes[3], early, "입구 1"),
    ];
    let expected = [
        "checked_in",
        "ticket/unreadable",
        "checked_in",
        "reservation/cancelled",
        "reservation/not-paid",
    ];
    let told = batch(&field, &scans).await;
    assert_eq!(words(&told), expected);
    assert_eq!(told[0].1["check_in"]["device"], "입구 1");
    // Told again it is the same, in any order; another scan of the same ticket is another scan.
    assert_eq!(words(&batch(&field, &scans).await), expected);
    let reversed: Vec<Value> = scans.iter().rev().cloned().collect();
    let mut told = batch(&field, &reversed).await;
    told.reverse();
    assert_eq!(words(&told), expected);
    let again = batch(&field, &[scanned(&codes[0], late, "입구 2")]).await;
    assert_eq!(words(&again), ["already"]);
    let at: Timestamp = again[0].1["check_in"]["checked_in_at"]
        .as_str()
        .expect("a moment")
        .parse()
        .expect("a moment");
    assert_eq!(at, early);
    // So many at once, and no more.
    let many = vec![json!({ "code": codes[0] }); 501];
    names(
        &field,
        &Call::admin("/v1/check-ins/batch", json!({ "scans": many })),
        "request/invalid-fields",
        &["/scans"],
    )
    .await;
    names(
        &field,
        &Call::admin("/v1/check-ins/batch", json!({ "scans": [] })),
        "request/invalid-fields",
        &["/scans"],
    )
    .await;
    let told = batch(&field, &vec![json!({ "code": codes[0] }); 200]).await;
    assert!(told.iter().all(|(word, _)| word == "already"));
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_scanned_before_they_counted_as_absent_had_come() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let rules = json!({ "no_show_minutes": 0, "no_shows": 1 });
    admin(api, "branches", house.cinema, "regulate-attendance", rules).await;
    let starts_at = Timestamp::now() + SignedDuration::from_secs(8);
    let slot = house.screening(api, 1, 5, Sale::UntilItBegins(starts_at)).await;
    let hold = paid(&field, slot, &["A1"]).await;
    let code = code(&field, &hold).await;
    let before = Timestamp::now();
    eventually("nobody came", || async {
        let view = api.done(&Call::show(&hold)).await.json();
        (view["state"] == "no_show").then_some(())
    })
    .await;
    // Who comes now is late.
    api.ask(&scan(&code)).await.refused(409, "reservation/no-show");
    let later = house.screening(api, 1, 5, Sale::Long).await;
    let phone = api.done(&Call::show(&hold)).await.json()["placed"]["phone"].clone();
    let next = api.done(&Call::hold(later, &["A1"])).await.hold();
    let place = json!({ "name": "김하늘", "phone": phone, "payment": "on_site",
        "agreements": { "privacy": true, "house_rules": true } });
    let place = Call::post(format!("/v1/reservations/{}/place", next.number), place).with_token(&next.token);
    api.ask(&place).await.refused(409, "patron/barred");
    let told = batch(&field, &[json!({ "code": code, "scanned_at": before })]).await;
    assert_eq!(words(&told), ["checked_in"]);
    assert_eq!(api.done(&Call::show(&hold)).await.json()["state"], "attended");
    let told = Call::get(format!("/v1/audit/reservation/{}", hold.number)).by_staff();
    let told = api.done(&told).await.json();
    let names: Vec<&str> = told
        .as_array()
        .expect("a story")
        .iter()
        .filter_map(|told| told["event"].as_str())
        .collect();
    assert_eq!(
        names[names.len() - 3..],
        [
            "ReservationMarkedNoShow",
            "ReservationNoShowWithdrawn",
            "ReservationAdmitted"
        ]
    );
    // The bar that rested on it is gone.
    api.done(&place).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_of_an_old_key_stay_good_beside_a_new_one() {
    let field = Field::open().await;
    let api = &field.api;
    let slot = field.house.screening(api, 1, 5, soon()).await;
    let (first, second) = (
        paid(&field, slot, &["A1"]).await,
        paid(&field, slot, &["A2"]).await,
    );
    let old = code(&field, &first).await;
    let before = keys(&field).await;
    assert_eq!(before.len(), 1);
    api.ask(&Call::post("/v1/ticket-keys", json!({})))
        .await
        .refused(401, "request/unauthorized");
    let begun = api.done(&Call::admin("/v1/ticket-keys", json!({}))).await;
    assert_eq!(begun.status, 201);
    let new = code(&field, &second).await;
    let after = keys(&field).await;
    assert_eq!(after.len(), 2);
    assert_eq!(after[1], before[0], "the newest comes first");
    assert_eq!(verify(&new, &before), Err(TicketError::UnknownKey));
    for code in [&old, &new] {
        assert!(verify(code, &after).is_ok());
        assert_eq!(api.done(&scan(code)).await.json()["outcome"], "checked_in");
    }
    assert!(!String::from_utf8_lossy(&api.done(&Call::get("/v1/ticket-keys")).await.body).contains("sealed"));
    field.close().await;
}

/// The value of a line of a calendar entry.
fn value(entry: &str, name: &str) -> String {
    let unfolded = entry.replace("\r\n ", "");
    let line = unfolded
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}:")));
    line.unwrap_or_else(|| panic!("no {name}: {entry}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calendar_entry_follows_its_reservation() {
    let field = Field::open().await;
    let api = &field.api;
    let slot = field.house.screening(api, 1, 5, Sale::Long).await;
    let other = field
        .house
        .screening_in(
            api,
            layout(1, 5),
            Sale::Until(Timestamp::now() + SignedDuration::from_hours(2)),
            json!({}),
        )
        .await;
    let hold = placed(&field, slot, &["A1", "A2"]).await;
    let entry = async || String::from_utf8(api.done(&of(&hold, "calendar.ics")).await.body).expect("a text");
    let first = entry().await;
    assert!(
        first.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && first.ends_with("END:VCALENDAR\r\n"),
        "{first}"
    );
    assert_eq!(
        (value(&first, "SUMMARY"), value(&first, "STATUS")),
        ("한강의 밤".to_owned(), "CONFIRMED".to_owned())
    );
    assert_eq!(value(&first, "LOCATION"), r"한강\, 예시로 1길 10 3층");
    let view = api.done(&Call::show(&hold)).await.json();
    let starts_at: Timestamp = view["placed"]["starts_at"]
        .as_str()
        .expect("a moment")
        .parse()
        .expect("a moment");
    assert_eq!(
        value(&first, "DTSTART"),
        starts_at.strftime("%Y%m%dT%H%M%SZ").to_string()
    );
    let phone = view["placed"]["phone"].as_str().expect("a number");
    assert!(
        !first.contains(phone) && !first.contains("김하늘"),
        "calendars are shared: {first}"
    );
    let path = format!("/v1/reservations/{}/reschedule", hold.number);
    api.done(&Call::post(path, json!({ "time_slot": other })).with_token(&hold.token))
        .await;
    let second = entry().await;
    api.done(&Call::step(&hold, "cancel")).await;
    let third = entry().await;
    assert_eq!(value(&third, "STATUS"), "CANCELLED");
    let sequence = |entry: &str| value(entry, "SEQUENCE").parse::<u32>().expect("a number");
    assert!(sequence(&first) < sequence(&second) && sequence(&second) < sequence(&third));
    assert_eq!(value(&first, "UID"), value(&second, "UID"));
    assert_eq!(value(&first, "UID"), value(&third, "UID"));
    for line in first.split("\r\n") {
        assert!(line.len() <= 75, "{line}");
    }
    field.close().await;
}
