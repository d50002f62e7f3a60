//! What places cost, one sentence each.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::values::{CouponCode, Currency};

const THURSDAY: Date = date(2026, 11, 19);
const SATURDAY: Date = date(2026, 11, 21);
const HOLIDAY: Date = date(2026, 12, 25);

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn at(text: &str) -> WallTime {
    text.parse().expect("a wall time")
}

fn seats(categories: &[&str]) -> Vec<Category> {
    categories
        .iter()
        .map(|category| category.parse().expect("a category"))
        .collect()
}

fn band(band: &str, until: &str, weekday: i64, weekend: i64) -> Band {
    Band {
        name: name(band),
        until: at(until),
        weekday,
        weekend,
    }
}

/// The tariff of the sample chain.
fn screening() -> ScreeningTariff {
    ScreeningTariff {
        currency: Currency::KRW,
        persons: PersonDeltas {
            adult: 0,
            teen: -3_000,
            senior: -7_000,
            preferential: -9_000,
        },
        bands: vec![
            band("조조", "10:00", 10_000, 11_000),
            band("일반", "23:00", 14_000, 15_000),
            band("심야", "29:00", 10_000, 11_000),
        ],
        weekend_days: tariff::weekend(),
        holidays: [HOLIDAY].into(),
        categories: [("일반", 0), ("이코노미", -1_000), ("프라임", 1_000)]
            .map(|(category, extra)| (category.parse().expect("a category"), extra))
            .into(),
        halls: [(name("large-624"), 3_000), (name("galleria-40"), 20_000)].into(),
    }
}

fn room(amount: i64) -> SessionTariff {
    SessionTariff {
        currency: Currency::KRW,
        price: SessionPrice::Room { amount },
        early_bird: Some(EarlyBird {
            before: at("11:00"),
            discount: Discount::Rate { percent: 20 },
        }),
        closing: Some(Closing {
            from: at("21:00"),
            discount: Discount::Amount { amount: 5_000 },
        }),
    }
}

fn table() -> SessionTariff {
    let table = BTreeMap::from([(1, 40_000), (2, 48_000), (3, 66_000)]);
    SessionTariff {
        price: SessionPrice::Person { table },
        early_bird: None,
        closing: None,
        ..room(0)
    }
}

fn occasion(business_date: Date, starts: &str, hall: Option<&str>) -> Occasion {
    Occasion {
        business_date,
        starts: at(starts),
        hall: hall.map(name),
    }
}

fn adults(adult: u8) -> Party {
    Party::Persons(Persons {
        adult,
        ..Persons::default()
    })
}

#[rstest]
#[case::a_morning_on_a_weekday(THURSDAY, "09:59", None, &["일반"], 10_000)]
#[case::the_band_ends_before_its_last_minute(THURSDAY, "10:00", None, &["일반"], 14_000)]
#[case::an_evening_on_a_weekday(THURSDAY, "22:59", None, &["일반"], 14_000)]
#[case::late_at_night(THURSDAY, "23:00", None, &["일반"], 10_000)]
#[case::after_midnight(THURSDAY, "25:10", None, &["일반"], 10_000)]
#[case::an_afternoon_on_a_weekend_day(SATURDAY, "14:00", None, &["일반"], 15_000)]
#[case::after_midnight_of_a_saturday_is_still_the_weekend(SATURDAY, "26:00", None, &["일반"], 11_000)]
#[case::a_holiday_costs_the_weekend_price(HOLIDAY, "14:00", None, &["일반"], 15_000)]
#[case::a_cheap_and_a_dear_seat(THURSDAY, "14:00", None, &["이코노미", "프라임", "프라임"], 43_000)]
#[case::a_large_hall(THURSDAY, "14:00", Some("large-624"), &["일반", "일반"], 34_000)]
#[case::a_luxury_hall_on_a_weekend_morning(SATURDAY, "08:30", Some("galleria-40"), &["일반"], 31_000)]
#[case::a_hall_without_a_surcharge(THURSDAY, "14:00", Some("standard-105"), &["일반"], 14_000)]
fn a_screening_is_priced_by_day_band_hall_and_category(
    #[case] day: Date,
    #[case] starts: &str,
    #[case] hall: Option<&str>,
    #[case] categories: &[&str],
    #[case] total: i64,
) {
    let party = adults(u8::try_from(categories.len()).expect("few seats"));
    let tariff = Tariff::Screening(screening());
    let quote = quote(&tariff, &occasion(day, starts, hall), &party, &seats(categories)).expect("a price");
    assert_eq!(quote.total, total);
    assert!(quote.adds_up());
}

