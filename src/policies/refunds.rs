//! Gives back through the payment provider what came that way and is due back; tries again until it went, and records it
//! once. Never decides how much.
//!
//! The list is the read model `reservation_money`; how much goes back is decided on the reservation itself. The provider is
//! asked with the same key for the same refund, so an attempt whose answer was lost gives nothing twice. One process at a
//! time holds the advisory lock and works.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use aggregates::{ids::ReservationId, reservation::Reservation};
use projections::reservation_money;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use super::{Lock, over, pause};
use crate::{
    booking::Bookings,
    payments::{GivenBack, PaymentProvider, Refund},
    shutdown::Signal,
    store::{
        Request, Stop, Store,
        tables::{self, Schema},
    },
};

/// How often what is due is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Rows read at once.
const BATCH_MAX: i64 = 100;
/// The longest pause between two attempts of one refund.
const PAUSE_MAX: Duration = Duration::from_secs(10 * 60);
/// How long a lost connection is left alone.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
/// The policy's name in metadata and keys.
const NAME: &str = "refunds";

/// The policy, ready to run.
pub struct Refunds {
    store: Store,
    bookings: Bookings,
    database: PgConnectOptions,
    provider: Arc<dyn PaymentProvider>,
}

/// Attempts of one refund so far, and when the next one is due.
struct Waiting {
    attempts: u32,
    next: Instant,
}

impl Refunds {
    /// A policy on this log; none if no provider is set up.
    #[must_use]
    pub fn new(store: Store, bookings: Bookings, database: PgConnectOptions) -> Option<Self> {
        let provider = Arc::clone(bookings.payments()?);
        Some(Self {
            store,
            bookings,
            database,
            provider,
        })
    }

    /// Works until `stop` turns true. A lost database is waited for.
    pub async fn run(self, mut stop: Signal) {
        while !over(&stop) {
            if let Err(error) = self.work(&mut stop).await
                && !over(&stop)
            {
                tracing::warn!(%error, "the refunds policy lost its database connection; retrying");
                pause(&mut stop, RECONNECT_AFTER).await;
            }
        }
    }

    async fn work(&self, stop: &mut Signal) -> Result<(), sqlx::Error> {
        let mut connection = tables::session(&self.database, Schema::Live).await?;
        let mut waiting = HashMap::new();
        while !over(stop) {
            if Lock::Refunds.take(&mut connection).await? {
                self.look(&mut connection, &mut waiting, stop).await?;
            }
            pause(stop, LOOK_EVERY).await;
        }
        connection.close().await
    }

    /// Tries everything that is due back and whose time for another attempt has come.
    async fn look(
        &self,
        connection: &mut PgConnection,
        waiting: &mut HashMap<(ReservationId, i64), Waiting>,
        stop: &Signal,
    ) -> Result<(), sqlx::Error> {
        let (mut after, mut due) = (None, Vec::new());
        loop {
            let page = reservation_money::refunds_due(&mut *connection, after, BATCH_MAX).await?;
            after = page.last().map(|(reservation, _)| *reservation);
            due.extend(page);
            if after.is_none() {
                break;
            }
        }
        waiting.retain(|timer, _| due.contains(timer));
        for timer in due {
            if over(stop) {
                return Ok(());
            }
            let known = waiting.get(&timer);
            if known.is_some_and(|known| Instant::now() < known.next) {
                continue;
            }
            let attempts = known.map_or(0, |known| known.attempts) + 1;
            self.give_back(timer.0, timer.1).await;
            // Done or not, the read model tells: what is still there is tried again, later each time.
            let longer = LOOK_EVERY.saturating_mul(2_u32.saturating_pow(attempts.min(16)));
            let next = Instant::now() + longer.min(PAUSE_MAX);
            waiting.insert(timer, Waiting { attempts, next });
        }
        Ok(())
    }

    /// Gives one payment back, as far as it is due back.
    async fn give_back(&self, id: ReservationId, position: i64) {
        let state = match self.store.read_with_sequence::<Reservation>(&id).await {
            Ok((state, _)) => state,
            Err(error) => {
                tracing::warn!(%id, %error, "a refund could not be looked at yet");
                return;
            }
        };
        let next = state.placed().and_then(|placed| {
            let (payment, amount) = placed.refundable_by_provider()?;
            Some((payment.payment.clone(), amount, payment.refunded))
        });
        let Some((payment, amount, before)) = next else {
            return;
        };
        let refund = Refund {
            payment: payment.clone(),
            reservation: id,
            amount,
            // What of it went back before is part of it: a later refund of the same payment is another one.
            key: format!("refund-{id}-{payment}-{before}"),
        };
        let refunded = match self.provider.refund(refund, self.store.now()).await {
            Ok(refunded) => refunded,
            Err(error) => {
                tracing::warn!(%id, %error, "a refund did not go yet; it is tried again");
                return;
            }
        };
        let given = GivenBack {
            refund: refunded,
            payment,
            reservation: id,
            amount,
        };
        let request = Request {
            causation: Some(position),
            ..Request::system(NAME, "reservations/refund")
        };
        match self.bookings.provider_refunded(&request, &given).await {
            Ok(_) => {}
            Err(Stop::Refused(refused)) => {
                tracing::error!(%id, %refused, "money went back that had not come");
            }
            Err(Stop::Store(error)) => {
                tracing::warn!(%id, %error, "a refund that went could not be recorded yet");
            }
        }
    }
}
