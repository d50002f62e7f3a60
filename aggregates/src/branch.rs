//! A branch: a cinema or an escape-room shop (DOMAIN C2, E1); never sells anything itself.
//!
//! ```text
//!   Unknown ──open──▶ Open ──close──▶ Closed
//! ```
//!
//! Its kind and time zone are for good: what was sold there was sold in that zone.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    administered::{Administered, Claims, Reference},
    attendance::AttendanceRules,
    business_day::on_the_wall,
    decider::aggregate,
    fault::{Fault, Faults},
    ids::{BranchId, ClaimId},
    payment_rules::PaymentRules,
    refusal::refusals,
    rights::Permission,
    values::{AccountNumber, Address, Description, Name, Note, Title, Url, ZoneName},
};

/// The most bank accounts of a branch.
pub const ACCOUNTS_MAX: usize = 20;
/// The most notices of a branch.
pub const NOTICES_MAX: usize = 50;
/// The most closing days of a branch.
pub const CLOSING_DAYS_MAX: usize = 1_000;

/// What a branch sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BranchKind {
    /// Seats in auditoriums.
    Cinema,
    /// Rooms for themes.
    EscapeRoom,
}

/// A bank account customers pay to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The bank.
    pub bank: Name,
    /// The account's number.
    pub number: AccountNumber,
    /// Whose account it is: a company's name.
    pub holder: Name,
}

/// Something customers should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// In short.
    pub title: Title,
    /// In full.
    pub body: Description,
}

/// What is known about a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Premises {
    /// What it sells.
    pub kind: BranchKind,
    /// Its name, unique among all branches.
    pub name: Name,
    /// Where it is.
    pub address: Address,
    /// The floor, for example.
    #[serde(default)]
    pub detail_address: Option<Address>,
    /// A picture of it.
    #[serde(default)]
    pub image_url: Option<Url>,
    /// The zone its wall clocks show.
    pub time_zone: ZoneName,
    /// Where customers pay to.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// What customers should know.
    #[serde(default)]
    pub notices: Vec<Notice>,
    /// How customers are greeted.
    #[serde(default)]
    pub welcome: Option<Description>,
}

/// What can be asked of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum BranchCommand {
    /// Open it.
    Open(Premises),
    /// Give it another name.
    Rename {
        /// The new one.
        name: Name,
    },
    /// Move it to another address.
    Relocate {
        /// Where it is now.
        address: Address,
        /// The floor, for example.
        #[serde(default)]
        detail_address: Option<Address>,
    },
    /// Show another picture, or none.
    Depict {
        /// The new one.
        #[serde(default)]
        image_url: Option<Url>,
    },
    /// Say where customers pay to.
    ListAccounts {
        /// All accounts.
        accounts: Vec<Account>,
    },
    /// Say what customers should know.
    Announce {
        /// How customers are greeted.
        #[serde(default)]
        welcome: Option<Description>,
        /// All notices.
        #[serde(default)]
        notices: Vec<Notice>,
    },
    /// Close it on one business day.
    CloseOn {
        /// Which day.
        #[schema(value_type = String, format = Date)]
        date: Date,
        /// Why.
        #[serde(default)]
        reason: Option<Note>,
    },
    /// Open it on a day that was a closing day.
    ReopenOn {
        /// Which day.
        #[schema(value_type = String, format = Date)]
        date: Date,
    },
    /// Say when customers check in, and what becomes of those who do not come; all of it, in place of what was said before.
    RegulateAttendance(AttendanceRules),
    /// Say how long customers have to pay and to take what is offered to them; all of it, in place of what was said before.
    RegulatePayment(PaymentRules),
    /// Close it for good.
    Close {
        /// Why.
        #[serde(default)]
        reason: Option<Note>,
    },
}

/// What happened to a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BranchEvent {
    /// It began.
    Opened(Premises),
    /// It has another name.
    Renamed { name: Name },
    /// It is elsewhere.
    Relocated {
        address: Address,
        detail_address: Option<Address>,
    },
    /// It has another picture.
    Depicted { image_url: Option<Url> },
    /// Customers pay to these accounts.
    AccountsListed { accounts: Vec<Account> },
    /// Customers are told this.
    Announced {
        welcome: Option<Description>,
        notices: Vec<Notice>,
    },
    /// It is closed on this day.
    ClosedOn { date: Date, reason: Option<Note> },
    /// It is open on this day again.
    ReopenedOn { date: Date },
    /// This holds for those who come and those who do not, from the next reservation on.
    AttendanceRegulated(AttendanceRules),
    /// Customers have so much time, from the next reservation and the next offer on.
    PaymentRegulated(PaymentRules),
    /// It ended.
    Closed { reason: Option<Note> },
}

