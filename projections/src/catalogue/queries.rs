//! What customers and staff ask the catalogue, step by step (DOMAIN C1); never a change.

use aggregates::{
    branch::Branch,
    business_day::moment,
    ids::{BranchId, MovieId, ThemeId},
    values::WallTime,
};
use jiff::{Timestamp, civil::Date};
use jiff_sqlx::ToSqlx;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use super::{Key, Kind, Row};
use crate::{model::column, words::stored};

/// One thing of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Which one.
    pub key: Key,
    /// The branch it belongs to; none for a branch itself, a movie, a layout and a price policy.
    pub branch: Option<BranchId>,
    /// Its name or title.
    pub name: String,
    /// Whether it is open, announced or offered.
    pub active: bool,
    /// What is known about it.
    pub details: Row,
    /// Since which position it looks like this.
    pub from_position: i64,
}

struct Stored {
    kind: String,
    id: Uuid,
    version: i64,
    branch: Option<Uuid>,
    name: String,
    active: bool,
    details: String,
    from_position: i64,
}

impl TryFrom<Stored> for Entry {
    type Error = sqlx::Error;

    fn try_from(row: Stored) -> sqlx::Result<Self> {
        let kind = stored(&row.kind)?;
        Ok(Self {
            key: Key {
                kind,
                id: row.id,
                version: row.version,
            },
            branch: row.branch.map(BranchId::new),
            name: row.name,
            active: row.active,
            details: Row::read(kind, &row.details)?,
            from_position: row.from_position,
        })
    }
}

/// Which things of one kind are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this branch.
    pub branch: Option<BranchId>,
    /// Open, announced or offered at an open branch, or not.
    pub active: Option<bool>,
    /// Only those after this name and id in the list: the cursor.
    pub after: Option<(String, Uuid)>,
}

