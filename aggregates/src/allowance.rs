//! How many seats of one time slot one customer has, over all their reservations (DOMAIN C4): the stream that guards the
//! limit. Never knows who the customer is: it is named by a keyed hash.
//!
//! ```text
//!   {} ──take──▶ {reservation: seats, …} ──give back──▶ …
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    decider::aggregate,
    ids::{AllowanceId, ReservationId},
    refusal::refusals,
};

/// What can be asked of an allowance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowanceCommand {
    /// Take so many seats for a reservation, in place of those it had.
    Take {
        /// The reservation.
        by: ReservationId,
        /// How many.
        seats: u8,
        /// How many one customer may have in the slot.
        max: u8,
    },
    /// The reservation has none any more.
    GiveBack {
        /// The reservation.
        by: ReservationId,
    },
}

/// What happened to an allowance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AllowanceEvent {
    /// A reservation has so many seats.
    Taken { by: ReservationId, seats: u8 },
    /// It has none any more.
    GivenBack { by: ReservationId },
}

/// Why an allowance says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowanceError {
    /// More than one customer may have.
    #[error("at most {max} seats of a time slot per customer; {had} are in other reservations of yours")]
    UsedUp {
        /// How many one may have.
        max: u8,
        /// How many are in other reservations.
        had: u32,
    },
}

refusals! { AllowanceError:
    Self::UsedUp { .. } => "allowance/used-up", Conflict, "Choose fewer seats, or give up another reservation of this time slot.";
}

/// What an allowance remembers: the seats of each reservation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    taken: BTreeMap<ReservationId, u8>,
}

aggregate! {
    Allowance = "allowance", id: AllowanceId, command: AllowanceCommand, event: AllowanceEvent, error: AllowanceError,
    stored: "Allowance" [Taken, GivenBack]
}

impl Allowance {
    fn rule(
        &self,
        command: AllowanceCommand,
        _now: jiff::Timestamp,
    ) -> Result<Vec<AllowanceEvent>, AllowanceError> {
        match command {
            AllowanceCommand::Take { by, seats, .. } if self.taken.get(&by) == Some(&seats) => Ok(vec![]),
            AllowanceCommand::Take { by, seats, max } => {
                let others = self.taken.iter().filter(|(other, _)| **other != by);
                let had = others.map(|(_, seats)| u32::from(*seats)).sum();
                if had + u32::from(seats) > u32::from(max) {
                    Err(AllowanceError::UsedUp { max, had })
                } else {
                    Ok(vec![AllowanceEvent::Taken { by, seats }])
                }
            }
            AllowanceCommand::GiveBack { by } if self.taken.contains_key(&by) => {
                Ok(vec![AllowanceEvent::GivenBack { by }])
            }
            AllowanceCommand::GiveBack { .. } => Ok(vec![]),
        }
    }

    fn evolve(&mut self, event: AllowanceEvent) {
        match event {
            AllowanceEvent::Taken { by, seats } => {
                self.taken.insert(by, seats);
            }
            AllowanceEvent::GivenBack { by } => {
                self.taken.remove(&by);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AllowanceCommand::*, *};
    use crate::decider::testing::given;

    const ONE: ReservationId = ReservationId::new(1);
    const OTHER: ReservationId = ReservationId::new(2);

    fn take(by: ReservationId, seats: u8) -> AllowanceCommand {
        Take { by, seats, max: 8 }
    }

    fn taken(by: ReservationId, seats: u8) -> AllowanceEvent {
        AllowanceEvent::Taken { by, seats }
    }

    #[test]
    fn seats_are_counted_over_all_reservations() {
        given::<Allowance>([]).when(take(ONE, 8)).then([taken(ONE, 8)]);
        given::<Allowance>([taken(ONE, 5)])
            .when(take(OTHER, 3))
            .then([taken(OTHER, 3)]);
        given::<Allowance>([taken(ONE, 5)])
            .when(take(OTHER, 4))
            .refused(&AllowanceError::UsedUp { max: 8, had: 5 });
        given::<Allowance>([])
            .when(take(ONE, 9))
            .refused(&AllowanceError::UsedUp { max: 8, had: 0 });
    }

    #[test]
    fn a_reservation_takes_in_place_of_what_it_had() {
        given::<Allowance>([taken(ONE, 8)]).when(take(ONE, 8)).then([]);
        given::<Allowance>([taken(ONE, 8)])
            .when(take(ONE, 2))
            .then([taken(ONE, 2)]);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let back = AllowanceEvent::GivenBack { by: ONE };
        given::<Allowance>([taken(ONE, 8)])
            .when(GiveBack { by: ONE })
            .then([back.clone()]);
        given::<Allowance>([taken(ONE, 8), back.clone()])
            .when(GiveBack { by: ONE })
            .then([]);
        given::<Allowance>([]).when(GiveBack { by: ONE }).then([]);
        given::<Allowance>([taken(ONE, 8), back])
            .when(take(OTHER, 8))
            .then([taken(OTHER, 8)]);
    }
}
