//! The rules of a time slot, one sentence each.

use jiff::ToSpan;
use uuid::Uuid;

use super::{TimeSlotCommand::*, *};
use crate::decider::{
    Decider as _,
    testing::{NOON, given},
};

fn plan() -> Plan {
    Plan {
        branch: BranchId::new(Uuid::nil()),
        show: session(2, 4),
        starts_at: NOON + 3.hours(),
        ends_at: NOON + 4.hours(),
        sales_open_at: NOON - 6.hours(),
        sales_close_at: NOON + 3.hours(),
        price_policy: PricePolicyId::new(Uuid::nil()),
        price_version: 1,
        seats_per_customer_max: 1,
        hold_minutes: 10,
        hold_cap_minutes: 20,
        cancel_minutes: 20,
    }
}

fn session(party_min: u8, party_max: u8) -> Show {
    Show::Theme {
        theme: ThemeId::new(Uuid::nil()),
        party_min,
        party_max,
    }
}

fn scheduled() -> TimeSlotEvent {
    TimeSlotEvent::Scheduled { plan: plan() }
}

fn slot(events: impl IntoIterator<Item = TimeSlotEvent>) -> TimeSlot {
    use cqrs_es::Aggregate as _;
    let mut slot = TimeSlot::default();
    for event in events {
        slot.apply(event);
    }
    slot
}

#[test]
fn a_consistent_plan_is_scheduled_once() {
    given::<TimeSlot>([])
        .when(Schedule { plan: plan() })
        .then([scheduled()]);
    given::<TimeSlot>([scheduled()])
        .when(Schedule { plan: plan() })
        .then([]);
    let other = Plan {
        price_version: 2,
        ..plan()
    };
    given::<TimeSlot>([scheduled()])
        .when(Schedule { plan: other })
        .refused(&TimeSlotError::AlreadyScheduled);
}

#[test]
fn a_plan_that_contradicts_itself_is_refused() {
    let sound = plan();
    for plan in [
        Plan {
            ends_at: sound.starts_at,
            ..sound.clone()
        },
        Plan {
            ends_at: sound.starts_at + 25.hours(),
            ..sound.clone()
        },
        Plan {
            sales_open_at: sound.sales_close_at,
            ..sound.clone()
        },
        Plan {
            sales_close_at: sound.starts_at + 1.minute(),
            ..sound.clone()
        },
        Plan {
            seats_per_customer_max: 0,
            ..sound.clone()
        },
        Plan {
            seats_per_customer_max: 9,
            ..sound.clone()
        },
        Plan {
            hold_minutes: 0,
            ..sound.clone()
        },
        Plan {
            hold_cap_minutes: 9,
            ..sound.clone()
        },
        Plan {
            price_version: 0,
            ..sound.clone()
        },
        Plan {
            cancel_minutes: u16::MAX,
            ..sound.clone()
        },
        Plan {
            sales_open_at: Timestamp::MIN,
            ..sound.clone()
        },
        Plan {
            starts_at: Timestamp::MAX - 1.hour(),
            ends_at: Timestamp::MAX,
            ..sound.clone()
        },
        Plan {
            show: session(0, 4),
            ..sound.clone()
        },
        Plan {
            show: session(5, 2),
            ..sound.clone()
        },
        Plan {
            show: session(2, 7),
            ..sound.clone()
        },
    ] {
        given::<TimeSlot>([])
            .when(Schedule { plan })
            .refused(&TimeSlotError::InconsistentPlan);
    }
}

#[test]
fn a_slot_can_be_closed_and_reopened() {
    let closed = || TimeSlotEvent::Closed { reason: None };
    given::<TimeSlot>([scheduled()])
        .when(Close { reason: None })
        .then([closed()]);
    given::<TimeSlot>([scheduled(), closed()])
        .when(Close { reason: None })
        .then([]);
    given::<TimeSlot>([scheduled(), closed()])
        .when(Reopen {})
        .then([TimeSlotEvent::Reopened]);
    given::<TimeSlot>([scheduled()]).when(Reopen {}).then([]);
    assert_eq!(
        slot([scheduled(), closed()]).open_for_holds(NOON),
        Err(TimeSlotError::Closed)
    );
    assert!(
        slot([scheduled(), closed(), TimeSlotEvent::Reopened])
            .open_for_holds(NOON)
            .is_ok()
    );
}

