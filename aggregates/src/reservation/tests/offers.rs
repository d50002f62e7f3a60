//! What is offered to somebody who waited.

use super::*;

#[test]
fn what_is_offered_is_held_and_cannot_be_extended() {
    let offer = || Do::Offer {
        time_slot: slot(),
        choice: choice("C7"),
        until: until(),
        customer: None,
    };
    let offered = Event::Held {
        time_slot: slot(),
        choice: choice("C7"),
        until: until(),
        cap: until(),
        customer: None,
        offered: true,
        said: Statement::default(),
    };
    given::<Reservation>([]).when(offer()).then([offered.clone()]);
    given::<Reservation>([offered.clone()])
        .when(Do::Extend { until: cap() })
        .refused(&No::AtItsLongest { cap: until() });
    given::<Reservation>([offered])
        .when(offer())
        .refused(&No::AlreadyBegun);
}
