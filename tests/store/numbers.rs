//! Reservation numbers: no two processes make them under one worker id for longer than it takes to notice.

use jari::{
    booking::{Bookings, Numbers},
    vault::leases::WorkerLease,
};

use super::harness::open;
use crate::support::database;

/// The ten bits of a number that tell its worker.
fn worker_of(bookings: &Bookings) -> i64 {
    bookings.next_number().number() >> 12 & 0x3ff
}

#[tokio::test]
async fn a_process_that_lost_its_worker_id_goes_on_under_another() {
    let database = database::fresh().await;
    let pool = database.pool().await;
    let mut lease = WorkerLease::acquire(&pool).await.unwrap();
    let bookings = Bookings::new(open(&database).await, Numbers::of(&lease));
    bookings.keep_numbering(&mut lease, &pool).await.unwrap();
    assert_eq!((lease.worker(), worker_of(&bookings)), (0, 0));
    let before = bookings.next_number();

    // It was away for so long that another process took its id.
    let client = database.client().await;
    let taken = "update vault.worker_leases set holder = gen_random_uuid()";
    client.batch_execute(taken).await.unwrap();
    bookings.keep_numbering(&mut lease, &pool).await.unwrap();
    assert_eq!((lease.worker(), worker_of(&bookings)), (1, 1));
    assert!(bookings.next_number() > before);
    bookings.keep_numbering(&mut lease, &pool).await.unwrap();
    assert_eq!(worker_of(&bookings), 1);
}
