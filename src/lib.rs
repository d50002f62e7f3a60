//! Jari: a booking engine whose database is its history. The server's library; never holds a business rule.

pub mod administration;
pub mod booking;
pub mod import;
pub mod policies;
pub mod postgres;
pub mod programme;
pub mod store;
pub mod vault;