/// Why a branch says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BranchError {
    /// No such branch.
    #[error("there is no such branch")]
    NotFound,
    /// Opened before, otherwise.
    #[error("the branch is already open")]
    AlreadyOpen,
    /// It ended.
    #[error("the branch was closed for good")]
    Closed,
    /// It does no business on that business day (DOMAIN E3).
    #[error("the branch is closed on {date}")]
    ClosedOn {
        /// Which day.
        date: Date,
    },
    /// Auditoriums are built in cinemas.
    #[error("the branch is no cinema")]
    NoCinema,
    /// Themes are played in escape-room shops.
    #[error("the branch is no escape-room shop")]
    NoEscapeRoom,
    /// Too many accounts.
    #[error("a branch has at most {ACCOUNTS_MAX} accounts")]
    TooManyAccounts,
    /// One account twice.
    #[error("the account {number} is listed twice")]
    AccountListedTwice {
        /// Which one.
        number: AccountNumber,
    },
    /// Too many notices.
    #[error("a branch has at most {NOTICES_MAX} notices")]
    TooManyNotices,
    /// Too many closing days.
    #[error("a branch has at most {CLOSING_DAYS_MAX} closing days")]
    TooManyClosingDays,
    /// Minutes or days beyond their limits.
    #[error("the rules of attendance are not consistent: {0}")]
    InconsistentAttendance(Faults),
    /// Minutes or hours beyond their limits.
    #[error("the rules of payment are not consistent: {0}")]
    InconsistentPayment(Faults),
}

refusals! { BranchError:
    Self::NotFound => "branch/not-found", NotFound, "Choose a branch from GET /v1/branches.";
    Self::AlreadyOpen => "branch/already-open", Conflict, "Use a new id, or change this branch.";
    Self::Closed => "branch/closed", Gone, "Choose another branch.";
    Self::ClosedOn { .. } => "branch/closed-on", Conflict, "Choose another day.";
    Self::NoCinema => "branch/no-cinema", Invalid, "Name a branch of the kind cinema.", at ["/branch"];
    Self::NoEscapeRoom => "branch/no-escape-room", Invalid, "Name a branch of the kind escape_room.", at ["/branch"];
    Self::TooManyAccounts => "branch/too-many-accounts", Invalid, "Leave out accounts that are not used.", at ["/accounts"];
    Self::AccountListedTwice { .. } => "branch/account-listed-twice", Invalid, "List each account once.",
        at ["/accounts"];
    Self::TooManyNotices => "branch/too-many-notices", Invalid, "Leave out notices that are out of date.", at ["/notices"];
    Self::TooManyClosingDays => "branch/too-many-closing-days", Conflict, "Reopen days that are past.";
    Self::InconsistentAttendance(_) => "branch/inconsistent-attendance", Invalid, "Correct the minutes or days.",
        by Self::rules;
    Self::InconsistentPayment(_) => "branch/inconsistent-payment", Invalid, "Correct the minutes or hours.",
        by Self::rules;
}

impl BranchError {
    fn rules(&self) -> Vec<Fault> {
        match self {
            Self::InconsistentAttendance(Faults(faults)) | Self::InconsistentPayment(Faults(faults)) => {
                faults.clone()
            }
            Self::NotFound
            | Self::AlreadyOpen
            | Self::Closed
            | Self::ClosedOn { .. }
            | Self::NoCinema
            | Self::NoEscapeRoom
            | Self::TooManyAccounts
            | Self::AccountListedTwice { .. }
            | Self::TooManyNotices
            | Self::TooManyClosingDays => Vec::new(),
        }
    }
}

/// What a branch remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Branch {
    /// Never opened.
    #[default]
    Unknown,
    /// It does business.
    Open(Site),
    /// It ended.
    Closed(Site),
}

/// A branch and its closing days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// What is known about it.
    pub premises: Premises,
    /// The business days on which it is closed, and why.
    pub closed_on: BTreeMap<Date, Option<Note>>,
    /// What holds for those who come and those who do not.
    #[serde(default, skip_serializing_if = "AttendanceRules::is_usual")]
    pub attendance: AttendanceRules,
    /// How much time customers have.
    #[serde(default, skip_serializing_if = "PaymentRules::is_usual")]
    pub payment: PaymentRules,
}

aggregate! {
    Branch = "branch", id: BranchId, command: BranchCommand, event: BranchEvent, error: BranchError,
    stored: "Branch" [
        Opened, Renamed, Relocated, Depicted, AccountsListed, Announced, ClosedOn, ReopenedOn,
        AttendanceRegulated, PaymentRegulated, Closed,
    ]
}

impl Branch {
    /// The zone of its wall clocks, which it keeps for good; none before it opens.
    #[must_use]
    pub fn zone(&self) -> Option<TimeZone> {
        match self {
            Self::Unknown => None,
            Self::Open(site) | Self::Closed(site) => Some(site.premises.time_zone.zone()),
        }
    }

