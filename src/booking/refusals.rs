//! Every refusal a booking can meet, for the documentation; never decides whether one is met.

use aggregates::{
    allowance::AllowanceError,
    coupon::CouponError,
    deposit::DepositError,
    patron::PatronError,
    pricing::PricingError,
    ratings::RatingError,
    refusal::{Kind, Refusal as _},
    reservation::ReservationError,
    seat::SeatError,
    seating::SeatingError,
    time_slot::TimeSlotError,
    waitlist::WaitlistError,
};

use super::{ChoiceError, door::DoorError};
use crate::ticket::TicketError;

/// The stable type, class and help of each.
#[must_use]
pub fn refusals() -> Vec<(&'static str, Kind, &'static str)> {
    let choices = ChoiceError::EACH
        .iter()
        .map(|error| (error.slug(), error.kind(), error.help()));
    let tickets = TicketError::EACH
        .iter()
        .map(|error| (error.slug(), error.kind(), error.help()));
    let doors = DoorError::EACH
        .iter()
        .map(|error| (error.slug(), error.kind(), error.help()));
    let rules = [
        SeatError::REFUSALS,
        SeatingError::REFUSALS,
        TimeSlotError::REFUSALS,
        ReservationError::REFUSALS,
        CouponError::REFUSALS,
        PricingError::REFUSALS,
        WaitlistError::REFUSALS,
        RatingError::REFUSALS,
        AllowanceError::REFUSALS,
        PatronError::REFUSALS,
        DepositError::REFUSALS,
    ];
    choices
        .chain(tickets)
        .chain(doors)
        .chain(rules.concat())
        .collect()
}
