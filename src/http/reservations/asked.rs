//! Which reservations staff ask for, in a query or a body: the same filters for the list, its file and the search;
//! never answers them.

use aggregates::{
    ids::{BranchId, CustomerId, MovieId, ReservationId, ThemeId, TimeSlotId},
    reservation::PaymentChoice,
    rights::Permission,
    values::{CouponCode, Name},
};
use projections::reservation_list::{Entry, Filter, Order, PaymentKind, Place, Sort, Stage};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        access::Admin,
        lists::{self, Cursor, Direction, Wrong, business_day},
        params::{Day, Moment},
        problem::Problem,
    },
    search::PhonePart,
};

/// By what reservations are sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// By number: in the order in which they were begun.
    #[default]
    Number,
    /// By when the slot begins.
    StartsAt,
    /// By when they were placed; those that never were are left out.
    PlacedAt,
}

/// The order that is asked for.
pub fn order(sort: Option<SortBy>, direction: Option<Direction>) -> Order {
    Order {
        sort: match sort.unwrap_or_default() {
            SortBy::Number => Sort::Number,
            SortBy::StartsAt => Sort::StartsAt,
            SortBy::PlacedAt => Sort::PlacedAt,
        },
        descending: direction.unwrap_or_default() == Direction::Desc,
    }
}

/// The cursor of an entry's place.
pub fn cursor(entry: &Entry, order: Order) -> Cursor<ReservationId> {
    let Place { key, reservation } = Place::of(entry, order);
    (order.sort.as_str().to_owned(), order.descending, key, reservation)
}

/// The place a cursor points behind, if it is one of this order.
pub fn behind(cursor: Option<&str>, order: Order) -> Result<Option<Place>, Problem> {
    let place = lists::behind(cursor, order.sort.as_str(), order.descending)?;
    Ok(place.map(|(key, reservation)| Place { key, reservation }))
}

/// Every filter there is.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    pub time_slot: Option<TimeSlotId>,
    pub branch: Option<BranchId>,
    pub movie: Option<MovieId>,
    pub theme: Option<ThemeId>,
    pub day: Option<Day>,
    pub from: Option<Moment>,
    pub before: Option<Moment>,
    pub state: Option<String>,
    pub paid: Option<bool>,
    pub payment: Option<PaymentChoice>,
    pub coupon: Option<CouponCode>,
    pub customer: Option<CustomerId>,
    pub number: Option<ReservationId>,
    pub short_code: Option<String>,
    pub phone: Option<PhonePart>,
    pub name: Option<Name>,
}

impl Terms {
    /// The filter of the read model, limited to what the reader may see; what makes no sense is noted.
    pub async fn filter(self, app: &App, admin: &Admin, wrong: &mut Wrong) -> Result<Filter, Problem> {
        let words = self.state.as_deref().unwrap_or_default().split(',');
        let stages = words.filter(|word| !word.is_empty()).map(str::parse::<Stage>);
        let stages = wrong.read("state", stages.collect::<Result<Vec<_>, _>>());
        let mut starts_from = self.from.map(|Moment(from)| from);
        let mut starts_before = self.before.map(|Moment(before)| before);
        match (self.day, self.branch) {
            (None, _) => {}
            (Some(_), None) => wrong.note("day", "needs branch, whose day it is"),
            (Some(_), Some(_)) if starts_from.is_some() || starts_before.is_some() => {
                wrong.note("day", "cannot be combined with from or before");
            }
            (Some(Day(day)), Some(branch)) => {
                let day = business_day(&app.zone(branch).await?, day);
                (starts_from, starts_before) = wrong.read("day", day).unzip();
            }
        }
        Ok(Filter {
            time_slot: self.time_slot,
            branch: self.branch,
            customer: self.customer,
            branches: admin.sees(Permission::SeeReservations),
            movie: self.movie,
            theme: self.theme,
            starts_from,
            starts_before,
            stages: stages.unwrap_or_default(),
            paid: self.paid,
            short_code: self.short_code,
            number: self.number,
            coupon: self.coupon.map(|code| code.to_string()),
            payment: self.payment.map(|payment| match payment {
                PaymentChoice::BankTransfer => PaymentKind::BankTransfer,
                PaymentChoice::OnSite => PaymentKind::OnSite,
                PaymentChoice::Provider => PaymentKind::Provider,
            }),
            phone: self.phone.map(PhonePart::digits),
            name: self.name.map(|name| name.to_string()),
        })
    }
}

/// A query with every filter that may stand in an address, and what this list takes besides.
macro_rules! asked {
    ($(#[$meta:meta])* $which:ident { $($(#[$more_meta:meta])* $more:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub struct $which {
            /// For this slot.
            time_slot: Option<aggregates::ids::TimeSlotId>,
            /// At this branch.
            branch: Option<aggregates::ids::BranchId>,
            /// For this movie.
            movie: Option<aggregates::ids::MovieId>,
            /// For this theme.
            theme: Option<aggregates::ids::ThemeId>,
            /// For slots of this business day of `branch`, 05:00 to 29:00 in its zone.
            #[param(value_type = Option<String>, format = Date, example = "2026-12-24")]
            day: Option<crate::http::params::Day>,
            /// For slots that begin at this moment or later.
            #[param(value_type = Option<String>, format = DateTime)]
            from: Option<crate::http::params::Moment>,
            /// For slots that begin before this moment.
            #[param(value_type = Option<String>, format = DateTime)]
            before: Option<crate::http::params::Moment>,
            /// In these states, separated by commas: `held`, `placed`, `attended` …
            state: Option<String>,
            /// Paid; or placed and not paid.
            paid: Option<bool>,
            /// To be paid in this way.
            payment: Option<aggregates::reservation::PaymentChoice>,
            /// With this coupon redeemed.
            #[param(value_type = Option<String>)]
            coupon: Option<aggregates::values::CouponCode>,
            /// Held or placed by this customer while signed in.
            customer: Option<aggregates::ids::CustomerId>,
            /// With this number.
            number: Option<aggregates::ids::ReservationId>,
            /// With this short code.
            short_code: Option<String>,
            /// By what they are sorted; by number unless asked otherwise.
            sort: Option<super::asked::SortBy>,
            /// In which direction; the greatest first unless asked otherwise.
            order: Option<crate::http::lists::Direction>,
            /// As they were right after this log position. Names and phones are those of today.
            position: Option<i64>,
            /// As they were at this moment.
            #[param(value_type = Option<String>, format = DateTime)]
            at: Option<crate::http::params::Moment>,
            /// Wait until the list is as new as this log position.
            min_position: Option<i64>,
            $($(#[$more_meta])* $more: $type,)+
        }

        impl $which {
            fn terms(&self) -> super::asked::Terms {
                super::asked::Terms {
                    time_slot: self.time_slot,
                    branch: self.branch,
                    movie: self.movie,
                    theme: self.theme,
                    day: self.day,
                    from: self.from,
                    before: self.before,
                    state: self.state.clone(),
                    paid: self.paid,
                    payment: self.payment,
                    coupon: self.coupon.clone(),
                    customer: self.customer,
                    number: self.number,
                    short_code: self.short_code.clone(),
                    phone: None,
                    name: None,
                }
            }

            fn as_of(&self) -> crate::http::time_slots::AsOf {
                crate::http::time_slots::AsOf {
                    position: self.position,
                    at: self.at,
                    min_position: self.min_position,
                }
            }
        }
    };
}
pub(super) use asked;
