//! A time slot as customers see it, with its state at this moment (DOMAIN C4, C5); never what only staff know of it.

use aggregates::{
    business_day::on_the_wall,
    ids::{AuditoriumId, BranchId, MovieId, ThemeId, TimeSlotId},
    seating::OrphanRule,
    time_slot::Show,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use projections::time_slot_calendar::{Label, Slot, SlotState};
use serde::Serialize;

/// A time slot.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "TimeSlot")]
pub struct TimeSlotView {
    /// Which one.
    id: TimeSlotId,
    /// Where.
    branch: BranchId,
    /// What people call that branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    branch_name: Option<String>,
    /// Which movie, in a cinema.
    #[serde(skip_serializing_if = "Option::is_none")]
    movie: Option<MovieId>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    movie_title: Option<String>,
    /// In which auditorium, in a cinema.
    #[serde(skip_serializing_if = "Option::is_none")]
    auditorium: Option<AuditoriumId>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "9관")]
    auditorium_name: Option<String>,
    /// Which theme, in an escape room.
    #[serde(skip_serializing_if = "Option::is_none")]
    theme: Option<ThemeId>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    theme_name: Option<String>,
    /// The smallest group, in an escape room.
    #[serde(skip_serializing_if = "Option::is_none")]
    party_min: Option<u8>,
    /// The largest group, in an escape room.
    #[serde(skip_serializing_if = "Option::is_none")]
    party_max: Option<u8>,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// The business day it belongs to, in the branch's zone.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// What the wall clock of that day shows at its start; after midnight it goes on: `25:10`.
    #[schema(example = "25:10")]
    starts: String,
    /// And at its end.
    #[schema(example = "27:05")]
    ends: String,
    /// Whether it can be reserved now, and if not, why.
    state: Availability,
    /// Places left.
    remaining: i64,
    /// Places in all.
    capacity: u32,
    /// Seats one customer may take.
    seats_per_customer_max: u8,
    /// Whether a choice of seats may leave a single seat alone, in a cinema: `lenient` if as many beside it would do,
    /// `strict` if as many anywhere would do, it may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    orphan_rule: Option<OrphanRule>,
    /// From when wheelchair and companion places are sold to everyone, in a cinema; before, with the statement that they are
    /// needed only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pool_opens_at: Option<Timestamp>,
    /// From when places can be held.
    #[schema(value_type = String, format = DateTime)]
    sales_open_at: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    sales_close_at: Timestamp,
}

/// Whether a time slot can be reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// Places can be held.
    OnSale,
    /// Sales have not opened.
    NotYetOnSale,
    /// It has begun.
    Started,
    /// Sales are over, staff take no holds for now, or branch or movie do no business then.
    Closed,
    /// No place is left.
    SoldOut,
    /// Off the programme.
    Withdrawn,
}

/// The state of a slot at `now`, the plainest reason first: what has started is not sold out. Nothing is sold where the
/// branch and the movie are not `in_business` then.
pub(super) fn availability(slot: &Slot, now: Timestamp, in_business: bool) -> Availability {
    match slot.state {
        SlotState::Withdrawn => Availability::Withdrawn,
        SlotState::OnSale | SlotState::Closed if now >= slot.plan.starts_at => Availability::Started,
        SlotState::OnSale | SlotState::Closed if now >= slot.plan.sales_close_at => Availability::Closed,
        SlotState::Closed => Availability::Closed,
        SlotState::OnSale if !in_business => Availability::Closed,
        SlotState::OnSale if now < slot.plan.sales_open_at => Availability::NotYetOnSale,
        SlotState::OnSale if slot.remaining() == 0 => Availability::SoldOut,
        SlotState::OnSale => Availability::OnSale,
    }
}

impl TimeSlotView {
    pub(super) fn of(
        slot: &Slot,
        label: Option<&Label>,
        zone: &TimeZone,
        now: Timestamp,
        in_business: bool,
    ) -> Self {
        let plan = &slot.plan;
        let (movie, auditorium, theme, party) = match plan.show {
            Show::Movie {
                movie, auditorium, ..
            } => (Some(movie), Some(auditorium), None, None),
            Show::Theme {
                theme,
                party_min,
                party_max,
            } => (None, None, Some(theme), Some((party_min, party_max))),
        };
        let (date, starts) = on_the_wall(zone, plan.starts_at);
        Self {
            id: slot.time_slot,
            branch: plan.branch,
            branch_name: label.and_then(|label| label.branch.clone()),
            movie,
            movie_title: label.and_then(|label| label.movie.clone()),
            auditorium,
            auditorium_name: label.and_then(|label| label.auditorium.clone()),
            theme,
            theme_name: label.and_then(|label| label.theme.clone()),
            party_min: party.map(|(min, _)| min),
            party_max: party.map(|(_, max)| max),
            starts_at: plan.starts_at,
            ends_at: plan.ends_at,
            date,
            starts: starts.to_string(),
            ends: later_on_the_wall(zone, date, plan.ends_at),
            state: availability(slot, now, in_business),
            remaining: slot.remaining(),
            capacity: plan.show.capacity(),
            seats_per_customer_max: plan.seats_per_customer_max,
            orphan_rule: movie.map(|_| plan.orphan_rule),
            pool_opens_at: movie.map(|_| plan.pool_opens_at()),
            sales_open_at: plan.sales_open_at,
            sales_close_at: plan.sales_close_at,
        }
    }
}

