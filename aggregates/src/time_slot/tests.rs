//! The rules of a time slot, one sentence each.

use jiff::ToSpan;
use uuid::Uuid;

use super::{TimeSlotCommand::*, *};
use crate::{
    decider::{
        Decider as _,
        testing::{NOON, given},
    },
    ids::{AuditoriumId, MovieId, PricePolicyId, ThemeId},
    refusal::Refusal as _,
    seating::OrphanRule,
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
        orphan_rule: OrphanRule::Off,
        pool_minutes: 60,
        cancellation: None,
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

#[track_caller]
fn assert_inconsistent(plan: Plan) {
    let refused = TimeSlot::default().decide(Schedule { plan }, NOON).err();
    assert!(
        matches!(refused, Some(TimeSlotError::InconsistentPlan(_))),
        "{refused:?}"
    );
}

/// The fields to be named, and what makes them wrong.
type Mistake = (&'static [&'static str], fn(&mut Plan));

#[test]
fn a_plan_that_contradicts_itself_is_refused() {
    let sound = plan;
    let mistakes: [Mistake; 17] = [
        (&["/plan/ends_at"], |plan| plan.ends_at = plan.starts_at),
        (&["/plan/ends_at"], |plan| {
            plan.ends_at = plan.starts_at + 25.hours();
        }),
        (&["/plan/sales_open_at"], |plan| {
            plan.sales_open_at = plan.sales_close_at;
        }),
        (&["/plan/sales_close_at"], |plan| {
            plan.sales_close_at = plan.starts_at + 1.minute();
        }),
        (&["/plan/seats_per_customer_max"], |plan| {
            plan.seats_per_customer_max = 0;
        }),
        (&["/plan/seats_per_customer_max"], |plan| {
            plan.seats_per_customer_max = 9;
        }),
        (&["/plan/hold_minutes"], |plan| plan.hold_minutes = 0),
        (&["/plan/hold_cap_minutes"], |plan| plan.hold_cap_minutes = 9),
        (&["/plan/price_version", "/plan/hold_minutes"], |plan| {
            (plan.price_version, plan.hold_minutes, plan.hold_cap_minutes) = (0, 121, 121);
        }),
        (&["/plan/cancel_minutes"], |plan| plan.cancel_minutes = u16::MAX),
        (&["/plan/sales_open_at"], |plan| {
            plan.sales_open_at = Timestamp::MIN;
        }),
        (&["/plan/starts_at", "/plan/ends_at"], |plan| {
            plan.starts_at = Timestamp::MAX - 1.hour();
            plan.ends_at = Timestamp::MAX;
        }),
        (&["/plan/show"], |plan| plan.show = session(0, 4)),
        (&["/plan/show"], |plan| plan.show = session(5, 2)),
        (&["/plan/show"], |plan| plan.show = session(2, 7)),
        (&["/plan/orphan_rule"], |plan| {
            plan.orphan_rule = OrphanRule::Lenient;
        }),
        (&["/plan/pool_minutes"], |plan| {
            plan.pool_minutes = POOL_MINUTES_MAX + 1;
        }),
    ];
    for (fields, mistake) in mistakes {
        let mut plan = sound();
        mistake(&mut plan);
        let refused = TimeSlot::default()
            .decide(Schedule { plan }, NOON)
            .expect_err("a refusal");
        assert_eq!(refused.slug(), "time-slot/inconsistent-plan");
        let named: Vec<String> = refused.faults().into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(named, fields);
    }
}

#[test]
fn a_slot_that_would_have_started_is_not_scheduled() {
    let (starts_at, named) = (plan().starts_at, ["/plan/starts_at"]);
    let refused = TimeSlot::default()
        .decide(Schedule { plan: plan() }, starts_at)
        .expect_err("a refusal");
    assert_eq!(
        refused
            .faults()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect::<Vec<_>>(),
        named
    );
    // Scheduled in time, it may be sent again whenever.
    given::<TimeSlot>([scheduled()])
        .at(starts_at)
        .when(Schedule { plan: plan() })
        .then([]);
}

#[test]
fn a_plan_may_leave_out_what_is_usual() {
    let mut sent = serde_json::to_value(plan()).expect("a plan can be written");
    let usual = [
        "price_version",
        "seats_per_customer_max",
        "hold_minutes",
        "hold_cap_minutes",
        "cancel_minutes",
    ];
    for field in usual {
        sent.as_object_mut().expect("an object").remove(field);
    }
    let read: Plan = serde_json::from_value(sent).expect("a plan");
    let expected = Plan {
        price_version: 0,
        seats_per_customer_max: 8,
        ..plan()
    };
    assert_eq!(read, expected);
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
    assert_inconsistent(at_the_end.clone());
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
    assert_inconsistent(too_long);
}

