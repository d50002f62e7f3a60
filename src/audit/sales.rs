//! Sentences about what is sold: seats, time slots, reservations, coupons; never who a person is.

use aggregates::{
    coupon::CouponEvent,
    pricing::{Discount, Quote},
    ratings::Admitted,
    reservation::{Canceller, Choice, Move, Payment, ReservationEvent},
    seat::SeatEvent,
    seating::OrphanRule,
    time_slot::{Adjustment, Show, TimeSlotEvent},
    values::SeatLabel,
};

use super::{
    money,
    sentence::{because, in_private},
};

pub(super) fn seat(id: &str, event: &SeatEvent) -> String {
    let label = id.split_once(':').map_or(id, |(_, label)| label);
    match event {
        SeatEvent::Held { by } => format!("seat {label} was held for reservation {by}"),
        SeatEvent::Reserved { by } => format!("seat {label} was reserved for reservation {by}"),
        SeatEvent::Released { by } => format!("seat {label} was released by reservation {by}"),
        SeatEvent::Blocked { reason } => format!("seat {label} was blocked{}", in_private(reason.as_ref())),
        SeatEvent::Unblocked => format!("seat {label} was unblocked"),
    }
}

pub(super) fn time_slot(event: &TimeSlotEvent) -> String {
    match event {
        TimeSlotEvent::Scheduled { plan } => {
            let what = match &plan.show {
                Show::Movie { movie, capacity, .. } => format!("movie {movie} with {capacity} seats"),
                Show::Theme { theme, .. } => format!("theme {theme}"),
            };
            let rule = match plan.orphan_rule {
                OrphanRule::Off => "",
                OrphanRule::Lenient => ", lone seats avoided beside a choice",
                OrphanRule::Strict => ", lone seats avoided in the whole hall",
            };
            format!(
                "the time slot was scheduled from {} to {} for {what}{rule}",
                plan.starts_at, plan.ends_at
            )
        }
        TimeSlotEvent::Adjusted(terms) => {
            format!("the time slot is sold otherwise from now on: {}", adjusted(terms))
        }
        TimeSlotEvent::Closed { reason } => format!("the time slot was closed{}", because(reason.as_ref())),
        TimeSlotEvent::Reopened => "the time slot was reopened".to_owned(),
        TimeSlotEvent::Withdrawn { reason } => {
            format!("the time slot was withdrawn{}", because(reason.as_ref()))
        }
    }
}

fn adjusted(terms: &Adjustment) -> String {
    let rule = terms.orphan_rule.map(|rule| match rule {
        OrphanRule::Off => "lone seats allowed".to_owned(),
        OrphanRule::Lenient => "lone seats avoided beside a choice".to_owned(),
        OrphanRule::Strict => "lone seats avoided in the whole hall".to_owned(),
    });
    let minutes = [
        (terms.hold_minutes, "holds of"),
        (terms.hold_cap_minutes, "holds at the longest of"),
        (terms.cancel_minutes, "cancelling online until"),
        (terms.pool_minutes, "wheelchair places for everyone from"),
    ];
    let minutes = minutes
        .into_iter()
        .filter_map(|(minutes, what)| Some(format!("{what} {} minutes", minutes?)));
    rule.into_iter()
        .chain(minutes)
        .collect::<Vec<String>>()
        .join(", ")
}

