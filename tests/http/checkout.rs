//! Paying through the payment provider (DOMAIN E7), which tells what came in its own time, and gives back in its own time.

use jari::config::HttpArgs;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    field::Field,
    money::{ROOM, hold_room, money, page, shown, won},
    provider::{Provider, SECRET, Signed},
};
use crate::support::{api::Call, house::Sale, waiting::eventually};

pub async fn with_provider(provider: &Provider) -> Field {
    let payments = provider.args();
    Field::configured(|http| HttpArgs { payments, ..http }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_tells_what_came_as_often_as_it_likes() {
    let provider = Provider::open(0).await;
    let field = with_provider(&provider).await;
    let api = &field.api;
    let session = field.house.session(api, Sale::Long).await;
    let hold = hold_room(&field, session).await;
    let placed = api.done(&Call::place_paid_by(&hold, "provider")).await.json();
    assert_eq!(placed["placed"]["payment"], "provider", "{placed}");
    assert_ne!(placed["placed"]["pay_by"], Value::Null, "{placed}");
    let url = placed["placed"]["checkout_url"].as_str().expect("where to pay");
    assert!(
        url.contains("/checkout?intent=") && url.contains("amount=48000"),
        "{url}"
    );

    let paid = Signed::paid("msg_1", "pay_1", &hold.number, ROOM);
    for _ in 0..3 {
        assert_eq!(paid.send(&field).await.0, 204);
    }
    // The same payment under another message, and out of order.
    assert_eq!(
        Signed::paid("msg_2", "pay_1", &hold.number, ROOM)
            .send(&field)
            .await
            .0,
        204
    );
    let failed =
        json!({ "type": "payment.failed", "data": { "payment": "pay_0", "reservation": hold.number } });
    assert_eq!(Signed::new("msg_0", &failed).send(&field).await.0, 204);
    let view = shown(&field, &hold).await;
    assert_eq!(money(&view), ("paid", ROOM, 0, 0), "{view}");
    assert_eq!(
        view["placed"].get("checkout_url"),
        None,
        "nothing is due any more"
    );
    // The same message with another content is none of the provider's.
    let (status, kind) = Signed::paid("msg_1", "pay_9", &hold.number, 1).send(&field).await;
    assert_eq!((status, &*kind), (422, "request/key-reused"));

    // Money for nothing known is kept, and shown to who sees everything.
    for (message, payment, reservation) in [("msg_3", "pay_3", "77"), ("msg_4", "pay_4", "no number")] {
        let unknown = Signed::paid(message, payment, reservation, 5_000);
        assert_eq!(unknown.send(&field).await.0, 204);
        assert_eq!(unknown.send(&field).await.0, 204);
    }
    let session = field.house.session(api, Sale::Long).await;
    let unplaced = hold_room(&field, session).await;
    assert_eq!(
        Signed::paid("msg_5", "pay_5", &unplaced.number, 5_000)
            .send(&field)
            .await
            .0,
        204
    );
    let listed = page(&field, "state=unmatched").await;
    let kept: Vec<(&Value, &Value)> = listed["items"]
        .as_array()
        .expect("deposits")
        .iter()
        .map(|deposit| (&deposit["reference"], &deposit["branch"]))
        .collect();
    let shop = json!(field.house.shop);
    let nowhere = Value::Null;
    assert_eq!(
        kept,
        [
            (&json!("pay_5"), &shop),
            (&json!("pay_4"), &nowhere),
            (&json!("pay_3"), &nowhere)
        ]
    );
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_is_told_before_its_payment_is_taken_when_it_is_told_again() {
    let provider = Provider::open(0).await;
    let field = with_provider(&provider).await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = hold_room(&field, session).await;
    field.api.done(&Call::place_paid_by(&hold, "provider")).await;
    let refund = Signed::refunded("msg_2", "re_1", "pay_1", &hold.number, ROOM);
    let (status, kind) = refund.send(&field).await;
    assert_eq!((status, &*kind), (409, "reservation/refund-exceeds-due"));
    assert_eq!(money(&shown(&field, &hold).await), ("unpaid", 0, 0, 0));
    let paid = Signed::paid("msg_1", "pay_1", &hold.number, ROOM);
    assert_eq!(paid.send(&field).await.0, 204);
    assert_eq!(money(&shown(&field, &hold).await), ("paid", ROOM, 0, 0));
    // The provider tells again what was not taken, and each of them as often as it likes.
    for message in [&refund, &paid, &refund] {
        assert_eq!(message.send(&field).await.0, 204);
    }
    let view = shown(&field, &hold).await;
    assert_eq!(money(&view), ("unpaid", ROOM, 0, 0), "{view}");
    assert_eq!(view["placed"]["money"]["given_back"], ROOM, "{view}");
    assert_eq!(provider.attempts(), 0, "it gave back by itself");
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_forged_old_altered_or_unsigned_changes_nothing() {
    let provider = Provider::open(0).await;
    let field = with_provider(&provider).await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = hold_room(&field, session).await;
    field.api.done(&Call::place_paid_by(&hold, "provider")).await;
    let right = Signed::paid("msg_1", "pay_1", &hold.number, ROOM);
    let body: Value = serde_json::from_str(&right.body).expect("JSON");
    let stranger = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let now = Timestamp::now().as_second();
    for wrong in [
        Signed::by(stranger, "msg_1", now, &body),
        Signed::by(SECRET, "msg_1", now - 301, &body),
        Signed::by(SECRET, "msg_1", now + 400, &body),
        Signed {
            body: right.body.replace("48000", "48001"),
            ..right.clone()
        },
        Signed {
            id: "msg_2".to_owned(),
            ..right.clone()
        },
        Signed {
            signature: String::new(),
            ..right.clone()
        },
        Signed {
            id: String::new(),
            ..right.clone()
        },
        Signed {
            timestamp: String::new(),
            ..right.clone()
        },
    ] {
        let (status, kind) = wrong.send(&field).await;
        assert_eq!((status, &*kind), (400, "request/not-verified"));
    }
    for nonsense in [
        json!({ "type": "payment.succeeded", "data": {} }),
        json!({ "data": {} }),
        json!({ "type": "payment.succeeded", "data": { "payment": "p", "amount": won(0) } }),
    ] {
        let (status, kind) = Signed::new("msg_3", &nonsense).send(&field).await;
        assert_eq!((status, &*kind), (422, "request/invalid-fields"));
    }
    assert_eq!(money(&shown(&field, &hold).await), ("unpaid", 0, 0, 0));
    assert_eq!(right.send(&field).await.0, 204);
    assert_eq!(money(&shown(&field, &hold).await), ("paid", ROOM, 0, 0));
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_provider_nobody_pays_through_one_and_its_door_is_closed() {
    let field = Field::open().await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = hold_room(&field, session).await;
    let refused = field.api.ask(&Call::place_paid_by(&hold, "provider")).await;
    refused.refused(422, "reservation/no-provider");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/payment");
    let (status, kind) = Signed::paid("msg_1", "pay_1", &hold.number, ROOM)
        .send(&field)
        .await;
    assert_eq!((status, &*kind), (404, "request/no-such-thing"));
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_through_the_provider_goes_back_through_it_once_though_its_answer_was_lost() {
    let provider = Provider::open(1).await;
    let field = with_provider(&provider).await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = hold_room(&field, session).await;
    field.api.done(&Call::place_paid_by(&hold, "provider")).await;
    assert_eq!(
        Signed::paid("msg_1", "pay_1", &hold.number, ROOM)
            .send(&field)
            .await
            .0,
        204
    );
    field.api.done(&Call::step(&hold, "cancel")).await;
    eventually("it goes back", || async {
        (money(&shown(&field, &hold).await).3 == 0).then_some(())
    })
    .await;
    assert_eq!(provider.refunds(), [("pay_1".to_owned(), ROOM)]);
    assert!(provider.attempts() >= 2, "its first answer was lost");
    // The provider tells it by webhook too, later.
    let told = json!({ "type": "refund.succeeded", "data": { "refund": "re_1", "payment": "pay_1",
        "reservation": hold.number, "amount": won(ROOM) } });
    for message in ["msg_2", "msg_3"] {
        assert_eq!(Signed::new(message, &told).send(&field).await.0, 204);
    }
    let view = shown(&field, &hold).await;
    assert_eq!(view["placed"]["money"]["given_back"], ROOM, "{view}");
    // One that is not due is not believed.
    let wrong = json!({ "type": "refund.succeeded", "data": { "refund": "re_9", "payment": "pay_1",
        "reservation": hold.number, "amount": won(1) } });
    let (status, kind) = Signed::new("msg_9", &wrong).send(&field).await;
    assert_eq!((status, &*kind), (409, "reservation/refund-exceeds-due"));
    field.proved().await;
    field.close().await;
}
