//! Read models: folded exactly once, built anew, proved. Never a rule of the business.

mod as_of;
mod building;
mod counting;
mod filters;
mod following;
mod models;
mod parking;
mod proving;
mod random;
pub(crate) mod sales;
pub(crate) mod waiting;
