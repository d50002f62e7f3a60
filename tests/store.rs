//! The log: what is appended, what is refused, what is read. Never a rule of the business.

mod guards;
mod harness;
mod races;
mod units;
