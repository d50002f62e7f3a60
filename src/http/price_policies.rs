//! `POST /v1/admin/price-policies/{id}/simulate`: what a period would have brought under a draft; changes nothing;
//! never keeps the draft.

use std::{collections::BTreeMap, sync::Arc};

use aggregates::{
    fault::Fault,
    ids::{BranchId, PricePolicyId, ReservationId},
    pricing::Tariff,
    rights::Permission,
    values::Currency,
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    App,
    access::Admin,
    answer::Json,
    body::{Sendable, Sent, refuse},
    fresh,
    params::{Day, Id},
    problem::{Problem, ProblemBody},
};
use crate::simulation::{self, DAYS_MAX, Difference, NotSimulated, Simulated, Simulation, Unpriced};

/// What belongs to price policies, besides their commands.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(simulate))
}

/// A draft and the period it is tried on.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct Simulate {
    /// The amounts that might be.
    tariff: Tariff,
    /// The first business day.
    #[schema(value_type = String, format = Date)]
    from: Day,
    /// The last business day; at most 92 days in all.
    #[schema(value_type = String, format = Date)]
    until: Day,
    /// Only at this branch.
    #[serde(default)]
    branch: Option<BranchId>,
}

impl Sendable for Simulate {
    const EXAMPLE: &'static str = r#"{"tariff":{"session":{"currency":"KRW","price":{"person":{"table":{"2":50000,"3":69000}}},
        "early_bird":{"before":"11:00","discount":{"rate":{"percent":20}}},"closing":null}},
        "from":"2026-11-01","until":"2026-11-30"}"#;
}

/// What a period brought and would have brought.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Simulated")]
pub struct SimulatedView {
    /// The currency of every amount.
    #[schema(value_type = String, example = "KRW")]
    currency: Currency,
    /// All reservations that have a price under the draft.
    total: DifferenceView,
    /// By the band of the day they were sold in; in an escape room `early_bird`, `closing` or `regular`.
    by_band: BTreeMap<String, DifferenceView>,
    /// By business day.
    #[schema(value_type = BTreeMap<String, DifferenceView>)]
    by_day: BTreeMap<Date, DifferenceView>,
    /// By movie or theme.
    #[schema(value_type = BTreeMap<String, DifferenceView>)]
    by_show: BTreeMap<Uuid, DifferenceView>,
    /// Reservations without a price under the draft, by the reason; they are in none of the sums.
    unpriced: Vec<UnpricedView>,
}

/// Sums, in minor units.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Difference")]
pub struct DifferenceView {
    /// How many reservations.
    count: u64,
    /// What they cost.
    old: i64,
    /// What they would have cost.
    new: i64,
    /// How much more, or less.
    difference: i64,
}

impl From<Difference> for DifferenceView {
    fn from(Difference { count, old, new }: Difference) -> Self {
        Self {
            count,
            old,
            new,
            difference: new - old,
        }
    }
}

/// Reservations without a price, for one reason.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Unpriced")]
pub struct UnpricedView {
    /// The type of the refusal.
    #[serde(rename = "type")]
    #[schema(example = "/problems/price/unknown-category")]
    kind: String,
    /// How many.
    count: u64,
    /// The first of them.
    reservations: Vec<UnpricedReservation>,
}

/// A reservation without a price.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UnpricedReservation {
    /// Which one.
    reservation: ReservationId,
    /// Why.
    detail: String,
}

fn views<K: Ord>(sums: BTreeMap<K, Difference>) -> BTreeMap<K, DifferenceView> {
    sums.into_iter().map(|(key, sum)| (key, sum.into())).collect()
}

impl SimulatedView {
    fn of(simulated: Simulated, currency: Currency) -> Self {
        let unpriced = simulated.unpriced.into_iter();
        Self {
            currency,
            total: simulated.total.into(),
            by_band: views(simulated.by_band),
            by_day: views(simulated.by_day),
            by_show: views(simulated.by_show),
            unpriced: unpriced
                .map(|(slug, without)| UnpricedView::of(slug, without))
                .collect(),
        }
    }
}

impl UnpricedView {
    fn of(slug: &str, without: Unpriced) -> Self {
        let named = without.reservations.into_iter();
        Self {
            kind: format!("/problems/{slug}"),
            count: without.count,
            reservations: named
                .map(|(reservation, detail)| UnpricedReservation { reservation, detail })
                .collect(),
        }
    }
}

/// Prices what was sold in a period again, under a tariff that might be; changes nothing.
#[utoipa::path(post, path = "/v1/admin/price-policies/{id}/simulate", tag = "admin", operation_id = "simulatePrices",
    params(("id" = PricePolicyId, Path)),
    security(("admin" = [])),
    request_body = Simulate,
    responses((status = OK, description = "What would have been", body = SimulatedView),
              (status = NOT_FOUND, description = "price-policy/not-found", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "price-policy/unsound-tariff and others", body = ProblemBody)))]
pub(super) async fn simulate(
    State(app): State<App>,
    admin: Admin,
    Id(policy): Id<PricePolicyId>,
    Sent(body): Sent<Simulate>,
) -> Result<Response, Problem> {
    for permission in [Permission::SeeReservations, Permission::SeeShows] {
        admin.may_at(permission, body.branch)?;
    }
    let (Day(from), Day(until)) = (body.from, body.until);
    let days = from
        .until(until)
        .map_or(i32::MAX, |span| span.get_days().saturating_add(1));
    if !(1..=DAYS_MAX).contains(&days) {
        let problem = format!("must be 1 to {DAYS_MAX} business days with from, both included");
        refuse(vec![Fault::at("/until", problem)])?;
    }
    let position = app.store.feed().position();
    fresh::reached(&app, "reservation_list", Some(position)).await?;
    fresh::reached(&app, "time_slot_calendar", Some(position)).await?;
    let currency = body.tariff.currency();
    let simulation = Simulation {
        policy,
        tariff: Arc::new(body.tariff),
        from,
        until,
        branch: body.branch,
        branches: admin.sees(Permission::SeeReservations),
    };
    let simulated = simulation::simulate(&app.store, &app.reads, &simulation).await?;
    Ok(Json(SimulatedView::of(simulated, currency)).into_response())
}

impl From<NotSimulated> for Problem {
    fn from(error: NotSimulated) -> Self {
        match error {
            NotSimulated::Policy(error) => Self::refused(&error),
            NotSimulated::TooMuch(error) => Self::refused(&error),
            NotSimulated::Store(error) => error.into(),
            NotSimulated::Database(error) => error.into(),
        }
    }
}