#[rstest]
#[case(Persons { adult: 2, teen: 1, ..Persons::default() }, 39_000)]
#[case(Persons { adult: 1, senior: 1, preferential: 1, ..Persons::default() }, 26_000)]
#[case(Persons { adult: 3, ..Persons::default() }, 42_000)]
fn each_kind_of_person_has_its_own_price(#[case] persons: Persons, #[case] total: i64) {
    let occasion = occasion(THURSDAY, "14:00", None);
    let tariff = Tariff::Screening(screening());
    let quote = quote(&tariff, &occasion, &Party::Persons(persons), &seats(&["일반"; 3])).expect("a price");
    assert_eq!(quote.total, total);
}

#[test]
fn every_amount_is_explained_by_a_line() {
    let persons = Party::Persons(Persons {
        adult: 1,
        teen: 2,
        ..Persons::default()
    });
    let tariff = Tariff::Screening(screening());
    let categories = seats(&["일반", "프라임", "프라임"]);
    let quote = quote(
        &tariff,
        &occasion(SATURDAY, "14:00", Some("large-624")),
        &persons,
        &categories,
    );
    let line = |item, count: u32, unit: i64| QuoteLine {
        item,
        count,
        unit,
        amount: unit * i64::from(count),
    };
    assert_eq!(
        quote.expect("a price"),
        Quote {
            currency: Currency::KRW,
            lines: vec![
                line(
                    LineItem::Band {
                        name: name("일반"),
                        weekend: true
                    },
                    3,
                    15_000
                ),
                line(
                    LineItem::Hall {
                        name: name("large-624")
                    },
                    3,
                    3_000
                ),
                line(
                    LineItem::Category {
                        name: "프라임".parse().expect("a category")
                    },
                    2,
                    1_000
                ),
                line(
                    LineItem::Person {
                        person: PersonKind::Teen
                    },
                    2,
                    -3_000
                ),
            ],
            total: 50_000,
        }
    );
}

#[test]
fn deductions_never_take_a_price_below_zero_and_show_what_they_really_took_off() {
    let cheap = ScreeningTariff {
        bands: vec![band("일반", "29:00", 5_000, 5_000)],
        ..screening()
    };
    let persons = Party::Persons(Persons {
        preferential: 1,
        ..Persons::default()
    });
    let quote = quote(
        &Tariff::Screening(cheap),
        &occasion(THURSDAY, "14:00", None),
        &persons,
        &seats(&["일반"]),
    )
    .expect("a price");
    let last = quote.lines.last().expect("a line");
    assert_eq!((quote.total, last.unit, last.amount), (0, -9_000, -5_000));
    assert!(quote.adds_up());
}

#[rstest]
#[case::full(room(65_000), "11:00", 4, 65_000)]
#[case::early(room(65_000), "10:59", 4, 52_000)]
#[case::closing(room(65_000), "21:00", 4, 60_000)]
#[case::an_early_rate_is_rounded_down(room(3), "09:00", 2, 3)]
#[case::a_closing_discount_above_the_price(room(3_000), "22:00", 2, 0)]
#[case::a_group_pays_together(table(), "14:00", 3, 66_000)]
#[case::a_single_player(table(), "14:00", 1, 40_000)]
fn a_session_is_priced_by_room_or_group_and_time(
    #[case] tariff: SessionTariff,
    #[case] starts: &str,
    #[case] size: u8,
    #[case] total: i64,
) {
    let occasion = occasion(THURSDAY, starts, None);
    let quote = quote(&Tariff::Session(tariff), &occasion, &Party::Group { size }, &[]).expect("a price");
    assert_eq!(quote.total, total);
    assert!(quote.adds_up());
}

