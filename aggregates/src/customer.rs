//! A customer: somebody who books under their own name (DOMAIN P1); never a password, and after they have left nobody.
//!
//! ```text
//!            sign up             describe, change password
//!   Unknown ────────▶ SignedUp ◀──┐
//!                        └──▶ Left
//! ```

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    decider::aggregate,
    ids::ClaimId,
    ids::CustomerId,
    personal::{Personal, Sealable, sealable},
    refusal::refusals,
    values::{Email, Nickname, PhoneNumber},
};

/// What a customer says about themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What they are called, unique among all customers.
    pub nickname: Nickname,
    /// The number to call.
    pub phone: Option<PhoneNumber>,
    /// When they were born.
    pub birth_date: Option<Date>,
}

/// What can be asked of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerCommand {
    /// Begin.
    SignUp {
        /// What they sign in with, unique among all customers.
        email: Email,
        /// About them.
        profile: Profile,
    },
    /// Say something else about them.
    Describe(Profile),
    /// Record that they have another password, which only the vault knows.
    ChangePassword,
    /// Leave for good: everything about them is forgotten.
    Leave,
}

/// What happened to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CustomerEvent {
    /// They began.
    SignedUp {
        email: Personal<Email>,
        nickname: Personal<Nickname>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Personal<PhoneNumber>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        birth_date: Option<Personal<Date>>,
    },
    /// They are called so.
    Described {
        nickname: Personal<Nickname>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Personal<PhoneNumber>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        birth_date: Option<Personal<Date>>,
    },
    /// They have another password.
    PasswordChanged,
    /// They are gone.
    Left,
}

/// Why a customer says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomerError {
    /// No such customer.
    #[error("there is no such customer")]
    NotFound,
    /// The id is in use.
    #[error("the customer has signed up already")]
    AlreadySignedUp,
    /// They are gone.
    #[error("the customer has left")]
    Left,
    /// Nobody is born tomorrow, nor two hundred years ago.
    #[error("the birth date must be a day in the past, from 1900 on")]
    ImpossibleBirthDate,
}

refusals! { CustomerError:
    Self::NotFound => "customer/not-found", NotFound, "Sign up first.";
    Self::AlreadySignedUp => "customer/already-signed-up", Conflict, "Sign in.";
    Self::Left => "customer/left", Gone, "Sign up anew.";
    Self::ImpossibleBirthDate => "customer/impossible-birth-date", Invalid, "Correct the birth date.",
        at ["/birth_date"];
}

/// What a customer remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Customer {
    /// Never signed up.
    #[default]
    Unknown,
    /// Among us.
    SignedUp(Known),
    /// Gone.
    Left,
}

/// Somebody who has signed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// What they sign in with.
    pub email: Personal<Email>,
    /// What they are called.
    pub nickname: Personal<Nickname>,
    /// The number to call.
    pub phone: Option<Personal<PhoneNumber>>,
    /// When they were born.
    pub birth_date: Option<Personal<Date>>,
}

aggregate! {
    Customer = "customer", id: CustomerId, command: CustomerCommand, event: CustomerEvent, error: CustomerError,
    stored: "Customer" [SignedUp, Described, PasswordChanged, Left],
    personal: |event| match event {
        CustomerEvent::SignedUp { email, nickname, phone, birth_date } => {
            let mut values: Vec<&mut dyn Sealable> = vec![email, nickname];
            values.extend(sealable(phone));
            values.extend(sealable(birth_date));
            values
        }
        CustomerEvent::Described { nickname, phone, birth_date } => {
            let mut values: Vec<&mut dyn Sealable> = vec![nickname];
            values.extend(sealable(phone));
            values.extend(sealable(birth_date));
            values
        }
        CustomerEvent::PasswordChanged | CustomerEvent::Left => vec![],
    }
}

impl Customer {
    fn rule(&self, command: CustomerCommand, now: Timestamp) -> Result<Vec<CustomerEvent>, CustomerError> {
        use CustomerCommand::{ChangePassword, Describe, Leave, SignUp};
        match (command, self) {
            (SignUp { profile, .. } | Describe(profile), _) if !profile.is_possible(now) => {
                Err(CustomerError::ImpossibleBirthDate)
            }
            (SignUp { email, profile }, Self::Unknown) => {
                let Profile {
                    nickname,
                    phone,
                    birth_date,
                } = profile;
                Ok(vec![CustomerEvent::SignedUp {
                    email: Personal::Plain(email),
                    nickname: Personal::Plain(nickname),
                    phone: phone.map(Personal::Plain),
                    birth_date: birth_date.map(Personal::Plain),
                }])
            }
            (SignUp { .. }, Self::SignedUp(_)) => Err(CustomerError::AlreadySignedUp),
            (Describe(profile), Self::SignedUp(known)) if known.is_described_by(&profile) => Ok(vec![]),
            (Describe(profile), Self::SignedUp(_)) => {
                let Profile {
                    nickname,
                    phone,
                    birth_date,
                } = profile;
                Ok(vec![CustomerEvent::Described {
                    nickname: Personal::Plain(nickname),
                    phone: phone.map(Personal::Plain),
                    birth_date: birth_date.map(Personal::Plain),
                }])
            }
            (ChangePassword, Self::SignedUp(_)) => Ok(vec![CustomerEvent::PasswordChanged]),
            (Leave, Self::SignedUp(_)) => Ok(vec![CustomerEvent::Left]),
            (Leave, Self::Left) => Ok(vec![]),
            (Describe(_) | ChangePassword | Leave, Self::Unknown) => Err(CustomerError::NotFound),
            (SignUp { .. } | Describe(_) | ChangePassword, Self::Left) => Err(CustomerError::Left),
        }
    }

