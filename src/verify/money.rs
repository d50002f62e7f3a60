//! I9 for money: it adds up, an end keeps the frozen tier's fee and nothing else, what goes back was due, and what
//! moves or was deposited arrives exactly once. Counts for itself, so that it proves the ledger and does not repeat it.
//! Never asks the rules what should be.

use std::collections::{HashMap, HashSet};

use aggregates::{
    Recorded,
    cancellation::Frozen,
    deposit::DepositEvent,
    ids::{DepositId, ReservationId},
    reservation::{Canceller, Placement, ReservationEvent, Settlement, Source},
    values::{BankReference, Currency, Money},
};
use jiff::Timestamp;

use super::Violation;

/// What came and went so far.
#[derive(Default)]
pub(super) struct Books {
    accounts: HashMap<ReservationId, Account>,
    deposits: HashMap<DepositId, Money>,
    payments: HashSet<BankReference>,
    /// Of the running unit: what left one stream for a reservation, and what arrived there.
    left: Vec<Transfer>,
    arrived: Vec<Transfer>,
}

/// From where to which reservation, and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Transfer {
    from: String,
    into: ReservationId,
    amount: Money,
}

/// The money of one reservation.
struct Account {
    currency: Currency,
    price: i64,
    starts_at: Timestamp,
    terms: Frozen,
    with_coupon: bool,
    /// Until when cancelling costs nothing, because the branch does no business then.
    free_until: Option<Timestamp>,
    came: i64,
    went: i64,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    None,
    Cancelled { retained: i64 },
    Expired { offered: bool },
}

impl Account {
    /// Of a reservation that was just placed.
    fn of(placement: &Placement) -> Self {
        Self {
            currency: placement.quote.currency,
            price: placement.quote.total,
            starts_at: placement.starts_at,
            terms: placement.cancellation.clone(),
            with_coupon: placement.coupon.is_some(),
            free_until: None,
            came: 0,
            went: 0,
            end: End::None,
        }
    }

    const fn there(&self) -> i64 {
        self.came - self.went
    }

    /// What is due back.
    fn over(&self) -> i64 {
        let stays = match self.end {
            End::None => self.price,
            End::Cancelled { retained } => retained,
            End::Expired { offered: false } => 0,
            End::Expired { offered: true } => return 0,
        };
        (self.there() - stays).max(0)
    }

    fn come(&mut self, amount: Money) -> Result<(), String> {
        self.sound(amount)?;
        self.came += amount.amount;
        Ok(())
    }

    fn go(&mut self, amount: Money, most: i64) -> Result<(), String> {
        self.sound(amount)?;
        if amount.amount > most {
            return Err(format!("{} went back, of {most} that were due", amount.amount));
        }
        self.went += amount.amount;
        Ok(())
    }

    fn sound(&self, amount: Money) -> Result<(), String> {
        if amount.amount > 0 && amount.currency == self.currency {
            Ok(())
        } else {
            Err(format!(
                "{} {} is no payment",
                amount.amount,
                amount.currency.code()
            ))
        }
    }

    /// What a cancellation keeps: the frozen tier's fee, as far as it was paid.
    fn cancel(
        &mut self,
        by: Canceller,
        settlement: Option<&Settlement>,
        recorded_at: Timestamp,
    ) -> Result<(), String> {
        let there = self.there();
        let Some(settlement) = settlement else {
            // Before there were terms, cancelling was free; and where nothing was paid there is nothing to settle.
            self.end = End::Cancelled { retained: 0 };
            return if there == 0 || self.terms.is_built_in() {
                Ok(())
            } else {
                Err("a cancellation settled nothing".to_owned())
            };
        };
        let costs_nothing = match by {
            Canceller::Branch => true,
            Canceller::Customer | Canceller::Staff => {
                self.free_until.is_some_and(|until| settlement.at < until)
            }
        };
        let fee = if costs_nothing {
            0
        } else {
            self.terms.fee(self.price, self.starts_at, settlement.at)
        };
        let kept = fee.min(there).max(0);
        let found = (settlement.retained.amount, settlement.refund_due.amount);
        if settlement.at > recorded_at {
            return Err("a cancellation counts from a moment after it".to_owned());
        }
        if found != (kept, there - kept) {
            return Err(format!(
                "a cancellation retained {} and gives {} back instead of {kept} and {}",
                found.0,
                found.1,
                there - kept
            ));
        }
        if settlement.keeps_coupon != (self.with_coupon && self.terms.keeps_coupon(fee)) {
            return Err("a cancellation did with its coupon what its terms do not say".to_owned());
        }
        self.end = End::Cancelled { retained: kept };
        Ok(())
    }
}

impl Books {
    /// Judges one event of a reservation.
    pub fn reservation(
        &mut self,
        recorded: &Recorded,
        id: ReservationId,
        event: &ReservationEvent,
    ) -> Result<(), Violation> {
        self.judge(recorded, id, event)
            .map_err(|sentence| violation(recorded.position, format!("reservation {id}: {sentence}")))
    }

