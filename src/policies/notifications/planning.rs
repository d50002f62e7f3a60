//! Which messages an event asks for: each of its notices by each way; never whether anybody can be reached that way.

use std::sync::Arc;

use aggregates::{Event, Recorded, ids::ReservationId};
use jiff::Timestamp;

use crate::{
    notify::{Channel, Notice},
    vault::Planned,
};

/// The messages about one event. Whether somebody can be reached, shows when it is sent.
pub(super) fn planned(recorded: &Arc<Recorded>) -> Vec<Planned> {
    let notices: Vec<(Notice, ReservationId, Timestamp)> = match &recorded.event {
        Event::Reservation(event) => {
            let Ok(reservation) = recorded.stream.id.parse::<ReservationId>() else {
                return Vec::new();
            };
            let notices = Notice::of(event, recorded.recorded_at).into_iter();
            notices
                .map(|(notice, due_at)| (notice, reservation, due_at))
                .collect()
        }
        Event::Waitlist(event) => {
            let notice = Notice::of_waitlist(event).into_iter();
            notice
                .map(|(notice, entry)| (notice, entry, recorded.recorded_at))
                .collect()
        }
        Event::Seat(_)
        | Event::Coupon(_)
        | Event::Deposit(_)
        | Event::TimeSlot(_)
        | Event::Schedule(_)
        | Event::Branch(_)
        | Event::Auditorium(_)
        | Event::Movie(_)
        | Event::Theme(_)
        | Event::PricePolicy(_)
        | Event::Claim(_)
        | Event::Role(_)
        | Event::Admin(_)
        | Event::Customer(_)
        | Event::Allowance(_)
        | Event::Patron(_)
        | Event::CancellationPolicy(_)
        | Event::Foreign => Vec::new(),
    };
    let planned = notices.into_iter().flat_map(|(notice, reservation, due_at)| {
        Channel::ALL.into_iter().map(move |channel| Planned {
            position: recorded.position,
            notice: notice.name(),
            channel: channel.name(),
            reservation,
            due_at,
        })
    });
    planned.collect()
}
