//! `/v1/coupons`: many issued at once (DOMAIN K1), and whether they are used, by whom, for what (K2); for admins only;
//! never redeems one.

mod batches;

use aggregates::{
    coupon::{Batch, Terms},
    fault::Fault,
    ids::{BranchId, CouponBatchId, MovieId, ReservationId, ThemeId},
    rights::Permission,
    values::CouponCode,
};
use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use jiff::{Timestamp, tz::TimeZone};
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
    lists::{
        Direction, Wrong,
        csv::{self, LINES_AT_ONCE, maybe, maybe_text, plain},
        zones,
    },
    pages::{self, Page},
    params::{Asked, Moment},
    problem::{Problem, ProblemBody},
};
use crate::{
    booking::{self, ISSUED_MAX},
    store::Actor,
};

/// What belongs to coupons, besides their commands.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, issue))
        .routes(routes!(batches::bulk))
        .routes(routes!(batches::export))
        .routes(routes!(batches::revoke))
        .routes(routes!(export))
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
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    issued_at: Timestamp,
    /// Who issued it.
    issued_by: Issuer,
    /// With which others it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<Batch>,
}

/// Who issued a coupon.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Issuer {
    /// `admin`; `token`, if it was whoever has the admin token of the server, and no person is known; or `system`.
    #[schema(example = "admin")]
    kind: String,
    /// Which admin, or which part of the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0192d3a0-0000-7000-8000-000000000001")]
    id: Option<String>,
}

impl Issuer {
    fn of(kind: String, id: String) -> Self {
        if kind == "admin" && id == Actor::TOKEN {
            return Self { kind: id, id: None };
        }
        Self { kind, id: Some(id) }
    }
}

/// What became of a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CouponStateAsked {
    /// It can be redeemed, in its period.
    Issued,
    /// It was used.
    Redeemed,
    /// It is worthless.
    Revoked,
}

impl From<CouponStateAsked> for CouponState {
    fn from(asked: CouponStateAsked) -> Self {
        match asked {
            CouponStateAsked::Issued => Self::Issued,
            CouponStateAsked::Redeemed => Self::Redeemed,
            CouponStateAsked::Revoked => Self::Revoked,
        }
    }
}

/// A query with every filter of coupons, and what this list takes besides.
macro_rules! asked {
    ($(#[$meta:meta])* $which:ident { $($(#[$more_meta:meta])* $more:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Deserialize, utoipa::IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub struct $which {
            /// The coupon with this code.
            code: Option<CouponCode>,
            /// Coupons whose code begins so, 4 characters at least.
            code_prefix: Option<String>,
            /// In this state.
            #[param(inline)]
            state: Option<CouponStateAsked>,
            /// Of this batch.
            batch: Option<CouponBatchId>,
            /// Still valid at this moment.
            #[param(value_type = Option<String>, format = DateTime)]
            valid_at: Option<Moment>,
            /// That count only at this branch.
            branch: Option<BranchId>,
            /// That count only for this theme.
            theme: Option<ThemeId>,
            /// That count only for this movie.
            movie: Option<MovieId>,
            /// Redeemed for this reservation.
            redeemed_by: Option<ReservationId>,
            /// By when they were issued; the last issued first unless asked otherwise.
            order: Option<Direction>,
            /// Wait until the list is as new as this log position.
            min_position: Option<i64>,
            $($(#[$more_meta])* $more: $type,)+
        }

        impl $which {
            fn filter(&self, admin: &Admin) -> Result<Filter, Problem> {
                let mut wrong = Wrong::default();
                let prefix = self.code_prefix.as_deref().map(prefix).transpose();
                let code_prefix = wrong.read("code_prefix", prefix).flatten();
                wrong.in_query()?;
                Ok(Filter {
                    code: self.code.clone(),
                    code_prefix,
                    state: self.state.map(CouponState::from),
                    batch: self.batch,
                    valid_at: self.valid_at.map(|Moment(at)| at),
                    branch: self.branch,
                    theme: self.theme,
                    movie: self.movie,
                    redeemed_by: self.redeemed_by,
                    branches: admin.sees(Permission::SeeCoupons),
                    oldest_first: self.order.unwrap_or_default() == Direction::Asc,
                    issued_behind: None,
                })
            }
        }
    };
}

/// Characters that are known of a code at least: fewer would list everything.
const PREFIX_MIN: usize = 4;

/// The beginning of a code as codes are written.
fn prefix(typed: &str) -> Result<String, &'static str> {
    let typed = typed.trim().to_ascii_uppercase();
    let sound = typed.bytes().all(|byte| CouponCode::ALPHABET.contains(&byte));
    if sound && (PREFIX_MIN..=CouponCode::LENGTH).contains(&typed.len()) {
        Ok(typed)
    } else {
        Err("must be the first 4 to 8 characters of a code")
    }
}

asked! {
    /// Which coupons.
    Which {
        /// Where the page begins.
        cursor: Option<String>,
        /// Coupons on a page, 1 to 200.
        limit: Option<u16>,
    }
}

asked! {
    /// Which coupons, and how they are written.
    ToExport {
        /// Begin with a byte order mark, by which Excel knows UTF-8.
        bom: Option<bool>,
    }
}

async fn found(app: &App, filter: &Filter, limit: i64) -> Result<Vec<Coupon>, Problem> {
    let mut connection = app.reads.acquire().await?;
    Ok(coupon_list::coupons(&mut connection, filter, limit).await?)
}

/// Coupons, newest first unless asked otherwise.
#[utoipa::path(get, path = "/v1/coupons", tag = "admin", operation_id = "listCoupons",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "By when they were issued", body = Page<CouponView>),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    admin: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = pages::limit(which.limit)?;
    let filter = Filter {
        issued_behind: pages::behind(which.cursor.as_deref())?,
        ..which.filter(&admin)?
    };
    fresh::reached(&app, "coupon_list", which.min_position).await?;
    let coupons = found(&app, &filter, limit + 1).await?;
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
                issued_at: coupon.issued_at,
                issued_by: Issuer::of(coupon.issuer_kind, coupon.issuer),
                batch: coupon.batch,
            })
        },
    ))
}

