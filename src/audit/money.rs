//! Sentences about money: what came and went for reservations, deposits, and what cancelling costs; never counts any of
//! it.

use aggregates::{
    cancellation::{CancellationTerms, Fee},
    cancellation_policy::CancellationPolicyEvent,
    deposit::{Basis, DepositEvent},
    reservation::{ReservationEvent, Settlement, Source},
    values::Money,
};

use super::sentence::in_private;

/// What happened to the money of a reservation; of other events there is nothing to say here.
pub(super) fn reservation(event: &ReservationEvent) -> String {
    match event {
        ReservationEvent::Paid { amount, note, source } => {
            let from = match source {
                None => String::new(),
                Some(Source::Deposit { deposit }) => format!(" by deposit {deposit}"),
                Some(Source::Provider { payment }) => format!(" through the provider, payment {payment}"),
                Some(Source::Moved { from }) => format!(", moved from reservation {from}"),
            };
            format!("{} paid{from}{}", written(amount), in_private(note.as_ref()))
        }
        ReservationEvent::Refunded {
            amount,
            note,
            payment,
            ..
        } => {
            let of = payment.as_ref().map_or_else(String::new, |payment| {
                format!(" through the provider, of payment {payment}")
            });
            format!("{} refunded{of}{}", written(amount), in_private(note.as_ref()))
        }
        ReservationEvent::RefundDue { amount } => format!("{} have to go back", written(amount)),
        ReservationEvent::Reinstated { .. } => {
            "the reservation was taken up again: its money came late, its seats were free".to_owned()
        }
        ReservationEvent::Offered(offer) => format!(
            "time slot {} was offered until {} for money that came late",
            offer.time_slot, offer.until
        ),
        ReservationEvent::OfferAccepted { into, amount } => format!(
            "the offer was accepted: {} moved to reservation {into}",
            written(amount)
        ),
        ReservationEvent::OfferDeclined => "the offer was declined".to_owned(),
        ReservationEvent::OfferLapsed => "the offer lapsed".to_owned(),
        ReservationEvent::Held { .. }
        | ReservationEvent::Extended { .. }
        | ReservationEvent::Changed { .. }
        | ReservationEvent::Released
        | ReservationEvent::Lapsed
        | ReservationEvent::Revived { .. }
        | ReservationEvent::Placed(_)
        | ReservationEvent::Notified { .. }
        | ReservationEvent::CheckedIn
        | ReservationEvent::MarkedNoShow
        | ReservationEvent::Admitted { .. }
        | ReservationEvent::CheckInUndone { .. }
        | ReservationEvent::NoShowWithdrawn
        | ReservationEvent::Rescheduled(_)
        | ReservationEvent::RescheduleOffered { .. }
        | ReservationEvent::Cancelled { .. }
        | ReservationEvent::Expired => String::new(),
    }
}

/// What a cancellation settled.
pub(super) fn settled(settlement: &Settlement) -> String {
    let coupon = if settlement.keeps_coupon {
        ", the coupon stays redeemed"
    } else {
        ""
    };
    format!(
        ": {} retained, {} due back{coupon}",
        written(&settlement.retained),
        written(&settlement.refund_due)
    )
}

pub(super) fn deposit(event: &DepositEvent) -> String {
    match event {
        DepositEvent::Recorded(receipt) => {
            let place = receipt.branch.map_or_else(
                || " through the provider".to_owned(),
                |branch| format!(" at branch {branch}"),
            );
            format!(
                "a deposit of {} was recorded{place}, reference {}",
                written(&receipt.amount),
                receipt.reference
            )
        }
        DepositEvent::Matched { reservation, basis } => {
            let why = match basis {
                Basis::AmountAndShortCode => "by amount and short code",
                Basis::AmountAndName => "by amount and name",
                Basis::Staff => "by staff",
            };
            format!("the deposit was matched to reservation {reservation} {why}")
        }
        DepositEvent::Returned { note, .. } => {
            format!("the deposit was returned{}", in_private(note.as_ref()))
        }
    }
}

pub(super) fn cancellation_policy(event: &CancellationPolicyEvent) -> String {
    match event {
        CancellationPolicyEvent::Adopted { name, terms } => {
            format!("the cancellation policy {name} was adopted: {}", told(terms))
        }
        CancellationPolicyEvent::Renamed { name } => {
            format!("the cancellation policy was renamed to {name}")
        }
        CancellationPolicyEvent::Revised { version, terms } => format!(
            "the cancellation policy was revised to version {version}: {}",
            told(terms)
        ),
    }
}

fn told(terms: &CancellationTerms) -> String {
    let tiers: Vec<String> = terms
        .tiers
        .iter()
        .map(|tier| {
            let fee = match tier.fee {
                Fee::Rate { percent } => format!("{percent} %"),
                Fee::Amount { amount } => amount.to_string(),
            };
            format!("{fee} until {} minutes before", tier.minutes_before)
        })
        .collect();
    tiers.join(", ")
}

fn written(money: &Money) -> String {
    format!("{} {}", money.amount, money.currency.code())
}
