//! What people call a time slot: the names of its branch, movie, auditorium or theme (DOMAIN C5), as they are now;
//! never who booked it.

use std::collections::HashMap;

use aggregates::ids::TimeSlotId;
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlxTimestamp;
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::model::column;

/// The names that belong to a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its branch.
    pub branch: Option<String>,
    /// Its movie, if it is shown in a cinema.
    pub movie: Option<String>,
    /// Where that is shown.
    pub auditorium: Option<String>,
    /// Its theme, if it is played in an escape room.
    pub theme: Option<String>,
    /// When it begins.
    pub starts_at: Timestamp,
}

/// The labels of these slots, as far as they are known.
pub async fn labels(
    db: impl PgExecutor<'_>,
    slots: &[TimeSlotId],
) -> sqlx::Result<HashMap<TimeSlotId, Label>> {
    struct Stored {
        time_slot: Uuid,
        branch: Option<String>,
        movie: Option<String>,
        auditorium: Option<String>,
        theme: Option<String>,
        starts_at: SqlxTimestamp,
    }
    let rows = sqlx::query_as!(
        Stored,
        r#"select c.time_slot, b.name as "branch?", m.name as "movie?", a.name as "auditorium?", t.name as "theme?",
                  c.starts_at as "starts_at: _"
             from time_slot_calendar c
             left join catalogue b on b.kind = 'branch' and b.id = c.branch and b.version = 0
             left join catalogue m on m.kind = 'movie' and m.id = c.movie and m.version = 0
             left join catalogue a on a.kind = 'auditorium' and a.id = c.auditorium and a.version = 0
             left join catalogue t on t.kind = 'theme' and t.id = c.theme and t.version = 0
            where c.time_slot = any ($1)"#,
        &column(slots, |slot| slot.uuid()),
    )
    .fetch_all(db)
    .await?;
    let label = |row: Stored| {
        let label = Label {
            branch: row.branch,
            movie: row.movie,
            auditorium: row.auditorium,
            theme: row.theme,
            starts_at: row.starts_at.to_jiff(),
        };
        (TimeSlotId::new(row.time_slot), label)
    };
    Ok(rows.into_iter().map(label).collect())
}
