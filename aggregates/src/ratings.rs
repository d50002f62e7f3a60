//! Who may see a rated movie (DOMAIN C9); never who they are, and never what day it is now.
//!
//! What counts is the calendar day on which the show begins on the wall of its branch, not the business day: the law speaks
//! of days and years. A show at 25:10 of New Year's Eve begins on New Year's Day, and whoever turns 19 in that year may
//! see it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{movie::Rating, refusal::refusals};

/// From how many years, for those who must have reached them in the year of the show.
const YEARS_OF_19: i16 = 19;

/// Who wants to see it, as far as the house knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody it knows.
    Guest,
    /// A customer who is signed in.
    Customer {
        /// When they were born, if they have said so when they signed up or later.
        birth_date: Option<Date>,
    },
}

/// What is said about the ages of those who come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Statement {
    /// A guest says: everybody is old enough, or comes with a guardian.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub age_confirmed: bool,
    /// A guardian comes along.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub guardian_accompanies: bool,
    /// Staff have looked at an identity card.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub id_checked: bool,
}

/// On what ground somebody was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admitted {
    /// By their birth date.
    BirthDate,
    /// With a guardian, as the customer says.
    Guardian,
    /// As the guest says.
    Confirmed,
    /// By their identity card, as staff say.
    IdChecked,
}

/// Why somebody may not see a movie, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RatingError {
    /// Nobody confirms 19 for themselves.
    #[error("the movie is from 19; only a customer with a birth date can book it")]
    SignInNeeded,
    /// A customer without a birth date.
    #[error("the movie is rated, and the birth date of the customer is not known")]
    BirthDateMissing,
    /// Not 19 in the year of the show.
    #[error(
        "the movie is from 19: whoever was born after {latest_year} may not see it, with or without a guardian"
    )]
    TooYoung {
        /// The last year of birth that is early enough.
        latest_year: i16,
    },
    /// Not old enough on the day of the show, and alone.
    #[error("the movie is from {years}: whoever is younger on {day} needs a guardian")]
    GuardianNeeded {
        /// From how many full years.
        years: i16,
        /// The day of the show.
        day: Date,
    },
    /// A guest has not said that the ages are right.
    #[error(
        "the movie is from {years}: it must be confirmed that everybody is old enough or comes with a guardian"
    )]
    NotConfirmed {
        /// From how many full years.
        years: i16,
    },
    /// Somebody else said that an identity card was looked at.
    #[error("only staff look at identity cards")]
    OnlyStaffCheck,
}

refusals! { RatingError:
    Self::SignInNeeded => "rating/sign-in-needed", Forbidden, "Sign in as a customer with a birth date, or buy at the counter.";
    Self::BirthDateMissing => "rating/birth-date-missing", Forbidden, "Add it once with POST /v1/customer/complete.";
    Self::TooYoung { .. } => "rating/too-young", Forbidden, "Choose another movie.";
    Self::GuardianNeeded { .. } => "rating/guardian-needed", Invalid, "Come with a guardian, and say so; or choose another movie.",
        at ["/guardian_accompanies"];
    Self::NotConfirmed { .. } => "rating/not-confirmed", Invalid, "Confirm it, or choose another movie.",
        at ["/age_confirmed"];
    Self::OnlyStaffCheck => "rating/only-staff-check", Forbidden, "Leave id_checked out.";
}

impl Statement {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }

    /// What was said before and what is said now.
    #[must_use]
    pub const fn and(self, later: Self) -> Self {
        Self {
            age_confirmed: self.age_confirmed || later.age_confirmed,
            guardian_accompanies: self.guardian_accompanies || later.guardian_accompanies,
            id_checked: self.id_checked || later.id_checked,
        }
    }
}

/// Whether a movie of this rating may be seen on `day`, and on what ground; none where there is nothing to ask.
pub fn admit(
    rating: Rating,
    day: Date,
    viewer: Viewer,
    said: Statement,
) -> Result<Option<Admitted>, RatingError> {
    use Viewer::{Customer, Guest};
    let years = match rating {
        Rating::All => return Ok(None),
        Rating::From12 => Some(12),
        Rating::From15 => Some(15),
        Rating::From19 => None,
    };
    if said.id_checked {
        return Ok(Some(Admitted::IdChecked));
    }
    match (years, viewer) {
        (_, Customer { birth_date: None }) => Err(RatingError::BirthDateMissing),
        (None, Guest) => Err(RatingError::SignInNeeded),
        (
            None,
            Customer {
                birth_date: Some(born),
            },
        ) if day.year() - born.year() >= YEARS_OF_19 => Ok(Some(Admitted::BirthDate)),
        (None, Customer { birth_date: Some(_) }) => Err(RatingError::TooYoung {
            latest_year: day.year() - YEARS_OF_19,
        }),
        (
            Some(years),
            Customer {
                birth_date: Some(born),
            },
        ) if full_years(born, day) >= years => Ok(Some(Admitted::BirthDate)),
        (Some(_), Customer { birth_date: Some(_) }) if said.guardian_accompanies => {
            Ok(Some(Admitted::Guardian))
        }
        (Some(years), Customer { birth_date: Some(_) }) => Err(RatingError::GuardianNeeded { years, day }),
        (Some(_), Guest) if said.age_confirmed || said.guardian_accompanies => Ok(Some(Admitted::Confirmed)),
        (Some(years), Guest) => Err(RatingError::NotConfirmed { years }),
    }
}

/// Whether a hold is worth while: refuses what no later word could mend or what is known already; a guest's own word can
/// still come when they place it.
pub fn foresee(rating: Rating, day: Date, viewer: Viewer, said: Statement) -> Result<(), RatingError> {
    match admit(rating, day, viewer, said) {
        Ok(_) | Err(RatingError::NotConfirmed { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Full years of somebody on `day`. Who was born on 29 February is a year older on 1 March of a common year: the year is
/// full when its last day, 28 February, is over.
#[must_use]
pub fn full_years(born: Date, day: Date) -> i16 {
    let had_birthday = (day.month(), day.day()) >= (born.month(), born.day());
    day.year() - born.year() - i16::from(!had_birthday)
}

#[cfg(test)]
mod tests;
