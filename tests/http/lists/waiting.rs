//! Who waits, found by staff by what they know of somebody.

use aggregates::{StreamId, ids::ReservationId, reservation::Reservation};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    http::field::Field,
    support::{api::Call, house::Sale},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn staff_find_who_waits_by_a_part_of_the_name_or_phone() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let (later, sooner) = (
        house.screening(api, 1, 1, Sale::Long).await,
        house.session(api, Sale::Long).await,
    );
    api.done(&Call::hold(later, &["A1"])).await;
    api.done(&Call::hold_room(sooner, 2)).await;
    let waits = async |slot: Uuid, name: &str, phone: &str| {
        let mut body = json!({ "name": name, "phone": phone });
        if slot == later {
            body["persons"] = json!({ "adult": 1 });
        } else {
            body["party_size"] = json!(2);
        }
        let path = format!("/v1/time-slots/{slot}/waitlist");
        let joined = api.done(&Call::post(path, body)).await.json();
        joined["entry"]["number"].as_str().expect("it waits").to_owned()
    };
    let one = waits(later, "김하늘", "010-1111-5678").await;
    let two = waits(sooner, "김하람", "010-2222-9012").await;
    let three = waits(sooner, "이바다", "010-3333-5670").await;
    let position = field.position();
    let found = async |mut asked: Value| {
        asked["min_position"] = json!(position);
        let call = Call::admin("/v1/waitlist-entries/search", asked);
        let page = api.done(&call).await.json();
        let items = page["items"].as_array().expect("a page").clone();
        let numbers: Vec<Value> = items.iter().map(|item| item["number"].clone()).collect();
        (numbers, page)
    };
    for (asked, expected) in [
        (json!({ "phone": "567" }), vec![&one, &three]),
        (json!({ "phone": "1-5678" }), vec![&one]),
        (json!({ "phone": "+82 10 2222" }), vec![&two]),
        (json!({ "name": "하" }), vec![&one, &two]),
        (json!({ "name": "하", "order": "desc" }), vec![&two, &one]),
        (json!({ "name": "김하", "time_slot": sooner }), vec![&two]),
        (json!({ "name": "김하", "branch": house.cinema }), vec![&one]),
        (json!({ "name": "김하", "state": "left" }), vec![]),
        (json!({ "name": "%" }), vec![]),
        (json!({ "phone": "9999" }), vec![]),
    ] {
        let (numbers, _) = found(asked.clone()).await;
        assert_eq!(
            numbers,
            expected.iter().map(|number| json!(number)).collect::<Vec<_>>(),
            "{asked}"
        );
    }
    let (_, page) = found(json!({ "phone": "5678" })).await;
    assert_eq!(
        (&page["items"][0]["name"], &page["items"][0]["phone"]),
        (&json!("김하늘"), &json!("010-1111-5678"))
    );
    let (_, page) = found(json!({ "name": "하", "limit": 1 })).await;
    let next = page["next"].clone();
    let (numbers, _) = found(json!({ "name": "하", "limit": 1, "cursor": next })).await;
    assert_eq!(numbers, [json!(two)]);
    // The list can be sorted by when the slot begins.
    let path = format!("/v1/waitlist-entries?sort=starts_at&order=desc&min_position={position}");
    let page = api.done(&Call::get(path).by_staff()).await.json();
    let moments = page["items"].as_array().expect("a page").iter();
    let moments: Vec<String> = moments.map(|item| item["starts_at"].to_string()).collect();
    assert_eq!(moments.len(), 3);
    assert!(moments.is_sorted_by(|a, b| a >= b), "{moments:?}");
    // Who was forgotten is found no more, whatever is known of them.
    let forgotten: ReservationId = one.parse().expect("a number");
    let person = StreamId::of::<Reservation>(&forgotten);
    field.store().erase(&person).await.expect("it is erased");
    for asked in [json!({ "phone": "5678" }), json!({ "name": "하늘" })] {
        assert_eq!(found(asked).await.0, Vec::<Value>::new());
    }
    let left = Call::admin(format!("/v1/waitlist-entries/{one}/leave"), json!({}));
    let left = api.done(&left).await.position.expect("a position");
    let path = format!("/v1/waitlist-entries?time_slot={later}&min_position={left}");
    let page = api.done(&Call::get(path).by_staff()).await.json();
    assert_eq!(page["items"][0]["state"], "left");
    assert_eq!(page["items"][0]["name"], Value::Null, "what was erased stays so");
    field.proved().await;
    field.close().await;
}
