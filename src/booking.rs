//! Commands that touch several aggregates, each one unit of work: hold, place, cancel and the rest; never knows HTTP.
//!
//! Whatever happens to a reservation happens to its seats, its coupon and itself in the same append, or not at all.

mod administer;
mod attend;
mod choice;
mod coupons;
mod end;
mod hold;
mod numbers;
mod place;
mod refused;
mod seats;
mod soundness;

use std::sync::Arc;

use aggregates::ids::ReservationId;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

pub use self::{
    administer::{Administrable, NotDone, administer, administered_refusals, booking_refusals},
    choice::{Places, Wish},
    coupons::{ISSUED_MAX, issue_coupons},
    end::{Ending, end_if_due},
    numbers::Numbers,
    place::Placing,
    refused::{ChoiceError, Refused},
    soundness::{ProgrammeError, zone_of},
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

    async fn run<F>(&self, request: &Request, body: impl Fn(UnitOfWork) -> F) -> Answer
    where
        F: Future<Output = Result<(), Stop<Refused>>> + Send,
    {
        self.store.run(request, body).await
    }
}

const TOKEN_PURPOSE: &str = "reservation-token";
