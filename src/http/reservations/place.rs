//! `POST /v1/reservations/{id}/place`: makes a hold binding, with name, phone, agreements, coupon and payment; never
//! takes a price from the body.

use aggregates::{
    ids::ReservationId,
    ratings::Statement,
    reservation::{Agreements, PaymentChoice},
    values::{CouponCode, CustomerName, PhoneNumber},
};
use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        access::Holder,
        body::{Sendable, Sent},
        caller::Caller,
        idempotency::Key,
        problem::{Problem, ProblemBody},
    },
    check_coupon::attempt,
    view::{ReservationView, after},
};
use crate::booking::Placing;

/// What a customer sends to place a reservation.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "김하늘", "phone": "010-1234-5678",
    "agreements": { "privacy": true, "house_rules": true }, "coupon": "7KQ4MZ2H", "payment": "bank_transfer" }))]
pub struct Place {
    /// The name.
    name: CustomerName,
    /// The number to call; dashes may be left out.
    phone: PhoneNumber,
    /// Both are needed.
    agreements: Agreements,
    /// A coupon to redeem.
    #[serde(default)]
    coupon: Option<CouponCode>,
    /// How to pay.
    payment: PaymentChoice,
    /// For a rated movie, booked without an account: that everybody is old enough or comes with a guardian.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    age_confirmed: bool,
    /// For a movie from 12 or 15: that a guardian comes along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    guardian_accompanies: bool,
    /// For staff: that they have looked at an identity card.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    id_checked: bool,
}

impl Sendable for Place {
    const EXAMPLE: &'static str = r#"{"name":"김하늘","phone":"010-1234-5678",
        "agreements":{"privacy":true,"house_rules":true},"coupon":"7KQ4MZ2H","payment":"bank_transfer"}"#;
}

/// Makes a hold binding.
#[utoipa::path(post, path = "/v1/reservations/{id}/place", tag = "reservations", operation_id = "placeReservation",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    request_body = Place,
    responses((status = OK, description = "Placed: short code, deadline and accounts", body = ReservationView),
              (status = FORBIDDEN, description = "rating/too-young and others: the movie is not for them", body = ProblemBody),
              (status = NOT_FOUND, description = "Unknown number, wrong token, or unknown coupon", body = ProblemBody),
              (status = CONFLICT, description = "coupon/already-redeemed and others", body = ProblemBody),
              (status = GONE, description = "reservation/hold-lapsed and others", body = ProblemBody),
              (status = TOO_MANY_REQUESTS, description = "Too many coupon codes that do not fit, or reservations with this phone number or from this address", body = ProblemBody)))]
pub(in super::super) async fn place(
    State(app): State<App>,
    caller: Caller,
    holder: Holder,
    key: Key,
    Sent(body): Sent<Place>,
) -> Result<Response, Problem> {
    let placement = match &holder {
        Holder::Guest(_) | Holder::Customer(..) => caller.places(&app, &body.phone).map(Some),
        // Whoever stands at the counter or is on the line has given the number themselves.
        Holder::Staff(..) => Ok(None),
    };
    let attempt = body.coupon.as_ref().map(|_| attempt(&app, &caller, &holder));
    let key = key.bind(app.store.vault(), holder.scope(), &("place", holder.id(), &body))?;
    let Place {
        name,
        phone,
        agreements,
        coupon,
        payment,
        age_confirmed,
        guardian_accompanies,
        id_checked,
    } = body;
    let placing = Placing {
        name,
        phone,
        agreements,
        coupon,
        payment,
        said: Statement {
            age_confirmed,
            guardian_accompanies,
            id_checked,
        },
        language: caller.named_language,
    };
    let request = caller.request(holder.actor(), "reservations/place", key);
    let committed = match (placement, attempt.transpose()) {
        (Ok(placement), Ok(attempt)) => {
            let placed = app.bookings.place(&request, holder.id(), &placing).await;
            let placed = match attempt {
                Some(attempt) => attempt.judge(placed),
                None => placed,
            };
            match placement {
                Some(placement) => placement.judge(placed)?,
                None => placed?,
            }
        }
        // What was placed before is answered as it was.
        (Err(too_many), _) | (_, Err(too_many)) => {
            app.store.answered_before(&request).await?.ok_or(too_many)?
        }
    };
    after(&app, &committed, holder.id()).await
}
