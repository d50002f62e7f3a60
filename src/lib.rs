//! Jari: a booking engine whose database is its history. The server's library; never holds a business rule.

pub mod admin_commands;
pub mod administration;
pub mod audit;
pub mod booking;
pub mod cli;
pub mod config;
pub mod customers;
pub mod http;
pub mod import;
mod korean;
pub mod language;
pub mod migrate;
pub mod moments;
pub mod notify;
mod numbers;
pub mod oidc;
pub mod outbound;
pub mod payments;
pub mod people;
pub mod policies;
pub mod postgres;
pub mod programme;
pub mod rights;
pub mod server;
pub mod shutdown;
pub mod simulation;
pub mod store;
pub mod telemetry;
pub mod ticket;
pub mod timetable;
pub mod vault;
pub mod verify;

/// Far fewer instructions for the many small values of events than the system's allocator, and less memory held.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
