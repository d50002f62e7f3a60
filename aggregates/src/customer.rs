//! A customer: somebody who books under their own name (DOMAIN P1); never a password, and after they have left nobody.
//!
//! ```text
//!            sign up             describe, complete, link, change e-mail or password
//!   Unknown ────────▶ SignedUp ◀──┐
//!                        └──▶ Left
//! ```

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    decider::aggregate,
    identity::Identity,
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
    /// When they were born. Once it is known it stays: nobody chooses their age before each movie (DOMAIN C9).
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
    /// Add the birth date that was missing.
    Complete {
        /// When they were born.
        birth_date: Date,
    },
    /// Let them sign in with their account at a provider, too.
    Link(Identity),
    /// Let them sign in with another e-mail address.
    ChangeEmail(Email),
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
    /// Their birth date is known.
    Completed { birth_date: Personal<Date> },
    /// They sign in with this account at a provider, too.
    Linked { identity: Personal<Identity> },
    /// They sign in with this address.
    EmailChanged { email: Personal<Email> },
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
    /// Another birth date is known.
    #[error("the birth date is known and stays as it is")]
    BirthDateKnown,
    /// They sign in with another account there.
    #[error("another account of that provider is linked")]
    AlreadyLinked,
    /// The e-mail address of the account at the provider belongs to a customer, who has to say that it is they.
    #[error("a customer has signed up with this e-mail address already")]
    EmailInUse,
}

refusals! { CustomerError:
    Self::NotFound => "customer/not-found", NotFound, "Sign up first.";
    Self::AlreadySignedUp => "customer/already-signed-up", Conflict, "Sign in.";
    Self::Left => "customer/left", Gone, "Sign up anew.";
    Self::ImpossibleBirthDate => "customer/impossible-birth-date", Invalid, "Correct the birth date.",
        at ["/birth_date"];
    Self::BirthDateKnown => "customer/birth-date-known", Conflict, "Leave the birth date as it is.", at ["/birth_date"];
    Self::AlreadyLinked => "customer/already-linked", Conflict, "Sign in with the account that is linked.";
    Self::EmailInUse => "customer/email-in-use", Conflict,
        "Sign in with the password, then link the account with POST /v1/customer/link-google.";
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
    /// Their account at a provider.
    pub identity: Option<Personal<Identity>>,
}

aggregate! {
    Customer = "customer", id: CustomerId, command: CustomerCommand, event: CustomerEvent, error: CustomerError,
    stored: "Customer" [SignedUp, Described, Completed, Linked, EmailChanged, PasswordChanged, Left],
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
        CustomerEvent::Completed { birth_date } => vec![birth_date],
        CustomerEvent::Linked { identity } => vec![identity],
        CustomerEvent::EmailChanged { email } => vec![email],
        CustomerEvent::PasswordChanged | CustomerEvent::Left => vec![],
    }
}

