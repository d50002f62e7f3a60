//! What may happen: the rules of Jari, pure and synchronous; never touches a clock, a network or a file.
//!
//! One file per aggregate, read top to bottom: state diagram, command, event, error, state, `decide`, `apply`.
//! A new aggregate is its file, a line in [`event`]'s list and a `pub mod` here.

pub mod admin;
pub mod administered;
pub mod allowance;
pub mod attendance;
pub mod auditorium;
pub mod branch;
pub mod business_day;
pub mod cancellation;
pub mod cancellation_policy;
pub mod claim;
pub mod coupon;
pub mod customer;
pub mod decider;
pub mod deposit;
pub mod event;
pub mod fault;
pub mod identity;
pub mod ids;
pub mod language;
pub mod layout;
pub mod movie;
pub mod patron;
pub mod payment_rules;
pub mod personal;
pub mod price_policy;
pub mod pricing;
pub mod ratings;
pub mod recorded;
pub mod refusal;
pub mod reservation;
pub mod rights;
pub mod role;
pub mod schedule;
pub mod seat;
pub mod seating;
pub mod theme;
pub mod time_slot;
pub mod values;
pub mod waitlist;

pub use cqrs_es::Aggregate;
pub use decider::{Decider, Now, StoredEvent};
pub use event::Event;
pub use recorded::{Metadata, Recorded, StreamId};
