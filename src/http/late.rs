//! Time slots that may be offered instead, should money for a reservation have come too late; only looks them up, for
//! the booking to decide. Never holds a seat of them.

use aggregates::{ids::ReservationId, reservation::Reservation, time_slot::Show};
use projections::time_slot_calendar::{self, Filter};

use super::{App, problem::Problem};
use crate::booking::{NEARBY_MAX, Nearby};

/// Slots looked at.
const LOOKED_AT_MAX: i64 = 200;

/// For each of these reservations that expired or may expire meanwhile, the slots of the same show at the same branch that
/// have not begun, the nearest to its own first.
pub(super) async fn nearby(app: &App, ids: &[ReservationId]) -> Result<Nearby, Problem> {
    let mut found = Nearby::new();
    for id in ids {
        let reservation = app.store.read::<Reservation>(id).await?;
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
        let Some(slot) = time_slot_calendar::time_slot(&app.reads, time_slot, None).await? else {
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
            starts_from: Some(app.store.now()),
            ..Filter::default()
        };
        let mut alike = time_slot_calendar::time_slots(&app.reads, &filter, LOOKED_AT_MAX).await?;
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
