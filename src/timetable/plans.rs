//! What a weekly timetable means for one business day: a plan for each slot, as far as it can be sold; never whether it is
//! made.

use aggregates::{
    auditorium::{Auditorium, Hall},
    business_day::{Weekday, moment},
    ids::{BranchId, PricePolicyId, ThemeId},
    movie::Movie,
    price_policy::PricePolicy,
    pricing::Tariff,
    seating::OrphanRule,
    theme::{SalesOpening, Theme},
    time_slot::{
        CANCEL_MINUTES_DEFAULT, HOLD_CAP_MINUTES_DEFAULT, HOLD_MINUTES_DEFAULT, POOL_MINUTES_DEFAULT, Plan,
        SEATS_PER_CUSTOMER_DEFAULT, Show,
    },
    values::WallTime,
};
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};

use super::{Screenings, Shows, Timetable};
use crate::store::{StoreError, UnitOfWork};

/// Days before the business day on which sales of a screening open, as its day appears (DOMAIN C5).
const SCREENING_DAYS_AHEAD: u16 = 6;

impl Timetable {
    /// What is planned for one business day, as far as it can be sold: shown, priced, and with seats.
    pub(super) async fn plans(
        &self,
        work: &mut UnitOfWork,
        zone: &TimeZone,
        date: Date,
    ) -> Result<Vec<Plan>, StoreError> {
        match &self.shows {
            Shows::Screenings(shown) => self.screenings(work, zone, date, shown).await,
            Shows::Sessions(theme) => self.sessions(work, zone, date, *theme).await,
        }
    }

    async fn screenings(
        &self,
        work: &mut UnitOfWork,
        zone: &TimeZone,
        date: Date,
        shown: &Screenings,
    ) -> Result<Vec<Plan>, StoreError> {
        let policy = work.load::<PricePolicy>(&shown.price_policy).await?;
        let priced = policy
            .in_effect(date)
            .map(|(version, tariff)| (version, &**tariff));
        let Some((price_version, Tariff::Screening(_))) = priced else {
            return Ok(Vec::new());
        };
        let built = work.load::<Auditorium>(&shown.auditorium).await?.built().ok();
        let Some((layout_version, layout)) = built.and_then(Hall::latest_layout) else {
            return Ok(Vec::new());
        };
        let capacity = u32::try_from(layout.capacity()).unwrap_or(u32::MAX);
        let day = Day {
            branch: self.branch,
            zone,
            date,
            opens: SalesOpening {
                days_ahead: SCREENING_DAYS_AHEAD,
                time: WallTime::START,
            },
            price: (shown.price_policy, price_version),
        };
        let mut plans = Vec::new();
        let today = Weekday::of(date);
        for screening in shown.screenings.iter().filter(|one| one.days.contains(&today)) {
            let Ok(film) = work.load::<Movie>(&screening.movie).await?.film() else {
                continue;
            };
            let show = Show::Movie {
                movie: screening.movie,
                auditorium: shown.auditorium,
                layout_version,
                capacity,
            };
            let plan = day.plan(screening.starts, film.running_time_minutes, show);
            plans.extend(plan.map(|plan| Plan {
                cancel_minutes: shown.cancel_minutes,
                orphan_rule: shown.seating.orphan_rule,
                pool_minutes: shown.seating.pool_minutes,
                ..plan
            }));
        }
        Ok(plans)
    }

    async fn sessions(
        &self,
        work: &mut UnitOfWork,
        zone: &TimeZone,
        date: Date,
        theme: ThemeId,
    ) -> Result<Vec<Plan>, StoreError> {
        let Ok(game) = work.load::<Theme>(&theme).await?.active().cloned() else {
            return Ok(Vec::new());
        };
        let policy = work.load::<PricePolicy>(&game.price_policy).await?;
        let priced = policy
            .in_effect(date)
            .map(|(version, tariff)| (version, &**tariff));
        let Some((price_version, Tariff::Session(_))) = priced else {
            return Ok(Vec::new());
        };
        let day = Day {
            branch: self.branch,
            zone,
            date,
            opens: game.opens,
            price: (game.price_policy, price_version),
        };
        let show = || Show::Theme {
            theme,
            party_min: game.party.min,
            party_max: game.party.max,
        };
        let starts = game.slots.starts_on(Weekday::of(date));
        let plans = starts.filter_map(|start| day.plan(start, game.duration_minutes, show()));
        Ok(plans
            .map(|plan| Plan {
                seats_per_customer_max: 1,
                ..plan
            })
            .collect())
    }
}

/// What the slots of one place on one business day have in common.
struct Day<'a> {
    branch: BranchId,
    zone: &'a TimeZone,
    date: Date,
    opens: SalesOpening,
    price: (PricePolicyId, u32),
}

impl Day<'_> {
    /// A slot that starts at this time on the wall; none, if the calendar has no such moment.
    fn plan(&self, start: WallTime, minutes: u16, show: Show) -> Option<Plan> {
        let starts_at = moment(self.zone, self.date, start).ok()?;
        Some(Plan {
            branch: self.branch,
            show,
            starts_at,
            ends_at: starts_at + i64::from(minutes).minutes(),
            sales_open_at: self.opens.moment(self.zone, self.date).ok()?,
            sales_close_at: starts_at,
            price_policy: self.price.0,
            price_version: self.price.1,
            seats_per_customer_max: SEATS_PER_CUSTOMER_DEFAULT,
            hold_minutes: HOLD_MINUTES_DEFAULT,
            hold_cap_minutes: HOLD_CAP_MINUTES_DEFAULT,
            cancel_minutes: CANCEL_MINUTES_DEFAULT,
            orphan_rule: OrphanRule::Off,
            pool_minutes: POOL_MINUTES_DEFAULT,
            cancellation: None,
        })
    }
}
