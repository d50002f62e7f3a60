//! A day at the counter: staff find reservations, slots and customers in lists, take the lists away as files, act on many at
//! once, and read the day's numbers. Whoever works at one branch meets nothing of another.

mod acting;
mod files;
mod numbers;
mod people;
mod waiting;

use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::{Answer, Call, Hold},
    house::Sale,
    staff::Colleague,
};

/// What is on at both branches, and who has booked.
struct Day {
    screening: Uuid,
    session: Uuid,
    /// By their names.
    held: Hold,
    unpaid: Hold,
    paid: Hold,
    cancelled: Hold,
    game: Hold,
    coupon: String,
    position: i64,
}

async fn place(field: &Field, hold: &Hold, name: &str, phone: &str, payment: &str, coupon: Option<&str>) {
    let mut body = json!({ "name": name, "phone": phone, "payment": payment,
        "agreements": { "privacy": true, "house_rules": true } });
    if let Some(code) = coupon {
        body["coupon"] = json!(code);
    }
    let path = format!("/v1/reservations/{}/place", hold.number);
    field
        .api
        .done(&Call::post(path, body).with_token(&hold.token))
        .await;
}

impl Day {
    async fn begin(field: &Field) -> Self {
        let (api, house) = (&field.api, &field.house);
        let screening = house.screening(api, 2, 8, Sale::Long).await;
        let session = house.session(api, Sale::Long).await;
        let coupon = house.coupon(api).await;
        let seats = async |seats: &[&str]| api.done(&Call::hold(screening, seats)).await.hold();
        let (held, unpaid) = (seats(&["A1"]).await, seats(&["A2", "A3"]).await);
        let (paid, cancelled) = (seats(&["A4", "A5"]).await, seats(&["A6", "A7", "A8"]).await);
        let game = api.done(&Call::hold_room(session, 3)).await.hold();
        place(field, &unpaid, "김하늘", "010-1111-5678", "bank_transfer", None).await;
        place(
            field,
            &paid,
            "=HYPERLINK(\"x\"), 이바다",
            "010-2222-9012",
            "on_site",
            Some(&coupon),
        )
        .await;
        place(field, &cancelled, "박구름", "010-3333-3456", "on_site", None).await;
        place(field, &game, "김하람", "010-4444-5670", "on_site", None).await;
        let staff = |hold: &Hold, verb: &str| {
            Call::admin(format!("/v1/reservations/{}/{verb}", hold.number), json!({}))
        };
        api.done(&staff(&paid, "mark-paid")).await;
        api.done(&staff(&game, "mark-paid")).await;
        api.done(&staff(&cancelled, "cancel")).await;
        Self {
            screening,
            session,
            held,
            unpaid,
            paid,
            cancelled,
            game,
            coupon,
            position: field.position(),
        }
    }

    fn list(&self, query: &str) -> Call {
        Call::get(format!("/v1/reservations?min_position={}&{query}", self.position)).by_staff()
    }
}

fn numbers(answer: &Answer) -> Vec<String> {
    let page = answer.json();
    let items = page["items"]
        .as_array()
        .unwrap_or_else(|| panic!("no page: {page}"));
    items
        .iter()
        .map(|item| item["number"].as_str().expect("a number").to_owned())
        .collect()
}

fn of(holds: &[&Hold]) -> Vec<String> {
    holds.iter().map(|hold| hold.number.clone()).collect()
}

/// The lines of a file, each with its fields.
fn lines(answer: &Answer) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(answer.body.as_slice());
    let lines = reader
        .records()
        .map(|line| line.expect("a line of the same length"));
    lines
        .map(|line| line.iter().map(str::to_owned).collect())
        .collect()
}

/// What stands in a field of each line.
fn field_of(lines: &[Vec<String>], name: &str) -> Vec<String> {
    let at = lines[0].iter().position(|field| field == name);
    let at = at.unwrap_or_else(|| panic!("no {name} in {:?}", lines[0]));
    lines[1..].iter().map(|line| line[at].clone()).collect()
}

