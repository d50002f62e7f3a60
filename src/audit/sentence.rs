//! Which words belong to which event, and to whoever did it; in English, one line per event: `ko.ftl` lays Korean over
//! it. Never a personal value.

use aggregates::{Event, Metadata, Recorded, personal::Personal};

use smol_str::SmolStr;

use super::{catalogue, money, people, sales, waits};
use crate::store::Actor;

/// What happened, without who and when.
#[must_use]
pub fn sentence(recorded: &Recorded) -> String {
    match &recorded.event {
        Event::Seat(event) => sales::seat(&recorded.stream.id, event),
        Event::TimeSlot(event) => sales::time_slot(event),
        Event::Reservation(event) => sales::reservation(event),
        Event::Coupon(event) => sales::coupon(event),
        Event::Schedule(event) => catalogue::schedule(event),
        Event::Branch(event) => catalogue::branch(event),
        Event::Auditorium(event) => catalogue::auditorium(event),
        Event::Movie(event) => catalogue::movie(event),
        Event::Theme(event) => catalogue::theme(event),
        Event::PricePolicy(event) => catalogue::price_policy(event),
        Event::Claim(event) => catalogue::claim(&recorded.stream.id, event),
        Event::Role(event) => people::role(&recorded.stream.id, event),
        Event::Admin(event) => people::admin(event),
        Event::Customer(event) => people::customer(event).to_owned(),
        Event::Waitlist(event) => waits::waitlist(event),
        Event::Allowance(event) => people::allowance(event),
        Event::Patron(event) => people::patron(event),
        Event::CancellationPolicy(event) => money::cancellation_policy(event),
        Event::Deposit(event) => money::deposit(event),
        Event::Foreign => "something happened in a stream that is not Jari's".to_owned(),
    }
}

/// Who did it.
#[must_use]
pub fn who(metadata: &Metadata) -> String {
    let id = metadata.get("actor_id").map_or("unknown", SmolStr::as_str);
    match metadata.get("actor_kind").map(SmolStr::as_str) {
        Some("guest") => format!("the guest of reservation {id}"),
        Some("customer") => format!("customer {id}"),
        Some("admin") if id == Actor::TOKEN => "whoever has the admin token".to_owned(),
        Some("admin") => format!("admin {id}"),
        Some("system") => format!("the {id} policy"),
        Some(_) | None => "somebody unknown".to_owned(),
    }
}

/// That there are words in the log which are about a person, never the words.
pub(super) const fn in_private<T>(words: Option<&Personal<T>>) -> &'static str {
    if words.is_some() { " (personal)" } else { "" }
}

/// ` (why)`, if a reason is known.
pub(super) fn because(reason: Option<&impl std::fmt::Display>) -> String {
    reason.map_or_else(String::new, |reason| format!(" ({reason})"))
}
