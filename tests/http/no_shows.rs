//! Who does not come is marked by itself, and who does so too often books nothing for a while (DOMAIN E9).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{customers::customer, field::Field, named::names};
use crate::support::{
    api::{Call, Hold},
    house::{Sale, admin},
    waiting::eventually,
};

/// Long enough to book in, short enough to wait for.
const SOON: SignedDuration = SignedDuration::from_secs(8);

/// Who has not come when it begins counts as absent; two of them bar for three days.
async fn regulate(field: &Field) {
    let rules = json!({ "no_show_minutes": 0, "no_shows": 2, "within_days": 30, "barred_days": 3 });
    admin(
        &field.api,
        "branches",
        field.house.cinema,
        "regulate-attendance",
        rules,
    )
    .await;
}

fn placing(hold: &Hold, phone: &str) -> Call {
    let body = json!({ "name": "김하늘", "phone": phone, "payment": "on_site",
        "agreements": { "privacy": true, "house_rules": true } });
    let path = format!("/v1/reservations/{}/place", hold.number);
    Call::post(path, body).with_token(&hold.token)
}

async fn placed(field: &Field, hold: &Call, phone: &str) -> Hold {
    let hold = field.api.done(hold).await.hold();
    field.api.done(&placing(&hold, phone)).await;
    hold
}

async fn becomes(field: &Field, hold: &Hold, state: &str) -> Value {
    eventually(state, || async {
        let view = field.api.done(&Call::show(hold)).await.json();
        (view["state"] == state).then_some(view)
    })
    .await
}

