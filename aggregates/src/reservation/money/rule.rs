//! The rules of a reservation's money, a table as all rules; never knows whether seats are free.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::{Placed, Reservation, ReservationError, ReservationEvent},
    Offer, Source,
};
use crate::{
    ids::ReservationId,
    personal::Personal,
    values::{AMOUNT_MAX, BankReference, Money, Note, RefundAccount},
};

/// A payment that came.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Pay {
    /// How much; by default what is still to be paid.
    pub amount: Option<Money>,
    /// A remark.
    pub note: Option<Note>,
    /// Where it came from, if staff did not take it.
    pub source: Option<Source>,
}

/// What can be asked about the money of a reservation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum MoneyCommand {
    /// Record that money went back.
    Refund {
        /// How much.
        amount: Money,
        /// To which account of the customer's.
        account: Option<RefundAccount>,
        /// A remark.
        note: Option<Note>,
        /// Which payment the provider gave back.
        payment: Option<BankReference>,
    },
    /// Take it up again: its money came late, and its seats are reserved in the same append.
    Reinstate,
    /// Offer an equal slot for money that came late.
    Offer(Offer),
    /// Take the offer: the money moves to the reservation that is placed there in the same append.
    AcceptOffer {
        /// The new one.
        into: ReservationId,
    },
    /// Want the money back instead.
    DeclineOffer,
    /// Record that the offer ran out.
    LapseOffer,
    /// Record that late money has nowhere to go but back.
    GiveBack,
}

impl Reservation {
    /// Money that came.
    pub(in super::super) fn pay(&self, pay: Pay) -> Result<Vec<ReservationEvent>, ReservationError> {
        let placed = match (self, &pay.amount) {
            (Self::Placed(placed) | Self::Expired(placed), _) => placed,
            // Money is never turned away; but nothing is due here, so how much it was must be said.
            (Self::Attended(placed) | Self::NoShow(placed) | Self::Cancelled(placed), Some(_)) => placed,
            (Self::Attended(_) | Self::NoShow(_) | Self::Cancelled(_), None)
            | (Self::Blank | Self::Held(_) | Self::Lapsed(_) | Self::Released(_), _) => {
                return Err(self.in_the_way());
            }
        };
        let amount = match pay.amount {
            None if placed.money.is_paid() => return Ok(vec![]),
            None => placed.money_of(placed.money.outstanding()),
            Some(amount) => of_the_price(placed, amount)?,
        };
        let paid = ReservationEvent::Paid {
            amount,
            note: pay.note.map(Personal::Plain),
            source: pay.source,
        };
        match self {
            // What is not kept of it goes back, and that is on record at once.
            Self::Cancelled(placed) => {
                let due = placed.money.after(&paid).refund_due();
                let amount = placed.money_of(due);
                Ok(vec![paid, ReservationEvent::RefundDue { amount }])
            }
            Self::Blank
            | Self::Held(_)
            | Self::Lapsed(_)
            | Self::Released(_)
            | Self::Placed(_)
            | Self::Attended(_)
            | Self::NoShow(_)
            | Self::Expired(_) => Ok(vec![paid]),
        }
    }

    /// What becomes of it.
    #[expect(clippy::too_many_lines, reason = "one table: what is asked, and of what")]
    pub(in super::super) fn settle(
        &self,
        command: MoneyCommand,
        now: Timestamp,
    ) -> Result<Vec<ReservationEvent>, ReservationError> {
        use MoneyCommand as Do;
        use ReservationError as No;
        use ReservationEvent as Event;
        match (command, self) {
            (
                Do::Refund {
                    amount,
                    account,
                    note,
                    payment,
                },
                Self::Placed(placed)
                | Self::Attended(placed)
                | Self::NoShow(placed)
                | Self::Cancelled(placed)
                | Self::Expired(placed),
            ) => {
                let amount = of_the_price(placed, amount)?;
                // What the provider says has gone is gone, whatever is due of it meanwhile.
                let most = match payment {
                    Some(_) => placed.money.kept(),
                    None => placed.money.refund_due(),
                };
                if amount.amount > most {
                    let due = placed.money_of(most);
                    return Err(No::RefundExceedsDue { due });
                }
                Ok(vec![Event::Refunded {
                    amount,
                    account: account.map(Personal::Plain),
                    note: note.map(Personal::Plain),
                    payment,
                }])
            }

            (Do::Reinstate, Self::Expired(placed)) if !placed.money.is_paid() => Err(No::NotPaid),
            (Do::Reinstate, Self::Expired(placed)) if now < placed.placement.starts_at => {
                Ok(vec![Event::Reinstated {
                    no_show_at: placed.placement.attendance.map(|times| times.no_show_at),
                }])
            }
            (Do::Reinstate, Self::Placed(_)) => Ok(vec![]),

            (Do::Offer(_), Self::Expired(placed)) if !placed.money.is_paid() => Err(No::NotPaid),
            (Do::Offer(offer), Self::Expired(placed)) if placed.offer.as_ref() == Some(&offer) => Ok(vec![]),
            (Do::Offer(offer), Self::Expired(_)) => Ok(vec![Event::Offered(offer)]),

            (Do::AcceptOffer { into }, Self::Expired(placed)) => match &placed.offer {
                // Some of the money has gone back meanwhile.
                Some(_) if !placed.money.is_paid() => Err(No::NotPaid),
                Some(offer) if now < offer.until => Ok(vec![Event::OfferAccepted {
                    into,
                    amount: placed.money_of(placed.money.kept()),
                }]),
                Some(_) | None => Err(No::NoOffer),
            },
            (Do::DeclineOffer, Self::Expired(placed)) if placed.offer.is_some() => {
                Ok(ended(placed, Event::OfferDeclined))
            }
            (Do::DeclineOffer, Self::Expired(_)) => Err(No::NoOffer),

            (Do::LapseOffer, Self::Expired(placed)) => match &placed.offer {
                Some(offer) if now < offer.until => Err(No::NotYetDue { due_at: offer.until }),
                Some(_) => Ok(ended(placed, Event::OfferLapsed)),
                None => Ok(vec![]),
            },

            (Do::GiveBack, Self::Expired(placed)) if placed.money.refund_due() > 0 => {
                let amount = placed.money_of(placed.money.refund_due());
                Ok(vec![Event::RefundDue { amount }])
            }
            (Do::GiveBack, Self::Expired(_)) => Ok(vec![]),

            (
                Do::Refund { .. }
                | Do::Reinstate
                | Do::Offer(_)
                | Do::AcceptOffer { .. }
                | Do::DeclineOffer
                | Do::LapseOffer
                | Do::GiveBack,
                state,
            ) => Err(state.in_the_way()),
        }
    }
}

/// The amount, if it is one in the currency of the price.
fn of_the_price(placed: &Placed, amount: Money) -> Result<Money, ReservationError> {
    if amount.currency != placed.placement.quote.currency {
        let due = placed.money_of(placed.money.outstanding());
        return Err(ReservationError::AmountDiffers { due });
    }
    if (1..=AMOUNT_MAX).contains(&amount.amount) {
        Ok(amount)
    } else {
        Err(ReservationError::NotAnAmount)
    }
}

/// The end of an offer, and what goes back because of it.
fn ended(placed: &Placed, event: ReservationEvent) -> Vec<ReservationEvent> {
    let due = placed.money.after(&event).refund_due();
    let amount = placed.money_of(due);
    let back = (due > 0).then_some(ReservationEvent::RefundDue { amount });
    [event].into_iter().chain(back).collect()
}
