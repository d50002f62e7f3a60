//! `/v1/coupons`: many issued at once (DOMAIN K1), and whether they are used, by whom, for what (K2); for admins only.

mod batches;

use aggregates::{
    coupon::{Batch, Terms},
    fault::Fault,
    ids::{CouponBatchId, ReservationId},
    rights::Permission,
    values::CouponCode,
};
use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use projections::coupon_list::{self, Coupon, CouponState, Filter};
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    access::Admin,
    answer::Done,
    body::{Sendable, Sent, refuse},
    caller::Caller,
    fresh,
    idempotency::Key,
    pages::{self, Page},
    params::{Asked, Moment},
    problem::{Problem, ProblemBody},
    problems,
};
use crate::booking::{self, ISSUED_MAX};

/// What belongs to coupons, besides their commands.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, issue))
        .routes(routes!(batches::bulk))
        .routes(routes!(batches::export))
        .routes(routes!(batches::revoke))
}

/// A coupon.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Coupon")]
pub struct CouponView {
    /// Its code.
    code: CouponCode,
    /// `issued`, `redeemed` or `revoked`.
    #[schema(value_type = String, example = "redeemed")]
    state: CouponState,
    /// The reservation it was redeemed for.
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<ReservationId>,
    /// What it grants.
    terms: Terms,
    /// The log position of its issue.
    issued_position: i64,
    /// With which others it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<Batch>,
}

/// Which coupons.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The coupon with this code.
    code: Option<CouponCode>,
    /// In this state: `issued`, `redeemed` or `revoked`.
    state: Option<String>,
    /// Of this batch.
    batch: Option<CouponBatchId>,
    /// Still valid at this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    valid_at: Option<Moment>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Coupons on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// Coupons, newest first.
#[utoipa::path(get, path = "/v1/coupons", tag = "admin", operation_id = "listCoupons",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "Newest first", body = Page<CouponView>),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    admin: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = pages::limit(which.limit)?;
    let state = which.state.map(|state| state.parse::<CouponState>()).transpose();
    let state = state.map_err(|error| Problem::new(&problems::MALFORMED_QUERY, format!("state: {error}")))?;
    let filter = Filter {
        code: which.code,
        state,
        batch: which.batch,
        branches: admin.sees(Permission::SeeCoupons),
        valid_at: which.valid_at.map(|Moment(at)| at),
        issued_before: pages::behind(which.cursor.as_deref())?,
    };
    fresh::reached(&app, "coupon_list", which.min_position).await?;
    let coupons = coupon_list::coupons(&app.reads, &filter, limit + 1).await?;
    Ok(pages::page(
        &uri,
        coupons,
        limit,
        |coupon: &Coupon| coupon.issued_position,
        |coupon| {
            Some(CouponView {
                code: coupon.code,
                state: coupon.state,
                reservation: coupon.reservation,
                terms: coupon.terms,
                issued_position: coupon.issued_position,
                batch: coupon.batch,
            })
        },
    ))
}

/// Coupons to be issued under codes made here.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "CouponsToIssue")]
pub struct Issue {
    /// What each of them grants.
    terms: Terms,
    /// How many, 1 to 1,000.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1000, default = 1)]
    count: u16,
}

const fn one() -> u16 {
    1
}

impl Sendable for Issue {
    const EXAMPLE: &'static str = r#"{"terms":{"discount":{"rate":{"percent":20}},"scope":{},
        "valid_from":"2026-12-01T00:00:00Z","valid_until":"2027-01-01T00:00:00Z","note":"winter campaign"},"count":100}"#;

    fn bounds() -> Vec<(&'static str, std::ops::RangeInclusive<u16>)> {
        vec![("/count", 1..=ISSUED_MAX)]
    }
}

/// Coupons that were issued.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "IssuedCoupons")]
pub struct IssuedView {
    /// Their codes.
    codes: Vec<CouponCode>,
    /// What each of them grants.
    terms: Terms,
}

/// Issues many coupons at once, each under a random code.
#[utoipa::path(post, path = "/v1/coupons", tag = "admin", operation_id = "issueCoupons",
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again, it is answered with the same codes")),
    security(("admin" = [])),
    request_body = Issue,
    responses((status = CREATED, description = "All of them", body = IssuedView),
              (status = NOT_FOUND, description = "What the scope names is not there", body = ProblemBody),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "Fields are wrong", body = ProblemBody)))]
pub(super) async fn issue(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    key: Key,
    Sent(body): Sent<Issue>,
) -> Result<Response, Problem> {
    if !(1..=ISSUED_MAX).contains(&body.count) {
        let problem = format!("must be a whole number from 1 to {ISSUED_MAX}");
        refuse(vec![Fault::at("/count", problem)])?;
    }
    admin.may_at(Permission::ChangeCoupons, body.terms.scope.branch)?;
    let key = key.bind(app.store.vault(), admin.scope(), &("coupons", &body))?;
    let request = caller.request(admin.actor(), "coupons/issue", key);
    let committed = booking::issue_coupons(&app.store, &request, &body.terms, body.count).await?;
    let codes = committed
        .events
        .iter()
        .filter_map(|event| event.stream.id.parse().ok());
    let view = IssuedView {
        codes: codes.collect(),
        terms: body.terms,
    };
    Ok(Done {
        status: StatusCode::CREATED,
        ..Done::ok(&committed, view)
    }
    .into_response())
}
