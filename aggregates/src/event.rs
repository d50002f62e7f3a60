//! The list of all events: every stored event becomes one of these; never holds a rule.

use std::error::Error;

use serde::Serialize;

use crate::{
    StoredEvent, StreamId, admin::AdminEvent, allowance::AllowanceEvent, auditorium::AuditoriumEvent,
    branch::BranchEvent, cancellation_policy::CancellationPolicyEvent, claim::ClaimEvent,
    coupon::CouponEvent, customer::CustomerEvent, deposit::DepositEvent, movie::MovieEvent,
    patron::PatronEvent, personal::Sealable, price_policy::PricePolicyEvent, reservation::ReservationEvent,
    role::RoleEvent, schedule::ScheduleEvent, seat::SeatEvent, theme::ThemeEvent, time_slot::TimeSlotEvent,
    waitlist::WaitlistEvent,
};

/// The version every event is written in today; an older one passes an upcaster when it is read.
pub const VERSION: &str = "1.0";

/// Why a stored event cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the stored {kind} event cannot be read: {source}")]
pub struct Unreadable {
    kind: String,
    source: Box<dyn Error + Send + Sync>,
}

macro_rules! events {
    ($($aggregate:ident($event:ty) = $type:literal),+ $(,)?) => {
        /// Any event of any aggregate.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Event {
            $(#[doc = concat!("An event of a `", $type, "` stream.")] $aggregate($event),)+
            /// An event of a stream that is not Jari's: kept and counted, never interpreted.
            Foreign,
        }

        impl Event {
            /// Reads a stored payload of a stream of `kind`; a kind that is not ours is [`Event::Foreign`].
            pub fn read(kind: &str, payload: &str) -> Result<Self, Unreadable> {
                match kind {
                    $($type => serde_json::from_str(payload).map(Self::$aggregate).map_err(|source| Unreadable {
                        kind: kind.to_owned(),
                        source: source.into(),
                    }),)+
                    _ => Ok(Self::Foreign),
                }
            }

            /// The stored name, for example `SeatHeld`.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$aggregate(event) => event.name(),)+
                    Self::Foreign => "Foreign",
                }
            }

            /// The personal values inside (see [`StoredEvent::personal`]).
            pub fn personal(&mut self) -> Vec<&mut dyn Sealable> {
                match self {
                    $(Self::$aggregate(event) => event.personal(),)+
                    Self::Foreign => Vec::new(),
                }
            }

            /// Whose key seals them, if it is not that of its own stream (see [`StoredEvent::person`]).
            #[must_use]
            pub fn person(&self) -> Option<StreamId> {
                match self {
                    $(Self::$aggregate(event) => event.person(),)+
                    Self::Foreign => None,
                }
            }
        }

        /// The stored types of all aggregates.
        pub const KINDS: &[&str] = &[$($type),+];

        /// The stored names of all events, by stored type.
        pub const NAMES: &[(&str, &[&str])] = &[$(($type, <$event>::NAMES)),+];
    };
}

events! {
    Seat(SeatEvent) = "seat",
    TimeSlot(TimeSlotEvent) = "time_slot",
    Reservation(ReservationEvent) = "reservation",
    Coupon(CouponEvent) = "coupon",
    Schedule(ScheduleEvent) = "schedule",
    Branch(BranchEvent) = "branch",
    Auditorium(AuditoriumEvent) = "auditorium",
    Movie(MovieEvent) = "movie",
    Theme(ThemeEvent) = "theme",
    PricePolicy(PricePolicyEvent) = "price_policy",
    Claim(ClaimEvent) = "claim",
    Role(RoleEvent) = "role",
    Admin(AdminEvent) = "admin",
    Customer(CustomerEvent) = "customer",
    Waitlist(WaitlistEvent) = "waitlist",
    Allowance(AllowanceEvent) = "allowance",
    Patron(PatronEvent) = "patron",
    CancellationPolicy(CancellationPolicyEvent) = "cancellation_policy",
    Deposit(DepositEvent) = "deposit",
}
