//! What staff ask the list of coupons; never a change.

use aggregates::{
    coupon::Terms,
    ids::{BranchId, CouponBatchId, MovieId, ReservationId, ThemeId},
    values::CouponCode,
};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Coupon, CouponState, batch_of};
use crate::{
    model::{escaped, planned_anew, uuids},
    words::stored,
};

/// Which coupons are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// This one.
    pub code: Option<CouponCode>,
    /// Whose code begins so.
    pub code_prefix: Option<String>,
    /// In this state.
    pub state: Option<CouponState>,
    /// Of this batch.
    pub batch: Option<CouponBatchId>,
    /// Still valid at this moment.
    pub valid_at: Option<Timestamp>,
    /// That count only at this branch.
    pub branch: Option<BranchId>,
    /// That count only for this theme.
    pub theme: Option<ThemeId>,
    /// That count only for this movie.
    pub movie: Option<MovieId>,
    /// Redeemed for this reservation.
    pub redeemed_by: Option<ReservationId>,
    /// That count only at one of these branches, if the reader may not see the others.
    pub branches: Option<Vec<BranchId>>,
    /// The first issued first.
    pub oldest_first: bool,
    /// Only those issued behind this position, in the order that is asked for: the cursor.
    pub issued_behind: Option<i64>,
}

/// The coupons that fit, the last issued first unless asked otherwise.
#[expect(clippy::too_many_lines, reason = "one query and its columns")]
pub async fn coupons(db: &mut PgConnection, filter: &Filter, limit: i64) -> sqlx::Result<Vec<Coupon>> {
    let branches = uuids(filter.branches.as_deref());
    let prefix = filter
        .code_prefix
        .as_ref()
        .map(|prefix| format!("{}%", escaped(prefix)));
    // Both ways by one index: a position that bounds nothing stands for no cursor.
    let (above, below) = match (filter.oldest_first, filter.issued_behind) {
        (true, behind) => (behind.unwrap_or(0), i64::MAX),
        (false, behind) => (0, behind.unwrap_or(i64::MAX)),
    };
    let mut db = planned_anew(db).await?;
    macro_rules! query {
        ($order:literal) => {
            sqlx::query_as!(
                Stored,
                r#"select code, state, reservation, terms as "terms: Json<Terms>", issued_position, from_position,
                          batch, batch_name, e.recorded_at as "issued_at: SqlxTimestamp",
                          coalesce(e.metadata ->> 'actor_kind', '') as "issuer_kind!",
                          coalesce(e.metadata ->> 'actor_id', '') as "issuer!"
                     from coupon_list join events e on e.position = issued_position
                    where ($1::text is null or code = $1)
                      and ($2::text is null or code like $2)
                      and ($3::text is null or state = $3)
                      and ($4::timestamptz is null or valid_until > $4)
                      and ($5::uuid is null or (terms #>> '{scope,branch}')::uuid = $5)
                      and ($6::uuid is null or (terms #>> '{scope,theme}')::uuid = $6)
                      and ($7::uuid is null or (terms #>> '{scope,movie}')::uuid = $7)
                      and ($8::bigint is null or reservation = $8)
                      and ($9::uuid[] is null or (terms #>> '{scope,branch}')::uuid = any ($9))
                      and ($13::uuid is null or batch = $13)
                      and issued_position > $10 and issued_position < $11
                    order by issued_position "# + $order + " limit $12",
                filter.code.as_ref().map(CouponCode::as_str),
                prefix,
                filter.state.map(CouponState::as_str),
                filter.valid_at.map(ToSqlx::to_sqlx) as _,
                filter.branch.map(BranchId::uuid),
                filter.theme.map(ThemeId::uuid),
                filter.movie.map(MovieId::uuid),
                filter.redeemed_by.map(ReservationId::number),
                branches.as_deref(),
                above,
                below,
                limit,
                filter.batch.map(CouponBatchId::uuid),
            )
            .fetch_all(&mut *db)
            .await?
        };
    }
    let rows = if filter.oldest_first {
        query!("asc")
    } else {
        query!("desc")
    };
    db.commit().await?;
    rows.into_iter()
        .map(|row| {
            Ok(Coupon {
                code: stored(&row.code)?,
                state: stored(&row.state)?,
                reservation: row.reservation.map(ReservationId::new),
                terms: row.terms.0,
                issued_position: row.issued_position,
                issued_at: row.issued_at.to_jiff(),
                issuer_kind: row.issuer_kind,
                issuer: row.issuer,
                from_position: row.from_position,
                batch: batch_of(row.batch, row.batch_name.as_deref())?,
            })
        })
        .collect()
}

struct Stored {
    code: String,
    state: String,
    reservation: Option<i64>,
    terms: Json<Terms>,
    issued_position: i64,
    from_position: i64,
    issued_at: SqlxTimestamp,
    issuer_kind: String,
    issuer: String,
    batch: Option<Uuid>,
    batch_name: Option<String>,
}
