//! What can be shown, played and paid (DOMAIN C1, C2, E1, E2); never what is on when.
//!
//! A row is the state of its aggregate, folded by the aggregate itself, so a new command there costs nothing here. Only
//! an auditorium is cut: each of its layouts is a row of its own.

mod names;
mod queries;

use std::{fmt, sync::Arc};

use aggregates::{
    Decider, Event, Recorded,
    auditorium::{AuditoriumEvent, Hall},
    branch::Branch,
    ids::{AuditoriumId, BranchId, MovieId, PricePolicyId, ThemeId},
    layout::Layout,
    movie::Movie,
    price_policy::PricePolicy,
    theme::Theme,
    values::Name,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use uuid::Uuid;

pub use self::names::names;
pub use self::queries::{Entry, Filter, branches_with, entries, entry, movies_on, these};
use crate::{
    Former, Loaded, Put, ReadModel, Version,
    model::column,
    tuples::Tuples,
    words::{stored, words},
};

words! {
    /// What a row is about.
    Kind {
        /// A branch.
        Branch = "branch",
        /// An auditorium.
        Auditorium = "auditorium",
        /// One layout version of an auditorium.
        Layout = "layout",
        /// A movie.
        Movie = "movie",
        /// A theme.
        Theme = "theme",
        /// A price policy with its versions.
        PricePolicy = "price_policy",
    }
}

/// The read model.
pub struct Catalogue;

/// Which row: the id of the aggregate, and for a layout its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// What it is about.
    pub kind: Kind,
    /// Which one.
    pub id: Uuid,
    /// The version of a layout, from 1; 0 for everything else.
    pub version: i64,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.kind.as_str(), self.id, self.version)
    }
}

/// A row: what is known about one thing.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A branch.
    Branch(Branch),
    /// An auditorium.
    Auditorium(Auditorium),
    /// One of its layouts.
    Layout(Arc<Layout>),
    /// A movie.
    Movie(Movie),
    /// A theme.
    Theme(Theme),
    /// A price policy.
    PricePolicy(PricePolicy),
}

/// An auditorium without its layouts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auditorium {
    /// The cinema it belongs to.
    pub branch: BranchId,
    /// Its name.
    pub name: Name,
    /// The kind price policies may charge extra for.
    pub hall: Option<Name>,
    /// How long it is cleaned between two time slots.
    pub cleaning_minutes: u16,
}

impl From<&Hall> for Auditorium {
    fn from(hall: &Hall) -> Self {
        Self {
            branch: hall.branch,
            name: hall.name.clone(),
            hall: hall.hall.clone(),
            cleaning_minutes: hall.cleaning_minutes,
        }
    }
}

/// What of a row can be filtered and listed.
struct Columns<'a> {
    branch: Option<Uuid>,
    name: &'a str,
    active: bool,
    details: String,
}

impl Row {
    fn columns(&self) -> Columns<'_> {
        let (branch, name, active, details) = match self {
            Self::Branch(state @ (Branch::Open(site) | Branch::Closed(site))) => (
                None,
                site.premises.name.as_str(),
                matches!(state, Branch::Open(_)),
                json(state),
            ),
            Self::Auditorium(hall) => (Some(hall.branch.uuid()), hall.name.as_str(), true, json(hall)),
            Self::Layout(layout) => (None, layout.name().as_str(), true, json(layout)),
            Self::Movie(state @ (Movie::Announced(film) | Movie::Withdrawn(film))) => (
                None,
                film.title.as_str(),
                matches!(state, Movie::Announced(_)),
                json(state),
            ),
            Self::Theme(state @ (Theme::Active(game) | Theme::Inactive(game))) => (
                Some(game.branch.uuid()),
                game.name.as_str(),
                matches!(state, Theme::Active(_)),
                json(state),
            ),
            Self::PricePolicy(state @ PricePolicy::Adopted { name, .. }) => {
                (None, name.as_str(), true, json(state))
            }
            Self::Branch(Branch::Unknown)
            | Self::Movie(Movie::Unknown)
            | Self::Theme(Theme::Unknown)
            | Self::PricePolicy(PricePolicy::Unknown) => (None, "", false, "null".to_owned()),
        };
        Columns {
            branch,
            name,
            active,
            details,
        }
    }

    fn read(kind: Kind, details: &str) -> sqlx::Result<Self> {
        Ok(match kind {
            Kind::Branch => Self::Branch(parsed(details)?),
            Kind::Auditorium => Self::Auditorium(parsed(details)?),
            Kind::Layout => Self::Layout(Arc::new(parsed(details)?)),
            Kind::Movie => Self::Movie(parsed(details)?),
            Kind::Theme => Self::Theme(parsed(details)?),
            Kind::PricePolicy => Self::PricePolicy(parsed(details)?),
        })
    }
}