fn staff(hold: &Hold, verb: &str) -> Call {
    Call::admin(format!("/v1/reservations/{}/{verb}", hold.number), json!({}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_misses_two_is_barred_until_staff_lift_it() {
    let field = Field::open().await;
    regulate(&field).await;
    let (api, house) = (&field.api, &field.house);
    let starts_at = Timestamp::now() + SOON;
    let now = house.screening(api, 2, 5, Sale::UntilItBegins(starts_at)).await;
    let later = house.screening(api, 2, 5, Sale::Long).await;
    let first = placed(&field, &Call::hold(now, &["A1"]), "010-8888-0001").await;
    let second = placed(&field, &Call::hold(now, &["A2"]), "010-8888-0001").await;
    let other = placed(&field, &Call::hold(now, &["A3"]), "010-8888-0002").await;
    let unplaced = api.done(&Call::hold(later, &["B1"])).await.hold();
    for hold in [&first, &second, &other] {
        becomes(&field, hold, "no_show").await;
    }
    // By the policy, never before its time.
    let told = Call::get(format!("/v1/audit/reservation/{}", first.number)).by_staff();
    let told = api.done(&told).await.json();
    let marked = told.as_array().and_then(|told| told.last()).expect("an event");
    assert_eq!(
        (&marked["event"], &marked["who"]),
        (&json!("ReservationMarkedNoShow"), &json!("the absences policy"))
    );
    let at: Timestamp = marked["recorded_at"]
        .as_str()
        .expect("a moment")
        .parse()
        .expect("a moment");
    assert!(at >= starts_at, "{at} is before {starts_at}");
    // Barred, and told until when; whoever missed one is not.
    let refused = api.ask(&placing(&unplaced, "010-8888-0001")).await;
    refused.refused(409, "patron/barred");
    let until = Timestamp::now() + Duration::from_secs(3 * 24 * 3600);
    let wall = until.to_zoned(TimeZone::get("Asia/Seoul").expect("a zone"));
    let day = wall.date().to_string();
    assert!(
        refused.json()["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains(&day)),
        "{refused}"
    );
    let fine = api.done(&Call::hold(later, &["B2"])).await.hold();
    api.done(&placing(&fine, "010-8888-0002")).await;
    // What was placed before stays, and the bar is lifted by it; once is enough.
    api.ask(&staff(&unplaced, "lift-bar"))
        .await
        .refused(409, "reservation/not-placed");
    api.done(&staff(&first, "lift-bar")).await;
    api.done(&staff(&first, "lift-bar")).await;
    api.done(&placing(&unplaced, "010-8888-0001")).await;
    let told = Call::get(format!(
        "/v1/audit/events?kind=patron&min_position={}",
        field.position()
    ));
    let told = api.done(&told.by_staff()).await;
    let names: Vec<String> = told.json()["items"]
        .as_array()
        .expect("a page")
        .iter()
        .map(|told| told["event"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(
        names.iter().filter(|name| *name == "PatronBarLifted").count(),
        1,
        "{names:?}"
    );
    assert_eq!(
        names.iter().filter(|name| *name == "PatronMissed").count(),
        3,
        "{names:?}"
    );
    assert!(!told.to_string().contains("8888"), "{told}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_barred_customer_is_told_when_they_choose() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let rules = json!({ "no_show_minutes": 0, "no_shows": 1 });
    admin(api, "branches", house.cinema, "regulate-attendance", rules).await;
    let token = customer(api, "haneul@example.com", "하늘").await;
    let starts_at = Timestamp::now() + SOON;
    let now = house.screening(api, 2, 5, Sale::UntilItBegins(starts_at)).await;
    let later = house.screening(api, 2, 5, Sale::Long).await;
    let missed = placed(
        &field,
        &Call::hold(now, &["A1"]).with_token(&token),
        "010-8888-0001",
    )
    .await;
    becomes(&field, &missed, "no_show").await;
    let again = Call::hold(later, &["A1"]);
    api.ask(&again.clone().with_token(&token))
        .await
        .refused(409, "patron/barred");
    // Nor without their account, by the same number.
    let guest = api.done(&again).await.hold();
    api.ask(&placing(&guest, "01088880001"))
        .await
        .refused(409, "patron/barred");
    api.done(&placing(&guest, "010-8888-0009")).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_came_is_not_marked_and_staff_may_mark_by_hand() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let rules = json!({ "no_show_minutes": 0, "no_shows": 1 });
    admin(api, "branches", house.cinema, "regulate-attendance", rules).await;
    let starts_at = Timestamp::now() + SOON;
    let slot = house.screening(api, 2, 5, Sale::UntilItBegins(starts_at)).await;
    let came = placed(&field, &Call::hold(slot, &["A1"]), "010-8888-0001").await;
    let absent = placed(&field, &Call::hold(slot, &["A2"]), "010-8888-0002").await;
    api.ask(&staff(&absent, "mark-no-show"))
        .await
        .refused(409, "reservation/not-started");
    api.done(&staff(&came, "mark-paid")).await;
    api.done(&staff(&came, "check-in")).await;
    becomes(&field, &absent, "no_show").await;
    // A repeat by hand changes nothing.
    api.done(&staff(&absent, "mark-no-show")).await;
    assert_eq!(api.done(&Call::show(&came)).await.json()["state"], "attended");
    // Had the wrong ones been checked in, they would be absent now: the policy notices.
    let undo = Call::admin(
        format!("/v1/reservations/{}/undo-check-in", came.number),
        json!({ "reason": "the wrong group" }),
    );
    let undone = api.done(&undo).await.json();
    assert_eq!(undone["state"], "placed");
    becomes(&field, &came, "no_show").await;
    api.ask(&undo).await.refused(409, "reservation/no-show");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_of_a_branch_are_its_own_and_within_limits() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let regulate = |rules: Value| {
        Call::admin(
            format!("/v1/branches/{}/regulate-attendance", house.cinema),
            rules,
        )
    };
    names(
        &field,
        &regulate(json!({ "check_in_minutes": 1441, "within_days": 0 })),
        "branch/inconsistent-attendance",
        &["/check_in_minutes", "/within_days"],
    )
    .await;
    let nobody = format!("/v1/branches/{}/regulate-attendance", Uuid::now_v7());
    api.ask(&Call::admin(nobody, json!({})))
        .await
        .refused(404, "branch/not-found");
    api.done(&regulate(json!({ "check_in_minutes": 15 }))).await;
    let known = Call::get(format!("/v1/admin/branches/{}", house.cinema)).by_staff();
    let known = api.done(&known).await.json();
    assert_eq!(known["state"]["attendance"]["check_in_minutes"], 15);
    let told = Call::get(format!("/v1/audit/branch/{}", house.cinema)).by_staff();
    let told = api.done(&told).await.json();
    let last = told.as_array().and_then(|told| told.last()).expect("an event");
    assert!(
        last["sentence"]
            .as_str()
            .is_some_and(|text| text.contains("15 minutes before")),
        "{last}"
    );
    // What was placed before keeps what it was placed under.
    let slot = house.screening(api, 1, 5, Sale::Long).await;
    let hold = placed(&field, &Call::hold(slot, &["A1"]), "010-8888-0001").await;
    let view = api.done(&Call::show(&hold)).await.json();
    let moment = |name: &str| -> Timestamp {
        view["placed"][name]
            .as_str()
            .expect("a moment")
            .parse()
            .expect("a moment")
    };
    let lead = moment("starts_at").duration_since(moment("check_in_from"));
    assert_eq!(lead, SignedDuration::from_mins(15));
    api.done(&regulate(json!({ "check_in_minutes": 0 }))).await;
    assert_eq!(
        api.done(&Call::show(&hold)).await.json()["placed"]["check_in_from"],
        view["placed"]["check_in_from"]
    );
    field.close().await;
}