#[expect(
    clippy::too_many_lines,
    reason = "one table: what happened, and how it is told"
)]
pub(super) fn reservation(event: &ReservationEvent) -> String {
    match event {
        ReservationEvent::Held {
            time_slot,
            choice,
            until,
            offered,
            ..
        } => {
            let kept = if *offered {
                "offered to who waited, held"
            } else {
                "held"
            };
            format!(
                "{} of time slot {time_slot} {kept} until {until} at {}",
                seats(choice),
                price(&choice.quote)
            )
        }
        ReservationEvent::Extended { until } => format!("the hold was extended until {until}"),
        ReservationEvent::Changed { choice } => {
            format!(
                "the hold was changed to {} at {}",
                seats(choice),
                price(&choice.quote)
            )
        }
        ReservationEvent::Released => "the hold was released".to_owned(),
        ReservationEvent::Lapsed => "the hold lapsed".to_owned(),
        ReservationEvent::Revived { until } => format!("the hold was revived until {until}"),
        ReservationEvent::Placed(placement) => {
            let payment = match &placement.payment {
                Payment::BankTransfer { pay_by, .. } => format!("to be paid by bank transfer until {pay_by}"),
                Payment::OnSite => "to be paid on site".to_owned(),
                Payment::Provider { pay_by, .. } => format!("to be paid through the provider until {pay_by}"),
            };
            let coupon = placement
                .coupon
                .as_ref()
                .map_or_else(String::new, |code| format!(" with coupon {code}"));
            let admitted = placement.admitted.map_or("", admitted);
            format!(
                "the reservation was placed{coupon} for {}, {payment}{admitted}",
                price(&placement.quote)
            )
        }
        ReservationEvent::Paid { .. }
        | ReservationEvent::Refunded { .. }
        | ReservationEvent::RefundDue { .. }
        | ReservationEvent::Reinstated { .. }
        | ReservationEvent::Offered(_)
        | ReservationEvent::OfferAccepted { .. }
        | ReservationEvent::OfferDeclined
        | ReservationEvent::OfferLapsed => money::reservation(event),
        ReservationEvent::Notified { note } => {
            format!("the customer was notified{}", in_private(note.as_ref()))
        }
        ReservationEvent::CheckedIn => "the customer checked in".to_owned(),
        ReservationEvent::Admitted { at, device } => {
            let device = device
                .as_ref()
                .map_or_else(String::new, |device| format!(" by {device}"));
            format!("the customer checked in: the ticket was scanned at {at}{device}")
        }
        ReservationEvent::CheckInUndone { reason, .. } => {
            format!("the check-in was undone{}", in_private(reason.as_ref()))
        }
        ReservationEvent::MarkedNoShow => "nobody came: marked as no-show".to_owned(),
        ReservationEvent::NoShowWithdrawn => {
            "the no-show was withdrawn: the ticket had been scanned before".to_owned()
        }
        ReservationEvent::Rescheduled(moved) => rescheduled(moved),
        ReservationEvent::Cancelled {
            by,
            reason,
            settlement,
        } => {
            let by = match by {
                Canceller::Customer => "online",
                Canceller::Staff => "at the counter",
                Canceller::Branch => "by the branch, which does no business then",
            };
            format!(
                "the reservation was cancelled {by}{}{}",
                in_private(reason.as_ref()),
                settlement.as_ref().map_or_else(String::new, money::settled)
            )
        }
        ReservationEvent::RescheduleOffered { until, reason } => format!(
            "it was offered to move the reservation or to cancel it for nothing until {until}{}",
            in_private(reason.as_ref())
        ),
        ReservationEvent::Expired => "the reservation expired: it was not paid in time".to_owned(),
    }
}

const fn admitted(ground: Admitted) -> &'static str {
    match ground {
        Admitted::BirthDate => ", admitted by birth date",
        Admitted::Guardian => ", admitted with a guardian",
        Admitted::Confirmed => ", admitted on the guest's word about ages",
        Admitted::IdChecked => ", admitted by identity card",
    }
}

fn rescheduled(moved: &Move) -> String {
    let by = match moved.by {
        Canceller::Customer => "online",
        Canceller::Staff => "at the counter",
        Canceller::Branch => "by the branch",
    };
    let rest = moved.quote.total - moved.received;
    let money = match (moved.received, rest) {
        (0, _) => String::new(),
        (_, 0) => ", which is paid".to_owned(),
        (received, rest) if rest > 0 => format!(", of which {received} is paid"),
        (_, rest) => format!(", {} less than was paid", -rest),
    };
    format!(
        "the reservation was rescheduled {by} from time slot {} to {} of time slot {}, now {} instead of {}{money}",
        moved.from,
        seats(&moved.choice),
        moved.to,
        price(&moved.quote),
        price(&moved.former),
    )
}

fn seats(choice: &Choice) -> String {
    let labels: Vec<&str> = choice.seats.iter().map(SeatLabel::as_str).collect();
    let people = choice.party.size();
    let stated = if choice.accessible {
        " (stated: a wheelchair place is needed)"
    } else {
        ""
    };
    match &*labels {
        [room] if *room == SeatLabel::room().as_str() => format!("the room for {people} people"),
        [label] => format!("seat {label}{stated}"),
        labels => format!("seats {}{stated}", labels.join(", ")),
    }
}

fn price(quote: &Quote) -> String {
    format!("{} {}", quote.total, quote.currency.code())
}

pub(super) fn coupon(event: &CouponEvent) -> String {
    match event {
        CouponEvent::Issued { terms, batch } => {
            let discount = match &terms.discount {
                Discount::Rate { percent } => format!("{percent} %"),
                Discount::Amount { amount } => amount.to_string(),
                Discount::Free => "everything".to_owned(),
            };
            let together = batch
                .as_ref()
                .map_or_else(String::new, |batch| format!(" with others ({})", batch.name));
            let once = if terms.restorable { "" } else { ", never restored" };
            format!(
                "the coupon was issued{together}: {discount} off, from {} to {}{once}",
                terms.valid_from, terms.valid_until
            )
        }
        CouponEvent::Redeemed { by } => format!("the coupon was redeemed for reservation {by}"),
        CouponEvent::Restored { by } => format!("the coupon was restored by reservation {by}"),
        CouponEvent::Revoked { reason } => format!("the coupon was revoked{}", because(reason.as_ref())),
    }
}
