//! A name belongs to one, however many ask for it at the same moment on whichever server (DOMAIN E2, P1): the rule is in the
//! log, not in a question asked beforehand.

use std::collections::BTreeSet;

use serde_json::json;
use uuid::Uuid;

use super::field::{Field, parted};
use crate::support::{api::Call, staff::PASSWORD};

/// Clients that ask at once.
const CLIENTS: usize = 16;

fn signing_up(email: &str, nickname: &str) -> Call {
    let body = json!({ "email": email, "password": PASSWORD, "nickname": nickname, "phone": "010-4444-5555",
        "birth_date": "2001-02-03" });
    Call::post("/v1/customers", body)
}

/// One wins, and everybody else is told what is taken.
async fn one_wins(field: &Field, calls: Vec<Call>, pointer: &str) {
    let (won, lost) = parted(field.race(calls).await);
    assert_eq!(won.len(), 1, "{won:?}");
    assert_eq!(lost.len(), CLIENTS - 1);
    for refused in lost {
        refused.refused(409, "claim/taken");
        let pointers: BTreeSet<String> = refused.json()["errors"]
            .as_array()
            .expect("what is taken")
            .iter()
            .map(|error| error["pointer"].as_str().expect("a pointer").to_owned())
            .collect();
        assert_eq!(pointers, [pointer.to_owned()].into(), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_want_one_name_at_once_one_gets_it() {
    let field = Field::open(2).await;
    let calls = |call: &dyn Fn(usize) -> Call| (0..CLIENTS).map(call).collect::<Vec<Call>>();
    let same_address = calls(&|index| signing_up("haneul@example.com", &format!("하늘{index}")));
    one_wins(&field, same_address, "/email").await;
    let same_nickname = calls(&|index| signing_up(&format!("bada{index}@example.com"), "바다"));
    one_wins(&field, same_nickname, "/nickname").await;
    let (shop, prices) = (field.house.shop, field.house.session_prices);
    let same_theme = calls(&|_| {
        let introduced = json!({ "branch": shop, "name": "등대지기", "price_policy": prices,
            "party": { "min": 2, "max": 4, "default": 2 }, "duration_minutes": 60, "turnover_minutes": 20,
            "opens": { "days_ahead": 6, "time": "00:00" }, "slots": {} });
        Call::admin(format!("/v1/themes/{}/introduce", Uuid::now_v7()), introduced)
    });
    one_wins(&field, same_theme, "/name").await;
    // What was refused left nothing behind: neither an account nor half of one.
    let log = field.close().await;
    assert_eq!(log.named("CustomerSignedUp").count(), 2);
    assert_eq!(
        log.named("ThemeIntroduced").count(),
        2,
        "this one, and the one of the house"
    );
}