    fn judge(
        &mut self,
        recorded: &Recorded,
        id: ReservationId,
        event: &ReservationEvent,
    ) -> Result<(), String> {
        use ReservationEvent as Is;
        if let Is::Placed(placement) = event {
            self.accounts.insert(id, Account::of(placement));
            return Ok(());
        }
        let Some(account) = self.accounts.get_mut(&id) else {
            return Ok(());
        };
        match event {
            Is::Paid { amount, source, .. } => {
                account.come(*amount)?;
                self.arrive(id, *amount, source.as_ref())?;
            }
            // What the provider gave back may not have been due any more when it was told; by hand only what is due goes.
            Is::Refunded { amount, payment, .. } => {
                let due = account.over();
                account.go(*amount, payment.as_ref().map_or(due, |_| account.there()))?;
            }
            Is::OfferAccepted { into, amount } => {
                account.go(*amount, account.there())?;
                account.end = End::Expired { offered: false };
                if account.there() != 0 {
                    return Err("money stayed behind when it moved".to_owned());
                }
                self.left.push(Transfer {
                    from: id.to_string(),
                    into: *into,
                    amount: *amount,
                });
            }
            Is::Cancelled { by, settlement, .. } => {
                account.cancel(*by, settlement.as_ref(), recorded.recorded_at)?;
            }
            Is::RescheduleOffered { until, .. } => account.free_until = Some(*until),
            Is::Rescheduled(moved) => {
                account.price = moved.quote.total;
                account.starts_at = moved.starts_at;
                account.free_until = None;
            }
            Is::Expired => account.end = End::Expired { offered: false },
            Is::Offered(_) => account.end = End::Expired { offered: true },
            Is::OfferDeclined | Is::OfferLapsed => account.end = End::Expired { offered: false },
            Is::Reinstated { .. } => {
                account.end = End::None;
                if account.there() < account.price {
                    return Err("it was taken up again unpaid".to_owned());
                }
            }
            Is::RefundDue { amount } if amount.amount != account.over() => {
                return Err(format!(
                    "{} are said to be due back, {} are",
                    amount.amount,
                    account.over()
                ));
            }
            Is::RefundDue { .. }
            | Is::Held { .. }
            | Is::Extended { .. }
            | Is::Changed { .. }
            | Is::Released
            | Is::Lapsed
            | Is::Revived { .. }
            | Is::Placed(_)
            | Is::Notified { .. }
            | Is::CheckedIn
            | Is::Admitted { .. }
            | Is::CheckInUndone { .. }
            | Is::NoShowWithdrawn
            | Is::MarkedNoShow => {}
        }
        Ok(())
    }

    /// Remembers from where money came, unless it was handed over.
    fn arrive(&mut self, into: ReservationId, amount: Money, source: Option<&Source>) -> Result<(), String> {
        let from = match source {
            None => return Ok(()),
            Some(Source::Provider { payment }) => {
                return if self.payments.insert(payment.clone()) {
                    Ok(())
                } else {
                    Err(format!("payment {payment} was counted twice"))
                };
            }
            Some(Source::Deposit { deposit }) => deposit.to_string(),
            Some(Source::Moved { from }) => from.to_string(),
        };
        self.arrived.push(Transfer { from, into, amount });
        Ok(())
    }

    /// Judges one event of a deposit.
    pub fn deposit(&mut self, recorded: &Recorded, event: &DepositEvent) -> Result<(), Violation> {
        let Ok(id) = recorded.stream.id.parse::<DepositId>() else {
            return Ok(());
        };
        match event {
            DepositEvent::Recorded(receipt) => {
                self.deposits.insert(id, receipt.amount);
            }
            // It is matched or returned once.
            DepositEvent::Matched { .. } | DepositEvent::Returned { .. } => {
                let Some(amount) = self.deposits.remove(&id) else {
                    let sentence = format!("deposit {id} went where it was not");
                    return Err(violation(recorded.position, sentence));
                };
                if let DepositEvent::Matched { reservation, .. } = event {
                    self.left.push(Transfer {
                        from: id.to_string(),
                        into: *reservation,
                        amount,
                    });
                }
            }
        }
        Ok(())
    }

    /// What must be so when a unit ends: what left one stream arrived in the other.
    pub fn end_unit(&mut self, position: i64) -> Result<(), Violation> {
        let mut left = std::mem::take(&mut self.left);
        for arrived in std::mem::take(&mut self.arrived) {
            let Some(index) = left.iter().position(|left| *left == arrived) else {
                let Transfer { from, into, amount } = arrived;
                let sentence = format!(
                    "{} came to reservation {into} from {from}, where it never left",
                    amount.amount
                );
                return Err(violation(position, sentence));
            };
            left.swap_remove(index);
        }
        match left.first() {
            None => Ok(()),
            Some(Transfer { from, into, amount }) => {
                let sentence = format!(
                    "{} left {from} for reservation {into}, where it never came",
                    amount.amount
                );
                Err(violation(position, sentence))
            }
        }
    }
}

fn violation(position: i64, sentence: String) -> Violation {
    Violation {
        invariant: "I9",
        position,
        sentence,
    }
}
