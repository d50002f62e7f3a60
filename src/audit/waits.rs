//! Sentences about those who wait: joined, offered, settled; never who they are.

use aggregates::{
    values::SeatLabel,
    waitlist::{Leaver, WaitlistEvent, WhyEnded, WhyPassed, seats_for},
};

use super::sentence::in_private;

pub(super) fn waitlist(event: &WaitlistEvent) -> String {
    match event {
        WaitlistEvent::Joined { entry, party, .. } => {
            format!("entry {entry} waits for {}", places(seats_for(party)))
        }
        WaitlistEvent::Left { entry, by, reason } => {
            let by = match by {
                Leaver::Customer => "left the waitlist",
                Leaver::Staff => "was taken off the waitlist",
            };
            format!("entry {entry} {by}{}", in_private(reason.as_ref()))
        }
        WaitlistEvent::Offered { entry, seats, until } => {
            format!("{} offered to entry {entry} until {until}", listed(seats))
        }
        WaitlistEvent::Accepted { entry } => format!("entry {entry} accepted the offer"),
        WaitlistEvent::Declined { entry } => format!("entry {entry} declined the offer"),
        WaitlistEvent::Lapsed { entry } => format!("the offer to entry {entry} lapsed"),
        WaitlistEvent::Passed { seats, why } => {
            let why = match why {
                WhyPassed::NoFit => "nobody who waits fits there",
                WhyPassed::NotForSale => "nothing is sold just now",
            };
            format!("{} freed and offered to nobody: {why}", listed(seats))
        }
        WaitlistEvent::Ended { entry, why } => {
            let why = match why {
                WhyEnded::SalesClosed => "sales are closed",
                WhyEnded::Withdrawn => "the time slot was withdrawn",
                WhyEnded::NotSold => "what it waited for is not sold any more",
            };
            format!("entry {entry} waits no more: {why}")
        }
    }
}

fn places(count: usize) -> String {
    match count {
        1 => "1 place".to_owned(),
        count => format!("{count} places together"),
    }
}

fn listed(seats: &[SeatLabel]) -> String {
    let labels: Vec<&str> = seats.iter().map(SeatLabel::as_str).collect();
    match &*labels {
        [room] if *room == SeatLabel::room().as_str() => "the room".to_owned(),
        [label] => format!("seat {label}"),
        labels => format!("seats {}", labels.join(", ")),
    }
}