#[test]
fn customers_cancel_until_a_week_before_at_the_earliest() {
    let cancel = |cancel_minutes| Plan {
        cancel_minutes,
        ..plan()
    };
    assert_inconsistent(cancel(CANCEL_MINUTES_MAX + 1));
    let latest = Schedule {
        plan: cancel(CANCEL_MINUTES_MAX),
    };
    assert!(TimeSlot::default().decide(latest, NOON).is_ok());
}

#[test]
fn a_slot_stored_before_the_seating_rules_has_none_and_is_written_as_it_was() {
    let stored = serde_json::to_value(scheduled()).expect("an event can be written");
    let written = stored["Scheduled"]["plan"].as_object().expect("a plan");
    assert!(!written.contains_key("orphan_rule") && !written.contains_key("pool_minutes"));
    assert_eq!(
        serde_json::from_value::<TimeSlotEvent>(stored).expect("and read"),
        scheduled()
    );
}

#[test]
fn a_slot_keeps_the_seating_rules_it_was_scheduled_with() {
    let show = Show::Movie {
        movie: MovieId::new(Uuid::nil()),
        auditorium: AuditoriumId::new(Uuid::nil()),
        layout_version: 1,
        capacity: 105,
    };
    let plan = Plan {
        show,
        orphan_rule: OrphanRule::Strict,
        pool_minutes: 90,
        ..plan()
    };
    given::<TimeSlot>([])
        .when(Schedule { plan: plan.clone() })
        .then([TimeSlotEvent::Scheduled { plan: plan.clone() }]);
    let stored = serde_json::to_value(&plan).expect("a plan can be written");
    assert_eq!(
        (&stored["orphan_rule"], &stored["pool_minutes"]),
        (&"strict".into(), &90.into())
    );
    assert_eq!(serde_json::from_value::<Plan>(stored).expect("and read"), plan);
}

#[test]
fn the_pool_opens_so_many_minutes_before_the_start() {
    let plan = plan();
    assert_eq!(plan.pool_opens_at(), plan.starts_at - 60.minutes());
    assert!(plan.pool_is_open(plan.starts_at - 60.minutes()));
    assert!(!plan.pool_is_open(plan.starts_at - 61.minutes()));
}

#[test]
fn a_slot_is_adjusted_until_it_begins_and_only_what_is_different_is_recorded() {
    let asked = Adjustment {
        hold_minutes: Some(5),
        cancel_minutes: Some(20),
        ..Adjustment::default()
    };
    let different = Adjustment {
        cancel_minutes: None,
        ..asked
    };
    let adjusted = TimeSlotEvent::Adjusted(different);
    given::<TimeSlot>([scheduled()])
        .when(Adjust(asked))
        .then([adjusted.clone()]);
    given::<TimeSlot>([scheduled(), adjusted.clone()])
        .when(Adjust(asked))
        .then([]);
    let expected = Plan {
        hold_minutes: 5,
        ..plan()
    };
    assert_eq!(
        slot([scheduled(), adjusted.clone()]),
        TimeSlot::OnSale(expected.clone())
    );
    let closed = TimeSlotEvent::Closed { reason: None };
    assert_eq!(
        slot([scheduled(), closed.clone(), adjusted]),
        TimeSlot::Closed(expected),
        "a closed slot stays closed"
    );
    given::<TimeSlot>([scheduled()])
        .at(plan().starts_at)
        .when(Adjust(asked))
        .refused(&TimeSlotError::Started {
            starts_at: plan().starts_at,
        });
    given::<TimeSlot>([])
        .when(Adjust(asked))
        .refused(&TimeSlotError::NotFound);
    given::<TimeSlot>([scheduled(), TimeSlotEvent::Withdrawn { reason: None }])
        .when(Adjust(asked))
        .refused(&TimeSlotError::Withdrawn);
}

#[test]
fn an_adjustment_that_fits_no_plan_names_its_own_fields() {
    let asked = Adjustment {
        orphan_rule: Some(OrphanRule::Strict),
        hold_minutes: Some(30),
        cancel_minutes: Some(CANCEL_MINUTES_MAX + 1),
        ..Adjustment::default()
    };
    let refused = slot([scheduled()])
        .decide(Adjust(asked), NOON)
        .expect_err("it does not fit");
    let faults: Vec<String> = refused.faults().into_iter().map(|fault| fault.pointer).collect();
    assert_eq!(faults, ["/hold_cap_minutes", "/cancel_minutes", "/orphan_rule"]);
}
