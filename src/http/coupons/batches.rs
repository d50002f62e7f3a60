//! Coupons that are issued together: thousands at once, as a table for who prints or mails them, and revoked together;
//! for admins only; never some of a batch without the others.

use aggregates::{
    coupon::{Batch, Terms},
    fault::Fault,
    ids::{BranchId, CouponBatchId},
    pricing::Discount,
    rights::Permission,
    values::{CouponCode, Name, Note},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use projections::coupon_list::{self, Coupon, Filter};
use serde::{Deserialize, Serialize};

use super::super::{
    App,
    access::Admin,
    answer::{Done, Json},
    body::{Sendable, Sent, refuse},
    caller::Caller,
    fresh,
    idempotency::Key,
    lists::csv::{self, Cell, maybe, maybe_text, plain, text},
    params::Id,
    problem::{Problem, ProblemBody},
    problems,
};
use crate::{
    booking::{self, BULK_MAX},
    store::{Precondition, Request},
};

/// Coupons read at once.
const PAGE: i64 = 1_000;

/// Coupons to be issued together.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "CouponBatchToIssue")]
#[schema(example = Self::example)]
pub struct Bulk {
    /// What they are for.
    batch: Name,
    /// How many, 1 to 10,000.
    #[schema(minimum = 1, maximum = 10_000)]
    count: u16,
    /// What each of them grants.
    terms: Terms,
}

impl Sendable for Bulk {
    const EXAMPLE: &'static str = r#"{"batch":"겨울 행사","count":5000,"terms":{"discount":{"rate":{"percent":20}},
        "scope":{},"valid_from":"2026-12-01T00:00:00Z","valid_until":"2027-01-01T00:00:00Z","restorable":false}}"#;

    fn bounds() -> Vec<(&'static str, std::ops::RangeInclusive<u16>)> {
        vec![("/count", 1..=BULK_MAX)]
    }
}

/// Coupons that were issued together.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "IssuedCouponBatch")]
pub struct BulkView {
    /// Under which id and name.
    batch: Batch,
    /// Their codes.
    codes: Vec<CouponCode>,
    /// What each of them grants.
    terms: Terms,
}

/// Issues up to ten thousand coupons under one batch, each with a random code.
#[utoipa::path(post, path = "/v1/admin/coupons/bulk", tag = "admin", operation_id = "issueCouponBatch",
    params(("Idempotency-Key" = Option<String>, Header,
            description = "Sent again, it finishes what was begun and is answered with the same codes")),
    security(("admin" = [])),
    request_body = Bulk,
    responses((status = CREATED, description = "All of them", body = BulkView),
              (status = NOT_FOUND, description = "What the scope names is not there", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "Fields are wrong", body = ProblemBody)))]
pub(in super::super) async fn bulk(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    key: Key,
    Sent(body): Sent<Bulk>,
) -> Result<Response, Problem> {
    if !(1..=BULK_MAX).contains(&body.count) {
        let problem = format!("must be a whole number from 1 to {BULK_MAX}");
        refuse(vec![Fault::at("/count", problem)])?;
    }
    admin.may_at(Permission::ChangeCoupons, body.terms.scope.branch)?;
    let key = key.bind(app.store.vault(), admin.scope(), &("coupons/bulk", &body))?;
    let request = caller.request(admin.actor(), "coupons/bulk", key);
    let issued = booking::issue_in_bulk(&app.store, &request, &body.terms, body.count, &body.batch).await;
    let (batch, parts) = issued?;
    let codes = parts
        .iter()
        .flat_map(|part| &part.events)
        .filter_map(|event| event.stream.id.parse().ok());
    let view = BulkView {
        batch,
        codes: codes.collect(),
        terms: body.terms,
    };
    Ok(Done {
        status: StatusCode::CREATED,
        position: parts.iter().map(|part| part.position).max().unwrap_or(0),
        repeated: parts.iter().all(|part| part.repeated),
        location: None,
        body: view,
    }
    .into_response())
}

/// The coupons of a batch as a table: CSV in UTF-8, one line each.
#[utoipa::path(get, path = "/v1/admin/coupon-batches/{id}/codes.csv", tag = "admin", operation_id = "exportCouponBatch",
    params(("id" = CouponBatchId, Path)),
    security(("admin" = [])),
    responses((status = OK, description = "One line for each coupon", content((String = "text/csv"))),
              (status = NOT_FOUND, description = "No such batch", body = ProblemBody)))]
