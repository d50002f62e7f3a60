//! A movie that can be put on the programme (DOMAIN C2); never knows where or when it is shown.
//!
//! ```text
//!   Unknown ──announce──▶ Announced ──withdraw──▶ Withdrawn
//! ```

use serde::{Deserialize, Serialize};

use crate::{
    administered::{Administered, Claims, Reference},
    decider::aggregate,
    ids::{BranchId, ClaimId, MovieId},
    refusal::refusals,
    rights::Permission,
    values::{Description, Name, Title, Url},
};

/// The longest running time in minutes.
pub const RUNNING_TIME_MAX: u16 = 600;

/// From which age a movie may be seen (DOMAIN C9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Rating {
    /// By everyone.
    #[serde(rename = "ALL")]
    All,
    /// From 12, or with a guardian.
    #[serde(rename = "12")]
    From12,
    /// From 15, or with a guardian.
    #[serde(rename = "15")]
    From15,
    /// From the year in which one turns 19, without exception.
    #[serde(rename = "19")]
    From19,
}

impl std::str::FromStr for Rating {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ALL" => Ok(Self::All),
            "12" => Ok(Self::From12),
            "15" => Ok(Self::From15),
            "19" => Ok(Self::From19),
            _ => Err("must be ALL, 12, 15 or 19"),
        }
    }
}

/// What is told about a movie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Film {
    /// Its title.
    pub title: Title,
    /// Who directed it.
    #[serde(default)]
    pub director: Option<Name>,
    /// What it is about.
    #[serde(default)]
    pub description: Option<Description>,
    /// Its poster.
    #[serde(default)]
    pub poster_url: Option<Url>,
    /// How long it runs.
    pub running_time_minutes: u16,
    /// From which age it may be seen.
    pub rating: Rating,
}

/// What can be asked of a movie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MovieCommand {
    /// Announce it.
    Announce(Film),
    /// Give it another title.
    Retitle {
        /// The new one.
        title: Title,
    },
    /// Change its description.
    Describe {
        /// Who directed it.
        #[serde(default)]
        director: Option<Name>,
        /// What it is about.
        #[serde(default)]
        description: Option<Description>,
        /// Its poster.
        #[serde(default)]
        poster_url: Option<Url>,
    },
    /// Change its running time; time slots already scheduled keep theirs.
    Recut {
        /// How long it runs.
        running_time_minutes: u16,
    },
    /// Change its rating.
    Rate {
        /// From which age it may be seen.
        rating: Rating,
    },
    /// Stop showing it.
    Withdraw {},
}

/// What happened to a movie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MovieEvent {
    /// It is known.
    Announced(Film),
    /// It has another title.
    Retitled { title: Title },
    /// Something else is told about it.
    Described {
        director: Option<Name>,
        description: Option<Description>,
        poster_url: Option<Url>,
    },
    /// It runs for another time.
    Recut { running_time_minutes: u16 },
    /// It has another rating.
    Rated { rating: Rating },
    /// It is no longer shown.
    Withdrawn,
}

/// Why a movie says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MovieError {
    /// No such movie.
    #[error("there is no such movie")]
    NotFound,
    /// Announced before, otherwise.
    #[error("the movie is already announced")]
    AlreadyAnnounced,
    /// Off the programme for good.
    #[error("the movie was withdrawn")]
    Withdrawn,
    /// Too short or too long.
    #[error("a movie runs for 1 to {RUNNING_TIME_MAX} minutes")]
    RunningTimeOutOfRange,
}

refusals! { MovieError:
    Self::NotFound => "movie/not-found", NotFound, "Choose a movie from GET /v1/movies.";
    Self::AlreadyAnnounced => "movie/already-announced", Conflict, "Use a new id, or change this movie.";
    Self::Withdrawn => "movie/withdrawn", Gone, "Choose another movie; to show it again, announce it under a new id.";
    Self::RunningTimeOutOfRange => "movie/running-time-out-of-range", Invalid, "Give the running time in minutes.",
        at ["/running_time_minutes"];
}

/// What a movie remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Movie {
    /// Never announced.
    #[default]
    Unknown,
    /// It can be shown.
    Announced(Film),
    /// It is no longer shown.
    Withdrawn(Film),
}

aggregate! {
    Movie = "movie", id: MovieId, command: MovieCommand, event: MovieEvent, error: MovieError,
    stored: "Movie" [Announced, Retitled, Described, Recut, Rated, Withdrawn]
}

