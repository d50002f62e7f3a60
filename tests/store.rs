//! The log: what is appended, what is refused, what is read. Never a rule of the business.

mod failures;
mod feed;
mod guards;
mod harness;
mod interop;
mod memory;
mod numbers;
mod races;
mod sealing;
mod units;
