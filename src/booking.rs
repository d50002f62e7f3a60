//! Commands that touch several aggregates, each one unit of work: hold, place, cancel and the rest; never knows HTTP.
//!
//! Whatever happens to a reservation happens to its seats, its coupon and itself in the same append, or not at all.

mod attend;
mod choice;
mod end;
mod hold;
mod numbers;
mod place;
mod refused;

use std::sync::Arc;

use aggregates::ids::ReservationId;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

pub use self::{
    choice::{Places, Wish},
    end::{Ending, end_if_due},
    numbers::Numbers,
    place::Placing,
    refused::{ChoiceError, Refused},
};
use crate::store::{Committed, Request, Stop, Store, UnitOfWork};

/// What a booking command answers: what was committed, or why not.
pub type Answer = Result<Committed, Stop<Refused>>;

/// All booking commands of one server.
#[derive(Clone)]
pub struct Bookings {
    store: Store,
    numbers: Arc<Numbers>,
}

impl Bookings {
    /// Commands on this log; reservation numbers come from `numbers`.
    #[must_use]
    pub fn new(store: Store, numbers: Numbers) -> Self {
        Self {
            store,
            numbers: Arc::new(numbers),
        }
    }

    /// A number for a reservation that is about to begin.
    #[must_use]
    pub fn next_number(&self) -> ReservationId {
        self.numbers.next()
    }

    /// Whether `token` is the secret that was handed out with the reservation; takes the same time for every answer.
    #[must_use]
    pub fn is_token(&self, id: ReservationId, token: &str) -> bool {
        use subtle::ConstantTimeEq as _;
        self.token(id).as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// The secret that goes with a reservation: a keyed hash of its number, so nothing about it is stored.
    #[must_use]
    pub fn token(&self, id: ReservationId) -> String {
        URL_SAFE_NO_PAD.encode(self.store.vault().mac(TOKEN_PURPOSE, &id.number().to_be_bytes()))
    }

    // A body must own what it captures: only then may its future change threads (rust-lang/rust#110338).
    async fn run(
        &self,
        request: &Request,
        body: impl AsyncFn(&mut UnitOfWork) -> Result<(), Stop<Refused>>,
    ) -> Answer {
        self.store.run(request, body).await
    }
}

const TOKEN_PURPOSE: &str = "reservation-token";

#[cfg(test)]
mod tests {
    use aggregates::reservation::{Canceller, ReservationCommand};

    use super::*;

    fn may_change_threads<T: Send>(_: T) {}

    /// Compiling is the proof: a handler of the edge can wait for each of these.
    #[test]
    fn every_command_may_change_threads_while_it_waits() {
        type Given<'a> = (&'a Bookings, &'a Request, &'a Wish, &'a Placing, ReservationId);
        let _never_called = |(bookings, request, wish, placing, id): Given<'_>| {
            may_change_threads(bookings.hold(request, id, wish));
            may_change_threads(bookings.extend(request, id));
            may_change_threads(bookings.change(request, id, wish));
            may_change_threads(bookings.release(request, id));
            may_change_threads(bookings.revive(request, id));
            may_change_threads(bookings.place(request, id, placing));
            may_change_threads(bookings.cancel(request, id, Canceller::Staff, None));
            may_change_threads(bookings.end_due(request, id));
            may_change_threads(bookings.record(request, id, ReservationCommand::CheckIn));
        };
    }
}
