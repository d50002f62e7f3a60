//! How a reservation is paid and until when; never moves money.

use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::branch::Account;

/// Minutes to pay by transfer when the slot is near (DOMAIN E7).
const PAY_MINUTES_NEAR: i64 = 30;
/// Hours to pay by transfer when the slot is further away than [`FAR_HOURS`] (DOMAIN E7).
const PAY_HOURS_FAR: i64 = 12;
/// From how many hours ahead a slot counts as far away (DOMAIN E7).
const FAR_HOURS: i64 = 24;

/// How the customer wants to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentChoice {
    /// To one of the branch's accounts, before a deadline.
    BankTransfer,
    /// At the branch.
    OnSite,
}

/// How a placed reservation is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Payment {
    /// To one of the accounts as they were when it was placed, before the deadline.
    BankTransfer {
        /// The deadline.
        pay_by: Timestamp,
        /// The branch's accounts.
        accounts: Vec<Account>,
    },
    /// At the branch.
    OnSite,
}

impl Payment {
    /// The same for a slot that begins at `starts_at`, to which an unpaid reservation is moved: the deadline is that of the
    /// slot, but moving gains no more time than somebody needs who pays at once.
    #[must_use]
    pub fn moved(&self, now: Timestamp, starts_at: Timestamp) -> Self {
        match self {
            Self::OnSite => Self::OnSite,
            Self::BankTransfer {
                pay_by: before,
                accounts,
            } => Self::BankTransfer {
                pay_by: (*before)
                    .max(now + PAY_MINUTES_NEAR.minutes())
                    .min(pay_by(now, starts_at)),
                accounts: accounts.clone(),
            },
        }
    }
}

/// The deadline of a transfer for a slot that begins at `starts_at`: 30 minutes, or 12 hours when the slot is more than
/// 24 hours ahead; never after the start (DOMAIN E7).
#[must_use]
pub fn pay_by(now: Timestamp, starts_at: Timestamp) -> Timestamp {
    let far = starts_at.duration_since(now) > SignedDuration::from_hours(FAR_HOURS);
    let deadline = if far {
        now + PAY_HOURS_FAR.hours()
    } else {
        now + PAY_MINUTES_NEAR.minutes()
    };
    deadline.min(starts_at)
}
