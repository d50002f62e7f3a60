//! Money that comes while something else happens (DOMAIN E7, I9): never lost, never counted twice; against real servers.

use jari::{
    store::{Store, StoreSettings, Upcasters},
    vault::{MasterSecret, Vault},
};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::{Answer, Call, Hold},
    house::Sale,
    owing::place_until,
    waiting::eventually,
};

const ROOM: i64 = 48_000;

/// The log, as the servers write it.
async fn log_of(field: &Field) -> Store {
    let settings = StoreSettings {
        database: field.database.owner().as_app().tokio_postgres(),
        upcasters: Upcasters::default(),
    };
    let vault = Vault::new(&MasterSecret::new([7; 32]));
    Store::open(settings, vault).await.expect("the store opens")
}

/// Rooms reserved under these names until a moment, seen by every list.
async fn owing(field: &Field, names: &[&str], pay_by: Timestamp) -> Vec<Hold> {
    let store = log_of(field).await;
    let (mut holds, mut position) = (Vec::new(), 0);
    for (index, name) in names.iter().enumerate() {
        let session = field.house.session(field.api(), Sale::Long).await;
        let hold = field.api().done(&Call::hold_room(session, 2)).await.hold();
        let number = hold.number.parse().expect("a number");
        position = place_until(&store, number, name, &format!("CODE{index}"), pay_by).await;
        holds.push(hold);
    }
    store.close().await;
    for api in &field.apis {
        for path in ["deposits", "reservations"] {
            let listed = Call::get(format!("/v1/{path}?min_position={position}")).by_staff();
            api.done(&listed).await;
        }
    }
    holds
}

fn deposit(field: &Field, depositor: &str, reference: &str) -> Call {
    let body = json!({ "branch": field.house.shop, "amount": { "amount": ROOM, "currency": "KRW" },
        "depositor": depositor, "deposited_at": Timestamp::now(), "reference": reference });
    Call::admin(format!("/v1/deposits/{}/record", Uuid::now_v7()), body)
}

async fn money(field: &Field, hold: &Hold) -> (Value, Value) {
    let view = field.api().done(&Call::show(hold)).await.json();
    (view["state"].clone(), view["placed"]["money"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_comes_in_the_moment_a_reservation_expires_is_never_lost() {
    let field = Field::open(2).await;
    let names = ["가나다", "라마바", "사아자", "차카타", "파하가", "나다라"];
    let pay_by = Timestamp::now() + 8.seconds();
    let holds = owing(&field, &names, pay_by).await;
    eventually("the moment comes", || async {
        (Timestamp::now() >= pay_by).then_some(())
    })
    .await;
    let calls = names
        .iter()
        .enumerate()
        .map(|(index, name)| deposit(&field, name, &index.to_string()))
        .collect();
    let answers = field.race(calls).await;
    for (answer, hold) in answers.iter().zip(&holds) {
        let told = answer.json();
        assert_eq!(told["state"], "matched", "{answer}");
        assert_eq!(told["reservation"], json!(hold.number));
        let (state, money) = money(&field, hold).await;
        assert_eq!(
            (&state, &money["balance"]),
            (&json!("placed"), &json!("paid")),
            "{money}"
        );
        assert_eq!(money["received"], json!(ROOM));
    }
    let log = field.close().await;
    assert_eq!(log.named("DepositMatched").count(), names.len());
    let expired = log.named("ReservationExpired").count();
    assert_eq!(log.named("ReservationReinstated").count(), expired);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_deposits_for_one_reservation_one_pays_and_the_others_wait() {
    let field = Field::open(2).await;
    let holds = owing(&field, &["홍길동"], Timestamp::now() + 20.minutes()).await;
    let calls = (0..6)
        .map(|index| deposit(&field, "홍길동", &index.to_string()))
        .collect();
    let answers = field.race(calls).await;
    let (matched, waiting): (Vec<Answer>, Vec<Answer>) = answers
        .into_iter()
        .partition(|answer| answer.json()["state"] == "matched");
    assert_eq!((matched.len(), waiting.len()), (1, 5));
    assert_eq!(money(&field, &holds[0]).await.1["received"], json!(ROOM));
    // Staff say of two of them at once that they are for it too: that is too much, and has to go back.
    let calls = waiting[..2]
        .iter()
        .map(|answer| {
            let id = answer.json()["id"].as_str().expect("an id").to_owned();
            Call::admin(
                format!("/v1/deposits/{id}/match"),
                json!({ "reservation": holds[0].number }),
            )
        })
        .collect();
    assert!(field.race(calls).await.iter().all(Answer::is_done));
    let (_, money) = money(&field, &holds[0]).await;
    assert_eq!(
        (&money["balance"], &money["refund_due"]),
        (&json!("over_paid"), &json!(2 * ROOM))
    );
    let log = field.close().await;
    assert_eq!(log.named("ReservationPaid").count(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cancels_while_money_comes_gets_all_of_it_back() {
    let field = Field::open(2).await;
    for _ in 0..8 {
        let session = field.house.session(field.api(), Sale::Long).await;
        let hold = field.api().done(&Call::hold_room(session, 2)).await.hold();
        field
            .api()
            .done(&Call::place_paid_by(&hold, "bank_transfer"))
            .await;
        let paid = json!({ "amount": { "amount": ROOM, "currency": "KRW" } });
        let pay = Call::admin(format!("/v1/reservations/{}/mark-paid", hold.number), paid);
        let answers = field.race(vec![Call::step(&hold, "cancel"), pay]).await;
        assert!(answers.iter().all(Answer::is_done), "{answers:?}");
        let (state, money) = money(&field, &hold).await;
        assert_eq!(state, "cancelled");
        assert_eq!(
            (&money["received"], &money["refund_due"]),
            (&json!(ROOM), &json!(ROOM)),
            "{money}"
        );
    }
    let log = field.close().await;
    assert_eq!(log.named("ReservationPaid").count(), 8);
}
