//! What each kind of coupon takes off, where and when it counts (DOMAIN K1): told beforehand and charged alike.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::field::Field;
use crate::support::{
    api::{Call, Hold},
    house::Sale,
};

/// What a session for two costs, and a seat.
const ROOM: i64 = 48_000;
const SEAT: i64 = 14_000;

#[derive(Debug, Clone, Copy)]
enum For {
    Session,
    Screening,
}

async fn held(field: &Field, what: For) -> Hold {
    let (api, house) = (&field.api, &field.house);
    let call = match what {
        For::Session => Call::hold_room(house.session(api, Sale::Long).await, 2),
        For::Screening => Call::hold(house.screening(api, 1, 3, Sale::Long).await, &["A1"]),
    };
    api.done(&call).await.hold()
}

/// A coupon that is good for now, with these terms in place of the usual ones.
async fn issued(field: &Field, other: &Value) -> String {
    let now = Timestamp::now();
    let mut terms = json!({ "discount": { "rate": { "percent": 20 } }, "valid_from": now - 1.hour(),
        "valid_until": now + 24.hours() });
    for (name, term) in other.as_object().expect("terms") {
        terms[name] = term.clone();
    }
    let issue = Call::admin("/v1/coupons", json!({ "terms": terms }));
    let issued = field.api.done(&issue).await.json();
    issued["codes"][0].as_str().expect("a code").to_owned()
}

fn check(hold: &Hold, code: &str) -> Call {
    let path = format!("/v1/reservations/{}/check-coupon", hold.number);
    Call::admin(path, json!({ "coupon": code }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_takes_off_what_it_says_and_never_more_than_the_price() {
    let field = Field::open().await;
    let (theme, movie) = (field.house.theme, field.house.movie);
    let (cinema, shop) = (field.house.cinema, field.house.shop);
    let amount = |amount: i64| json!({ "discount": { "amount": { "amount": amount } } });
    for (what, terms, off) in [
        (For::Session, amount(10_000), 10_000),
        (For::Session, amount(60_000), ROOM),
        (For::Session, json!({ "discount": "free" }), ROOM),
        (
            For::Session,
            json!({ "discount": { "rate": { "percent": 100 } } }),
            ROOM,
        ),
        (For::Session, json!({ "scope": { "theme": theme } }), 9_600),
        (
            For::Session,
            json!({ "scope": { "theme": theme, "branch": shop } }),
            9_600,
        ),
        (For::Screening, json!({ "scope": { "movie": movie } }), 2_800),
        (For::Screening, json!({ "scope": { "branch": cinema } }), 2_800),
    ] {
        let (hold, code) = (held(&field, what).await, issued(&field, &terms).await);
        let price = match what {
            For::Session => ROOM,
            For::Screening => SEAT,
        };
        let told = field.api.done(&check(&hold, &code)).await.json();
        assert_eq!(
            (&told["off"], &told["quote"]["total"]),
            (&json!(off), &json!(price - off)),
            "{terms}: {told}"
        );
        let placed = field.api.done(&Call::place(&hold, Some(&code))).await.json();
        assert_eq!(placed["quote"], told["quote"], "{terms}");
    }
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_that_does_not_count_here_or_now_says_so_and_stays_unused() {
    let field = Field::open().await;
    let (theme, movie, now) = (field.house.theme, field.house.movie, Timestamp::now());
    let (cinema, shop) = (field.house.cinema, field.house.shop);
    for (what, terms, status, slug) in [
        (
            For::Screening,
            json!({ "scope": { "theme": theme } }),
            409,
            "coupon/out-of-scope",
        ),
        (
            For::Session,
            json!({ "scope": { "movie": movie } }),
            409,
            "coupon/out-of-scope",
        ),
        (
            For::Session,
            json!({ "scope": { "theme": theme, "branch": cinema } }),
            409,
            "coupon/out-of-scope",
        ),
        (
            For::Screening,
            json!({ "scope": { "branch": shop } }),
            409,
            "coupon/out-of-scope",
        ),
        (
            For::Session,
            json!({ "valid_from": now + 1.hour() }),
            409,
            "coupon/not-yet-valid",
        ),
        (
            For::Session,
            json!({ "valid_from": now - 2.hours(), "valid_until": now - 1.second() }),
            410,
            "coupon/no-longer-valid",
        ),
    ] {
        let (hold, code) = (held(&field, what).await, issued(&field, &terms).await);
        for refused in [check(&hold, &code), Call::place(&hold, Some(&code)).by_staff()] {
            let answer = field.api.ask(&refused).await;
            answer.refused(status, slug);
        }
        let story = Call::get(format!("/v1/audit/coupon/{code}")).by_staff();
        let story = field.api.done(&story).await.json();
        assert_eq!(
            story.as_array().map(Vec::len),
            Some(1),
            "issued, and no more: {story}"
        );
        // Without it the hold is placed at its whole price.
        let placed = field.api.done(&Call::place(&hold, None)).await.json();
        assert_eq!(placed["state"], "placed", "{placed}");
    }
    field.close().await;
}
