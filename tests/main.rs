//! The one test crate: a file for each story. Never a second one, which would be linked again.

#![cfg(test)]

mod architecture;
mod bookings;
mod command_line;
mod http;
mod import;
mod kills;
mod launcher;
mod model;
mod notifications;
mod openings;
mod policies;
mod projections;
mod races;
mod schema;
mod store;
mod stored_events;
mod support;
