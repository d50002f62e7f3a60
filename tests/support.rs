//! What stories share: a database, a server, clients and what they remember. Never a rule of the business.

pub mod api;
pub mod database;
pub mod goldens;
pub mod house;
pub mod journal;
pub mod load;
pub mod log;
pub mod owing;
pub mod process;
pub mod provider;
pub mod shop;
pub mod staff;
pub mod standstill;
pub mod waiting;