impl Customer {
    fn rule(&self, command: CustomerCommand, now: Timestamp) -> Result<Vec<CustomerEvent>, CustomerError> {
        use CustomerCommand::{ChangeEmail, ChangePassword, Complete, Describe, Leave, Link, SignUp};
        match (command, self) {
            (SignUp { profile, .. } | Describe(profile), _) if !profile.is_possible(now) => {
                Err(CustomerError::ImpossibleBirthDate)
            }
            (Complete { birth_date }, _) if !is_possible(birth_date, now) => {
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
            (Describe(profile), Self::SignedUp(known)) if known.contradicts(profile.birth_date) => {
                Err(CustomerError::BirthDateKnown)
            }
            (Describe(profile), Self::SignedUp(known)) if known.is_described_by(&profile) => Ok(vec![]),
            (Describe(profile), Self::SignedUp(known)) => {
                let Profile {
                    nickname,
                    phone,
                    birth_date,
                } = profile;
                Ok(vec![CustomerEvent::Described {
                    nickname: Personal::Plain(nickname),
                    phone: phone.map(Personal::Plain),
                    birth_date: birth_date.map(Personal::Plain).or(known.birth_date.clone()),
                }])
            }
            (Complete { birth_date }, Self::SignedUp(known)) => match &known.birth_date {
                Some(_) if known.contradicts(Some(birth_date)) => Err(CustomerError::BirthDateKnown),
                Some(_) => Ok(vec![]),
                None => Ok(vec![CustomerEvent::Completed {
                    birth_date: Personal::Plain(birth_date),
                }]),
            },
            (Link(identity), Self::SignedUp(known)) => match &known.identity {
                Some(linked) if linked.plain() == Some(&identity) => Ok(vec![]),
                Some(_) => Err(CustomerError::AlreadyLinked),
                None => Ok(vec![CustomerEvent::Linked {
                    identity: Personal::Plain(identity),
                }]),
            },
            (ChangeEmail(email), Self::SignedUp(known)) if known.email.plain() == Some(&email) => Ok(vec![]),
            (ChangeEmail(email), Self::SignedUp(_)) => Ok(vec![CustomerEvent::EmailChanged {
                email: Personal::Plain(email),
            }]),
            (ChangePassword, Self::SignedUp(_)) => Ok(vec![CustomerEvent::PasswordChanged]),
            (Leave, Self::SignedUp(_)) => Ok(vec![CustomerEvent::Left]),
            (Leave, Self::Left) => Ok(vec![]),
            (
                Describe(_) | Complete { .. } | Link(_) | ChangeEmail(_) | ChangePassword | Leave,
                Self::Unknown,
            ) => Err(CustomerError::NotFound),
            (
                SignUp { .. } | Describe(_) | Complete { .. } | Link(_) | ChangeEmail(_) | ChangePassword,
                Self::Left,
            ) => Err(CustomerError::Left),
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
                    identity: None,
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
            (CustomerEvent::Completed { birth_date }, Self::SignedUp(known)) => {
                known.birth_date = Some(birth_date);
            }
            (CustomerEvent::Linked { identity }, Self::SignedUp(known)) => known.identity = Some(identity),
            (CustomerEvent::EmailChanged { email }, Self::SignedUp(known)) => known.email = email,
            (CustomerEvent::Left, _) => *self = Self::Left,
            (
                CustomerEvent::Described { .. }
                | CustomerEvent::Completed { .. }
                | CustomerEvent::Linked { .. }
                | CustomerEvent::EmailChanged { .. }
                | CustomerEvent::PasswordChanged,
                _,
            ) => {}
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
        self.birth_date.is_none_or(|date| is_possible(date, now))
    }
}

fn is_possible(birth_date: Date, now: Timestamp) -> bool {
    // Where it is the latest day just now; nobody is refused for having been born today.
    let today = now.to_zoned(TimeZone::fixed(jiff::tz::offset(14))).date();
    birth_date.year() >= 1900 && birth_date <= today
}

impl Known {
    fn is_described_by(&self, profile: &Profile) -> bool {
        self.nickname.plain() == Some(&profile.nickname)
            && self.phone == profile.phone.clone().map(Personal::Plain)
            && (profile.birth_date.is_none() || self.birth_date == profile.birth_date.map(Personal::Plain))
    }

    /// Whether another birth date is known than this one.
    fn contradicts(&self, birth_date: Option<Date>) -> bool {
        let known = self.birth_date.as_ref();
        birth_date.is_some_and(|date| known.is_some_and(|known| known.plain() != Some(&date)))
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
    fn a_birth_date_is_said_once() {
        let without = Profile {
            birth_date: None,
            ..profile("하늘")
        };
        let other = Profile {
            birth_date: Some(jiff::civil::date(1990, 1, 1)),
            ..profile("하늘")
        };
        let complete = |year| Complete {
            birth_date: jiff::civil::date(year, 2, 3),
        };
        // Left out, it stays.
        given::<Customer>([signed_up()]).when(Describe(without)).then([]);
        for otherwise in [Describe(other), complete(1990)] {
            given::<Customer>([signed_up()])
                .when(otherwise)
                .refused(&CustomerError::BirthDateKnown);
        }
        given::<Customer>([signed_up()]).when(complete(2001)).then([]);
        let young = CustomerEvent::SignedUp {
            email: Personal::Plain("haneul@example.com".parse().expect("an address")),
            nickname: Personal::Plain("하늘".parse().expect("a nickname")),
            phone: None,
            birth_date: None,
        };
        let completed = CustomerEvent::Completed {
            birth_date: Personal::Plain(jiff::civil::date(2001, 2, 3)),
        };
        given::<Customer>([young.clone()])
            .when(complete(2001))
            .then([completed.clone()]);
        given::<Customer>([young.clone(), completed])
            .when(complete(2002))
            .refused(&CustomerError::BirthDateKnown);
        given::<Customer>([young])
            .when(complete(1899))
            .refused(&CustomerError::ImpossibleBirthDate);
    }

    #[test]
    fn a_customer_has_one_account_at_a_provider() {
        let identity = |subject| Identity::new("https://accounts.example.com", subject).expect("an identity");
        let linked = CustomerEvent::Linked {
            identity: Personal::Plain(identity("1")),
        };
        given::<Customer>([signed_up()])
            .when(Link(identity("1")))
            .then([linked.clone()]);
        given::<Customer>([signed_up(), linked.clone()])
            .when(Link(identity("1")))
            .then([]);
        given::<Customer>([signed_up(), linked])
            .when(Link(identity("2")))
            .refused(&CustomerError::AlreadyLinked);
        given::<Customer>([])
            .when(Link(identity("1")))
            .refused(&CustomerError::NotFound);
        given::<Customer>([signed_up(), CustomerEvent::Left])
            .when(Link(identity("1")))
            .refused(&CustomerError::Left);
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
        let moved = || ChangeEmail("moved@example.com".parse().expect("an address"));
        for late in [sign_up(), Describe(profile("바다")), moved(), ChangePassword] {
            given::<Customer>(gone.clone())
                .when(late)
                .refused(&CustomerError::Left);
        }
        for early in [Describe(profile("바다")), moved(), ChangePassword, Leave] {
            given::<Customer>([])
                .when(early)
                .refused(&CustomerError::NotFound);
        }
    }

    #[test]
    fn an_e_mail_address_is_changed_once() {
        let address = || "moved@example.com".parse().expect("an address");
        let changed = CustomerEvent::EmailChanged {
            email: Personal::Plain(address()),
        };
        given::<Customer>([signed_up()])
            .when(ChangeEmail(address()))
            .then([changed.clone()]);
        given::<Customer>([signed_up(), changed])
            .when(ChangeEmail(address()))
            .then([]);
    }

    #[test]
    fn every_change_of_a_password_is_on_record() {
        given::<Customer>([signed_up()])
            .when(ChangePassword)
            .then([CustomerEvent::PasswordChanged]);
    }
}
