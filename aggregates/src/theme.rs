//! A theme of an escape-room shop and the weekly template of its time slots (DOMAIN E2, E3); never sells a slot itself.
//!
//! ```text
//!   Unknown ──introduce──▶ Inactive ◀──activate, deactivate──▶ Active
//! ```

mod template;

use serde::{Deserialize, Serialize};

pub use template::{PartyRange, SalesOpening, TemplateClash, WeeklyTemplate};

use crate::{
    administered::{Administered, Claims, Reference},
    decider::aggregate,
    fault::{Fault, Faults},
    ids::{BranchId, ClaimId, PricePolicyId, ThemeId},
    refusal::refusals,
    rights::Permission,
    values::Name,
};

/// The largest group of any theme (DOMAIN E2).
pub const PARTY_MAX: u8 = 6;
/// The longest game, and the longest turnover, in minutes.
pub const DURATION_MAX: u16 = 600;
/// The earliest opening of sales, in days ahead.
pub const DAYS_AHEAD_MAX: u16 = 365;

/// What is known about a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Game {
    /// The shop it is played in.
    pub branch: BranchId,
    /// Its name, unique among all themes.
    pub name: Name,
    /// What it costs.
    pub price_policy: PricePolicyId,
    /// How many people play it.
    pub party: PartyRange,
    /// How long a game lasts.
    pub duration_minutes: u16,
    /// How long the room is prepared for the next.
    pub turnover_minutes: u16,
    /// When sales of a slot open.
    pub opens: SalesOpening,
    /// When slots start.
    pub slots: WeeklyTemplate,
}

/// What can be asked of a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ThemeCommand {
    /// Introduce it, not yet active.
    Introduce(Game),
    /// Give it another name.
    Rename {
        /// The new one.
        name: Name,
    },
    /// Follow another price policy.
    Reprice {
        /// What it costs.
        price_policy: PricePolicyId,
    },
    /// Change how many people play it.
    Regroup {
        /// How many people play it.
        party: PartyRange,
    },
    /// Change its times; slots already scheduled keep theirs.
    Retime {
        /// How long a game lasts.
        duration_minutes: u16,
        /// How long the room is prepared for the next.
        turnover_minutes: u16,
        /// When slots start.
        slots: WeeklyTemplate,
    },
    /// Change when its sales open; slots already scheduled keep theirs.
    MoveOpening {
        /// When sales of a slot open.
        opens: SalesOpening,
    },
    /// Offer it.
    Activate {},
    /// Stop offering it; slots already scheduled stay.
    Deactivate {},
}

/// What happened to a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThemeEvent {
    /// It began.
    Introduced(Game),
    /// It has another name.
    Renamed { name: Name },
    /// It follows another price policy.
    Repriced { price_policy: PricePolicyId },
    /// It is played with other groups.
    Regrouped { party: PartyRange },
    /// It is played at other times.
    Retimed {
        duration_minutes: u16,
        turnover_minutes: u16,
        slots: WeeklyTemplate,
    },
    /// Sales open at another moment.
    OpeningMoved { opens: SalesOpening },
    /// It is offered.
    Activated,
    /// It is no longer offered.
    Deactivated,
}

/// Why a theme says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// No such theme.
    #[error("there is no such theme")]
    NotFound,
    /// Introduced before, otherwise.
    #[error("the theme is already introduced")]
    AlreadyIntroduced,
    /// Not offered.
    #[error("the theme is not active")]
    Inactive,
    /// The sizes contradict each other.
    #[error("a party must have 1 ≤ min ≤ default ≤ max ≤ {PARTY_MAX} people")]
    PartyOutOfRange(Faults),
    /// Too short or too long.
    #[error("a game lasts 1 to {DURATION_MAX} minutes, its turnover at most {DURATION_MAX}")]
    DurationOutOfRange(Faults),
    /// Too early, or not a time of day.
    #[error("sales open at most {DAYS_AHEAD_MAX} days ahead, at a time before 24:00")]
    OpeningOutOfRange(Faults),
    /// Two slots at once, or one outside the business day.
    #[error(transparent)]
    Template(TemplateClash),
}