#[test]
fn a_withdrawn_slot_stays_withdrawn() {
    let gone = || TimeSlotEvent::Withdrawn { reason: None };
    given::<TimeSlot>([scheduled()])
        .when(Withdraw { reason: None })
        .then([gone()]);
    given::<TimeSlot>([scheduled(), gone()])
        .when(Withdraw { reason: None })
        .then([]);
    given::<TimeSlot>([scheduled(), gone()])
        .when(Reopen {})
        .refused(&TimeSlotError::Withdrawn);
    given::<TimeSlot>([scheduled(), gone()])
        .when(Schedule { plan: plan() })
        .refused(&TimeSlotError::AlreadyScheduled);
    assert_eq!(
        slot([scheduled(), gone()]).open_for_holds(NOON),
        Err(TimeSlotError::Withdrawn)
    );
}

#[test]
fn a_slot_that_was_never_scheduled_is_not_found() {
    given::<TimeSlot>([])
        .when(Close { reason: None })
        .refused(&TimeSlotError::NotFound);
    assert_eq!(slot([]).open_for_holds(NOON), Err(TimeSlotError::NotFound));
}

#[test]
fn started_is_not_the_same_as_closed_or_not_yet_open() {
    let slot = slot([scheduled()]);
    let plan = plan();
    let early = plan.sales_open_at - 1.second();
    assert_eq!(
        slot.open_for_holds(early),
        Err(TimeSlotError::NotYetOnSale {
            opens_at: plan.sales_open_at
        })
    );
    assert!(slot.open_for_holds(plan.sales_open_at).is_ok());
    assert_eq!(
        slot.open_for_holds(plan.starts_at),
        Err(TimeSlotError::Started {
            starts_at: plan.starts_at
        })
    );
    let early_close = Plan {
        sales_close_at: NOON + 1.hour(),
        ..plan
    };
    let slot = TimeSlot::OnSale(early_close);
    assert_eq!(
        slot.open_for_holds(NOON + 2.hours()),
        Err(TimeSlotError::SalesClosed {
            closed_at: NOON + 1.hour()
        })
    );
}

#[test]
fn a_hold_ends_at_the_latest_when_sales_close() {
    let plan = plan();
    assert_eq!(plan.hold_until(NOON), NOON + 10.minutes());
    assert_eq!(
        plan.hold_until(plan.sales_close_at - 1.minute()),
        plan.sales_close_at
    );
    assert_eq!(plan.hold_cap(NOON), NOON + 20.minutes());
}

#[test]
fn a_plan_at_the_end_of_time_is_refused_and_never_fails() {
    let at_the_end = Plan {
        starts_at: Timestamp::MAX - 1.hour(),
        sales_close_at: Timestamp::MAX - 1.hour(),
        ends_at: Timestamp::MAX,
        ..plan()
    };
    given::<TimeSlot>([])
        .when(Schedule {
            plan: at_the_end.clone(),
        })
        .refused(&TimeSlotError::InconsistentPlan);
    assert_eq!(at_the_end.hold_until(Timestamp::MAX), at_the_end.sales_close_at);
    let at_the_beginning = Plan {
        starts_at: Timestamp::MIN,
        ..plan()
    };
    assert_eq!(at_the_beginning.cancel_until(), Timestamp::MIN);
    let too_long = Plan {
        ends_at: Timestamp::MAX,
        ..plan()
    };
    given::<TimeSlot>([])
        .when(Schedule { plan: too_long })
        .refused(&TimeSlotError::InconsistentPlan);
}

#[test]
fn customers_cancel_until_a_week_before_at_the_earliest() {
    let cancel = |cancel_minutes| Schedule {
        plan: Plan {
            cancel_minutes,
            ..plan()
        },
    };
    given::<TimeSlot>([])
        .when(cancel(CANCEL_MINUTES_MAX + 1))
        .refused(&TimeSlotError::InconsistentPlan);
    assert!(
        TimeSlot::default()
            .decide(cancel(CANCEL_MINUTES_MAX), NOON)
            .is_ok()
    );
}