/// The position of the first placement.
async fn first_placement(field: &Field) -> i64 {
    let path = format!(
        "/v1/audit/events?event=ReservationPlaced&limit=1&min_position={}",
        field.position()
    );
    let page = field.api.done(&Call::get(path).by_staff()).await.json();
    page["items"][0]["position"].as_i64().expect("a position")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn staff_find_reservations_by_everything_they_may_know() {
    let field = Field::open().await;
    let day = Day::begin(&field).await;
    let Day {
        held,
        unpaid,
        paid,
        cancelled,
        game,
        ..
    } = &day;
    let (date, shown) = field.day(day.screening).await;
    let house = &field.house;
    let start = shown["starts_at"].as_str().expect("a start");
    let short_code = {
        let view = field.api.done(&Call::show(paid)).await.json();
        view["placed"]["short_code"].as_str().expect("a code").to_owned()
    };
    let at_cinema = of(&[cancelled, paid, unpaid, held]);
    for (query, expected) in [
        (String::new(), of(&[game, cancelled, paid, unpaid, held])),
        (format!("branch={}", house.cinema), at_cinema.clone()),
        (format!("branch={}", house.shop), of(&[game])),
        (format!("time_slot={}", day.session), of(&[game])),
        (format!("movie={}", house.movie), at_cinema.clone()),
        (format!("theme={}", house.theme), of(&[game])),
        (format!("branch={}&day={date}", house.cinema), at_cinema.clone()),
        (format!("branch={}&day=2030-01-01", house.cinema), of(&[])),
        (format!("from={start}&branch={}", house.cinema), at_cinema.clone()),
        (format!("before={start}&branch={}", house.cinema), of(&[])),
        ("state=held".to_owned(), of(&[held])),
        ("state=held,cancelled".to_owned(), of(&[cancelled, held])),
        ("paid=true".to_owned(), of(&[game, paid])),
        ("paid=false&state=placed".to_owned(), of(&[unpaid])),
        ("payment=bank_transfer".to_owned(), of(&[unpaid])),
        (format!("coupon={}", day.coupon), of(&[paid])),
        (format!("number={}", game.number), of(&[game])),
        (format!("short_code={short_code}"), of(&[paid])),
        (format!("customer={}", Uuid::nil()), of(&[])),
        ("order=asc&state=placed".to_owned(), of(&[unpaid, paid, game])),
        ("sort=placed_at".to_owned(), of(&[game, cancelled, paid, unpaid])),
        ("sort=placed_at&order=asc&paid=true".to_owned(), of(&[paid, game])),
        (
            "sort=starts_at&order=asc".to_owned(),
            of(&[held, unpaid, paid, cancelled, game]),
        ),
    ] {
        let found = numbers(&field.api.done(&day.list(&query)).await);
        if query.starts_with("sort=starts_at") {
            // The session and the screening begin at about the same time.
            let (mut found, mut expected) = (found, expected);
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{query}");
        } else {
            assert_eq!(found, expected, "{query}");
        }
    }
    // What names a person is looked for in a body, beside everything else.
    for (what, expected) in [
        (json!({ "phone": "567" }), of(&[game, unpaid])),
        (json!({ "phone": "1111-56" }), of(&[unpaid])),
        (json!({ "name": "김하" }), of(&[game, unpaid])),
        (json!({ "name": "람" }), of(&[game])),
        (json!({ "name": "hyperlink" }), of(&[paid])),
        (json!({ "name": "김하", "branch": house.cinema }), of(&[unpaid])),
        (
            json!({ "name": "김", "state": "placed", "paid": true }),
            of(&[game]),
        ),
        (
            json!({ "phone": "010", "branch": house.cinema, "day": date, "order": "asc" }),
            of(&[unpaid, paid, cancelled]),
        ),
        (json!({ "phone": "010", "coupon": day.coupon }), of(&[paid])),
    ] {
        let found = field
            .api
            .done(&Call::admin("/v1/reservations/search", what.clone()))
            .await;
        assert_eq!(numbers(&found), expected, "{what}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_through_the_pages_meets_everything_once_in_every_order() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 3, 8, Sale::Long).await;
    for seat in 1..=8 {
        let hold = field
            .api
            .done(&Call::hold(slot, &[format!("A{seat}")]))
            .await
            .hold();
        if seat % 2 == 0 {
            field.api.done(&Call::place(&hold, None)).await;
        }
    }
    for order in ["sort=number", "sort=starts_at", "sort=placed_at"] {
        for direction in ["asc", "desc"] {
            let position = field.position();
            let query = format!("{order}&order={direction}&count=true");
            let list = |more: String| {
                let path = format!("/v1/reservations?{query}&min_position={position}{more}");
                Call::get(path).by_staff()
            };
            let whole = field.api.done(&list(String::new())).await;
            let total = whole.json()["total"].clone();
            let mut walked = Vec::new();
            let mut cursor = String::new();
            for page in 0.. {
                let answer = field.api.done(&list(format!("&limit=3{cursor}"))).await;
                walked.extend(numbers(&answer));
                if page == 0 {
                    // What comes in meanwhile moves nobody to another page.
                    let other = field.api.done(&Call::hold(slot, &["C1"])).await.hold();
                    field.api.done(&Call::step(&other, "release")).await;
                }
                match answer.json()["next"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            let whole = numbers(&whole);
            let kept: Vec<_> = walked
                .iter()
                .filter(|number| whole.contains(number))
                .cloned()
                .collect();
            assert_eq!(kept, whole, "{query}");
            assert_eq!(total["more"], false);
            assert_eq!(total["count"], whole.len(), "{query}");
        }
    }
    field.close().await;
}

/// Queries with a fault, and the parameter whose it is.
const WRONG_QUERIES: [(&str, &str); 35] = [
    ("/v1/reservations?branch=x", "branch"),
    ("/v1/reservations?day=2026-12-24", "day"),
    ("/v1/reservations?day=tomorrow", "day"),
    ("/v1/reservations?state=sold", "state"),
    ("/v1/reservations?paid=yes", "paid"),
    ("/v1/reservations?payment=gold", "payment"),
    ("/v1/reservations?coupon=12", "coupon"),
    ("/v1/reservations?customer=7", "customer"),
    ("/v1/reservations?number=x7", "number"),
    ("/v1/reservations?sort=name", "sort"),
    ("/v1/reservations?order=up", "order"),
    ("/v1/reservations?phone=5678", "phone"),
    ("/v1/reservations?count=true&position=1", "count"),
    ("/v1/reservations?position=1&at=2026-01-01", "position"),
    ("/v1/reservations?cursor=W10", "cursor"),
    ("/v1/reservations.csv?limit=3", "limit"),
    ("/v1/reservations.csv?bom=1", "bom"),
    ("/v1/deposits?state=lost", "state"),
    ("/v1/deposits?sort=depositor", "sort"),
    ("/v1/deposits.csv?limit=3", "limit"),
    ("/v1/waitlist-entries?state=happy", "state"),
    ("/v1/waitlist-entries?sort=name", "sort"),
    ("/v1/waitlist-entries?phone=5678", "phone"),
    ("/v1/waitlist-entries.csv?order=up", "order"),
    ("/v1/coupons?code_prefix=7KQ", "code_prefix"),
    ("/v1/coupons?code_prefix=%25%25%25%25", "code_prefix"),
    ("/v1/coupons?state=lost", "state"),
    ("/v1/coupons?redeemed_by=x", "redeemed_by"),
    ("/v1/coupons.csv?order=up", "order"),
    ("/v1/admins?role=staff", "role"),
    ("/v1/admin/time-slots", "branch"),
    ("/v1/admin/time-slots?branch=x", "branch"),
    ("/v1/admin/customers?state=gone", "state"),
    ("/v1/admin/customers?email=x", "email"),
    ("/v1/admin/daily-numbers", "branch"),
];

/// Bodies with a fault, and where it is.
#[expect(clippy::too_many_lines, reason = "one table")]
fn wrong_bodies() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "/v1/reservations/search",
            json!({ "name": "a", "limit": 0 }),
            "/limit",
        ),
        (
            "/v1/reservations/search",
            json!({ "name": "a", "cursor": "x" }),
            "/cursor",
        ),
        (
            "/v1/reservations/search",
            json!({ "name": "a", "day": "2026-12-24" }),
            "/day",
        ),
        (
            "/v1/reservations/search",
            json!({ "name": "a", "state": "sold" }),
            "/state",
        ),
        (
            "/v1/reservations/search",
            json!({ "name": "a", "sort": "name" }),
            "/sort",
        ),
        ("/v1/reservations/search", json!({ "name": "" }), "/name"),
        ("/v1/waitlist-entries/search", json!({}), ""),
        ("/v1/waitlist-entries/search", json!({ "phone": "5" }), "/phone"),
        (
            "/v1/waitlist-entries/search",
            json!({ "name": "a", "state": "happy" }),
            "/state",
        ),
        (
            "/v1/waitlist-entries/search",
            json!({ "name": "a", "cursor": "x" }),
            "/cursor",
        ),
        (
            "/v1/waitlist-entries/search",
            json!({ "name": "a", "limit": 0 }),
            "/limit",
        ),
        ("/v1/admin/customers/search", json!({}), ""),
        ("/v1/admin/customers/search", json!({ "phone": "5" }), "/phone"),
        (
            "/v1/admin/customers/search",
            json!({ "email": "a", "limit": 201 }),
            "/limit",
        ),
        (
            "/v1/admin/customers/search",
            json!({ "email": "a", "cursor": "x" }),
            "/cursor",
        ),
        (
            "/v1/admin/reservations/bulk",
            json!({ "action": "cancel", "ids": [] }),
            "/ids",
        ),
        (
            "/v1/admin/reservations/bulk",
            json!({ "action": "cancel", "ids": ["7", "7"] }),
            "/ids/1",
        ),
        (
            "/v1/admin/reservations/bulk",
            json!({ "action": "erase", "ids": ["7"] }),
            "/action",
        ),
        (
            "/v1/admin/time-slots/bulk",
            json!({ "action": "close", "ids": ["7"] }),
            "/ids/0",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_filter_is_named_and_nothing_is_guessed() {
    let field = Field::open().await;
    let cinema = field.house.cinema;
    let first = field
        .api
        .done(&Call::get("/v1/reservations?limit=1").by_staff())
        .await;
    assert_eq!(first.json()["items"], json!([]));
    for (path, names) in WRONG_QUERIES {
        let answer = field.api.ask(&Call::get(path).by_staff()).await;
        answer.refused(400, "request/malformed-query");
        let detail = answer.json()["detail"].as_str().expect("a detail").to_owned();
        assert!(detail.contains(names), "{path}: {detail}");
    }
    let numbers =
        |query: &str| Call::get(format!("/v1/admin/daily-numbers?branch={cinema}&{query}")).by_staff();
    for query in [
        "from=2026-12-02&until=2026-12-01",
        "from=2026-01-01&until=2026-12-31",
    ] {
        let answer = field.api.ask(&numbers(query)).await;
        answer.refused(400, "request/malformed-query");
        assert!(
            answer.json()["detail"]
                .as_str()
                .expect("a detail")
                .starts_with("until: ")
        );
    }
    let unknown = Call::get(format!("/v1/admin/daily-numbers?branch={}", Uuid::nil())).by_staff();
    field.api.ask(&unknown).await.refused(404, "branch/not-found");
    for (path, body, pointer) in wrong_bodies() {
        let answer = field.api.ask(&Call::admin(path, body.clone())).await;
        answer.refused(422, "request/invalid-fields");
        assert_eq!(
            answer.json()["errors"][0]["pointer"],
            pointer,
            "{path} {body}: {answer}"
        );
    }
    let many: Vec<String> = (1..=501).map(|number| number.to_string()).collect();
    let bulk = json!({ "action": "cancel", "ids": many });
    let answer = field
        .api
        .ask(&Call::admin("/v1/admin/reservations/bulk", bulk))
        .await;
    answer.refused(422, "request/invalid-fields");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn staff_of_one_branch_meet_nothing_of_another_in_any_list_count_file_or_answer() {
    let field = Field::open().await;
    let day = Day::begin(&field).await;
    let api = &field.api;
    let (cinema, shop) = (field.house.cinema, field.house.shop);
    let token = Colleague::enlist(api, "shop.staff", "STAFF", &[shop])
        .await
        .sign_in(api)
        .await;
    let position = field.position();
    let ask = |path: &str| Call::get(path).with_token(&token);
    let list = format!("/v1/reservations?count=true&min_position={position}");
    for query in ["", "&sort=starts_at", "&sort=placed_at&order=asc", "&paid=true"] {
        let page = api.done(&ask(&format!("{list}{query}"))).await;
        assert_eq!(numbers(&page), of(&[&day.game]), "{query}");
        assert_eq!(
            page.json()["total"],
            json!({ "count": 1, "more": false }),
            "{query}"
        );
    }
    let others = api.done(&ask(&format!("{list}&branch={cinema}"))).await;
    assert_eq!(numbers(&others), of(&[]));
    assert_eq!(others.json()["total"]["count"], 0);
    for query in [
        format!("number={}", day.paid.number),
        format!("coupon={}", day.coupon),
        format!("time_slot={}", day.screening),
    ] {
        assert_eq!(
            numbers(&api.done(&ask(&format!("{list}&{query}"))).await),
            of(&[]),
            "{query}"
        );
    }
    let past = format!("/v1/reservations?position={position}");
    assert_eq!(numbers(&api.done(&ask(&past)).await), of(&[&day.game]));
    let found = json!({ "phone": "010", "count": true });
    let found = api
        .done(&Call::post("/v1/reservations/search", found).with_token(&token))
        .await;
    assert_eq!(numbers(&found), of(&[&day.game]));
    assert_eq!(found.json()["total"]["count"], 1);
    let file = api
        .done(&ask(&format!("/v1/reservations.csv?min_position={position}")))
        .await;
    assert_eq!(field_of(&lines(&file), "number"), of(&[&day.game]));
    let coupons = api.done(&ask("/v1/coupons.csv")).await;
    assert_eq!(lines(&coupons).len(), 1, "{coupons}");
    for path in [
        format!("/v1/admin/time-slots?branch={cinema}"),
        format!("/v1/admin/time-slots.csv?branch={cinema}"),
        format!("/v1/admin/daily-numbers?branch={cinema}"),
        format!("/v1/admin/daily-numbers.csv?branch={cinema}"),
    ] {
        api.ask(&ask(&path)).await.refused(403, "rights/elsewhere");
        api.done(&ask(&path.replace(&cinema.to_string(), &shop.to_string())))
            .await;
    }
    let bulk = json!({ "action": "mark-notified", "ids": [day.paid.number, day.game.number, "4711"] });
    let answer = api
        .done(&Call::post("/v1/admin/reservations/bulk", bulk).with_token(&token))
        .await;
    let items = answer.json()["items"].clone();
    assert_eq!(items[1]["outcome"], "done", "{answer}");
    let mut theirs = items[0]["problem"].clone();
    let mut nobodys = items[2]["problem"].clone();
    (theirs["instance"], nobodys["instance"]) = (json!(null), json!(null));
    assert_eq!(theirs, nobodys, "as unknown as one that is not there");
    let close = json!({ "action": "close", "ids": [day.screening, day.session] });
    let closed = api
        .done(&Call::post("/v1/admin/time-slots/bulk", close).with_token(&token))
        .await
        .json();
    assert_eq!(
        closed["items"][0]["problem"]["type"], "/problems/rights/elsewhere",
        "{closed}"
    );
    assert_eq!(closed["items"][1]["outcome"], "done", "{closed}");
    field.close().await;
}
