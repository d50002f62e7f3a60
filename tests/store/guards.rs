//! What keeps the log from being changed, and commands from spoiling each other.

use aggregates::seat::Seat;
use jari::{
    store::{Store, StoreError, StoreSettings, Upcasters},
    vault::{MasterSecret, Vault},
};
use rstest::rstest;

use super::harness::{ALICE, hold, new_seat, open, request, vault};
use crate::support::database;

#[rstest]
#[case("update events set event_type = 'x'")]
#[case("update events set event_type = 'x' where false")]
#[case("delete from events")]
#[case("truncate events")]
#[tokio::test]
async fn nobody_can_change_the_log_not_even_its_owner(#[case] statement: &str) {
    let database = database::fresh().await;
    let store = open(&database).await;
    hold(&store, &request(ALICE), &new_seat(), ALICE).await.unwrap();
    let error = database
        .client()
        .await
        .batch_execute(statement)
        .await
        .unwrap_err();
    let message = error.as_db_error().unwrap().message().to_owned();
    assert!(message.starts_with("the log is append-only"), "{message}");
}

#[rstest]
#[case("insert into public.events values ('seat', 'a', 1, 'SeatHeld', '1.0', '{}', '{}')")]
#[case("update public.events set event_type = 'x'")]
#[case("delete from public.events")]
#[case("truncate public.events")]
#[case("alter table public.events disable trigger all")]
#[case("delete from public.idempotency_keys")]
#[case("insert into vault.subject_keys values ('a', '', now())")]
#[case("update vault.settings set value = ''")]
#[case("set role postgres; create table public.x ()")]
#[tokio::test]
async fn the_runtime_role_has_only_the_append_function(#[case] statement: &str) {
    let database = database::fresh().await;
    let client = database::client(&database.owner().as_app()).await;
    // Another role cannot be had by asking: only the session's own login may.
    if statement.starts_with("set role") {
        let role: String = client
            .query_one("select current_user::text", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(role, "jari_app");
        return;
    }
    let error = client.batch_execute(statement).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "42501", "{error:?}");
}

#[tokio::test]
async fn a_vault_with_another_secret_is_refused() {
    let database = database::fresh().await;
    open(&database).await;
    let settings = StoreSettings {
        database: database.owner().as_app().tokio_postgres(),
        upcasters: Upcasters::default(),
    };
    let error = Store::open(settings, Vault::new(&MasterSecret::new([1; 32])))
        .await
        .err()
        .unwrap();
    assert_eq!(error, StoreError::OtherSecret);
}

#[tokio::test]
async fn a_stored_event_of_an_older_form_is_lifted() {
    let database = database::fresh().await;
    let seat = new_seat();
    let old = include_str!("../fixtures/SeatHeld-0.9.json");
    let insert =
        "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload,
        metadata) values ('seat', $1, 1, 'SeatHeld', '0.9', $2::text::json, '{}')";
    let owner = database.client().await;
    owner.execute(insert, &[&seat.to_string(), &old]).await.unwrap();

    let unlifted = open(&database).await.read::<Seat>(&seat).await;
    assert!(matches!(unlifted.unwrap_err(), StoreError::Corrupt(_)));

    let lift = |mut payload: serde_json::Value| {
        let held = payload["Held"].as_object_mut().unwrap();
        let holder = held.remove("reservation").unwrap();
        held.insert("by".to_owned(), holder);
        payload
    };
    let step = jari::store::Upcaster {
        name: "SeatHeld",
        from: "0.9",
        to: "1.0",
        lift: std::sync::Arc::new(lift),
    };
    let settings = StoreSettings {
        database: database.owner().as_app().tokio_postgres(),
        upcasters: Upcasters::new(vec![step]),
    };
    let store = Store::open(settings, vault()).await.unwrap();
    assert_eq!(
        *store.read::<Seat>(&seat).await.unwrap(),
        Seat::Held { by: ALICE }
    );
}