refusals! { ThemeError:
    Self::NotFound => "theme/not-found", NotFound, "Choose a theme from GET /v1/themes.";
    Self::AlreadyIntroduced => "theme/already-introduced", Conflict, "Use a new id, or change this theme.";
    Self::Inactive => "theme/inactive", Conflict, "Choose another theme, or activate this one.";
    Self::PartyOutOfRange(_) => "theme/party-out-of-range", Invalid, "Correct the sizes of the party.", by Self::fields;
    Self::DurationOutOfRange(_) => "theme/duration-out-of-range", Invalid, "Correct the minutes.", by Self::fields;
    Self::OpeningOutOfRange(_) => "theme/opening-out-of-range", Invalid, "Correct the days ahead or the time.",
        by Self::fields;
    Self::Template(_) => "theme/slots-overlap", Invalid, "Leave time for the game and its turnover between starts.",
        at ["/slots"];
}

impl ThemeError {
    fn fields(&self) -> Vec<Fault> {
        match self {
            Self::PartyOutOfRange(Faults(faults))
            | Self::DurationOutOfRange(Faults(faults))
            | Self::OpeningOutOfRange(Faults(faults)) => faults.clone(),
            Self::NotFound | Self::AlreadyIntroduced | Self::Inactive | Self::Template(_) => Vec::new(),
        }
    }
}

/// What a theme remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Theme {
    /// Never introduced.
    #[default]
    Unknown,
    /// Not offered.
    Inactive(Game),
    /// Offered.
    Active(Game),
}

aggregate! {
    Theme = "theme", id: ThemeId, command: ThemeCommand, event: ThemeEvent, error: ThemeError,
    stored: "Theme" [Introduced, Renamed, Repriced, Regrouped, Retimed, OpeningMoved, Activated, Deactivated]
}

impl Game {
    fn sound(&self) -> Result<(), ThemeError> {
        self.party.sound()?;
        self.opens.sound()?;
        timed(self.duration_minutes, self.turnover_minutes, &self.slots)
    }
}

fn timed(duration: u16, turnover: u16, slots: &WeeklyTemplate) -> Result<(), ThemeError> {
    let (lasts, prepared) = (
        format!("must be 1 to {DURATION_MAX}"),
        format!("must be at most {DURATION_MAX}"),
    );
    let rules = [
        (
            (1..=DURATION_MAX).contains(&duration),
            "/duration_minutes",
            lasts.as_str(),
        ),
        (turnover <= DURATION_MAX, "/turnover_minutes", &prepared),
    ];
    template::kept(rules).map_err(ThemeError::DurationOutOfRange)?;
    slots.fits(duration + turnover).map_err(ThemeError::Template)
}

impl Theme {
    fn rule(&self, command: ThemeCommand, _now: jiff::Timestamp) -> Result<Vec<ThemeEvent>, ThemeError> {
        use ThemeCommand::{Activate, Deactivate, Introduce, MoveOpening, Regroup, Rename, Reprice, Retime};
        let once = |repeat: bool, event: ThemeEvent| Ok(if repeat { vec![] } else { vec![event] });
        let known = match self {
            Self::Unknown => {
                let Introduce(game) = command else {
                    return Err(ThemeError::NotFound);
                };
                game.sound()?;
                return Ok(vec![ThemeEvent::Introduced(game)]);
            }
            Self::Inactive(known) | Self::Active(known) => known,
        };
        match command {
            Introduce(game) if game == *known => Ok(vec![]),
            Introduce(_) => Err(ThemeError::AlreadyIntroduced),
            Rename { name } => once(name == known.name, ThemeEvent::Renamed { name }),
            Reprice { price_policy } => once(
                price_policy == known.price_policy,
                ThemeEvent::Repriced { price_policy },
            ),
            Regroup { party } => {
                party.sound()?;
                once(party == known.party, ThemeEvent::Regrouped { party })
            }
            Retime {
                duration_minutes,
                turnover_minutes,
                slots,
            } => {
                timed(duration_minutes, turnover_minutes, &slots)?;
                let repeat = (duration_minutes, turnover_minutes, &slots)
                    == (known.duration_minutes, known.turnover_minutes, &known.slots);
                once(
                    repeat,
                    ThemeEvent::Retimed {
                        duration_minutes,
                        turnover_minutes,
                        slots,
                    },
                )
            }
            MoveOpening { opens } => {
                opens.sound()?;
                once(opens == known.opens, ThemeEvent::OpeningMoved { opens })
            }
            Activate {} => once(matches!(self, Self::Active(_)), ThemeEvent::Activated),
            Deactivate {} => once(matches!(self, Self::Inactive(_)), ThemeEvent::Deactivated),
        }
    }