impl Movie {
    fn rule(&self, command: MovieCommand, _now: jiff::Timestamp) -> Result<Vec<MovieEvent>, MovieError> {
        use MovieCommand::{Announce, Describe, Rate, Recut, Retitle, Withdraw};
        let runs = |minutes: u16| (1..=RUNNING_TIME_MAX).contains(&minutes);
        let once = |repeat: bool, event: MovieEvent| Ok(if repeat { vec![] } else { vec![event] });
        match (command, self) {
            (Announce(film), _) if !runs(film.running_time_minutes) => Err(MovieError::RunningTimeOutOfRange),
            (Announce(film), Self::Unknown) => Ok(vec![MovieEvent::Announced(film)]),
            (Announce(film), Self::Announced(known)) if film == *known => Ok(vec![]),
            (Announce(_), Self::Announced(_)) => Err(MovieError::AlreadyAnnounced),

            (Retitle { title }, Self::Announced(known)) => {
                once(title == known.title, MovieEvent::Retitled { title })
            }
            (
                Describe {
                    director,
                    description,
                    poster_url,
                },
                Self::Announced(known),
            ) => once(
                (&director, &description, &poster_url)
                    == (&known.director, &known.description, &known.poster_url),
                MovieEvent::Described {
                    director,
                    description,
                    poster_url,
                },
            ),
            (Recut { running_time_minutes }, Self::Announced(_)) if !runs(running_time_minutes) => {
                Err(MovieError::RunningTimeOutOfRange)
            }
            (Recut { running_time_minutes }, Self::Announced(known)) => once(
                running_time_minutes == known.running_time_minutes,
                MovieEvent::Recut { running_time_minutes },
            ),
            (Rate { rating }, Self::Announced(known)) => {
                once(rating == known.rating, MovieEvent::Rated { rating })
            }

            (Withdraw {}, Self::Announced(_)) => Ok(vec![MovieEvent::Withdrawn]),
            (Withdraw {}, Self::Withdrawn(_)) => Ok(vec![]),

            (
                Announce(_) | Retitle { .. } | Describe { .. } | Recut { .. } | Rate { .. },
                Self::Withdrawn(_),
            ) => Err(MovieError::Withdrawn),
            (Retitle { .. } | Describe { .. } | Recut { .. } | Rate { .. } | Withdraw {}, Self::Unknown) => {
                Err(MovieError::NotFound)
            }
        }
    }

    fn evolve(&mut self, event: MovieEvent) {
        if let MovieEvent::Announced(film) = event {
            *self = Self::Announced(film);
            return;
        }
        let Self::Announced(film) = self else { return };
        match event {
            MovieEvent::Announced(_) => {}
            MovieEvent::Retitled { title } => film.title = title,
            MovieEvent::Described {
                director,
                description,
                poster_url,
            } => {
                (film.director, film.description, film.poster_url) = (director, description, poster_url);
            }
            MovieEvent::Recut { running_time_minutes } => film.running_time_minutes = running_time_minutes,
            MovieEvent::Rated { rating } => film.rating = rating,
            MovieEvent::Withdrawn => *self = Self::Withdrawn(film.clone()),
        }
    }

    /// What is told about it, while it can be shown.
    pub const fn film(&self) -> Result<&Film, MovieError> {
        match self {
            Self::Unknown => Err(MovieError::NotFound),
            Self::Announced(film) => Ok(film),
            Self::Withdrawn(_) => Err(MovieError::Withdrawn),
        }
    }
}

impl Administered for Movie {
    const COLLECTION: &'static str = "movies";
    const NAME: &'static str = "/title";

    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        (
            "announce",
            r#"{"title":"한강의 밤","director":"이서윤","description":"한강의 밤 — 예시 작품입니다.","poster_url":"https://example.com/poster.jpg","running_time_minutes":118,"rating":"15"}"#,
        ),
        ("retitle", r#"{"title":"한강의 밤: 감독판"}"#),
        (
            "describe",
            r#"{"director":"이서윤","description":"감독판","poster_url":null}"#,
        ),
        ("recut", r#"{"running_time_minutes":131}"#),
        ("rate", r#"{"rating":"19"}"#),
        ("withdraw", "{}"),
    ];

    fn access(_: &MovieCommand) -> Permission {
        Permission::ChangeShows
    }

    fn claims(&self, _: &MovieId, command: &MovieCommand) -> Claims {
        let title = |film: &Film| ClaimId::on("movie", film.title.as_str());
        let current = match self {
            Self::Unknown | Self::Withdrawn(_) => None,
            Self::Announced(film) => Some(title(film)),
        };
        match command {
            MovieCommand::Announce(film) => Claims::moving(current, Some(title(film))),
            MovieCommand::Retitle { title } => {
                Claims::moving(current, Some(ClaimId::on("movie", title.as_str())))
            }
            MovieCommand::Withdraw {} => Claims::moving(current, None),
            MovieCommand::Describe { .. } | MovieCommand::Recut { .. } | MovieCommand::Rate { .. } => {
                Claims::default()
            }
        }
    }

    fn reads(_: &MovieCommand) -> Vec<Reference> {
        vec![]
    }

    fn branch(&self, _: &MovieId) -> Option<BranchId> {
        None
    }

    fn exists(&self) -> bool {
        *self != Self::Unknown
    }
}

#[cfg(test)]
mod tests;
