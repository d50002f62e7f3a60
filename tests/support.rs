//! What stories share: a database. Never a rule of the business.

pub mod database;