    fn rule(&self, command: BranchCommand, _now: jiff::Timestamp) -> Result<Vec<BranchEvent>, BranchError> {
        use BranchCommand::{
            Announce, Close, CloseOn, Depict, ListAccounts, Open, RegulateAttendance, RegulatePayment,
            Relocate, Rename, ReopenOn,
        };
        let once = |repeat: bool, event: BranchEvent| Ok(if repeat { vec![] } else { vec![event] });
        let site = match (&command, self) {
            (Open(premises), _) if let Err(error) = listed(&premises.accounts, &premises.notices) => {
                return Err(error);
            }
            (Open(premises), Self::Unknown) => return Ok(vec![BranchEvent::Opened(premises.clone())]),
            (Open(premises), Self::Open(site)) if *premises == site.premises => return Ok(vec![]),
            (Open(_), Self::Open(_)) => return Err(BranchError::AlreadyOpen),
            (Close { .. }, Self::Closed(_)) => return Ok(vec![]),
            (_, Self::Closed(_)) => return Err(BranchError::Closed),
            (_, Self::Unknown) => return Err(BranchError::NotFound),
            (_, Self::Open(site)) => site,
        };
        let known = &site.premises;
        match command {
            Open(_) => Err(BranchError::AlreadyOpen),
            Rename { name } => once(name == known.name, BranchEvent::Renamed { name }),
            Relocate {
                address,
                detail_address,
            } => once(
                (&address, &detail_address) == (&known.address, &known.detail_address),
                BranchEvent::Relocated {
                    address,
                    detail_address,
                },
            ),
            Depict { image_url } => once(image_url == known.image_url, BranchEvent::Depicted { image_url }),
            ListAccounts { accounts } => {
                listed(&accounts, &[])?;
                once(
                    accounts == known.accounts,
                    BranchEvent::AccountsListed { accounts },
                )
            }
            Announce { welcome, notices } => {
                listed(&[], &notices)?;
                let repeat = (&welcome, &notices) == (&known.welcome, &known.notices);
                once(repeat, BranchEvent::Announced { welcome, notices })
            }
            CloseOn { date, .. } if site.closed_on.contains_key(&date) => Ok(vec![]),
            CloseOn { .. } if site.closed_on.len() >= CLOSING_DAYS_MAX => {
                Err(BranchError::TooManyClosingDays)
            }
            CloseOn { date, reason } => Ok(vec![BranchEvent::ClosedOn { date, reason }]),
            ReopenOn { date } => once(
                !site.closed_on.contains_key(&date),
                BranchEvent::ReopenedOn { date },
            ),
            RegulateAttendance(rules) => match rules.faults() {
                faults if !faults.is_empty() => Err(BranchError::InconsistentAttendance(Faults(faults))),
                _sound => once(rules == site.attendance, BranchEvent::AttendanceRegulated(rules)),
            },
            RegulatePayment(rules) => match rules.faults() {
                faults if !faults.is_empty() => Err(BranchError::InconsistentPayment(Faults(faults))),
                _sound => once(rules == site.payment, BranchEvent::PaymentRegulated(rules)),
            },
            Close { reason } => Ok(vec![BranchEvent::Closed { reason }]),
        }
    }

    fn evolve(&mut self, event: BranchEvent) {
        if let BranchEvent::Opened(premises) = event {
            *self = Self::Open(Site {
                premises,
                closed_on: BTreeMap::new(),
                attendance: AttendanceRules::default(),
                payment: PaymentRules::default(),
            });
            return;
        }
        let Self::Open(site) = self else { return };
        let premises = &mut site.premises;
        match event {
            BranchEvent::Opened(_) => {}
            BranchEvent::Renamed { name } => premises.name = name,
            BranchEvent::Relocated {
                address,
                detail_address,
            } => {
                (premises.address, premises.detail_address) = (address, detail_address);
            }
            BranchEvent::Depicted { image_url } => premises.image_url = image_url,
            BranchEvent::AccountsListed { accounts } => premises.accounts = accounts,
            BranchEvent::Announced { welcome, notices } => {
                (premises.welcome, premises.notices) = (welcome, notices);
            }
            BranchEvent::ClosedOn { date, reason } => {
                site.closed_on.insert(date, reason);
            }
            BranchEvent::ReopenedOn { date } => {
                site.closed_on.remove(&date);
            }
            BranchEvent::AttendanceRegulated(rules) => site.attendance = rules,
            BranchEvent::PaymentRegulated(rules) => site.payment = rules,
            BranchEvent::Closed { .. } => *self = Self::Closed(site.clone()),
        }
    }

