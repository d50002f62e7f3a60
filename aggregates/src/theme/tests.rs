//! The rules of a theme, one sentence each.

use jiff::{Timestamp, civil::date, tz::TimeZone};
use uuid::Uuid;

use super::{ThemeCommand::*, *};
use crate::{
    business_day::Weekday,
    decider::{Decider as _, testing::given},
    refusal::Refusal as _,
    values::WallTime,
};

fn at(text: &str) -> WallTime {
    text.parse().expect("a wall time")
}

fn daily(starts: &[&str]) -> WeeklyTemplate {
    WeeklyTemplate::daily(starts.iter().map(|start| at(start)))
}

fn game() -> Game {
    Game {
        branch: BranchId::new(Uuid::from_u128(1)),
        name: "달빛 서고".parse().expect("a name"),
        price_policy: PricePolicyId::new(Uuid::from_u128(2)),
        party: PartyRange {
            min: 2,
            max: 4,
            default: 2,
        },
        duration_minutes: 60,
        turnover_minutes: 20,
        opens: SalesOpening {
            days_ahead: 6,
            time: at("00:00"),
        },
        slots: daily(&["09:00", "10:25"]),
    }
}

fn introduced() -> ThemeEvent {
    ThemeEvent::Introduced(game())
}

fn changes() -> Vec<(ThemeCommand, ThemeEvent)> {
    let name: Name = "등대지기".parse().expect("a name");
    let price_policy = PricePolicyId::new(Uuid::from_u128(3));
    let party = PartyRange {
        min: 1,
        max: 6,
        default: 2,
    };
    let opens = SalesOpening {
        days_ahead: 13,
        time: at("12:00"),
    };
    let (duration_minutes, turnover_minutes, slots) = (70, 15, daily(&["09:10"]));
    vec![
        (Rename { name: name.clone() }, ThemeEvent::Renamed { name }),
        (Reprice { price_policy }, ThemeEvent::Repriced { price_policy }),
        (Regroup { party }, ThemeEvent::Regrouped { party }),
        (
            Retime {
                duration_minutes,
                turnover_minutes,
                slots: slots.clone(),
            },
            ThemeEvent::Retimed {
                duration_minutes,
                turnover_minutes,
                slots,
            },
        ),
        (MoveOpening { opens }, ThemeEvent::OpeningMoved { opens }),
        (Activate {}, ThemeEvent::Activated),
    ]
}

#[test]
fn a_theme_is_introduced_once_and_not_active_yet() {
    given::<Theme>([]).when(Introduce(game())).then([introduced()]);
    given::<Theme>([introduced()]).when(Introduce(game())).then([]);
    let other = Game {
        duration_minutes: 50,
        ..game()
    };
    given::<Theme>([introduced()])
        .when(Introduce(other))
        .refused(&ThemeError::AlreadyIntroduced);
    assert_eq!(Theme::Inactive(game()).active(), Err(ThemeError::Inactive));
    assert_eq!(Theme::Unknown.active(), Err(ThemeError::NotFound));
}

#[test]
fn every_change_is_its_own_event_and_a_repeat_is_none() {
    for (command, event) in changes() {
        given::<Theme>([introduced()])
            .when(command.clone())
            .then([event.clone()]);
        given::<Theme>([introduced(), event]).when(command).then([]);
    }
    given::<Theme>([introduced(), ThemeEvent::Activated])
        .when(Deactivate {})
        .then([ThemeEvent::Deactivated]);
    given::<Theme>([introduced()]).when(Deactivate {}).then([]);
}

#[test]
fn a_theme_nobody_introduced_is_not_found() {
    for (command, _) in changes() {
        given::<Theme>([]).when(command).refused(&ThemeError::NotFound);
    }
    given::<Theme>([])
        .when(Deactivate {})
        .refused(&ThemeError::NotFound);
}

#[test]
fn an_active_theme_stays_active_when_it_changes() {
    let mut theme = Theme::Unknown;
    theme.evolve(introduced());
    theme.evolve(ThemeEvent::Activated);
    for (_, event) in changes() {
        theme.evolve(event);
    }
    assert_eq!(theme.active().map(|game| game.duration_minutes), Ok(70));
}

