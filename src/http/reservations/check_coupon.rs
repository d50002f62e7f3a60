//! `POST /v1/reservations/{id}/check-coupon`: what a coupon would take off a hold (DOMAIN K1); redeems nothing. Never
//! tells more of a code than whether it fits.

use aggregates::{coupon::CouponError, ids::ReservationId, pricing::Quote, values::CouponCode};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};

use super::super::{
    App,
    access::Holder,
    answer::Json,
    body::{Sendable, Sent},
    caller::Caller,
    limits::CouponTry,
    problem::{Problem, ProblemBody},
};
use crate::{booking::Refused, store::Stop};

/// Which coupon.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "CouponToCheck")]
#[schema(example = Self::example)]
pub struct Check {
    /// Its code.
    coupon: CouponCode,
}

impl Sendable for Check {
    const EXAMPLE: &'static str = r#"{"coupon":"7KQ4MZ2H"}"#;
}

/// What a coupon would do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "CheckedCoupon")]
pub struct CheckedView {
    /// Its code.
    coupon: CouponCode,
    /// What it would take off, in minor units.
    off: i64,
    /// What the reservation would cost with it.
    quote: Quote,
}

/// What a coupon would take off a hold. To who is not signed in, one that does not fit is as unknown as one that is not there.
#[utoipa::path(post, path = "/v1/reservations/{id}/check-coupon", tag = "reservations", operation_id = "checkCoupon",
    params(("id" = ReservationId, Path)),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    request_body = Check,
    responses((status = OK, description = "What it would take off", body = CheckedView),
              (status = NOT_FOUND, description = "Unknown number, wrong token, or coupon/not-found", body = ProblemBody),
              (status = CONFLICT, description = "coupon/already-redeemed, coupon/out-of-scope and others", body = ProblemBody),
              (status = GONE, description = "reservation/hold-lapsed, coupon/revoked and others", body = ProblemBody),
              (status = TOO_MANY_REQUESTS, description = "Too many coupon codes that do not fit", body = ProblemBody)))]
pub(in super::super) async fn check(
    State(app): State<App>,
    caller: Caller,
    holder: Holder,
    Sent(body): Sent<Check>,
) -> Result<Response, Problem> {
    let attempt = attempt(&app, &caller, &holder)?;
    let priced = app.bookings.price_with(holder.id(), &body.coupon).await;
    let priced = attempt.judge(priced);
    let quote = priced.map_err(|stop| match (stop, &holder) {
        (Stop::Refused(Refused::Coupon(_)), Holder::Guest(_)) => {
            Stop::Refused(Refused::Coupon(CouponError::NotFound))
        }
        (stop, _) => stop,
    })?;
    let off = quote.lines.last().map_or(0, |line| -line.amount);
    Ok(Json(CheckedView {
        coupon: body.coupon,
        off,
        quote,
    })
    .into_response())
}

/// Whether this holder may try a code just now. Staff sit at one address, and are known by name.
pub(super) fn attempt(app: &App, caller: &Caller, holder: &Holder) -> Result<CouponTry, Problem> {
    let address = match holder {
        Holder::Guest(_) | Holder::Customer(..) => Some(caller.address),
        Holder::Staff(..) => None,
    };
    let account = app.store.vault().mac("coupon account", holder.scope().as_bytes());
    app.limits.try_coupon(address, account)
}
