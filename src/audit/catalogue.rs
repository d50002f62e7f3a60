//! Sentences about what there is: branches, auditoriums, movies, themes, prices, days, names; never what is sold.

use aggregates::{
    auditorium::AuditoriumEvent,
    branch::BranchEvent,
    claim::ClaimEvent,
    movie::{MovieEvent, Rating},
    price_policy::PricePolicyEvent,
    schedule::ScheduleEvent,
    theme::ThemeEvent,
};

use super::sentence::because;

pub(super) fn branch(event: &BranchEvent) -> String {
    match event {
        BranchEvent::Opened(premises) => format!("the branch {} was opened", premises.name),
        BranchEvent::Renamed { name } => format!("the branch was renamed to {name}"),
        BranchEvent::Relocated { address, .. } => format!("the branch moved to {address}"),
        BranchEvent::Depicted { .. } => "the branch's picture was changed".to_owned(),
        BranchEvent::AccountsListed { accounts } => format!("{} bank accounts were listed", accounts.len()),
        BranchEvent::Announced { notices, .. } => {
            format!("the welcome and {} notices were announced", notices.len())
        }
        BranchEvent::ClosedOn { date, reason } => {
            format!("the branch was closed on {date}{}", because(reason.as_ref()))
        }
        BranchEvent::ReopenedOn { date } => format!("the branch was reopened on {date}"),
        BranchEvent::AttendanceRegulated(rules) => format!(
            "check-in was set to begin {} minutes before the start; who misses {} reservations within {} days is barred \
             for {} days",
            rules.check_in_minutes, rules.no_shows, rules.within_days, rules.barred_days
        ),
        BranchEvent::PaymentRegulated(rules) => format!(
            "time to pay was set to {} minutes, or {} hours for what is more than {} hours ahead; freed places are offered \
             for {} minutes, and other slots for late money for {} hours",
            rules.pay_minutes_near,
            rules.pay_hours_far,
            rules.far_hours,
            rules.offer_minutes,
            rules.late_offer_hours
        ),
        BranchEvent::Closed { reason } => {
            format!("the branch was closed for good{}", because(reason.as_ref()))
        }
    }
}

pub(super) fn auditorium(event: &AuditoriumEvent) -> String {
    let hall = |hall: &Option<aggregates::values::Name>| {
        hall.as_ref()
            .map_or_else(|| "no special kind".to_owned(), |hall| format!("kind {hall}"))
    };
    match event {
        AuditoriumEvent::Built { branch, name, .. } => {
            format!("the auditorium {name} of branch {branch} was built")
        }
        AuditoriumEvent::Renamed { name } => format!("the auditorium was renamed to {name}"),
        AuditoriumEvent::Classified { hall: kind } => {
            format!("the auditorium was classified as {}", hall(kind))
        }
        AuditoriumEvent::CleaningAllowed { cleaning_minutes } => {
            format!("{cleaning_minutes} minutes were allowed for cleaning")
        }
        AuditoriumEvent::LayoutDrawn { version, layout } => {
            format!(
                "layout version {version} was drawn with {} seats",
                layout.capacity()
            )
        }
    }
}

pub(super) fn movie(event: &MovieEvent) -> String {
    match event {
        MovieEvent::Announced(film) => format!("the movie {} was announced", film.title),
        MovieEvent::Retitled { title } => format!("the movie was retitled to {title}"),
        MovieEvent::Described { .. } => "the movie's description was changed".to_owned(),
        MovieEvent::Recut { running_time_minutes } => {
            format!("the movie was recut to {running_time_minutes} minutes")
        }
        MovieEvent::Rated { rating } => format!("the movie was rated {}", rated(*rating)),
        MovieEvent::Withdrawn => "the movie was withdrawn".to_owned(),
    }
}

const fn rated(rating: Rating) -> &'static str {
    match rating {
        Rating::All => "for everyone",
        Rating::From12 => "from 12",
        Rating::From15 => "from 15",
        Rating::From19 => "from 19",
    }
}

pub(super) fn theme(event: &ThemeEvent) -> String {
    match event {
        ThemeEvent::Introduced(game) => {
            format!("the theme {} of branch {} was introduced", game.name, game.branch)
        }
        ThemeEvent::Renamed { name } => format!("the theme was renamed to {name}"),
        ThemeEvent::Repriced { price_policy } => {
            format!("the theme was moved to price policy {price_policy}")
        }
        ThemeEvent::Regrouped { party } => format!(
            "the theme's group size was changed to {} to {} people",
            party.min, party.max
        ),
        ThemeEvent::Retimed { duration_minutes, .. } => {
            format!("the theme's timetable was changed, {duration_minutes} minutes a slot")
        }
        ThemeEvent::OpeningMoved { .. } => "the opening of the theme's sales was moved".to_owned(),
        ThemeEvent::Activated => "the theme was activated".to_owned(),
        ThemeEvent::Deactivated => "the theme was deactivated".to_owned(),
    }
}

pub(super) fn price_policy(event: &PricePolicyEvent) -> String {
    match event {
        PricePolicyEvent::Adopted { name, .. } => format!("the price policy {name} was adopted"),
        PricePolicyEvent::Renamed { name } => format!("the price policy was renamed to {name}"),
        PricePolicyEvent::Revised {
            version,
            effective_from,
            ..
        } => {
            let from = effective_from.map_or_else(String::new, |date| format!(", in effect from {date}"));
            format!("the price policy was revised to version {version}{from}")
        }
    }
}

pub(super) fn schedule(event: &ScheduleEvent) -> String {
    match event {
        ScheduleEvent::Entered {
            time_slot,
            starts_at,
            ends_at,
        } => {
            format!("time slot {time_slot} was entered from {starts_at} to {ends_at}")
        }
        ScheduleEvent::Left { time_slot } => format!("time slot {time_slot} was taken off the day"),
    }
}

pub(super) fn claim(id: &str, event: &ClaimEvent) -> String {
    match event {
        ClaimEvent::Taken { by } => format!("the name {id} was taken by {by}"),
        ClaimEvent::GivenBack { by } => format!("the name {id} was given back by {by}"),
    }
}