#[rstest]
#[case(Discount::Rate { percent: 10 }, 58_500)]
#[case(Discount::Amount { amount: 5_000 }, 60_000)]
#[case(Discount::Amount { amount: 100_000 }, 0)]
#[case(Discount::Free, 0)]
fn a_coupon_is_taken_off_last_and_never_below_zero(#[case] discount: Discount, #[case] total: i64) {
    let occasion = occasion(THURSDAY, "14:00", None);
    let full = quote(
        &Tariff::Session(room(65_000)),
        &occasion,
        &Party::Group { size: 2 },
        &[],
    )
    .expect("a price");
    let code: CouponCode = "7KQ4MZ2H".parse().expect("a code");
    let less = full.less_coupon(&discount, &code);
    let last = less.lines.last().expect("a line");
    assert_eq!(
        (less.total, last.amount, &last.item),
        (total, total - 65_000, &LineItem::Coupon { code })
    );
    assert!(less.adds_up());
}

#[rstest]
#[case::nobody(Tariff::Session(room(1)), Party::Group { size: 0 }, &[], PricingError::PartyOutOfRange { size: 0 })]
#[case::too_many(Tariff::Screening(screening()), adults(9), &["일반"; 9], PricingError::PartyOutOfRange { size: 9 })]
#[case::a_group_in_a_cinema(
    Tariff::Screening(screening()), Party::Group { size: 2 }, &["일반"; 2], PricingError::WrongParty
)]
#[case::kinds_of_person_in_a_room(Tariff::Session(room(1)), adults(2), &[], PricingError::WrongParty)]
#[case::more_people_than_seats(
    Tariff::Screening(screening()), adults(3), &["일반"; 2], PricingError::SeatsDiffer { people: 3, seats: 2 }
)]
#[case::an_unpriced_category(
    Tariff::Screening(screening()), adults(1), &["없음"],
    PricingError::UnknownCategory { category: "없음".parse().expect("a category") }
)]
#[case::an_unpriced_size(Tariff::Session(table()), Party::Group { size: 4 }, &[], PricingError::NoPriceForSize { size: 4 })]
fn what_has_no_price_is_refused(
    #[case] tariff: Tariff,
    #[case] party: Party,
    #[case] categories: &[&str],
    #[case] error: PricingError,
) {
    let occasion = occasion(THURSDAY, "14:00", None);
    assert_eq!(quote(&tariff, &occasion, &party, &seats(categories)), Err(error));
}

#[test]
fn the_sample_tariffs_are_sound() {
    assert_eq!(Tariff::Screening(screening()).faults(), []);
    assert_eq!(Tariff::Session(room(65_000)).faults(), []);
    assert_eq!(Tariff::Session(table()).faults(), []);
}

#[test]
fn everything_wrong_with_a_tariff_is_named() {
    let pointers = |tariff: Tariff| {
        tariff
            .faults()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect::<Vec<_>>()
    };
    let bands = vec![band("a", "12:00", -1, 0), band("b", "12:00", 0, AMOUNT_MAX + 1)];
    let persons = PersonDeltas {
        teen: -AMOUNT_MAX - 1,
        ..PersonDeltas::default()
    };
    let screening = ScreeningTariff {
        bands,
        persons,
        categories: BTreeMap::new(),
        ..screening()
    };
    assert_eq!(
        pointers(Tariff::Screening(screening)),
        [
            "/bands",
            "/bands/1/until",
            "/bands/0/weekday",
            "/bands/1/weekend",
            "/persons/teen",
            "/categories"
        ]
    );
    let session = SessionTariff {
        price: SessionPrice::Person {
            table: [(0, 1), (7, -1)].into(),
        },
        early_bird: Some(EarlyBird {
            before: at("21:30"),
            discount: Discount::Rate { percent: 101 },
        }),
        ..room(0)
    };
    assert_eq!(
        pointers(Tariff::Session(session)),
        [
            "/price/table/0",
            "/price/table/7",
            "/price/table/7",
            "/discounts/early_bird",
            "/discounts/closing"
        ]
    );
    let free = SessionTariff {
        price: SessionPrice::Person {
            table: BTreeMap::new(),
        },
        ..room(0)
    };
    assert_eq!(pointers(Tariff::Session(free)), ["/price/table"]);
    assert_eq!(pointers(Tariff::Session(room(-1))), ["/price/amount"]);
}

