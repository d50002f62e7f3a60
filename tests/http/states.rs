//! What a time slot says of itself before its sale, after its start and near it (DOMAIN C4, C5, C14).

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::{Call, Hold},
    house::{Sale, layout},
    waiting::eventually,
};

/// Time enough to sell what begins then.
const SOON_SECONDS: i64 = 10;

/// A slot as the list of its day shows it.
async fn listed(field: &Field, slot: Uuid) -> Value {
    let (day, shown) = field.day(slot).await;
    let branch = shown["branch"].as_str().expect("a branch");
    let list = Call::get(format!("/v1/time-slots?branch={branch}&date={day}"));
    let page = field.api.done(&list).await.json();
    let items = page["items"].as_array().expect("a list").iter();
    let mut same = items.filter(|item| item["id"] == json!(slot));
    same.next()
        .unwrap_or_else(|| panic!("{slot} is not in {page}"))
        .clone()
}

async fn placed(field: &Field, call: Call) -> Hold {
    let hold = field.api.done(&call).await.hold();
    field.api.done(&Call::place(&hold, None)).await;
    hold
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_started_slot_is_shown_as_started_and_never_as_sold_out() {
    let field = Field::open().await;
    let api = &field.api;
    let begins = Timestamp::now() + SOON_SECONDS.seconds();
    let session = field.house.session(api, Sale::UntilItBegins(begins)).await;
    let screening = field
        .house
        .screening(api, 1, 2, Sale::UntilItBegins(begins))
        .await;
    let hold = placed(&field, Call::hold_room(session, 2)).await;
    assert_eq!(listed(&field, session).await["state"], "sold_out");
    assert_eq!(listed(&field, screening).await["state"], "on_sale");
    for slot in [session, screening] {
        eventually("it begins", || async {
            (listed(&field, slot).await["state"] == "started").then_some(())
        })
        .await;
        let one = field.settled(slot).await;
        assert_eq!(one["state"], "started", "{one}");
    }
    assert!(Timestamp::now() >= begins, "never before it begins");
    api.ask(&Call::hold_room(session, 2))
        .await
        .refused(410, "time-slot/started");
    api.ask(&Call::hold(screening, &["A1"]))
        .await
        .refused(410, "time-slot/started");
    // Who has a place in it keeps it.
    let view = api.done(&Call::show(&hold)).await.json();
    assert_eq!(view["state"], "placed", "{view}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_yet_on_sale_says_from_when_it_is() {
    let field = Field::open().await;
    let api = &field.api;
    let opens = Timestamp::now() + 1.hour();
    let rules = json!({ "sales_open_at": opens });
    let slot = field
        .house
        .screening_in(api, layout(1, 3), Sale::Long, rules)
        .await;
    let shown = listed(&field, slot).await;
    assert_eq!(shown["state"], "not_yet_on_sale", "{shown}");
    let told: Timestamp = shown["sales_open_at"]
        .as_str()
        .expect("a moment")
        .parse()
        .expect("one");
    assert_eq!(told.as_millisecond(), opens.as_millisecond());
    api.ask(&Call::hold(slot, &["A1"]))
        .await
        .refused(409, "time-slot/not-yet-on-sale");
    let waiting = json!({ "persons": { "adult": 1 }, "name": "김하늘", "phone": "010-1234-5678" });
    api.ask(&Call::post(format!("/v1/time-slots/{slot}/waitlist"), waiting))
        .await
        .refused(409, "time-slot/not-yet-on-sale");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn near_the_start_the_customer_cancels_no_more_and_the_counter_still_does() {
    let field = Field::open().await;
    let api = &field.api;
    let begins = Timestamp::now() + 15.minutes();
    let slot = field
        .house
        .screening(api, 1, 2, Sale::UntilItBegins(begins))
        .await;
    let hold = placed(&field, Call::hold(slot, &["A1", "A2"])).await;
    api.ask(&Call::step(&hold, "cancel"))
        .await
        .refused(410, "reservation/too-late-to-cancel");
    let view = api.done(&Call::show(&hold)).await.json();
    assert_eq!(view["state"], "placed", "what is refused changes nothing: {view}");
    let at_the_counter = Call::admin(format!("/v1/reservations/{}/cancel", hold.number), json!({}));
    let view = api.done(&at_the_counter).await.json();
    assert_eq!(view["state"], "cancelled", "{view}");
    assert!(
        api.ask(&Call::hold(slot, &["A1", "A2"])).await.is_done(),
        "its seats are free"
    );
    // A little earlier the customer does it alone.
    let begins = Timestamp::now() + 25.minutes();
    let slot = field
        .house
        .screening(api, 1, 2, Sale::UntilItBegins(begins))
        .await;
    let hold = placed(&field, Call::hold(slot, &["A1"])).await;
    let view = api.done(&Call::step(&hold, "cancel")).await.json();
    assert_eq!(view["state"], "cancelled", "{view}");
    field.proved().await;
    field.close().await;
}