    fn evolve(&mut self, event: ThemeEvent) {
        if let ThemeEvent::Introduced(game) = event {
            *self = Self::Inactive(game);
            return;
        }
        let (Self::Inactive(game) | Self::Active(game)) = self else {
            return;
        };
        match event {
            ThemeEvent::Introduced(_) => {}
            ThemeEvent::Renamed { name } => game.name = name,
            ThemeEvent::Repriced { price_policy } => game.price_policy = price_policy,
            ThemeEvent::Regrouped { party } => game.party = party,
            ThemeEvent::Retimed {
                duration_minutes,
                turnover_minutes,
                slots,
            } => {
                (game.duration_minutes, game.turnover_minutes, game.slots) =
                    (duration_minutes, turnover_minutes, slots);
            }
            ThemeEvent::OpeningMoved { opens } => game.opens = opens,
            ThemeEvent::Activated => *self = Self::Active(game.clone()),
            ThemeEvent::Deactivated => *self = Self::Inactive(game.clone()),
        }
    }

    /// The theme, active or not.
    pub const fn game(&self) -> Result<&Game, ThemeError> {
        match self {
            Self::Unknown => Err(ThemeError::NotFound),
            Self::Inactive(game) | Self::Active(game) => Ok(game),
        }
    }

    /// The theme, if it is offered.
    pub const fn active(&self) -> Result<&Game, ThemeError> {
        match self {
            Self::Unknown => Err(ThemeError::NotFound),
            Self::Inactive(_) => Err(ThemeError::Inactive),
            Self::Active(game) => Ok(game),
        }
    }
}

impl Administered for Theme {
    const COLLECTION: &'static str = "themes";

    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        (
            "introduce",
            r#"{"branch":"0192d3a0-0000-7000-8000-000000000001","name":"달빛 서고","price_policy":"0192d3a0-0000-7000-8000-000000000003","party":{"min":2,"max":4,"default":2},"duration_minutes":60,"turnover_minutes":20,"opens":{"days_ahead":6,"time":"00:00"},"slots":{"monday":["09:00","10:25"],"saturday":["09:00","10:25","11:50"]}}"#,
        ),
        ("rename", r#"{"name":"달빛 서고 2"}"#),
        (
            "reprice",
            r#"{"price_policy":"0192d3a0-0000-7000-8000-000000000004"}"#,
        ),
        ("regroup", r#"{"party":{"min":1,"max":6,"default":2}}"#),
        (
            "retime",
            r#"{"duration_minutes":70,"turnover_minutes":15,"slots":{"sunday":["09:10","10:40"]}}"#,
        ),
        ("move-opening", r#"{"opens":{"days_ahead":13,"time":"12:00"}}"#),
        ("activate", "{}"),
        ("deactivate", "{}"),
    ];

    fn access(_: &ThemeCommand) -> Permission {
        Permission::ChangeShows
    }

    fn claims(&self, _: &ThemeId, command: &ThemeCommand) -> Claims {
        let claim = |name: &Name| ClaimId::on("theme", name.as_str());
        let current = self.game().ok().map(|game| claim(&game.name));
        match command {
            ThemeCommand::Introduce(game) => Claims::moving(current, Some(claim(&game.name))),
            ThemeCommand::Rename { name } => Claims::moving(current, Some(claim(name))),
            ThemeCommand::Reprice { .. }
            | ThemeCommand::Regroup { .. }
            | ThemeCommand::Retime { .. }
            | ThemeCommand::MoveOpening { .. }
            | ThemeCommand::Activate {}
            | ThemeCommand::Deactivate {} => Claims::default(),
        }
    }

    fn reads(command: &ThemeCommand) -> Vec<Reference> {
        match command {
            ThemeCommand::Introduce(game) => {
                vec![
                    Reference::EscapeRoom(game.branch),
                    Reference::PricePolicy(game.price_policy),
                ]
            }
            ThemeCommand::Reprice { price_policy } => vec![Reference::PricePolicy(*price_policy)],
            ThemeCommand::Rename { .. }
            | ThemeCommand::Regroup { .. }
            | ThemeCommand::Retime { .. }
            | ThemeCommand::MoveOpening { .. }
            | ThemeCommand::Activate {}
            | ThemeCommand::Deactivate {} => vec![],
        }
    }

    fn branch(&self, _: &ThemeId) -> Option<BranchId> {
        self.game().ok().map(|game| game.branch)
    }

    fn exists(&self) -> bool {
        *self != Self::Unknown
    }
}

#[cfg(test)]
mod tests;