#[test]
fn a_tariff_reads_as_it_was_written() {
    for tariff in [
        Tariff::Screening(screening()),
        Tariff::Session(room(1)),
        Tariff::Session(table()),
    ] {
        let text = serde_json::to_string(&tariff).expect("a tariff can be written");
        assert_eq!(serde_json::from_str::<Tariff>(&text).expect("and read"), tariff);
    }
}

fn any_discount() -> impl Strategy<Value = Discount> {
    prop_oneof![
        (1_u8..=100).prop_map(|percent| Discount::Rate { percent }),
        (1..=AMOUNT_MAX).prop_map(|amount| Discount::Amount { amount }),
        Just(Discount::Free),
    ]
}

fn any_start() -> impl Strategy<Value = WallTime> {
    (5_u8..29, 0_u8..60).prop_map(|(hour, minute)| at(&format!("{hour:02}:{minute:02}")))
}

fn any_screening() -> impl Strategy<Value = Tariff> {
    let delta = || -AMOUNT_MAX..=AMOUNT_MAX;
    let small = || -20_000_i64..20_000;
    (
        0..=AMOUNT_MAX,
        0_i64..30_000,
        prop_oneof![small(), delta()],
        delta(),
        small(),
        small(),
    )
        .prop_map(|(weekday, weekend, teen, senior, prime, hall)| {
            let mut tariff = screening();
            tariff.bands = vec![
                band("조조", "10:00", weekend, weekday),
                band("일반", "29:00", weekday, weekend),
            ];
            tariff.persons = PersonDeltas {
                adult: 0,
                teen,
                senior,
                preferential: -weekend,
            };
            tariff.categories.values_mut().for_each(|extra| *extra = prime);
            tariff.halls.values_mut().for_each(|extra| *extra = hall);
            Tariff::Screening(tariff)
        })
}

fn any_session() -> impl Strategy<Value = Tariff> {
    (
        0..=AMOUNT_MAX,
        any_discount(),
        any_discount(),
        any_start(),
        any_start(),
    )
        .prop_map(|(amount, early, closing, before, from)| {
            let mut tariff = room(amount);
            tariff.early_bird = Some(EarlyBird {
                before,
                discount: early,
            });
            tariff.closing = Some(Closing {
                from,
                discount: closing,
            });
            Tariff::Session(tariff)
        })
}

proptest! {
    #[test]
    fn a_price_is_the_sum_of_its_lines_and_never_below_zero(
        screening in any_screening(), session in any_session(), starts in any_start(), day in 0_i32..400,
        persons in (0_u8..3, 0_u8..3, 0_u8..2, 0_u8..2), hall in any::<bool>(), coupon in any_discount(),
    ) {
        let (adult, teen, senior, preferential) = persons;
        let persons = Persons { adult: adult.max(1), teen, senior, preferential };
        let occasion = Occasion {
            business_date: THURSDAY + jiff::Span::new().days(day),
            starts,
            hall: hall.then(|| name("large-624")),
        };
        let categories = seats(&["일반", "프라임", "이코노미", "프라임", "일반", "일반", "프라임", "일반"]);
        let people = usize::from(adult.max(1) + teen + senior + preferential);
        let code: CouponCode = "7KQ4MZ2H".parse().expect("a code");
        for full in [
            quote(&screening, &occasion, &Party::Persons(persons), &categories[..people]).expect("a price"),
            quote(&session, &occasion, &Party::Group { size: 2 }, &[]).expect("a price"),
        ] {
            prop_assert!(full.adds_up());
            for line in &full.lines {
                // Each line explains itself: so many times so much, or what was left of it to take off.
                let said = line.unit * i64::from(line.count);
                prop_assert!(line.count > 0 && line.unit != 0, "{line:?}");
                if line.unit > 0 {
                    prop_assert_eq!(line.amount, said);
                } else {
                    prop_assert!((said..=0).contains(&line.amount), "{line:?}");
                }
            }
            let less = full.less_coupon(&coupon, &code);
            prop_assert!(less.adds_up() && less.total <= full.total);
        }
    }
}