/// All things of a kind that fit, by name; layouts by version.
pub async fn entries(
    db: impl PgExecutor<'_>,
    kind: Kind,
    filter: &Filter,
    limit: i64,
) -> sqlx::Result<Vec<Entry>> {
    let (after_name, after_id) = filter.after.clone().unzip();
    let rows = sqlx::query_as!(
        Stored,
        r#"select kind, id, version, branch, name, active, details::text as "details!", from_position
             from catalogue c
            where kind = $1
              and ($2::uuid is null or branch = $2)
              and ($3::bool is null or $3 = (active and (branch is null or exists (
                    select from catalogue b where b.kind = 'branch' and b.id = c.branch and b.version = 0 and b.active))))
              and ($4::text is null or (name, id) > ($4, $5::uuid))
            order by name, id, version
            limit $6"#,
        kind.as_str(),
        filter.branch.map(BranchId::uuid),
        filter.active,
        after_name,
        after_id,
        limit,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// One thing; of an auditorium's layouts the version asked for.
pub async fn entry(db: impl PgExecutor<'_>, key: Key) -> sqlx::Result<Option<Entry>> {
    let row = sqlx::query_as!(
        Stored,
        r#"select kind, id, version, branch, name, active, details::text as "details!", from_position
             from catalogue where kind = $1 and id = $2 and version = $3"#,
        key.kind.as_str(),
        key.id,
        key.version,
    )
    .fetch_optional(db)
    .await?;
    row.map(Entry::try_from).transpose()
}

/// These things, as far as they are there, in no order; none of an auditorium's layouts.
pub async fn these(db: impl PgExecutor<'_>, kinds: &[Kind], ids: &[Uuid]) -> sqlx::Result<Vec<Entry>> {
    let rows = sqlx::query_as!(
        Stored,
        r#"select kind, id, version, branch, name, active, details::text as "details!", from_position
             from catalogue where kind = any ($1) and id = any ($2) and version = 0"#,
        column(kinds, |kind| kind.as_str()) as _,
        ids,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// Periods of branches.
#[derive(Default)]
struct Periods {
    branches: Vec<Uuid>,
    begin: Vec<jiff_sqlx::Timestamp>,
    end: Vec<jiff_sqlx::Timestamp>,
}

/// The business days on which open branches sell nothing (DOMAIN E3), as far as they touch a period.
async fn closing_days(db: &PgPool, from: Timestamp, before: Timestamp) -> sqlx::Result<Periods> {
    let rows = sqlx::query_as!(
        Stored,
        r#"select kind, id, version, branch, name, active, details::text as "details!", from_position
             from catalogue
            where kind = 'branch' and active and details #>> '{Open,closed_on}' <> '{}'"#
    )
    .fetch_all(db)
    .await?;
    let mut periods = Periods::default();
    for row in rows {
        let Entry {
            key,
            details: Row::Branch(Branch::Open(site)),
            ..
        } = Entry::try_from(row)?
        else {
            continue;
        };
        let zone = site.premises.time_zone.zone();
        for date in site.closed_on.keys() {
            let begins = |date: Date| moment(&zone, date, WallTime::START).ok();
            let ends = date.tomorrow().ok().and_then(begins);
            // A day at the end of the calendar has no slots.
            let (Some(begins), Some(ends)) = (begins(*date), ends) else {
                continue;
            };
            if begins < before && from < ends {
                periods.branches.push(key.id);
                periods.begin.push(begins.to_sqlx());
                periods.end.push(ends.to_sqlx());
            }
        }
    }
    Ok(periods)
}

/// The open branches where an announced movie or a theme has slots that begin in a period, by name (DOMAIN C1).
pub async fn branches_with(
    db: &PgPool,
    movie: Option<MovieId>,
    theme: Option<ThemeId>,
    from: Timestamp,
    before: Timestamp,
) -> sqlx::Result<Vec<Entry>> {
    let closed = closing_days(db, from, before).await?;
    let rows = sqlx::query_as!(
        Stored,
        r#"select kind, id, version, branch, name, active, details::text as "details!", from_position
             from catalogue
            where kind = 'branch' and active
              and id in (select c.branch from time_slot_calendar c
                          where ($1::uuid is null or c.movie = $1) and ($2::uuid is null or c.theme = $2)
                            and c.starts_at >= $3 and c.starts_at < $4 and c.state <> 'withdrawn'
                            and (c.movie is null or exists (
                                  select from catalogue m
                                   where m.kind = 'movie' and m.id = c.movie and m.version = 0 and m.active))
                            and not exists (
                                  select from unnest($5::uuid[], $6::timestamptz[], $7::timestamptz[])
                                           k(branch, begins, ends)
                                   where k.branch = c.branch and c.starts_at >= k.begins and c.starts_at < k.ends))
            order by name, id"#,
        movie.map(MovieId::uuid),
        theme.map(ThemeId::uuid),
        from.to_sqlx() as _,
        before.to_sqlx() as _,
        &closed.branches,
        &closed.begin as _,
        &closed.end as _,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// The announced movies that have slots in a period, at one open branch or at any, by title (DOMAIN C1).
pub async fn movies_on(
    db: &PgPool,
    branch: Option<BranchId>,
    from: Timestamp,
    before: Timestamp,
) -> sqlx::Result<Vec<Entry>> {
    let closed = closing_days(db, from, before).await?;
    let rows = sqlx::query_as!(
        Stored,
        r#"select kind, id, version, branch, name, active, details::text as "details!", from_position
             from catalogue
            where kind = 'movie' and active
              and id in (select c.movie from time_slot_calendar c
                          where c.movie is not null and ($1::uuid is null or c.branch = $1)
                            and c.starts_at >= $2 and c.starts_at < $3 and c.state <> 'withdrawn'
                            and exists (
                                  select from catalogue b
                                   where b.kind = 'branch' and b.id = c.branch and b.version = 0 and b.active)
                            and not exists (
                                  select from unnest($4::uuid[], $5::timestamptz[], $6::timestamptz[])
                                           k(branch, begins, ends)
                                   where k.branch = c.branch and c.starts_at >= k.begins and c.starts_at < k.ends))
            order by name, id"#,
        branch.map(BranchId::uuid),
        from.to_sqlx() as _,
        before.to_sqlx() as _,
        &closed.branches,
        &closed.begin as _,
        &closed.end as _,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}
