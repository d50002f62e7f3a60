//! A deposit: money that came to a branch's account, or through the payment provider for nothing that is known (DOMAIN E7);
//! never decides which reservation it is for.
//!
//! ```text
//!            record            match
//!   Unknown ───────▶ Unmatched ─────▶ Matched    (it paid for a reservation, in the same append)
//!                        └─return──▶ Returned    (it went back to who sent it)
//! ```

mod matching;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::matching::{Reason, certain, reason};
use crate::{
    decider::aggregate,
    fault::{Fault, Faults},
    ids::{BranchId, ClaimId, DepositId, ReservationId},
    personal::{Personal, Sealable, sealable},
    refusal::refusals,
    values::{
        AMOUNT_MAX, AccountNumber, BankReference, CustomerName, Money, Note, RefundAccount, ShortCode, folded,
    },
};

/// How far ahead of us a bank's clock may be.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Banks have kept no books that are of use here before the year 2000.
const FIRST: Timestamp = Timestamp::constant(946_684_800, 0);

/// What a bank says about money that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// At which branch; none if it came through the payment provider for nothing that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<BranchId>,
    /// To which of its accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountNumber>,
    /// How much.
    pub amount: Money,
    /// What whoever sent it wrote as their name; a short code may be part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depositor: Option<Personal<CustomerName>>,
    /// When it came.
    pub deposited_at: Timestamp,
    /// What the bank calls it; unique among the deposits of the branch.
    pub reference: BankReference,
}

impl Receipt {
    /// The claim on its reference.
    #[must_use]
    pub fn claim(&self) -> ClaimId {
        let place = self
            .branch
            .map_or_else(|| "provider".to_owned(), |branch| branch.to_string());
        ClaimId::on("deposit", &format!("{place}:{}", self.reference))
    }

    /// Everything that the depositor wrote and that may be a short code.
    #[must_use]
    pub fn possible_codes(&self) -> Vec<ShortCode> {
        let depositor = self.depositor.as_ref().and_then(Personal::plain);
        depositor.map_or_else(Vec::new, |words| ShortCode::all_in(words.as_str()))
    }

    /// Whether the depositor wrote this short code, alone or within other words.
    #[must_use]
    pub fn names_code(&self, short_code: &str) -> bool {
        let code = short_code.parse::<ShortCode>();
        code.is_ok_and(|code| self.possible_codes().contains(&code))
    }

    /// Whether the depositor is called so.
    #[must_use]
    pub fn names(&self, name: &CustomerName) -> bool {
        let depositor = self.depositor.as_ref().and_then(Personal::plain);
        depositor.is_some_and(|words| folded(words.as_str()) == folded(name.as_str()))
    }

    fn faults(&self, now: Timestamp) -> Vec<Fault> {
        let amount = (!(1..=AMOUNT_MAX).contains(&self.amount.amount))
            .then(|| Fault::at("/amount/amount", "must be from 1 to 1000000000 minor units"));
        let latest = now.checked_add(AHEAD_MAX).unwrap_or(Timestamp::MAX);
        let moment = (!(FIRST..=latest).contains(&self.deposited_at))
            .then(|| Fault::at("/deposited_at", "must be from the year 2000 to now"));
        amount.into_iter().chain(moment).collect()
    }
}

/// Why a deposit is taken to be for a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The amount is due, and the depositor wrote the short code.
    AmountAndShortCode,
    /// The amount is due, and the depositor has the customer's name.
    AmountAndName,
    /// Staff said so.
    Staff,
}

/// What can be asked of a deposit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum DepositCommand {
    /// Record that it came.
    Record(Box<Receipt>),
    /// Say which reservation it is for.
    Match {
        /// Which one.
        reservation: ReservationId,
        /// Why.
        basis: Basis,
    },
    /// Record that it went back to who sent it.
    Return {
        /// To which account.
        account: Option<RefundAccount>,
        /// A remark.
        note: Option<Note>,
    },
}

/// What happened to a deposit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DepositEvent {
    /// It came.
    Recorded(Box<Receipt>),
    /// It paid for a reservation.
    Matched {
        reservation: ReservationId,
        basis: Basis,
    },
    /// It went back.
    Returned {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<Personal<RefundAccount>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<Note>>,
    },
}

/// Why a deposit says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DepositError {
    /// No such deposit.
    #[error("there is no such deposit")]
    NotFound,
    /// Recorded before, otherwise.
    #[error("the deposit is already recorded")]
    AlreadyRecorded,
    /// The branch has a deposit with this reference.
    #[error("another deposit has this reference")]
    ReferenceInUse,
    /// It cannot be so.
    #[error("the deposit is not sound: {0}")]
    Unsound(Faults),
    /// It paid for a reservation.
    #[error("the deposit is matched to reservation {reservation}")]
    AlreadyMatched {
        /// Which one.
        reservation: ReservationId,
    },
    /// It went back.
    #[error("the deposit was returned")]
    AlreadyReturned,
    /// The reservation is at another branch.
    #[error("the reservation belongs to another branch than the deposit")]
    OtherBranch,
}

