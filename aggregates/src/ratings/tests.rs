//! The ages of rated movies: every rating × everyone who asks, the days around birthdays, and leap years.

use jiff::civil::date;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::refusal::Refusal as _;

const SILENT: Statement = Statement {
    age_confirmed: false,
    guardian_accompanies: false,
    id_checked: false,
};
const CONFIRMED: Statement = Statement {
    age_confirmed: true,
    ..SILENT
};
const GUARDED: Statement = Statement {
    guardian_accompanies: true,
    ..SILENT
};
const CHECKED: Statement = Statement {
    id_checked: true,
    ..SILENT
};

fn day() -> Date {
    date(2026, 11, 21)
}

fn born(year: i16, month: i8, day: i8) -> Viewer {
    Viewer::Customer {
        birth_date: Some(date(year, month, day)),
    }
}

const UNKNOWN: Viewer = Viewer::Customer { birth_date: None };

#[rstest]
#[case::everyone(Rating::All, Viewer::Guest, SILENT, Ok(None))]
#[case::everyone_without_a_birth_date(Rating::All, UNKNOWN, SILENT, Ok(None))]
#[case::twelve_today(Rating::From12, born(2014, 11, 21), SILENT, Ok(Some(Admitted::BirthDate)))]
#[case::twelve_tomorrow(Rating::From12, born(2014, 11, 22), SILENT, Err(RatingError::GuardianNeeded { years: 12, day: day() }))]
#[case::fifteen_today(Rating::From15, born(2011, 11, 21), SILENT, Ok(Some(Admitted::BirthDate)))]
#[case::fifteen_tomorrow(Rating::From15, born(2011, 11, 22), SILENT, Err(RatingError::GuardianNeeded { years: 15, day: day() }))]
#[case::fifteen_tomorrow_with_a_guardian(
    Rating::From15,
    born(2011, 11, 22),
    GUARDED,
    Ok(Some(Admitted::Guardian))
)]
#[case::the_word_of_a_child(Rating::From15, born(2011, 11, 22), CONFIRMED, Err(RatingError::GuardianNeeded { years: 15, day: day() }))]
#[case::a_guest_who_confirms(Rating::From15, Viewer::Guest, CONFIRMED, Ok(Some(Admitted::Confirmed)))]
#[case::a_guest_with_a_guardian(Rating::From12, Viewer::Guest, GUARDED, Ok(Some(Admitted::Confirmed)))]
#[case::a_guest_who_says_nothing(Rating::From12, Viewer::Guest, SILENT, Err(RatingError::NotConfirmed { years: 12 }))]
#[case::a_customer_without_a_birth_date(
    Rating::From12,
    UNKNOWN,
    CONFIRMED,
    Err(RatingError::BirthDateMissing)
)]
#[case::nineteen_this_year(Rating::From19, born(2007, 12, 31), SILENT, Ok(Some(Admitted::BirthDate)))]
#[case::nineteen_next_year(Rating::From19, born(2008, 1, 1), SILENT, Err(RatingError::TooYoung { latest_year: 2007 }))]
#[case::no_guardian_helps(Rating::From19, born(2008, 1, 1), GUARDED, Err(RatingError::TooYoung { latest_year: 2007 }))]
#[case::no_word_of_a_guest_helps(Rating::From19, Viewer::Guest, CONFIRMED, Err(RatingError::SignInNeeded))]
#[case::nor_a_guests_guardian(Rating::From19, Viewer::Guest, GUARDED, Err(RatingError::SignInNeeded))]
#[case::nineteen_without_a_birth_date(Rating::From19, UNKNOWN, GUARDED, Err(RatingError::BirthDateMissing))]
#[case::an_identity_card(Rating::From19, Viewer::Guest, CHECKED, Ok(Some(Admitted::IdChecked)))]
#[case::an_identity_card_instead_of_a_birth_date(
    Rating::From15,
    UNKNOWN,
    CHECKED,
    Ok(Some(Admitted::IdChecked))
)]
fn a_rating_admits_whom_it_should(
    #[case] rating: Rating,
    #[case] viewer: Viewer,
    #[case] said: Statement,
    #[case] expected: Result<Option<Admitted>, RatingError>,
) {
    assert_eq!(admit(rating, day(), viewer, said), expected);
}

