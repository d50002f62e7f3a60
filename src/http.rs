//! The HTTP edge: routes, problems, documentation; translates and never decides.
//!
//! One endpoint or one concern is one file. `edge` surrounds every request, [`serve`] owns the connections.

mod access;
mod administer;
mod admins;
mod answer;
mod audit;
mod body;
mod caller;
mod catalogue;
mod closing_days;
mod coupons;
mod customers;
mod deliveries;
mod deposits;
mod document;
mod edge;
mod fallback;
mod faults;
mod fresh;
mod health;
mod idempotency;
mod if_match;
mod limits;
mod lists;
pub mod messages;
pub mod metrics;
mod nearest;
pub mod openapi;
mod pages;
mod params;
mod payments;
mod places;
mod price_policies;
mod problem;
pub mod problems;
mod progress;
mod query;
mod reason;
mod reservations;
mod schedules;
mod seats;
mod serve;
mod sign_in;
mod stopped;
mod tickets;
mod time_slots;
mod titled;
mod unbroken;
mod waitlist;

use std::{ops::Deref, sync::Arc};

use aggregates::{
    branch::{Branch, BranchError},
    ids::{AuditoriumId, BranchId},
};
use axum::{Router, body::Bytes, middleware::from_fn_with_state, response::Redirect, routing::get};
use jiff::tz::TimeZone;
use moka::sync::Cache;
use sqlx::PgPool;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;

use self::params::{Queried, no_stray_query};
pub use self::{
    access::{ADMIN_TOKEN_LENGTH_MIN, AdminToken, rights},
    edge::Edge,
    limits::Limits,
    problem::{Problem, ProblemBody},
    serve::{Bounds, serve},
    time_slots::Live,
};
use crate::{
    booking::Bookings,
    oidc::Provider,
    policies::Forgotten,
    store::{Store, runner::Projections},
    vault::{Credentials, Deliveries, Nonces, Places, Sessions, TicketKeys},
};

/// Layouts kept written out.
const LAYOUTS_MAX: u64 = 64;
/// Zones of branches kept.
const ZONES_MAX: u64 = 10_000;

/// What handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// The parts of an [`App`].
pub struct Parts {
    /// The log.
    pub store: Store,
    /// Commands over several aggregates.
    pub bookings: Bookings,
    /// Questions to read models.
    pub reads: PgPool,
    /// How far the read models are.
    pub projections: Arc<Projections>,
    /// The token that opens everything, if there is one.
    pub admin: Option<AdminToken>,
    /// What one address may ask.
    pub limits: Limits,
    /// Passwords.
    pub credentials: Credentials,
    /// How far customers who left are forgotten.
    pub forgotten: Forgotten,
    /// Who is signed in.
    pub sessions: Sessions,
    /// From where accounts have signed in lately.
    pub places: Places,
    /// The provider whose accounts may sign in, if there is one.
    pub provider: Option<Provider>,
    /// Nonces for signing in there.
    pub nonces: Nonces,
    /// What tickets are signed with.
    pub ticket_keys: TicketKeys,
    /// Messages to customers.
    pub deliveries: Deliveries,
    /// Listeners to changes.
    pub live: Live,
}

struct Inner {
    parts: Parts,
    /// Layouts written out; they never change.
    layouts: Cache<(AuditoriumId, u32), Bytes>,
    /// Zones of branches; they never change.
    zones: Cache<BranchId, TimeZone>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl App {
    /// An app of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            layouts: Cache::new(LAYOUTS_MAX),
            zones: Cache::new(ZONES_MAX),
        }))
    }

    /// What an operator should know though the server works; an error if it does not.
    async fn readiness(&self) -> sqlx::Result<Option<String>> {
        crate::store::privileges::missing(&self.reads).await
    }

    /// The zone of a branch, which it keeps for good.
    async fn zone(&self, id: BranchId) -> Result<TimeZone, Problem> {
        if let Some(zone) = self.0.zones.get(&id) {
            return Ok(zone);
        }
        let branch = self.store.read::<Branch>(&id).await?;
        let zone = branch
            .zone()
            .ok_or_else(|| Problem::refused(&BranchError::NotFound))?;
        self.0.zones.insert(id, zone.clone());
        Ok(zone)
    }
}

/// Every documented route, with its documentation.
fn documented() -> OpenApiRouter<App> {
    // Only answers that can be long are compressed: not commands, not live changes.
    let questions = OpenApiRouter::new()
        .merge(catalogue::routes())
        .merge(time_slots::routes())
        .merge(coupons::routes())
        .merge(reservations::export_routes())
        .merge(waitlist::export_routes())
        .merge(deposits::export_routes())
        .merge(lists::routes())
        .merge(audit::routes())
        .merge(problems::routes())
        .layer(CompressionLayer::new());
    OpenApiRouter::with_openapi(openapi::base())
        .merge(questions)
        .merge(reservations::routes())
        .merge(waitlist::routes())
        .merge(tickets::routes())
        .merge(deposits::routes())
        .merge(payments::routes())
        .merge(lists::bulk_routes())
        .merge(seats::routes())
        .merge(schedules::routes())
        .merge(closing_days::routes())
        .merge(price_policies::routes())
        .merge(time_slots::live_routes())
        .merge(health::routes())
        .merge(admins::routes())
        .merge(customers::routes())
        .merge(deliveries::routes())
        .merge(administer::routes())
}

/// All routes.
pub fn router(app: App) -> Router {
    let (router, document) = documented().split_for_parts();
    router
        .route_layer(from_fn_with_state(Queried::of(&document), no_stray_query))
        .merge(openapi::routes())
        // What people and machines try first.
        .route("/", get(async || Redirect::to("/docs")))
        .route("/health", get(health::ready))
        .fallback(fallback::no_such_route)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .with_state(app)
}
