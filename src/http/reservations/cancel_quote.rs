//! `GET /v1/reservations/{id}/cancel-quote`: what cancelling would keep and give back right now, and until when that
//! lasts (DOMAIN C14); asks the frozen terms, and cancels nothing. Never a promise.

use aggregates::{
    Decider as _,
    cancellation::Fee,
    ids::{CancellationPolicyId, ReservationId},
    refusal::Refusal as _,
    reservation::{Canceller, Placed, Reservation, ReservationCommand, ReservationError},
    values::Money,
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::{
        App,
        access::Holder,
        answer::Json,
        problem::{Problem, ProblemBody},
    },
    view::not_found,
};

/// What cancelling costs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "CancelQuote")]
pub struct CancelQuote {
    /// The moment that counts.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The price.
    price: Money,
    /// What was paid of it and not given back.
    paid: Money,
    /// What the customer's own cancellation, online, would do now.
    online: Cancelling,
    /// What staff would do at the counter now.
    counter: Cancelling,
    /// Every tier, from far to near; none if it is free.
    tiers: Vec<TierView>,
    /// The policy that was frozen; none: the one that is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<CancellationPolicyId>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

/// What one way of cancelling would do now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Cancelling {
    /// Whether it is possible.
    possible: bool,
    /// Why not, as a problem's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    /// Until when it is possible.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// The fee of the tier that counts now.
    fee: Money,
    /// What would be kept: the fee, as far as it was paid.
    retained: Money,
    /// What would be due back.
    refund: Money,
    /// Whether the redeemed coupon would be given back.
    restores_coupon: bool,
    /// Until when exactly this is so; none if it changes no more before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    lasts_until: Option<Timestamp>,
}

/// A tier.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TierView {
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// What is kept.
    fee: Fee,
    /// That is, of this price.
    amount: Money,
}

impl Cancelling {
    fn of(reservation: &Reservation, placed: &Placed, by: Canceller, now: Timestamp) -> Self {
        let command = ReservationCommand::Cancel { by, reason: None };
        // A repeat would be answered, and do nothing.
        let refusal = match reservation {
            Reservation::Cancelled(_) => Some(ReservationError::Cancelled),
            Reservation::Blank
            | Reservation::Held(_)
            | Reservation::Lapsed(_)
            | Reservation::Released(_)
            | Reservation::Placed(_)
            | Reservation::Attended(_)
            | Reservation::NoShow(_)
            | Reservation::Expired(_) => reservation.decide(command, now).err(),
        };
        let settlement = placed.settlement(by, now);
        let (terms, starts_at) = (&placed.placement.cancellation, placed.placement.starts_at);
        let until = placed.cancellable_until(by);
        let tier = terms.tier(starts_at, now).map(|tier| tier.ends_at(starts_at));
        Self {
            possible: refusal.is_none(),
            refused: refusal.map(|refusal| format!("/problems/{}", refusal.slug())),
            until,
            fee: placed.money_of(if placed.cancels_free(by, now) {
                0
            } else {
                terms.fee(placed.money.price, starts_at, now)
            }),
            retained: settlement.retained,
            refund: settlement.refund_due,
            restores_coupon: placed.placement.coupon.is_some() && !settlement.keeps_coupon,
            lasts_until: tier.filter(|end| now < *end && *end < until),
        }
    }
}

/// What cancelling would keep and give back now.
#[utoipa::path(get, path = "/v1/reservations/{id}/cancel-quote", tag = "reservations", operation_id = "getCancelQuote",
    params(("id" = ReservationId, Path)),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "What it would cost now, online and at the counter", body = CancelQuote),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = CONFLICT, description = "reservation/not-placed", body = ProblemBody)))]
pub(in super::super) async fn cancel_quote(
    State(app): State<App>,
    holder: Holder,
) -> Result<Response, Problem> {
    let reservation = app.store.read::<Reservation>(&holder.id()).await?;
    if *reservation == Reservation::Blank {
        return Err(not_found());
    }
    let now = app.store.now();
    let placed = reservation
        .placed()
        .ok_or_else(|| Problem::refused(&ReservationError::NotPlaced))?;
    let cancelling = |by| Cancelling::of(&reservation, placed, by, now);
    let terms = &placed.placement.cancellation;
    let tiers = terms.tiers.iter().map(|tier| TierView {
        until: tier.ends_at(placed.placement.starts_at),
        fee: tier.fee,
        amount: placed.money_of(tier.fee.of(placed.money.price)),
    });
    let quote = CancelQuote {
        at: now,
        price: placed.due(),
        paid: placed.money_of(placed.money.kept()),
        online: cancelling(Canceller::Customer),
        counter: cancelling(Canceller::Staff),
        tiers: tiers.collect(),
        policy: terms.policy,
        version: terms.version,
    };
    Ok(Json(quote).into_response())
}