    /// The branch, if it does business on the business day `moment` belongs to (DOMAIN E3).
    pub fn open_at(&self, moment: Timestamp) -> Result<&Site, BranchError> {
        let site = self.open()?;
        let (date, _) = on_the_wall(&site.premises.time_zone.zone(), moment);
        if site.closed_on.contains_key(&date) {
            Err(BranchError::ClosedOn { date })
        } else {
            Ok(site)
        }
    }

    /// What holds for those who come and those who do not, also after it closed for good.
    #[must_use]
    pub fn attendance(&self) -> AttendanceRules {
        match self {
            Self::Unknown => AttendanceRules::default(),
            Self::Open(site) | Self::Closed(site) => site.attendance.clone(),
        }
    }

    /// How much time customers have, also after it closed for good.
    #[must_use]
    pub fn payment(&self) -> PaymentRules {
        match self {
            Self::Unknown => PaymentRules::default(),
            Self::Open(site) | Self::Closed(site) => site.payment,
        }
    }

    /// The branch while it does business.
    pub const fn open(&self) -> Result<&Site, BranchError> {
        match self {
            Self::Unknown => Err(BranchError::NotFound),
            Self::Open(site) => Ok(site),
            Self::Closed(_) => Err(BranchError::Closed),
        }
    }
}

fn listed(accounts: &[Account], notices: &[Notice]) -> Result<(), BranchError> {
    let twice = accounts.iter().enumerate().find(|(index, account)| {
        accounts[..*index]
            .iter()
            .any(|other| (&other.bank, &other.number) == (&account.bank, &account.number))
    });
    match twice {
        _ if accounts.len() > ACCOUNTS_MAX => Err(BranchError::TooManyAccounts),
        _ if notices.len() > NOTICES_MAX => Err(BranchError::TooManyNotices),
        Some((_, account)) => Err(BranchError::AccountListedTwice {
            number: account.number.clone(),
        }),
        None => Ok(()),
    }
}

impl Administered for Branch {
    const COLLECTION: &'static str = "branches";

    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        (
            "open",
            r#"{"kind":"escape_room","name":"강남점","address":"예시로 1길 10","detail_address":"3층","image_url":null,"time_zone":"Asia/Seoul","accounts":[{"bank":"국민은행","number":"100-200-345670","holder":"예시주식회사"}],"notices":[{"title":"입장 안내","body":"예약 시각 10분 전까지 도착해 주세요."}],"welcome":"강남점 방문을 환영합니다."}"#,
        ),
        ("rename", r#"{"name":"강남 본점"}"#),
        (
            "relocate",
            r#"{"address":"예시로 2길 10","detail_address":"4층"}"#,
        ),
        ("depict", r#"{"image_url":"https://example.com/branch.jpg"}"#),
        (
            "list-accounts",
            r#"{"accounts":[{"bank":"신한은행","number":"101-200-345677","holder":"예시주식회사"}]}"#,
        ),
        (
            "announce",
            r#"{"welcome":"환영합니다.","notices":[{"title":"주차","body":"주차장이 없습니다."}]}"#,
        ),
        ("close-on", r#"{"date":"2026-12-25","reason":"성탄절"}"#),
        ("reopen-on", r#"{"date":"2026-12-25"}"#),
        (
            "regulate-attendance",
            r#"{"check_in_minutes":30,"no_show_minutes":20,"no_shows":3,"within_days":60,"barred_days":14}"#,
        ),
        (
            "regulate-payment",
            r#"{"pay_minutes_near":30,"pay_hours_far":12,"far_hours":24,"offer_minutes":10,"late_offer_hours":12}"#,
        ),
        ("close", r#"{"reason":"이전"}"#),
    ];

    fn access(_: &BranchCommand) -> Permission {
        Permission::ChangeBranches
    }

    fn claims(&self, _: &BranchId, command: &BranchCommand) -> Claims {
        let claim = |name: &Name| ClaimId::on("branch", name.as_str());
        let current = self.open().ok().map(|site| claim(&site.premises.name));
        match command {
            BranchCommand::Open(premises) => Claims::moving(current, Some(claim(&premises.name))),
            BranchCommand::Rename { name } => Claims::moving(current, Some(claim(name))),
            BranchCommand::Close { .. } => Claims::moving(current, None),
            BranchCommand::Relocate { .. }
            | BranchCommand::Depict { .. }
            | BranchCommand::ListAccounts { .. }
            | BranchCommand::Announce { .. }
            | BranchCommand::CloseOn { .. }
            | BranchCommand::ReopenOn { .. }
            | BranchCommand::RegulateAttendance(_)
            | BranchCommand::RegulatePayment(_) => Claims::default(),
        }
    }

    fn reads(_: &BranchCommand) -> Vec<Reference> {
        vec![]
    }

    fn branch(&self, id: &BranchId) -> Option<BranchId> {
        Some(*id)
    }

    fn exists(&self) -> bool {
        *self != Self::Unknown
    }
}

#[cfg(test)]
mod tests;
