//! Where a booking looks before it decides: reservations that a deposit may be for, and slots that may be offered instead.
//! Only looks them up in the read models; what becomes of them the streams decide, whatever was
//! shown; never decides itself.

use std::collections::HashMap;

use aggregates::{
    deposit::Receipt,
    ids::{ReservationId, TimeSlotId},
    reservation::Reservation,
    time_slot::Show,
};
use jiff::ToSpan as _;
use projections::{
    reservation_money,
    time_slot_calendar::{self, Filter},
};
use sqlx::PgPool;

use crate::store::{Store, StoreError};

/// Slots of the same show that may be offered instead, the best first, by reservation: looked up beforehand, decided when
/// the money is recorded.
pub type Nearby = HashMap<ReservationId, Vec<TimeSlotId>>;

/// Slots that are considered at most.
pub(super) const NEARBY_MAX: usize = 20;
/// Slots looked at.
const LOOKED_AT_MAX: i64 = 200;
/// Reservations looked at for one deposit.
const CANDIDATES_MAX: i64 = 20;
/// For how many days after its start a reservation may still be paid for.
const DAYS_AFTER: i64 = 30;

/// Why nothing could be looked up.
#[derive(Debug, thiserror::Error)]
pub enum NotLookedUp {
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The read models cannot be read.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Open transfers of the branch that a deposit may be for, as the read model knows them: those of its amount, and those whose
/// short code the depositor may have written.
pub async fn candidates(reads: &PgPool, receipt: &Receipt) -> sqlx::Result<Vec<ReservationId>> {
    let Some(branch) = receipt.branch else {
        return Ok(Vec::new());
    };
    let earliest = receipt.deposited_at.checked_sub((24 * DAYS_AFTER).hours());
    let starts_after = earliest.unwrap_or(receipt.deposited_at);
    let codes: Vec<String> = receipt.possible_codes().iter().map(ToString::to_string).collect();
    reservation_money::open_transfers(
        reads,
        branch,
        receipt.amount,
        &codes,
        starts_after,
        CANDIDATES_MAX,
    )
    .await
}

/// For each of these reservations that expired or may expire meanwhile, the slots of the same show at the same branch that
/// have not begun, the nearest to its own first.
pub async fn nearby(store: &Store, reads: &PgPool, ids: &[ReservationId]) -> Result<Nearby, NotLookedUp> {
    let mut found = Nearby::new();
    for id in ids {
        let reservation = store.read::<Reservation>(id).await?;
        let time_slot = match &*reservation {
            Reservation::Expired(placed) => placed.hold.time_slot,
            Reservation::Placed(placed) if placed.pay_by().is_some() => placed.hold.time_slot,
            Reservation::Placed(_)
            | Reservation::Blank
            | Reservation::Held(_)
            | Reservation::Lapsed(_)
            | Reservation::Released(_)
            | Reservation::Attended(_)
            | Reservation::NoShow(_)
            | Reservation::Cancelled(_) => continue,
        };
        let Some(slot) = time_slot_calendar::time_slot(reads, time_slot, None).await? else {
            continue;
        };
        let (movie, theme) = match slot.plan.show {
            Show::Movie { movie, .. } => (Some(movie), None),
            Show::Theme { theme, .. } => (None, Some(theme)),
        };
        let filter = Filter {
            branch: Some(slot.plan.branch),
            movie,
            theme,
            starts_from: Some(store.now()),
            ..Filter::default()
        };
        let mut alike = time_slot_calendar::time_slots(reads, &filter, LOOKED_AT_MAX).await?;
        alike.retain(|other| other.time_slot != time_slot);
        alike.sort_by_key(|other| {
            let apart = other.plan.starts_at.duration_since(slot.plan.starts_at);
            (apart.unsigned_abs(), other.time_slot.uuid())
        });
        let nearest = alike.into_iter().take(NEARBY_MAX).map(|other| other.time_slot);
        found.insert(*id, nearest.collect());
    }
    Ok(found)
}
