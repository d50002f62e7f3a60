//! Closing days as staff see them: what stands there, and how far it is handled; never decides anything.

use aggregates::{
    ids::{ReservationId, TimeSlotId},
    values::Money,
};
use jiff::Timestamp;
use projections::reservation_list::Standing;
use serde::Serialize;

use super::{super::problem::Problem, Handling};
use crate::{booking::Answer, store::Stop};

/// What stands on a day or in a slot.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "ClosingDayPreview")]
pub struct PreviewView {
    /// Each slot and what stands in it.
    pub(super) slots: Vec<SlotView>,
    /// Holds; they lapse by themselves, for none of them can be placed any more.
    pub(super) held: i64,
    /// Reservations that are still to be paid.
    pub(super) unpaid: i64,
    /// Reservations on which nothing is due.
    pub(super) paid: i64,
    /// What each handling would do.
    pub(super) handlings: Handlings,
}

/// A slot and what stands in it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "ClosingDaySlot")]
pub struct SlotView {
    /// Which slot.
    time_slot: TimeSlotId,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// The title of the movie or the name of the theme.
    name: Option<String>,
    /// Holds.
    pub(super) held: i64,
    /// Reservations that are still to be paid.
    pub(super) unpaid: i64,
    /// Reservations on which nothing is due.
    pub(super) paid: i64,
}

/// What each handling would do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Handlings {
    /// As they are.
    pub(super) keep: Kept,
    /// Called off.
    pub(super) cancel: CalledOff,
    /// Offered to be moved.
    pub(super) offer_reschedule: Offered,
}

/// What stays.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Kept {
    /// How many reservations stay.
    pub(super) reservations: i64,
}

/// What would be called off.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CalledOff {
    /// How many reservations.
    pub(super) reservations: i64,
    /// What was paid for them, in each currency: it is due in full.
    pub(super) due_back: Vec<Money>,
}

/// What would be offered to be moved.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Offered {
    /// How many reservations.
    pub(super) reservations: i64,
    /// What is due back at most, if everybody cancels.
    pub(super) due_back_max: Vec<Money>,
}

/// How far it is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "ClosingDayProgress")]
pub struct Progress {
    /// What becomes of the reservations.
    pub(super) handling: Handling,
    /// Reservations something happened to now.
    pub(super) handled: usize,
    /// Reservations it had happened to before.
    pub(super) unchanged: usize,
    /// Reservations that could not be handled so, and why; they stay as they are.
    pub(super) refused: Vec<NotHandled>,
    /// Reservations still to be looked at.
    pub(super) left: i64,
    /// To be sent with the next request, while any are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<ReservationId>,
    /// The log position up to which this holds.
    pub(super) position: i64,
}

/// A reservation that could not be handled so.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NotHandled {
    /// Which one.
    reservation: ReservationId,
    /// The type of the refusal.
    #[serde(rename = "type")]
    #[schema(example = "/problems/reservation/too-late-to-cancel")]
    kind: String,
    /// The refusal in words.
    detail: String,
}

impl SlotView {
    pub(super) fn of(slot: Standing) -> Self {
        Self {
            time_slot: slot.time_slot,
            starts_at: slot.starts_at,
            name: slot.show_name,
            held: slot.held,
            unpaid: slot.unpaid,
            paid: slot.paid,
        }
    }
}

impl Progress {
    pub(super) fn add(&mut self, id: ReservationId, answer: Answer) -> Result<(), Problem> {
        match answer {
            Ok(committed) if committed.events.is_empty() => self.unchanged += 1,
            Ok(committed) => {
                self.handled += 1;
                self.position = self.position.max(committed.position);
            }
            Err(Stop::Refused(refused)) => self.refused.push(NotHandled {
                reservation: id,
                kind: format!("/problems/{}", refused.refusal().slug()),
                detail: refused.to_string(),
            }),
            // What is done is done; the same request goes on with the rest.
            Err(Stop::Store(error)) => return Err(error.into()),
        }
        Ok(())
    }
}
