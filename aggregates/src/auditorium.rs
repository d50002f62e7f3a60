//! An auditorium of a cinema and the versions of its seat layout (DOMAIN C2, C3); never changes a version once drawn.
//!
//! ```text
//!   Unknown ──build──▶ Built ──draw layout──▶ Built, one version more
//! ```

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    administered::{Administered, Claims, Reference},
    decider::aggregate,
    fault::Faults,
    ids::{AuditoriumId, BranchId, ClaimId},
    layout::Layout,
    refusal::refusals,
    rights::Permission,
    values::Name,
};

/// The longest cleaning between two time slots, in minutes.
pub const CLEANING_MAX: u16 = 240;
/// The most layout versions of one auditorium.
pub const VERSIONS_MAX: usize = 1_000;

/// What can be asked of an auditorium.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AuditoriumCommand {
    /// Build it.
    Build {
        /// The cinema it belongs to.
        branch: BranchId,
        /// Its name, unique in the cinema.
        name: Name,
        /// The kind price policies may charge extra for.
        #[serde(default)]
        hall: Option<Name>,
        /// How long it is cleaned between two time slots.
        cleaning_minutes: u16,
    },
    /// Give it another name.
    Rename {
        /// The new one.
        name: Name,
    },
    /// Say which kind it is. Whatever is sold from then on costs what that kind costs, also in time slots that are scheduled
    /// already; what is held or reserved keeps its quote.
    Classify {
        /// The kind price policies may charge extra for.
        #[serde(default)]
        hall: Option<Name>,
    },
    /// Say how long it is cleaned between two time slots.
    AllowCleaning {
        /// How long.
        cleaning_minutes: u16,
    },
    /// Add a layout version; time slots already scheduled keep theirs.
    DrawLayout {
        /// Every seat; or so many rows and columns, or a seating plan in pretix's JSON format (DOMAIN C3).
        #[schema(value_type = crate::layout::Drawing)]
        layout: Arc<Layout>,
    },
}

/// What happened to an auditorium.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum AuditoriumEvent {
    /// It began.
    Built {
        branch: BranchId,
        name: Name,
        hall: Option<Name>,
        cleaning_minutes: u16,
    },
    /// It has another name.
    Renamed { name: Name },
    /// It is of another kind.
    Classified { hall: Option<Name> },
    /// It is cleaned for another time.
    CleaningAllowed { cleaning_minutes: u16 },
    /// It has one layout version more; the first is 1.
    LayoutDrawn { version: u32, layout: Arc<Layout> },
}

/// Why an auditorium says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditoriumError {
    /// No such auditorium.
    #[error("there is no such auditorium")]
    NotFound,
    /// Built before, otherwise.
    #[error("the auditorium is already built")]
    AlreadyBuilt,
    /// Too long.
    #[error("cleaning takes at most {CLEANING_MAX} minutes")]
    CleaningOutOfRange,
    /// No such layout version.
    #[error("the auditorium has no layout version {version}")]
    NoSuchLayout {
        /// The version.
        version: u32,
    },
    /// Drawn too often.
    #[error("an auditorium has at most {VERSIONS_MAX} layout versions")]
    TooManyLayouts,
}

refusals! { AuditoriumError:
    Self::NotFound => "auditorium/not-found", NotFound, "Choose an auditorium of the branch.";
    Self::AlreadyBuilt => "auditorium/already-built", Conflict, "Use a new id, or change this auditorium.";
    Self::CleaningOutOfRange => "auditorium/cleaning-out-of-range", Invalid, "Give the cleaning time in minutes.",
        at ["/cleaning_minutes"];
    Self::NoSuchLayout { .. } => "auditorium/no-such-layout", NotFound, "Give a version from 1 to the latest.";
    Self::TooManyLayouts => "auditorium/too-many-layouts", Conflict, "Build a new auditorium.";
}

/// What an auditorium remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Auditorium {
    /// Never built.
    #[default]
    Unknown,
    /// It stands.
    Built(Hall),
}

