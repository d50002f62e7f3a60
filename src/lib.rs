//! Jari: a booking engine whose database is its history. The server's library; never holds a business rule.

pub mod booking;
pub mod postgres;
pub mod store;
pub mod vault;
