//! What a shop says of itself and offers (DOMAIN E1, E2): accounts, notices, themes; and what became of each word of it.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::{Answer, Call},
    house::{Sale, admin},
    staff::Colleague,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_has_several_accounts_notices_and_words_of_welcome() {
    let field = Field::open().await;
    let (api, shop) = (&field.api, field.house.shop);
    let session = field.house.session(api, Sale::Long).await;
    let hold = api.done(&Call::hold_room(session, 2)).await.hold();
    let before = api
        .done(&Call::place_paid_by(&hold, "bank_transfer"))
        .await
        .json();
    let accounts = json!([{ "bank": "신한은행", "number": "110-222-333444", "holder": "예시주식회사" },
        { "bank": "국민은행", "number": "100-200-345670", "holder": "예시주식회사" }]);
    let notices = json!([{ "title": "입장 안내", "body": "예약 시각 10분 전까지 도착해 주세요." },
        { "title": "주차", "body": "주차장이 없습니다." }]);
    let welcome = "어서 오세요.\n두 번째 줄.";
    admin(
        api,
        "branches",
        shop,
        "list-accounts",
        json!({ "accounts": accounts }),
    )
    .await;
    let said = json!({ "welcome": welcome, "notices": notices });
    admin(api, "branches", shop, "announce", said.clone()).await;
    let shown = api.done(&Call::get(format!("/v1/branches/{shop}"))).await.json();
    assert_eq!(
        (&shown["accounts"], &shown["notices"], &shown["welcome"]),
        (&accounts, &notices, &json!(welcome)),
        "as it was written, in that order"
    );
    let position = field.position();
    admin(api, "branches", shop, "announce", said).await;
    assert_eq!(field.position(), position, "a repeat changes nothing");
    // Who reserves now is told these accounts; who reserved before keeps theirs.
    let next = field.house.session(api, Sale::Long).await;
    let hold = api.done(&Call::hold_room(next, 2)).await.hold();
    let after = api
        .done(&Call::place_paid_by(&hold, "bank_transfer"))
        .await
        .json();
    assert_eq!(after["placed"]["accounts"], accounts, "{after}");
    let was = json!([{ "bank": "국민은행", "number": "100-200-345670", "holder": "예시주식회사" }]);
    assert_eq!(before["placed"]["accounts"], was, "{before}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_theme_that_is_not_active_gets_no_time_slot() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let theme = Uuid::now_v7();
    let introduced = json!({ "branch": house.shop, "name": "등대지기", "price_policy": house.session_prices,
        "party": { "min": 2, "max": 4, "default": 2 }, "duration_minutes": 60, "turnover_minutes": 20,
        "opens": { "days_ahead": 6, "time": "00:00" }, "slots": {} });
    admin(api, "themes", theme, "introduce", introduced).await;
    let shown = api.done(&Call::get(format!("/v1/themes/{theme}"))).await.json();
    assert_eq!(
        shown["state"], "inactive",
        "until somebody says otherwise: {shown}"
    );
    let schedule = async || -> Answer {
        let (now, slot) = (Timestamp::now(), Uuid::now_v7());
        let starts = now + 30.hours();
        let plan = json!({ "branch": house.shop, "starts_at": starts, "ends_at": starts + 1.hour(),
            "show": { "kind": "theme", "theme": theme, "party_min": 2, "party_max": 4 },
            "sales_open_at": now - 1.hour(), "sales_close_at": starts, "price_policy": house.session_prices,
            "price_version": 1, "seats_per_customer_max": 1, "hold_minutes": 10, "hold_cap_minutes": 20,
            "cancel_minutes": 20 });
        let path = format!("/v1/time-slots/{slot}/schedule");
        api.ask(&Call::admin(path, json!({ "plan": plan }))).await
    };
    schedule().await.refused(409, "theme/inactive");
    admin(api, "themes", theme, "activate", json!({})).await;
    let scheduled = schedule().await;
    assert!(scheduled.is_done(), "{scheduled}");
    // What it has is sold on after it was taken off; nothing new is added.
    admin(api, "themes", theme, "deactivate", json!({})).await;
    schedule().await.refused(409, "theme/inactive");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_changes_a_field_after_somebody_else_does_not_hide_them() {
    let field = Field::open().await;
    let (api, shop) = (&field.api, field.house.shop);
    let first = Colleague::enlist(api, "minseo", "HEAD_OFFICE", &[]).await;
    let second = Colleague::enlist(api, "jiwoo", "HEAD_OFFICE", &[]).await;
    for (colleague, name) in [(&first, "강남 1호점"), (&second, "강남 본점")] {
        let token = colleague.sign_in(api).await;
        let rename = Call::post(format!("/v1/branches/{shop}/rename"), json!({ "name": name }));
        api.done(&rename.with_token(&token)).await;
    }
    let path = format!("/v1/audit/branch/{shop}");
    let told = api.done(&Call::get(path).by_staff()).await.json();
    let told = told.as_array().expect("a story").iter();
    let renamed: Vec<&Value> = told.filter(|told| told["event"] == "BranchRenamed").collect();
    let changes: Vec<(&Value, &Value)> = renamed
        .iter()
        .flat_map(|told| told["changes"].as_array().expect("changes"))
        .filter(|change| {
            change["field"]
                .as_str()
                .is_some_and(|field| field.ends_with("/name"))
        })
        .map(|change| (&change["old"], &change["new"]))
        .collect();
    let [was, then, now] = ["강남점", "강남 1호점", "강남 본점"].map(|name| json!(name));
    assert_eq!(changes, [(&was, &then), (&then, &now)], "{renamed:?}");
    assert_ne!(renamed[0]["who"], renamed[1]["who"], "{renamed:?}");
    // Each of them is found by what they did.
    for (colleague, name) in [(&first, &then), (&second, &now)] {
        let path = format!(
            "/v1/audit/events?event=BranchRenamed&actor_kind=admin&actor_id={}&min_position={}",
            colleague.id,
            field.position()
        );
        let found = api.done(&Call::get(path).by_staff()).await.json();
        let sentences: Vec<&str> = found["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|told| told["sentence"].as_str().expect("a sentence"))
            .collect();
        assert_eq!(sentences.len(), 1, "{found}");
        assert!(sentences[0].contains(name.as_str().expect("a name")), "{found}");
    }
    field.close().await;
}
