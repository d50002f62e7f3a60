//! What can be asked: read models folded from the log; never decides, never writes the log.
//!
//! A read model is one file: its key, its fold, its table and its queries. Live feed, rebuild and comparison use the same
//! key and fold. A new one is its file, a line in [`for_each_model`], a migration and a route.

pub mod audit_trail;
pub mod catalogue;
pub mod coupon_list;
pub mod customer_directory;
pub mod daily_numbers;
pub mod deposit_list;
pub mod folding;
pub mod model;
pub mod moments;
pub mod open_arrivals;
pub mod open_holds;
pub mod reservation_list;
pub mod reservation_money;
pub mod seat_map;
pub mod time_slot_calendar;
pub mod tuples;
pub mod waitlist_queue;
mod words;

pub use model::{Former, Loaded, Put, ReadModel, Version};

/// Calls a macro with every read model: the one list there is.
#[macro_export]
macro_rules! for_each_model {
    ($use:ident) => {
        $use! {
            $crate::seat_map::SeatMap,
            $crate::time_slot_calendar::TimeSlotCalendar,
            $crate::reservation_list::ReservationList,
            $crate::coupon_list::CouponList,
            $crate::catalogue::Catalogue,
            $crate::open_holds::OpenHolds,
            $crate::waitlist_queue::WaitlistQueue,
            $crate::open_arrivals::OpenArrivals,
            $crate::reservation_money::ReservationMoney,
            $crate::deposit_list::DepositList,
            $crate::audit_trail::AuditTrail,
            $crate::daily_numbers::DailyNumbers,
            $crate::customer_directory::CustomerDirectory,
        }
    };
}

/// The names of all read models.
pub const NAMES: &[&str] = {
    macro_rules! names {
        ($($model:ty),+ $(,)?) => { &[$(<$model as ReadModel>::NAME),+] };
    }
    for_each_model!(names)
};
