//! What customers and staff ask the catalogue, step by step (DOMAIN C1); never a change.

use aggregates::ids::{BranchId, MovieId, ThemeId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use uuid::Uuid;

use super::{Key, Kind, Row};
use crate::words::stored;

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
    /// Open, announced or offered, or not.
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
             from catalogue
            where kind = $1
              and ($2::uuid is null or branch = $2)
              and ($3::bool is null or active = $3)
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

/// The open branches where a movie or a theme has slots that begin in a period, by name (DOMAIN C1).
pub async fn branches_with(
    db: impl PgExecutor<'_>,
    movie: Option<MovieId>,
    theme: Option<ThemeId>,
    from: Timestamp,
    before: Timestamp,
) -> sqlx::Result<Vec<Entry>> {
    let rows = sqlx::query_as!(
        Stored,
        r#"select kind, id, version, branch, name, active, details::text as "details!", from_position
             from catalogue
            where kind = 'branch' and active
              and id in (select c.branch from time_slot_calendar c
                          where ($1::uuid is null or c.movie = $1) and ($2::uuid is null or c.theme = $2)
                            and c.starts_at >= $3 and c.starts_at < $4 and c.state <> 'withdrawn')
            order by name, id"#,
        movie.map(MovieId::uuid),
        theme.map(ThemeId::uuid),
        from.to_sqlx() as _,
        before.to_sqlx() as _,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// The announced movies that have slots in a period, at one branch or anywhere, by title (DOMAIN C1).
pub async fn movies_on(
    db: impl PgExecutor<'_>,
    branch: Option<BranchId>,
    from: Timestamp,
    before: Timestamp,
) -> sqlx::Result<Vec<Entry>> {
    let rows = sqlx::query_as!(
        Stored,
        r#"select kind, id, version, branch, name, active, details::text as "details!", from_position
             from catalogue
            where kind = 'movie' and active
              and id in (select c.movie from time_slot_calendar c
                          where c.movie is not null and ($1::uuid is null or c.branch = $1)
                            and c.starts_at >= $2 and c.starts_at < $3 and c.state <> 'withdrawn')
            order by name, id"#,
        branch.map(BranchId::uuid),
        from.to_sqlx() as _,
        before.to_sqlx() as _,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}