    fn evolve(&mut self, event: CustomerEvent) {
        match (event, &mut *self) {
            (
                CustomerEvent::SignedUp {
                    email,
                    nickname,
                    phone,
                    birth_date,
                },
                _,
            ) => {
                *self = Self::SignedUp(Known {
                    email,
                    nickname,
                    phone,
                    birth_date,
                });
            }
            (
                CustomerEvent::Described {
                    nickname,
                    phone,
                    birth_date,
                },
                Self::SignedUp(known),
            ) => {
                (known.nickname, known.phone, known.birth_date) = (nickname, phone, birth_date);
            }
            (CustomerEvent::Left, _) => *self = Self::Left,
            (CustomerEvent::Described { .. } | CustomerEvent::PasswordChanged, _) => {}
        }
    }

    /// What is known of them while they are among us.
    pub const fn known(&self) -> Result<&Known, CustomerError> {
        match self {
            Self::Unknown => Err(CustomerError::NotFound),
            Self::SignedUp(known) => Ok(known),
            Self::Left => Err(CustomerError::Left),
        }
    }

    /// The claim on an e-mail address.
    #[must_use]
    pub fn email_claim(email: &Email) -> ClaimId {
        ClaimId::on("customer_email", email.as_str())
    }

    /// The claim on a nickname.
    #[must_use]
    pub fn nickname_claim(nickname: &Nickname) -> ClaimId {
        ClaimId::on("customer_nickname", nickname.as_str())
    }
}

impl Profile {
    fn is_possible(&self, now: Timestamp) -> bool {
        // Where it is the latest day just now; nobody is refused for having been born today.
        let today = now.to_zoned(TimeZone::fixed(jiff::tz::offset(14))).date();
        self.birth_date
            .is_none_or(|date| date.year() >= 1900 && date <= today)
    }
}

impl Known {
    fn is_described_by(&self, profile: &Profile) -> bool {
        self.nickname.plain() == Some(&profile.nickname)
            && self.phone == profile.phone.clone().map(Personal::Plain)
            && self.birth_date == profile.birth_date.map(Personal::Plain)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::{CustomerCommand::*, *};
    use crate::decider::testing::{NOON, given};

    fn profile(nickname: &str) -> Profile {
        Profile {
            nickname: nickname.parse().expect("a nickname"),
            phone: None,
            birth_date: Some(jiff::civil::date(2001, 2, 3)),
        }
    }

    fn sign_up() -> CustomerCommand {
        SignUp {
            email: "haneul@example.com".parse().expect("an address"),
            profile: profile("하늘"),
        }
    }

    fn signed_up() -> CustomerEvent {
        CustomerEvent::SignedUp {
            email: Personal::Plain("haneul@example.com".parse().expect("an address")),
            nickname: Personal::Plain("하늘".parse().expect("a nickname")),
            phone: None,
            birth_date: Some(Personal::Plain(jiff::civil::date(2001, 2, 3))),
        }
    }

    #[test]
    fn a_customer_signs_up_once() {
        given::<Customer>([]).when(sign_up()).then([signed_up()]);
        given::<Customer>([signed_up()])
            .when(sign_up())
            .refused(&CustomerError::AlreadySignedUp);
    }

    #[test]
    fn a_profile_is_changed_as_a_whole() {
        let described = CustomerEvent::Described {
            nickname: Personal::Plain("바다".parse().expect("a nickname")),
            phone: None,
            birth_date: Some(Personal::Plain(jiff::civil::date(2001, 2, 3))),
        };
        given::<Customer>([signed_up()])
            .when(Describe(profile("바다")))
            .then([described.clone()]);
        given::<Customer>([signed_up(), described])
            .when(Describe(profile("바다")))
            .then([]);
    }

    #[test]
    fn nobody_is_born_in_the_future() {
        let tomorrow = (NOON + 48.hours()).to_zoned(TimeZone::UTC).date();
        for date in [tomorrow, jiff::civil::date(1899, 12, 31)] {
            let profile = Profile {
                birth_date: Some(date),
                ..profile("하늘")
            };
            given::<Customer>([signed_up()])
                .when(Describe(profile))
                .refused(&CustomerError::ImpossibleBirthDate);
        }
    }

    #[test]
    fn who_has_left_stays_gone() {
        given::<Customer>([signed_up()])
            .when(Leave)
            .then([CustomerEvent::Left]);
        let gone = [signed_up(), CustomerEvent::Left];
        given::<Customer>(gone.clone()).when(Leave).then([]);
        for late in [sign_up(), Describe(profile("바다")), ChangePassword] {
            given::<Customer>(gone.clone())
                .when(late)
                .refused(&CustomerError::Left);
        }
        for early in [Describe(profile("바다")), ChangePassword, Leave] {
            given::<Customer>([])
                .when(early)
                .refused(&CustomerError::NotFound);
        }
    }

    #[test]
    fn every_change_of_a_password_is_on_record() {
        given::<Customer>([signed_up()])
            .when(ChangePassword)
            .then([CustomerEvent::PasswordChanged]);
    }
}