const FIELDS: [&str; 16] = [
    "code",
    "state",
    "reservation",
    "discount",
    "branch",
    "movie",
    "theme",
    "valid_from",
    "valid_from_utc",
    "valid_until",
    "valid_until_utc",
    "note",
    "issued_position",
    "issued_at_utc",
    "issuer_kind",
    "issuer",
];

/// The coupons that fit, as comma-separated values (RFC 4180), one line each.
#[utoipa::path(get, path = "/v1/coupons.csv", tag = "admin", operation_id = "exportCoupons",
    params(ToExport), security(("admin" = [])),
    responses((status = OK, description = "The first line names the fields", body = String, content_type = "text/csv"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(super) async fn export(
    State(app): State<App>,
    admin: Admin,
    Asked(which): Asked<ToExport>,
) -> Result<Response, Problem> {
    let filter = which.filter(&admin)?;
    fresh::reached(&app, "coupon_list", which.min_position).await?;
    csv::file(
        "coupons",
        &admin,
        &FIELDS,
        which.bom.unwrap_or_default(),
        move |after| {
            let filter = Filter {
                issued_behind: after,
                ..filter.clone()
            };
            part(app.clone(), filter)
        },
    )
    .await
}

async fn part(app: App, filter: Filter) -> Result<csv::Part<i64>, Problem> {
    let coupons = found(&app, &filter, LINES_AT_ONCE).await?;
    let whole = i64::try_from(coupons.len()).is_ok_and(|read| read == LINES_AT_ONCE);
    let last = coupons.last().map(|coupon| coupon.issued_position);
    let branches = coupons.iter().filter_map(|coupon| coupon.terms.scope.branch);
    let zones = zones(&app, branches.collect()).await;
    let utc = TimeZone::UTC;
    let lines = coupons.into_iter().map(|coupon| {
        let issued_by = Issuer::of(coupon.issuer_kind, coupon.issuer);
        let Terms { scope, .. } = &coupon.terms;
        let zone = scope.branch.and_then(|branch| zones.get(&branch));
        let zone = zone.unwrap_or(&utc);
        let [valid_from, valid_from_utc] = csv::moment(Some(coupon.terms.valid_from), zone);
        let [valid_until, valid_until_utc] = csv::moment(Some(coupon.terms.valid_until), zone);
        vec![
            plain(&coupon.code),
            plain(coupon.state.as_str()),
            maybe(coupon.reservation),
            // As JSON has it: it is of several kinds.
            plain(serde_json::to_string(&coupon.terms.discount).unwrap_or_default()),
            maybe(scope.branch),
            maybe(scope.movie),
            maybe(scope.theme),
            valid_from,
            valid_from_utc,
            valid_until,
            valid_until_utc,
            maybe_text(coupon.terms.note.as_ref().map(ToString::to_string)),
            plain(coupon.issued_position),
            plain(coupon.issued_at),
            plain(issued_by.kind),
            maybe(issued_by.id),
        ]
    });
    Ok((lines.collect(), last.filter(|_| whole)))
}

/// Coupons to be issued under codes made here.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "CouponsToIssue")]
#[schema(example = Self::example)]
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
