//! What staff ask the directory of customers; never a change.

use aggregates::ids::{BranchId, CustomerId};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlxTimestamp;
use sqlx::PgConnection;

use super::Standing;
use crate::{
    model::{escaped, planned_anew, uuids},
    reservation_list::parts,
    words::stored,
};

/// A customer with what they have booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which one.
    pub customer: CustomerId,
    /// Whether they are among us.
    pub standing: Standing,
    /// The position of their sign-up.
    pub signed_up_position: i64,
    /// When that was.
    pub signed_up_at: Option<Timestamp>,
    /// What they sign in with.
    pub email: Option<String>,
    /// What they are called.
    pub nickname: Option<String>,
    /// The number to call.
    pub phone: Option<String>,
    /// Reservations they placed, at the branches the reader may see.
    pub reservations: i64,
    /// Of these, those they did not come to.
    pub no_shows: i64,
}

/// Which customers are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// This one.
    pub customer: Option<CustomerId>,
    /// Who stand so.
    pub standing: Option<Standing>,
    /// With an e-mail address that contains this text.
    pub email: Option<String>,
    /// With a nickname that contains this text.
    pub nickname: Option<String>,
    /// With a phone number that contains these digits (DOMAIN E6).
    pub phone: Option<String>,
    /// Who have booked at one of these branches, if the reader may not see the others.
    pub branches: Option<Vec<BranchId>>,
}

/// The customers that fit, who signed up last first, those who signed up before the position `after`.
pub async fn customers(
    db: &mut PgConnection,
    filter: &Filter,
    after: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<Entry>> {
    let pattern = |text: &Option<String>| text.as_ref().map(|text| format!("%{}%", escaped(text)));
    let known: Option<Vec<i16>> = filter
        .phone
        .as_deref()
        .filter(|digits| digits.len() >= 3)
        .map(|digits| parts(digits).collect());
    let branches = uuids(filter.branches.as_deref());
    let mut db = planned_anew(db).await?;
    let rows = sqlx::query!(
        r#"select d.customer, d.state, d.signed_up_position, d.email, d.nickname, d.phone,
                  e.recorded_at as "signed_up_at?: SqlxTimestamp", n.reservations as "reservations!", n.no_shows as "no_shows!"
             from customer_directory d
             left join events e on e.position = d.signed_up_position
             cross join lateral (
               select count(*) as reservations, count(*) filter (where r.stage = 'no_show') as no_shows
                 from reservation_list r
                 left join time_slot_calendar c on c.time_slot = r.time_slot
                where r.customer = d.customer and r.placed_position is not null
                  and ($1::uuid[] is null or c.branch = any ($1))
             ) n
            where ($2::uuid is null or d.customer = $2)
              and ($3::text is null or d.state = $3)
              and ($4::text is null or (d.email is not null and d.email ilike $4
                   and read_models.text_parts(d.email) @> read_models.text_parts($5)))
              and ($6::text is null or (d.nickname is not null and d.nickname ilike $6
                   and read_models.text_parts(d.nickname) @> read_models.text_parts($7)))
              and ($8::text is null or replace(d.phone, '-', '') like '%' || $8 || '%')
              and ($9::smallint[] is null or (d.phone_parts is not null and d.phone_parts @> $9))
              and ($10::bigint is null or d.signed_up_position < $10)
              and ($1 is null or n.reservations > 0)
            order by d.signed_up_position desc
            limit $11"#,
        branches.as_deref(),
        filter.customer.map(CustomerId::uuid),
        filter.standing.map(Standing::as_str),
        pattern(&filter.email),
        filter.email,
        pattern(&filter.nickname),
        filter.nickname,
        filter.phone,
        known.as_deref(),
        after,
        limit,
    )
    .fetch_all(&mut *db)
    .await?;
    db.commit().await?;
    rows.into_iter()
        .map(|row| {
            Ok(Entry {
                customer: CustomerId::new(row.customer),
                standing: stored(&row.state)?,
                signed_up_position: row.signed_up_position,
                signed_up_at: row.signed_up_at.map(SqlxTimestamp::to_jiff),
                email: row.email,
                nickname: row.nickname,
                phone: row.phone,
                reservations: row.reservations,
                no_shows: row.no_shows,
            })
        })
        .collect()
}
