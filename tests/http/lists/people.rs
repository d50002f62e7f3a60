//! Customers and coupons as staff find them.

use serde_json::{Value, json};

use super::Day;
use crate::{
    http::{customers::customer, field::Field},
    support::{api::Call, house::Sale, staff::Colleague},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn customers_are_found_and_forgotten() {
    let field = Field::open().await;
    let haneul = customer(&field.api, "haneul@example.com", "하늘").await;
    customer(&field.api, "bada@example.com", "바다새").await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let hold = field
        .api
        .done(&Call::hold(slot, &["A1"]).with_token(&haneul))
        .await
        .hold();
    field
        .api
        .done(&Call::place(&hold, None).with_token(&haneul))
        .await;
    let list = |more: &str| {
        let position = field.position();
        Call::get(format!("/v1/admin/customers?min_position={position}{more}")).by_staff()
    };
    let all = field.api.done(&list("")).await.json();
    let nicknames = |page: &Value| {
        let items = page["items"].as_array().expect("a page").clone();
        items
            .iter()
            .map(|item| item["nickname"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(nicknames(&all), ["바다새", "하늘"]);
    assert_eq!(all["items"][1]["reservations"], 1);
    assert_eq!(all["items"][1]["no_shows"], 0);
    assert!(!all.to_string().contains("password"));
    let page = field.api.done(&list("&limit=1")).await.json();
    let next = page["next"].as_str().expect("a next page");
    let rest = field
        .api
        .done(&list(&format!("&limit=1&cursor={next}")))
        .await
        .json();
    assert_eq!([nicknames(&page), nicknames(&rest)].concat(), ["바다새", "하늘"]);
    let search = async |what: Value| {
        let call = Call::admin("/v1/admin/customers/search", what);
        nicknames(&field.api.done(&call).await.json())
    };
    assert_eq!(
        search(json!({ "email": "EXAMPLE.com" })).await,
        ["바다새", "하늘"]
    );
    assert_eq!(search(json!({ "email": "haneul@" })).await, ["하늘"]);
    assert_eq!(search(json!({ "nickname": "다새" })).await, ["바다새"]);
    assert_eq!(
        search(json!({ "phone": "44-55", "nickname": "하" })).await,
        ["하늘"]
    );
    assert_eq!(search(json!({ "nickname": "%" })).await, Vec::<Value>::new());
    // Who only works at the shop has never met them; who works at the cinema has met one.
    for (login, branch, expected) in [
        ("shop", field.house.shop, vec![]),
        ("cinema", field.house.cinema, vec![json!("하늘")]),
    ] {
        let token = Colleague::enlist(&field.api, login, "STAFF", &[branch])
            .await
            .sign_in(&field.api)
            .await;
        let known = field.api.done(&list("").with_token(&token)).await.json();
        assert_eq!(nicknames(&known), expected, "{login}");
    }
    let leave = Call::post(
        "/v1/customer/leave",
        json!({ "password": crate::support::staff::PASSWORD }),
    );
    field.api.done(&leave.with_token(&haneul)).await;
    let left = field.api.done(&list("&state=left")).await.json();
    let item = &left["items"][0];
    assert_eq!(
        (&item["email"], &item["nickname"], &item["phone"]),
        (&Value::Null, &Value::Null, &Value::Null),
        "{left}"
    );
    assert_eq!(search(json!({ "email": "haneul" })).await, Vec::<Value>::new());
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coupons_are_found_by_code_state_scope_and_what_they_were_redeemed_for() {
    let field = Field::open().await;
    let day = Day::begin(&field).await;
    let terms = json!({ "discount": { "rate": { "percent": 20 } }, "scope": { "branch": field.house.shop, "theme": field.house.theme },
        "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z" });
    let issued = field
        .api
        .done(&Call::admin("/v1/coupons", json!({ "terms": terms })))
        .await;
    let scoped = issued.json()["codes"][0].as_str().expect("a code").to_owned();
    let position = field.position();
    for (query, expected) in [
        (String::new(), vec![&scoped, &day.coupon]),
        ("order=asc".to_owned(), vec![&day.coupon, &scoped]),
        ("state=redeemed".to_owned(), vec![&day.coupon]),
        (format!("redeemed_by={}", day.paid.number), vec![&day.coupon]),
        (format!("redeemed_by={}", day.game.number), vec![]),
        (
            format!("code_prefix={}", &scoped[..4].to_lowercase()),
            vec![&scoped],
        ),
        (format!("branch={}", field.house.shop), vec![&scoped]),
        (format!("theme={}", field.house.theme), vec![&scoped]),
        (format!("movie={}", field.house.movie), vec![]),
        ("valid_at=2198-01-01T00:00:00Z".to_owned(), vec![&scoped]),
    ] {
        let call = Call::get(format!("/v1/coupons?min_position={position}&{query}")).by_staff();
        let page = field.api.done(&call).await.json();
        let items = page["items"].as_array().expect("a page");
        let codes: Vec<_> = items.iter().filter_map(|item| item["code"].as_str()).collect();
        assert_eq!(codes, expected, "{query}");
    }
    field.close().await;
}