pub(in super::super) async fn export(
    State(app): State<App>,
    admin: Admin,
    Id(id): Id<CouponBatchId>,
) -> Result<Response, Problem> {
    let coupons = coupons_of(&app, &admin, Permission::SeeCoupons, id).await?;
    let lines = coupons.iter().map(line).collect();
    csv::table(&format!("coupons-{id}"), &FIELDS, lines)
}

const FIELDS: [&str; 9] = [
    "code",
    "state",
    "reservation",
    "discount",
    "valid_from",
    "valid_until",
    "restorable",
    "batch",
    "note",
];

fn line(coupon: &Coupon) -> Vec<Cell> {
    let terms = &coupon.terms;
    let discount = match &terms.discount {
        Discount::Rate { percent } => format!("{percent}%"),
        Discount::Amount { amount } => amount.to_string(),
        Discount::Free => "free".to_owned(),
    };
    vec![
        plain(&coupon.code),
        plain(coupon.state.as_str()),
        maybe(coupon.reservation),
        text(discount),
        plain(terms.valid_from),
        plain(terms.valid_until),
        plain(terms.restorable),
        maybe_text(coupon.batch.as_ref().map(|batch| batch.name.to_string())),
        maybe_text(terms.note.as_ref().map(Note::to_string)),
    ]
}

/// Why a batch is revoked.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "CouponBatchToRevoke")]
#[schema(example = Self::example)]
pub struct Revoke {
    /// In the words of staff.
    #[serde(default)]
    reason: Option<Note>,
}

impl Sendable for Revoke {
    const EXAMPLE: &'static str = r#"{"reason":"the mailing went to the wrong list"}"#;
}

/// What became of a batch.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "RevokedCouponBatch")]
pub struct RevokedView {
    /// How many were revoked now.
    revoked: usize,
    /// How many had been revoked before.
    revoked_before: usize,
    /// Those that were used: they stay so.
    used: Vec<CouponCode>,
    /// The log position up to which this holds.
    position: i64,
}

/// Revokes all coupons of a batch that are not used; a repeat does nothing.
#[utoipa::path(post, path = "/v1/admin/coupon-batches/{id}/revoke", tag = "admin", operation_id = "revokeCouponBatch",
    params(("id" = CouponBatchId, Path)),
    security(("admin" = [])),
    request_body = Revoke,
    responses((status = OK, description = "What became of them", body = RevokedView),
              (status = NOT_FOUND, description = "No such batch", body = ProblemBody)))]
pub(in super::super) async fn revoke(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    Id(id): Id<CouponBatchId>,
    Sent(body): Sent<Revoke>,
) -> Result<Response, Problem> {
    let coupons = coupons_of(&app, &admin, Permission::ChangeCoupons, id).await?;
    let branch = branch_of(&coupons);
    let codes: Vec<CouponCode> = coupons.into_iter().map(|coupon| coupon.code).collect();
    let request = Request {
        if_match: Precondition::None,
        ..caller.request(admin.actor(), "coupon-batches/revoke", None)
    };
    let done = booking::revoke_all(&app.store, &request, &codes, branch, body.reason.as_ref()).await?;
    Ok(Json(RevokedView {
        revoked: done.revoked,
        revoked_before: codes.len() - done.revoked - done.used.len(),
        used: done.used,
        position: done.position,
    })
    .into_response())
}

/// All coupons of a batch, the last issued first, if this admin may do this where they count.
async fn coupons_of(
    app: &App,
    admin: &Admin,
    permission: Permission,
    id: CouponBatchId,
) -> Result<Vec<Coupon>, Problem> {
    fresh::reached(app, "coupon_list", Some(app.store.feed().position())).await?;
    let mut filter = Filter {
        batch: Some(id),
        ..Filter::default()
    };
    let mut coupons: Vec<Coupon> = Vec::new();
    loop {
        let mut connection = app.reads.acquire().await?;
        let page = coupon_list::coupons(&mut connection, &filter, PAGE).await?;
        filter.issued_behind = page.last().map(|last| last.issued_position);
        let last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        coupons.extend(page);
        if coupons.is_empty() {
            let unknown = format!("there is no coupon batch {id}");
            return Err(Problem::new(&problems::NO_SUCH_THING, unknown));
        }
        admin.may_at(permission, branch_of(&coupons))?;
        if last {
            return Ok(coupons);
        }
    }
}

/// Where they count: all coupons of a batch have the same terms.
fn branch_of(coupons: &[Coupon]) -> Option<BranchId> {
    coupons.first().and_then(|coupon| coupon.terms.scope.branch)
}