refusals! { DepositError:
    Self::NotFound => "deposit/not-found", NotFound, "Check the id; GET /v1/deposits lists them.";
    Self::AlreadyRecorded => "deposit/already-recorded", Conflict, "Use a new id for another deposit.";
    Self::ReferenceInUse => "deposit/reference-in-use", Conflict, "It is on record already; give the bank's own reference.",
        at ["/reference"];
    Self::Unsound(_) => "deposit/unsound", Invalid, "Correct the named fields.", by Self::fields;
    Self::AlreadyMatched { .. } => "deposit/already-matched", Conflict, "Refund that reservation, if it was wrong.";
    Self::AlreadyReturned => "deposit/already-returned", Gone, "It went back; there is nothing more to do.";
    Self::OtherBranch => "deposit/other-branch", Conflict, "Choose a reservation of the branch that the money came to.";
}

impl DepositError {
    fn fields(&self) -> Vec<Fault> {
        match self {
            Self::Unsound(Faults(faults)) => faults.clone(),
            Self::NotFound
            | Self::AlreadyRecorded
            | Self::ReferenceInUse
            | Self::AlreadyMatched { .. }
            | Self::AlreadyReturned
            | Self::OtherBranch => Vec::new(),
        }
    }
}

/// What a deposit remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deposit {
    /// Never recorded.
    #[default]
    Unknown,
    /// Nobody knows yet what it is for.
    Unmatched(Box<Receipt>),
    /// It paid for a reservation.
    Matched {
        /// What the bank said.
        receipt: Box<Receipt>,
        /// Which reservation.
        reservation: ReservationId,
        /// Why that one.
        basis: Basis,
    },
    /// It went back.
    Returned(Box<Receipt>),
}

aggregate! {
    Deposit = "deposit", id: DepositId, command: DepositCommand, event: DepositEvent, error: DepositError,
    stored: "Deposit" [Recorded, Matched, Returned],
    personal: |event| match event {
        DepositEvent::Recorded(receipt) => sealable(&mut receipt.depositor),
        DepositEvent::Returned { account, note } => {
            let words: Vec<&mut dyn Sealable> = sealable(account).into_iter().chain(sealable(note)).collect();
            words
        }
        DepositEvent::Matched { .. } => Vec::new(),
    }
}

impl Deposit {
    fn rule(&self, command: DepositCommand, now: Timestamp) -> Result<Vec<DepositEvent>, DepositError> {
        use DepositCommand::{Match, Record, Return};
        use DepositError as No;
        use DepositEvent as Event;
        match (command, self) {
            (Record(receipt), Self::Unknown) => {
                let faults = receipt.faults(now);
                if faults.is_empty() {
                    Ok(vec![Event::Recorded(receipt)])
                } else {
                    Err(No::Unsound(Faults(faults)))
                }
            }
            (Record(receipt), state) if state.receipt() == Some(&receipt) => Ok(vec![]),
            (Record(_), Self::Unmatched(_) | Self::Matched { .. } | Self::Returned(_)) => {
                Err(No::AlreadyRecorded)
            }

            (Match { reservation, basis }, Self::Unmatched(_)) => {
                Ok(vec![Event::Matched { reservation, basis }])
            }
            (
                Match { reservation, .. },
                Self::Matched {
                    reservation: known, ..
                },
            ) if reservation == *known => Ok(vec![]),

            (Return { account, note }, Self::Unmatched(_)) => Ok(vec![Event::Returned {
                account: account.map(Personal::Plain),
                note: note.map(Personal::Plain),
            }]),
            (Return { .. }, Self::Returned(_)) => Ok(vec![]),

            (Match { .. } | Return { .. }, Self::Matched { reservation, .. }) => Err(No::AlreadyMatched {
                reservation: *reservation,
            }),
            (Match { .. }, Self::Returned(_)) => Err(No::AlreadyReturned),
            (Match { .. } | Return { .. }, Self::Unknown) => Err(No::NotFound),
        }
    }

    fn evolve(&mut self, event: DepositEvent) {
        let before = match std::mem::take(self) {
            Self::Unknown => None,
            Self::Unmatched(receipt) | Self::Matched { receipt, .. } | Self::Returned(receipt) => {
                Some(receipt)
            }
        };
        *self = match (event, before) {
            (DepositEvent::Recorded(receipt), _) => Self::Unmatched(receipt),
            (DepositEvent::Matched { reservation, basis }, Some(receipt)) => Self::Matched {
                receipt,
                reservation,
                basis,
            },
            (DepositEvent::Returned { .. }, Some(receipt)) => Self::Returned(receipt),
            (DepositEvent::Matched { .. } | DepositEvent::Returned { .. }, None) => Self::Unknown,
        };
    }

    /// What the bank said, whatever became of it.
    #[must_use]
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Unknown => None,
            Self::Unmatched(receipt) | Self::Matched { receipt, .. } | Self::Returned(receipt) => {
                Some(receipt)
            }
        }
    }

    /// The reservation it paid for.
    #[must_use]
    pub fn reservation(&self) -> Option<ReservationId> {
        match self {
            Self::Matched { reservation, .. } => Some(*reservation),
            Self::Unknown | Self::Unmatched(_) | Self::Returned(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