/// What is known about an auditorium.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hall {
    /// The cinema it belongs to.
    pub branch: BranchId,
    /// Its name.
    pub name: Name,
    /// The kind price policies may charge extra for.
    pub hall: Option<Name>,
    /// How long it is cleaned between two time slots.
    pub cleaning_minutes: u16,
    /// Its layout versions, the first one first.
    layouts: Vec<Arc<Layout>>,
}

impl Hall {
    /// The newest layout version and its number.
    #[must_use]
    pub fn latest_layout(&self) -> Option<(u32, &Arc<Layout>)> {
        Some((u32::try_from(self.layouts.len()).ok()?, self.layouts.last()?))
    }
}

aggregate! {
    Auditorium = "auditorium", id: AuditoriumId, command: AuditoriumCommand, event: AuditoriumEvent,
    error: AuditoriumError,
    stored: "Auditorium" [Built, Renamed, Classified, CleaningAllowed, LayoutDrawn]
}

impl Auditorium {
    fn rule(
        &self,
        command: AuditoriumCommand,
        _now: jiff::Timestamp,
    ) -> Result<Vec<AuditoriumEvent>, AuditoriumError> {
        use AuditoriumCommand::{AllowCleaning, Build, Classify, DrawLayout, Rename};
        use AuditoriumEvent::{Built, Classified, CleaningAllowed, LayoutDrawn, Renamed};
        let once = |repeat: bool, event: AuditoriumEvent| Ok(if repeat { vec![] } else { vec![event] });
        match (command, self) {
            (Build { cleaning_minutes, .. } | AllowCleaning { cleaning_minutes }, _)
                if cleaning_minutes > CLEANING_MAX =>
            {
                Err(AuditoriumError::CleaningOutOfRange)
            }
            (
                Build {
                    branch,
                    name,
                    hall,
                    cleaning_minutes,
                },
                Self::Unknown,
            ) => Ok(vec![Built {
                branch,
                name,
                hall,
                cleaning_minutes,
            }]),
            (
                Build {
                    branch,
                    name,
                    hall,
                    cleaning_minutes,
                },
                Self::Built(known),
            ) => {
                let same = (branch, &name, &hall, cleaning_minutes)
                    == (known.branch, &known.name, &known.hall, known.cleaning_minutes);
                if same {
                    Ok(vec![])
                } else {
                    Err(AuditoriumError::AlreadyBuilt)
                }
            }
            (Rename { name }, Self::Built(known)) => once(name == known.name, Renamed { name }),
            (Classify { hall }, Self::Built(known)) => once(hall == known.hall, Classified { hall }),
            (AllowCleaning { cleaning_minutes }, Self::Built(known)) => once(
                cleaning_minutes == known.cleaning_minutes,
                CleaningAllowed { cleaning_minutes },
            ),
            (DrawLayout { layout }, Self::Built(known)) => {
                match (known.layouts.last(), known.layouts.len()) {
                    (Some(latest), _) if *latest == layout => Ok(vec![]),
                    (_, VERSIONS_MAX..) => Err(AuditoriumError::TooManyLayouts),
                    (_, drawn) => Ok(vec![LayoutDrawn {
                        version: u32::try_from(drawn).unwrap_or(0) + 1,
                        layout,
                    }]),
                }
            }
            (Rename { .. } | Classify { .. } | AllowCleaning { .. } | DrawLayout { .. }, Self::Unknown) => {
                Err(AuditoriumError::NotFound)
            }
        }
    }

    fn evolve(&mut self, event: AuditoriumEvent) {
        if let AuditoriumEvent::Built {
            branch,
            name,
            hall,
            cleaning_minutes,
        } = event
        {
            *self = Self::Built(Hall {
                branch,
                name,
                hall,
                cleaning_minutes,
                layouts: Vec::new(),
            });
            return;
        }
        let Self::Built(known) = self else { return };
        match event {
            AuditoriumEvent::Built { .. } => {}
            AuditoriumEvent::Renamed { name } => known.name = name,
            AuditoriumEvent::Classified { hall } => known.hall = hall,
            AuditoriumEvent::CleaningAllowed { cleaning_minutes } => {
                known.cleaning_minutes = cleaning_minutes;
            }
            AuditoriumEvent::LayoutDrawn { layout, .. } => known.layouts.push(layout),
        }
    }