/// What a theme answers to a command: the fields it blames.
fn blamed(theme: &Theme, command: ThemeCommand) -> Vec<String> {
    let refused = theme
        .decide(command, Timestamp::UNIX_EPOCH)
        .expect_err("a refusal");
    refused.faults().into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn a_party_is_one_to_six_people_with_its_default_inside() {
    for (min, max, default, field) in [
        (0, 4, 2, "/party/min"),
        (2, 7, 2, "/party/max"),
        (3, 2, 2, "/party/max"),
        (2, 4, 1, "/party/default"),
        (2, 4, 5, "/party/default"),
    ] {
        let party = PartyRange { min, max, default };
        assert_eq!(blamed(&Theme::Inactive(game()), Regroup { party }), [field]);
        assert_eq!(
            blamed(&Theme::Unknown, Introduce(Game { party, ..game() })),
            [field]
        );
    }
}

#[test]
fn durations_and_openings_are_bounded() {
    let slots = || daily(&["09:00"]);
    for (duration_minutes, turnover_minutes, fields) in [
        (0, 10, &["/duration_minutes"][..]),
        (DURATION_MAX + 1, 10, &["/duration_minutes"]),
        (60, DURATION_MAX + 1, &["/turnover_minutes"]),
        (0, DURATION_MAX + 1, &["/duration_minutes", "/turnover_minutes"]),
    ] {
        let retime = Retime {
            duration_minutes,
            turnover_minutes,
            slots: slots(),
        };
        assert_eq!(blamed(&Theme::Active(game()), retime), fields);
    }
    for (days_ahead, time, field) in [
        (DAYS_AHEAD_MAX + 1, "12:00", "/opens/days_ahead"),
        (6, "24:00", "/opens/time"),
    ] {
        let opens = SalesOpening {
            days_ahead,
            time: at(time),
        };
        assert_eq!(blamed(&Theme::Active(game()), MoveOpening { opens }), [field]);
    }
}

#[test]
fn sessions_leave_time_for_themselves_and_their_turnover() {
    let retime = |slots| Retime {
        duration_minutes: 60,
        turnover_minutes: 20,
        slots,
    };
    given::<Theme>([introduced()])
        .when(retime(daily(&["09:00", "10:19"])))
        .refused(&ThemeError::Template(TemplateClash::Overlap {
            day: Weekday::Monday,
            start: at("09:00"),
            minutes: 79,
        }));
    let fits = daily(&["09:00", "10:20"]);
    given::<Theme>([introduced()])
        .when(retime(fits.clone()))
        .then([ThemeEvent::Retimed {
            duration_minutes: 60,
            turnover_minutes: 20,
            slots: fits,
        }]);
}

#[test]
fn the_last_session_of_a_sunday_leaves_time_to_the_first_of_a_monday() {
    let week = WeeklyTemplate::weekly([(Weekday::Sunday, at("28:30")), (Weekday::Monday, at("05:00"))]);
    let clash = TemplateClash::Overlap {
        day: Weekday::Sunday,
        start: at("28:30"),
        minutes: 30,
    };
    assert_eq!(week.fits(80), Err(clash));
    assert_eq!(week.fits(30), Ok(()));
    assert_eq!(
        WeeklyTemplate::weekly([(Weekday::Sunday, at("28:30"))]).fits(600),
        Ok(())
    );
}

#[test]
fn sessions_start_within_the_business_day() {
    for start in ["04:59", "29:00"] {
        let clash = TemplateClash::OutsideBusinessDay {
            day: Weekday::Monday,
            start: at(start),
        };
        given::<Theme>([])
            .when(Introduce(Game {
                slots: daily(&[start]),
                ..game()
            }))
            .refused(&ThemeError::Template(clash));
    }
}

#[test]
fn sales_open_some_days_before_at_the_theme_s_time() {
    let seoul = TimeZone::get("Asia/Seoul").expect("a bundled zone");
    let opens = SalesOpening {
        days_ahead: 6,
        time: at("10:30"),
    };
    let moment = opens.moment(&seoul, date(2026, 11, 27)).expect("in range");
    assert_eq!(moment.to_string(), "2026-11-21T01:30:00Z");
}

#[test]
fn sales_open_six_days_ahead_unless_said_otherwise() {
    let opens: SalesOpening = serde_json::from_str(r#"{"time":"10:30"}"#).expect("readable");
    assert_eq!(
        opens,
        SalesOpening {
            days_ahead: 6,
            time: at("10:30")
        }
    );
}

#[test]
fn a_name_is_claimed_and_what_a_theme_names_is_read() {
    let id = ThemeId::new(Uuid::nil());
    let claim = |text: &str| Some(ClaimId::on("theme", text));
    let introduce = Introduce(game());
    assert_eq!(
        Theme::Unknown.claims(&id, &introduce),
        Claims {
            takes: claim("달빛 서고"),
            gives_back: None
        }
    );
    let rename = Rename {
        name: "등대지기".parse().expect("a name"),
    };
    let moved = Claims {
        takes: claim("등대지기"),
        gives_back: claim("달빛 서고"),
    };
    assert_eq!(Theme::Active(game()).claims(&id, &rename), moved);
    assert_eq!(Theme::Active(game()).claims(&id, &Activate {}), Claims::default());
    assert_eq!(
        Theme::reads(&introduce),
        [
            Reference::EscapeRoom(game().branch),
            Reference::PricePolicy(game().price_policy)
        ]
    );
}

#[test]
fn sales_open_at_the_same_time_on_the_wall_summer_and_winter() {
    let at = |zone: &str, day, time: &str| {
        let opens = SalesOpening {
            days_ahead: 6,
            time: time.parse().expect("a time"),
        };
        let zone = jiff::tz::TimeZone::get(zone).expect("a zone");
        opens.moment(&zone, day).expect("in range").to_string()
    };
    for (zone, day, time, expected) in [
        // Between opening and slot the clocks are set forward or back: the wall's time counts.
        (
            "Europe/Berlin",
            date(2027, 3, 30),
            "10:00",
            "2027-03-24T09:00:00Z",
        ),
        ("Europe/Berlin", date(2027, 4, 3), "10:00", "2027-03-28T08:00:00Z"),
        (
            "America/New_York",
            date(2026, 11, 3),
            "10:00",
            "2026-10-28T14:00:00Z",
        ),
        (
            "America/New_York",
            date(2026, 11, 7),
            "10:00",
            "2026-11-01T15:00:00Z",
        ),
        // A time that is on no clock: as much later as the clocks are set forward.
        ("Europe/Berlin", date(2027, 4, 3), "02:30", "2027-03-28T01:30:00Z"),
        (
            "America/New_York",
            date(2027, 3, 20),
            "02:30",
            "2027-03-14T07:30:00Z",
        ),
        // One that is there twice: the first.
        (
            "Europe/Berlin",
            date(2027, 11, 6),
            "02:30",
            "2027-10-31T00:30:00Z",
        ),
        (
            "America/New_York",
            date(2026, 11, 7),
            "01:30",
            "2026-11-01T05:30:00Z",
        ),
    ] {
        assert_eq!(at(zone, day, time), expected, "{zone} {day} {time}");
    }
}
