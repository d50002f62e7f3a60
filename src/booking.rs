//! Commands that touch several aggregates, each one unit of work: hold, place, cancel and the rest; never knows HTTP.
//!
//! Whatever happens to a reservation happens to its seats, its coupon and itself in the same append, or not at all.

mod attend;
mod choice;
mod coupons;
mod deposits;
mod door;
mod end;
mod hold;
mod late;
mod money;
mod nearby;
mod numbers;
mod orphans;
mod patrons;
mod place;
mod prices;
mod ratings;
mod refusals;
mod refused;
mod reschedule;
mod seats;
mod waiting;
mod waitlist;

use std::sync::Arc;

use aggregates::{ids::ReservationId, reservation::Reservation};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sqlx::PgPool;

pub(crate) use self::waitlist::look_again;
pub use self::{
    choice::{Places, Wish},
    coupons::{BULK_MAX, BatchRevoked, ISSUED_MAX, issue_coupons, issue_in_bulk, revoke_all},
    door::{Arrival, DoorError, Scan},
    end::{Ending, end_if_due},
    late::moved_to,
    nearby::{Nearby, NotLookedUp, candidates, nearby},
    numbers::Numbers,
    place::Placing,
    prices::{Asked, Price, PriceTable},
    refusals::refusals,
    refused::{ChoiceError, Refused},
    reschedule::Wanted,
    waiting::Joining,
};
use crate::{
    payments::PaymentProvider,
    store::{Committed, Request, Stop, Store, UnitOfWork},
    vault::leases::{LeaseError, WorkerLease},
};

/// What a booking command answers: what was committed, or why not.
pub type Answer = Result<Committed, Stop<Refused>>;

/// All booking commands of one server.
#[derive(Clone)]
pub struct Bookings {
    store: Store,
    numbers: Arc<Numbers>,
    payments: Option<Arc<dyn PaymentProvider>>,
}

impl Bookings {
    /// Commands on this log; reservation numbers come from `numbers`.
    #[must_use]
    pub fn new(store: Store, numbers: Numbers) -> Self {
        Self {
            store,
            numbers: Arc::new(numbers),
            payments: None,
        }
    }

    /// The same, which also take payments through this provider.
    #[must_use]
    pub fn taking(self, payments: Option<Arc<dyn PaymentProvider>>) -> Self {
        Self { payments, ..self }
    }

    /// The payment provider, if one is set up.
    #[must_use]
    pub fn payments(&self) -> Option<&Arc<dyn PaymentProvider>> {
        self.payments.as_ref()
    }

    /// A number for a reservation that is about to begin.
    #[must_use]
    pub fn next_number(&self) -> ReservationId {
        self.numbers.next()
    }

    /// Renews the lease of reservation numbers. If another process has it now, this one goes on under a lease of its own.
    pub async fn keep_numbering(&self, lease: &mut WorkerLease, pool: &PgPool) -> Result<(), LeaseError> {
        if !lease.renew(pool).await? {
            *lease = WorkerLease::acquire(pool).await?;
            self.numbers.go_on_with(lease);
            tracing::warn!(
                worker = lease.worker(),
                "another process took the worker id; this one has a new one"
            );
        }
        Ok(())
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

    /// Runs a command on a reservation that is what the request takes it to be (`If-Match`).
    async fn run_on<F>(
        &self,
        request: &Request,
        id: ReservationId,
        body: impl Fn(UnitOfWork) -> F + Sync,
    ) -> Answer
    where
        F: Future<Output = Result<(), Stop<Refused>>> + Send,
    {
        let body = &body;
        self.run(request, |mut unit| async move {
            unit.load::<Reservation>(&id).await?;
            request.if_match.check(unit.sequence::<Reservation>(&id))?;
            body(unit).await
        })
        .await
    }

    async fn run<F>(&self, request: &Request, body: impl Fn(UnitOfWork) -> F) -> Answer
    where
        F: Future<Output = Result<(), Stop<Refused>>> + Send,
    {
        self.store.run(request, body).await
    }
}

const TOKEN_PURPOSE: &str = "reservation-token";