fn json(value: &impl Serialize) -> String {
    // States are plain data without personal values: writing them cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn parsed<T: DeserializeOwned>(details: &str) -> sqlx::Result<T> {
    serde_json::from_str(details).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// The state of an aggregate after an event.
fn applied<A: Decider>(before: Option<A>, event: &A::Event) -> A {
    let mut state = before.unwrap_or_default();
    state.apply(event.clone());
    state
}

impl ReadModel for Catalogue {
    const NAME: &'static str = "catalogue";
    const VERSION: i32 = 1;
    const COLUMNS: &'static str = "kind, id, version, branch, name, active, details, from_position";
    const HISTORY: Option<&'static str> =
        Some("kind, id, version, branch, name, active, details, from_position, until_position");

    type Key = Key;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<Key> {
        let id = recorded.stream.id.as_str();
        let (kind, id) = match recorded.stream.kind.as_str() {
            "branch" => (Kind::Branch, id.parse::<BranchId>().ok()?.uuid()),
            "auditorium" => (Kind::Auditorium, id.parse::<AuditoriumId>().ok()?.uuid()),
            "movie" => (Kind::Movie, id.parse::<MovieId>().ok()?.uuid()),
            "theme" => (Kind::Theme, id.parse::<ThemeId>().ok()?.uuid()),
            "price_policy" => (Kind::PricePolicy, id.parse::<PricePolicyId>().ok()?.uuid()),
            _ => return None,
        };
        if let Event::Auditorium(AuditoriumEvent::LayoutDrawn { version, .. }) = &recorded.event {
            return Some(Key {
                kind: Kind::Layout,
                id,
                version: i64::from(*version),
            });
        }
        Some(Key { kind, id, version: 0 })
    }

    fn fold(row: Option<Row>, recorded: &Recorded) -> Option<Row> {
        Some(match (&recorded.event, row) {
            (Event::Branch(event), Some(Row::Branch(state))) => Row::Branch(applied(Some(state), event)),
            (Event::Branch(event), _) => Row::Branch(applied(None, event)),
            (Event::Auditorium(event), row) => return auditorium(row, event),
            (Event::Movie(event), Some(Row::Movie(state))) => Row::Movie(applied(Some(state), event)),
            (Event::Movie(event), _) => Row::Movie(applied(None, event)),
            (Event::Theme(event), Some(Row::Theme(state))) => Row::Theme(applied(Some(state), event)),
            (Event::Theme(event), _) => Row::Theme(applied(None, event)),
            (Event::PricePolicy(event), Some(Row::PricePolicy(state))) => {
                Row::PricePolicy(applied(Some(state), event))
            }
            (Event::PricePolicy(event), _) => Row::PricePolicy(applied(None, event)),
            (
                Event::Seat(_)
                | Event::TimeSlot(_)
                | Event::Reservation(_)
                | Event::Coupon(_)
                | Event::Schedule(_)
                | Event::Claim(_)
                | Event::Role(_)
                | Event::Admin(_)
                | Event::Customer(_)
                | Event::Waitlist(_)
                | Event::Allowance(_)
                | Event::Patron(_)
                | Event::CancellationPolicy(_)
                | Event::Deposit(_)
                | Event::Foreign,
                row,
            ) => return row,
        })
    }

    fn begins(recorded: &Recorded) -> bool {
        recorded.sequence == 1
            || matches!(
                recorded.event,
                Event::Auditorium(AuditoriumEvent::LayoutDrawn { .. })
            )
    }

    async fn load(db: &mut PgConnection, keys: &[Key]) -> sqlx::Result<Loaded<Self>> {
        let rows = sqlx::query!(
            r#"select c.kind, c.id, c.version, c.details::text as "details!", c.from_position
                 from unnest($1::text[], $2::uuid[], $3::bigint[]) k(kind, id, version)
                 join catalogue c on c.kind = k.kind and c.id = k.id and c.version = k.version"#,
            column(keys, |key| key.kind.as_str()) as _,
            &column(keys, |key| key.id),
            &column(keys, |key| key.version),
        )
        .fetch_all(db)
        .await?;
        rows.into_iter()
            .map(|row| {
                let kind = stored(&row.kind)?;
                let key = Key {
                    kind,
                    id: row.id,
                    version: row.version,
                };
                Ok((
                    key,
                    Version {
                        row: Row::read(kind, &row.details)?,
                        from: row.from_position,
                    },
                ))
            })
            .collect()
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        let columns = column(rows, |put| put.row.columns());
        sqlx::query!(
            r#"update catalogue c
                  set branch = u.branch, name = u.name, active = u.active, details = u.details::json,
                      from_position = u.from_position
                 from unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::bool[], $7::text[],
                             $8::bigint[]) u(kind, id, version, branch, name, active, details, from_position)
                where c.kind = u.kind and c.id = u.id and c.version = u.version"#,
            column(rows, |put| put.key.kind.as_str()) as _,
            &column(rows, |put| put.key.id),
            &column(rows, |put| put.key.version),
            column(&columns, |columns| columns.branch) as _,
            column(&columns, |columns| columns.name) as _,
            &column(&columns, |columns| columns.active),
            column(&columns, |columns| columns.details.as_str()) as _,
            &column(rows, |put| put.from),
        )
        .execute(db)
        .await?;
        Ok(())
    }

    fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
        let Columns {
            branch,
            name,
            active,
            details,
        } = row.columns();
        out.row(&[
            &key.kind.as_str(),
            &key.id,
            &key.version,
            &branch,
            &name,
            &active,
            &details.as_str(),
            from,
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
        let Columns {
            branch,
            name,
            active,
            details,
        } = row.columns();
        out.row(&[
            &key.kind.as_str(),
            &key.id,
            &key.version,
            &branch,
            &name,
            &active,
            &details.as_str(),
            from,
            until,
        ]);
    }
}

/// An auditorium after an event, its layouts apart.
fn auditorium(row: Option<Row>, event: &AuditoriumEvent) -> Option<Row> {
    let hall = match (event, row) {
        (AuditoriumEvent::LayoutDrawn { layout, .. }, _) => return Some(Row::Layout(Arc::clone(layout))),
        (
            AuditoriumEvent::Built {
                branch,
                name,
                hall,
                cleaning_minutes,
            },
            _,
        ) => Auditorium {
            branch: *branch,
            name: name.clone(),
            hall: hall.clone(),
            cleaning_minutes: *cleaning_minutes,
        },
        (AuditoriumEvent::Renamed { name }, Some(Row::Auditorium(known))) => Auditorium {
            name: name.clone(),
            ..known
        },
        (AuditoriumEvent::Classified { hall }, Some(Row::Auditorium(known))) => Auditorium {
            hall: hall.clone(),
            ..known
        },
        (AuditoriumEvent::CleaningAllowed { cleaning_minutes }, Some(Row::Auditorium(known))) => Auditorium {
            cleaning_minutes: *cleaning_minutes,
            ..known
        },
        (
            AuditoriumEvent::Renamed { .. }
            | AuditoriumEvent::Classified { .. }
            | AuditoriumEvent::CleaningAllowed { .. },
            row,
        ) => return row,
    };
    Some(Row::Auditorium(hall))
}