#[test]
fn a_hold_is_refused_what_cannot_be_mended_by_a_word_of_a_guest() {
    assert_eq!(foresee(Rating::From15, day(), Viewer::Guest, SILENT), Ok(()));
    assert_eq!(
        foresee(Rating::From19, day(), Viewer::Guest, CONFIRMED),
        Err(RatingError::SignInNeeded)
    );
    assert!(foresee(Rating::From15, day(), born(2015, 1, 1), SILENT).is_err());
    assert_eq!(foresee(Rating::From15, day(), born(2015, 1, 1), GUARDED), Ok(()));
}

#[test]
fn what_was_said_once_counts_until_the_end() {
    assert_eq!(
        GUARDED.and(CONFIRMED),
        Statement {
            age_confirmed: true,
            guardian_accompanies: true,
            id_checked: false
        }
    );
    assert!(SILENT.and(SILENT).is_silent());
    assert!(!CHECKED.is_silent());
}

#[test]
fn every_refusal_says_which_rule_it_is() {
    let slugs: Vec<_> = RatingError::REFUSALS.iter().map(|(slug, ..)| *slug).collect();
    assert!(slugs.iter().all(|slug| slug.starts_with("rating/")), "{slugs:?}");
    let faults = RatingError::GuardianNeeded {
        years: 15,
        day: day(),
    }
    .faults();
    assert_eq!(faults[0].pointer, "/guardian_accompanies");
}

#[rstest]
#[case(date(2026, 2, 28), 25)]
#[case(date(2026, 3, 1), 26)]
#[case(date(2028, 2, 28), 27)]
#[case(date(2028, 2, 29), 28)]
fn a_leap_day_is_over_on_the_first_of_march(#[case] day: Date, #[case] years: i16) {
    assert_eq!(full_years(date(2000, 2, 29), day), years);
}

/// The day on which somebody is so many years old.
fn birthday(born: Date, years: i16) -> Date {
    Date::new(born.year() + years, born.month(), born.day())
        .unwrap_or_else(|_| date(born.year() + years, 3, 1))
}

fn any_date() -> impl Strategy<Value = Date> {
    (1900_i16..2100, 1_i16..=366).prop_map(|(year, of_year)| {
        let first = date(year, 1, 1);
        let last = first.days_in_year();
        first
            .with()
            .day_of_year(of_year.min(last))
            .build()
            .expect("a day of that year")
    })
}

proptest! {
    #[test]
    fn a_year_is_full_from_the_birthday_on(born in any_date(), years in 0_i16..100) {
        let birthday = birthday(born, years);
        prop_assert_eq!(full_years(born, birthday), years);
        let eve = birthday.yesterday().expect("a day before");
        prop_assert_eq!(full_years(born, eve), years - 1);
    }

    #[test]
    fn nobody_grows_younger(born in any_date(), day in any_date()) {
        let next = day.tomorrow().expect("a day after");
        let step = full_years(born, next) - full_years(born, day);
        prop_assert!((0..=1).contains(&step), "{step}");
    }

    #[test]
    fn whoever_may_see_a_movie_may_see_it_later(born in any_date(), day in any_date(), guarded: bool) {
        let viewer = Viewer::Customer { birth_date: Some(born) };
        let said = Statement { guardian_accompanies: guarded, ..SILENT };
        let next = day.tomorrow().expect("a day after");
        for rating in [Rating::All, Rating::From12, Rating::From15, Rating::From19] {
            if admit(rating, day, viewer, said).is_ok() {
                prop_assert!(admit(rating, next, viewer, said).is_ok());
            }
        }
    }

    #[test]
    fn from_19_only_the_years_count(born in any_date(), day in any_date()) {
        let viewer = Viewer::Customer { birth_date: Some(born) };
        let admitted = admit(Rating::From19, day, viewer, GUARDED).is_ok();
        prop_assert_eq!(admitted, day.year() - born.year() >= 19);
    }
}
