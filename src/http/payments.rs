//! `POST /v1/payments/webhook`: what the payment provider tells, signed by it; closed while no provider is set up.
//! Never believes what is not signed.
//!
//! A message is known by its `webhook-id`, which is remembered in the same append as what it led to: sent twice, it does
//! nothing twice. What is not understood is acknowledged, so that the provider does not send it for ever.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    body::{self, CUSTOMER_BYTES_MAX},
    caller::Caller,
    problem::{Problem, ProblemBody},
    problems,
};
use crate::{
    booking,
    payments::{Message, NotTaken, Told},
    store::{Actor, IdempotencyKey},
};

/// Who acts, as the log records it.
const NAME: &str = "payments";

/// What belongs to payments.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(webhook))
}

/// Takes a message of the payment provider, signed as the Standard Webhooks specification says.
#[utoipa::path(post, path = "/v1/payments/webhook", tag = "payments", operation_id = "takePaymentMessage",
    params(("webhook-id" = Option<String>, Header, description = "The same however often it is sent"),
           ("webhook-timestamp" = Option<String>, Header, description = "Unix seconds, at most 5 minutes ago"),
           ("webhook-signature" = Option<String>, Header,
            description = "`v1,` and the base64 of HMAC-SHA256 over id.timestamp.body; several are separated by spaces")),
    request_body(content = Value, description = "`payment.succeeded` or `refund.succeeded`; others change nothing",
        example = json!({ "type": "payment.succeeded", "data": { "payment": "pay_7f3a",
            "reservation": "301422961418752000", "amount": { "amount": 48000, "currency": "KRW" } } })),
    responses((status = NO_CONTENT, description = "Taken, now or before"),
              (status = BAD_REQUEST, description = "request/not-verified: no, an old or a forged signature", body = ProblemBody),
              (status = NOT_FOUND, description = "No payment provider is set up", body = ProblemBody),
              (status = CONFLICT, description = "reservation/refund-exceeds-due and others: send it again later", body = ProblemBody),
              (status = GONE, description = "reservation/hold-lapsed and others", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "It cannot be understood", body = ProblemBody)))]
pub(super) async fn webhook(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let provider = app
        .bookings
        .payments()
        .ok_or_else(|| Problem::new(&problems::NO_SUCH_THING, "no payment provider is set up here"))?;
    let bytes = body::bytes(&headers, body, CUSTOMER_BYTES_MAX).await?;
    let Message { id, told } = match provider.read(&headers, &bytes, app.store.now()) {
        Ok(message) => message,
        Err(NotTaken::NotVerified(why)) => {
            app.limits.guess(caller.address)?;
            return Err(Problem::new(&problems::NOT_VERIFIED, why.to_string()));
        }
        Err(NotTaken::Unreadable(why)) => return Err(Problem::new(&problems::INVALID_FIELDS, why)),
    };
    let vault = app.store.vault();
    let key = IdempotencyKey {
        scope: NAME.to_owned(),
        key: URL_SAFE_NO_PAD.encode(vault.mac("webhook-id", id.as_bytes())),
        fingerprint: vault.mac("webhook-body", &bytes),
    };
    let request = caller.request(Actor::System(NAME), "payments/webhook", Some(key));
    match told {
        Told::Received(received) => {
            let named: Vec<_> = received.reservation.into_iter().collect();
            let nearby = booking::nearby(&app.store, &app.reads, &named).await?;
            app.bookings.provider_paid(&request, &received, &nearby).await?;
        }
        Told::GivenBack(given) => {
            app.bookings.provider_refunded(&request, &given).await?;
        }
        Told::Other => {}
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
