//! All coupons, what they grant and what became of them (DOMAIN K2); never decides who may redeem one.

mod queries;

use std::sync::Arc;

use aggregates::{
    Event, Recorded,
    coupon::{self, Batch, CouponEvent, Terms},
    ids::{CouponBatchId, ReservationId},
    values::CouponCode,
};
use jiff::Timestamp;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

pub use self::queries::{Filter, coupons};
use crate::{
    Former, Loaded, Put, ReadModel, Version,
    model::{column, moment},
    tuples::Tuples,
    words::{stored, words},
};

words! {
    /// What became of a coupon.
    CouponState {
        /// It can be redeemed, in its period.
        Issued = "issued",
        /// It was used.
        Redeemed = "redeemed",
        /// It is worthless.
        Revoked = "revoked",
    }
}

/// The read model.
pub struct CouponList;

/// A coupon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it grants.
    pub terms: Arc<Terms>,
    /// The position of the event that issued it.
    pub issued_position: i64,
    /// What became of it.
    pub state: CouponState,
    /// What it was redeemed for.
    pub reservation: Option<ReservationId>,
    /// With which others it was issued.
    pub batch: Option<Arc<Batch>>,
}

impl Row {
    fn terms_json(&self) -> String {
        // Terms are plain data: writing them cannot fail.
        serde_json::to_string(&*self.terms).unwrap_or_default()
    }
}

impl ReadModel for CouponList {
    const NAME: &'static str = "coupon_list";
    const VERSION: i32 = 2;
    const COLUMNS: &'static str =
        "code, state, reservation, terms, valid_until, issued_position, from_position, batch, batch_name";
    const HISTORY: Option<&'static str> = Some("code, state, reservation, from_position, until_position");

    type Key = CouponCode;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<CouponCode> {
        recorded.id_of::<coupon::Coupon>()
    }

    fn fold(row: Option<Row>, recorded: &Recorded) -> Option<Row> {
        let Event::Coupon(event) = &recorded.event else {
            return row;
        };
        match (event, row) {
            (CouponEvent::Issued { terms, batch }, _) => Some(Row {
                batch: batch.clone().map(Arc::new),
                terms: Arc::new(terms.clone()),
                issued_position: recorded.position,
                state: CouponState::Issued,
                reservation: None,
            }),
            (CouponEvent::Redeemed { by }, Some(row)) => Some(Row {
                state: CouponState::Redeemed,
                reservation: Some(*by),
                ..row
            }),
            (CouponEvent::Restored { .. }, Some(row)) => Some(Row {
                state: CouponState::Issued,
                reservation: None,
                ..row
            }),
            (CouponEvent::Revoked { .. }, Some(row)) => Some(Row {
                state: CouponState::Revoked,
                reservation: None,
                ..row
            }),
            (
                CouponEvent::Redeemed { .. } | CouponEvent::Restored { .. } | CouponEvent::Revoked { .. },
                None,
            ) => None,
        }
    }

    async fn load(db: &mut PgConnection, keys: &[CouponCode]) -> sqlx::Result<Loaded<Self>> {
        let rows = sqlx::query!(
            r#"select code, state, reservation, terms as "terms: Json<Terms>", issued_position, from_position, batch,
                      batch_name
                 from coupon_list where code = any ($1)"#,
            column(keys, CouponCode::as_str) as _,
        )
        .fetch_all(db)
        .await?;
        rows.into_iter()
            .map(|row| {
                let code = stored(&row.code)?;
                let from = row.from_position;
                let row = Row {
                    terms: Arc::new(row.terms.0),
                    issued_position: row.issued_position,
                    state: stored(&row.state)?,
                    reservation: row.reservation.map(ReservationId::new),
                    batch: batch_of(row.batch, row.batch_name.as_deref())?.map(Arc::new),
                };
                Ok((code, Version { row, from }))
            })
            .collect()
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        // Terms never change once a coupon is issued.
        sqlx::query!(
            r#"update coupon_list c
                  set state = u.state, reservation = u.reservation, from_position = u.from_position
                 from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
                   u(code, state, reservation, from_position)
                where c.code = u.code"#,
            column(rows, |put| put.key.as_str()) as _,
            column(rows, |put| put.row.state.as_str()) as _,
            column(rows, |put| put.row.reservation.map(ReservationId::number)) as _,
            &column(rows, |put| put.from),
        )
        .execute(db)
        .await?;
        Ok(())
    }

    fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
        out.row(&[
            &key.as_str(),
            &row.state.as_str(),
            &row.reservation.map(ReservationId::number),
            &row.terms_json().as_str(),
            &moment(row.terms.valid_until),
            &row.issued_position,
            from,
            &row.batch.as_ref().map(|batch| batch.id.uuid()),
            &row.batch.as_ref().map(|batch| batch.name.as_str()),
        ]);
    }

    fn former_tuple(
        out: &mut Tuples,
        Former {
            key,
            row,
            from,
            until,
        }: &Former<Self>,
    ) {
        out.row(&[
            &key.as_str(),
            &row.state.as_str(),
            &row.reservation.map(ReservationId::number),
            from,
            until,
        ]);
    }
}

/// A batch as two columns have it.
fn batch_of(id: Option<Uuid>, name: Option<&str>) -> sqlx::Result<Option<Batch>> {
    let Some((id, name)) = id.zip(name) else {
        return Ok(None);
    };
    let (id, name) = (CouponBatchId::new(id), stored(name)?);
    Ok(Some(Batch { id, name }))
}

/// A coupon of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// Its code.
    pub code: CouponCode,
    /// What became of it.
    pub state: CouponState,
    /// What it was redeemed for.
    pub reservation: Option<ReservationId>,
    /// What it grants.
    pub terms: Terms,
    /// The position of the event that issued it.
    pub issued_position: i64,
    /// When that was.
    pub issued_at: Timestamp,
    /// What kind of actor issued it.
    pub issuer_kind: String,
    /// Which one.
    pub issuer: String,
    /// The position of the event that made it so.
    pub from_position: i64,
    /// With which others it was issued.
    pub batch: Option<Batch>,
}
