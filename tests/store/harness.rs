//! Stores, seats and requests for the stories about the log. Never asserts anything.

use aggregates::{
    ids::{ReservationId, SeatId, TimeSlotId},
    seat::{Seat, SeatCommand, SeatError},
};
use jari::{
    store::{Actor, Committed, IdempotencyKey, Request, Stop, Store, StoreSettings, Upcasters},
    vault::{MasterSecret, Vault},
};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::database::TestDatabase;

pub const ALICE: ReservationId = ReservationId::new(1);
pub const BOB: ReservationId = ReservationId::new(2);

/// The vault all stories share.
pub fn vault() -> Vault {
    Vault::new(&MasterSecret::new([42; 32]))
}

/// A store as the server opens it: in the role that cannot change the log.
pub async fn open(database: &TestDatabase) -> Store {
    let settings = StoreSettings {
        database: database.owner().as_app().tokio_postgres(),
        upcasters: Upcasters::default(),
    };
    Store::open(settings, vault()).await.expect("the store opens")
}

/// A seat nobody has touched.
pub fn new_seat() -> SeatId {
    SeatId {
        time_slot: TimeSlotId::new(Uuid::now_v7()),
        label: "A1".parse().unwrap(),
    }
}

/// Seats of one slot.
pub fn seats(count: usize) -> Vec<SeatId> {
    let time_slot = TimeSlotId::new(Uuid::now_v7());
    (1..=count)
        .map(|number| SeatId {
            time_slot,
            label: format!("A{number}").parse().unwrap(),
        })
        .collect()
}

/// A guest's request without a key.
pub fn request(by: ReservationId) -> Request {
    Request {
        actor: Actor::Guest(by),
        ..Request::system("test", "HoldSeat")
    }
}

/// A request with a key; `request` distinguishes what it asks for.
pub fn keyed(by: ReservationId, key: &str, request_hash: u8) -> Request {
    Request {
        key: Some(IdempotencyKey {
            scope: "test".to_owned(),
            key: key.to_owned(),
            fingerprint: [request_hash; 32],
        }),
        ..request(by)
    }
}

/// Holds one seat.
pub async fn hold(
    store: &Store,
    request: &Request,
    seat: &SeatId,
    by: ReservationId,
) -> Result<Committed, Stop<SeatError>> {
    hold_all(store, request, std::slice::from_ref(seat), by).await
}

/// Holds seats in one unit.
pub async fn hold_all(
    store: &Store,
    request: &Request,
    seats: &[SeatId],
    by: ReservationId,
) -> Result<Committed, Stop<SeatError>> {
    store
        .run(request, |mut unit| async move {
            unit.load_all::<Seat>(seats).await?;
            for seat in seats {
                unit.execute::<Seat>(seat, SeatCommand::Hold { by })
                    .map_err(Stop::Refused)?;
            }
            Ok(())
        })
        .await
}

/// Gives one seat back.
pub async fn release(store: &Store, seat: &SeatId, by: ReservationId) -> Result<Committed, Stop<SeatError>> {
    store
        .run(&request(by), |mut unit| async move {
            unit.load::<Seat>(seat).await?;
            unit.execute::<Seat>(seat, SeatCommand::Release { by })
                .map_err(Stop::Refused)
        })
        .await
}

/// One number from the database.
pub async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Fails unless positions and the sequences of every stream are dense and time never goes back.
pub async fn assert_dense(client: &Client) {
    let gaps = "select count(*) from (select position, recorded_at, row_number() over (order by position) n,
        lag(recorded_at) over (order by position) before from events) e where position <> n or before > recorded_at";
    assert_eq!(
        number(client, gaps).await,
        0,
        "positions have gaps, or time went back"
    );
    let gaps =
        "select count(*) from (select sequence, row_number() over (partition by aggregate_type, aggregate_id
        order by position) n from events) e where sequence <> n";
    assert_eq!(number(client, gaps).await, 0, "a stream has gaps");
}