    /// The auditorium, if it was built.
    pub const fn built(&self) -> Result<&Hall, AuditoriumError> {
        match self {
            Self::Unknown => Err(AuditoriumError::NotFound),
            Self::Built(hall) => Ok(hall),
        }
    }

    /// One layout version; the first is 1.
    pub fn layout(&self, version: u32) -> Result<&Arc<Layout>, AuditoriumError> {
        let index = usize::try_from(version)
            .ok()
            .and_then(|version| version.checked_sub(1));
        let layout = index.and_then(|index| self.built().ok()?.layouts.get(index));
        layout.ok_or(AuditoriumError::NoSuchLayout { version })
    }
}

/// The claim on an auditorium's name in its cinema.
#[must_use]
pub fn claim(branch: BranchId, name: &Name) -> ClaimId {
    ClaimId::on("auditorium", &format!("{branch}/{name}"))
}

impl Administered for Auditorium {
    const COLLECTION: &'static str = "auditoriums";

    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        (
            "build",
            r#"{"branch":"0192d3a0-0000-7000-8000-000000000001","name":"1관","hall":"large-624","cleaning_minutes":15}"#,
        ),
        ("rename", r#"{"name":"IMAX관"}"#),
        ("classify", r#"{"hall":"galleria-40"}"#),
        ("allow-cleaning", r#"{"cleaning_minutes":20}"#),
        (
            "draw-layout",
            r##"{"layout":{"name":"두 자리","size":{"width":128,"height":128},"categories":[{"name":"일반","colour":"#3b82f6"}],"sections":[{"name":"본관","rows":[{"letter":"A","seats":[{"label":"A1","number":"1","position":{"x":32,"y":64},"category":"일반"},{"label":"A2","number":"2","position":{"x":64,"y":64},"category":"일반"}]}]}]}}"##,
        ),
    ];

    fn plainly(verb: &str, mut body: Value) -> Result<Value, Faults> {
        if let ("draw-layout", Some(drawing)) = (verb, body.get_mut("layout")) {
            let plain = Layout::from_other_form(drawing).map_err(|Faults(faults)| {
                Faults(faults.iter().map(|fault| fault.below("/layout")).collect())
            })?;
            if let Some(plain) = plain.and_then(|layout| serde_json::to_value(layout).ok()) {
                *drawing = plain;
            }
        }
        Ok(body)
    }

    fn access(_: &AuditoriumCommand) -> Permission {
        Permission::ChangeShows
    }

    fn claims(&self, _: &AuditoriumId, command: &AuditoriumCommand) -> Claims {
        let hall = self.built().ok();
        let current = hall.map(|hall| claim(hall.branch, &hall.name));
        match command {
            AuditoriumCommand::Build { branch, name, .. } => {
                Claims::moving(current, Some(claim(*branch, name)))
            }
            AuditoriumCommand::Rename { name } => {
                Claims::moving(current, hall.map(|hall| claim(hall.branch, name)))
            }
            AuditoriumCommand::Classify { .. }
            | AuditoriumCommand::AllowCleaning { .. }
            | AuditoriumCommand::DrawLayout { .. } => Claims::default(),
        }
    }

    fn reads(command: &AuditoriumCommand) -> Vec<Reference> {
        match command {
            AuditoriumCommand::Build { branch, .. } => vec![Reference::Cinema(*branch)],
            AuditoriumCommand::Rename { .. }
            | AuditoriumCommand::Classify { .. }
            | AuditoriumCommand::AllowCleaning { .. }
            | AuditoriumCommand::DrawLayout { .. } => vec![],
        }
    }

    fn branch(&self, _: &AuditoriumId) -> Option<BranchId> {
        self.built().ok().map(|hall| hall.branch)
    }

    fn exists(&self) -> bool {
        *self != Self::Unknown
    }
}

#[cfg(test)]
mod tests;
