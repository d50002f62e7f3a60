//! `GET /v1/coupons`: used or not, by whom, for what (DOMAIN K2); for admins only.

use aggregates::{coupon::Terms, ids::ReservationId, values::CouponCode};
use axum::{extract::State, http::Uri, response::Response};
use projections::coupon_list::{self, Coupon, CouponState, Filter};
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    access::Admin,
    fresh,
    pages::{self, Page},
    params::{Asked, Moment},
    problem::{Problem, ProblemBody},
    problems,
};

/// What belongs to coupons, besides their commands.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
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
    _: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = pages::limit(which.limit)?;
    let state = which.state.map(|state| state.parse::<CouponState>()).transpose();
    let state = state.map_err(|error| Problem::new(&problems::MALFORMED_QUERY, error.to_string()))?;
    let filter = Filter {
        code: which.code,
        state,
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
            })
        },
    ))
}
