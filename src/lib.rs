//! Jari: a booking engine whose database is its history. The server's library; never holds a business rule.

pub mod audit;
pub mod booking;
pub mod config;
pub mod http;
pub mod postgres;
pub mod shutdown;
pub mod store;
pub mod telemetry;
pub mod vault;