/// What the wall clock shows at `moment`, counted on from midnight of `date`, however late it gets.
fn later_on_the_wall(zone: &TimeZone, date: Date, moment: Timestamp) -> String {
    let clock = zone.to_datetime(moment);
    let days = (clock.date() - date).get_days();
    format!("{:02}:{:02}", i32::from(clock.hour()) + days * 24, clock.minute())
}

#[cfg(test)]
mod tests {
    use aggregates::{ids::PricePolicyId, time_slot::Plan};
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-12-24T{time}:00Z").parse().expect("a moment")
    }

    fn slot(state: SlotState, taken: i64) -> Slot {
        let plan = Plan {
            branch: BranchId::new(Uuid::nil()),
            show: Show::Theme {
                theme: ThemeId::new(Uuid::nil()),
                party_min: 2,
                party_max: 4,
            },
            starts_at: at("16:10"),
            ends_at: at("17:15"),
            sales_open_at: at("08:00"),
            sales_close_at: at("16:00"),
            price_policy: PricePolicyId::new(Uuid::nil()),
            price_version: 1,
            seats_per_customer_max: 1,
            hold_minutes: 10,
            hold_cap_minutes: 20,
            cancel_minutes: 20,
            orphan_rule: OrphanRule::Off,
            pool_minutes: 60,
            cancellation: None,
        };
        Slot {
            time_slot: TimeSlotId::new(Uuid::nil()),
            plan,
            state,
            taken,
            from_position: 1,
        }
    }

    #[rstest]
    #[case::before_sales(SlotState::OnSale, 0, "07:59", Availability::NotYetOnSale)]
    #[case::sales(SlotState::OnSale, 0, "08:00", Availability::OnSale)]
    #[case::no_place_left(SlotState::OnSale, 1, "09:00", Availability::SoldOut)]
    #[case::sales_over(SlotState::OnSale, 0, "16:00", Availability::Closed)]
    #[case::started_is_not_sold_out(SlotState::OnSale, 1, "16:10", Availability::Started)]
    #[case::closed_by_staff(SlotState::Closed, 1, "09:00", Availability::Closed)]
    #[case::closed_and_started(SlotState::Closed, 0, "16:10", Availability::Started)]
    #[case::withdrawn(SlotState::Withdrawn, 1, "18:00", Availability::Withdrawn)]
    fn the_plainest_reason_is_shown(
        #[case] state: SlotState,
        #[case] taken: i64,
        #[case] now: &str,
        #[case] shown: Availability,
    ) {
        assert_eq!(availability(&slot(state, taken), at(now), true), shown);
    }

    #[rstest]
    #[case::places_left(SlotState::OnSale, 0, "09:00", Availability::Closed)]
    #[case::no_place_left(SlotState::OnSale, 1, "09:00", Availability::Closed)]
    #[case::before_sales(SlotState::OnSale, 0, "07:00", Availability::Closed)]
    #[case::started(SlotState::OnSale, 0, "16:10", Availability::Started)]
    #[case::withdrawn(SlotState::Withdrawn, 0, "09:00", Availability::Withdrawn)]
    fn out_of_business_nothing_is_on_sale(
        #[case] state: SlotState,
        #[case] taken: i64,
        #[case] now: &str,
        #[case] shown: Availability,
    ) {
        assert_eq!(availability(&slot(state, taken), at(now), false), shown);
    }

    #[test]
    fn after_midnight_the_wall_clock_of_the_business_day_goes_on() {
        let zone = TimeZone::get("Asia/Seoul").expect("a bundled zone");
        let view = TimeSlotView::of(&slot(SlotState::OnSale, 0), None, &zone, at("09:00"), true);
        assert_eq!(
            (view.date.to_string().as_str(), &*view.starts, &*view.ends),
            ("2026-12-24", "25:10", "26:15")
        );
    }
}
