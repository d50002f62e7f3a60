//! The business against a simple model of it: random commands of every kind, each answered as the model says.
//!
//! The model is written from DOMAIN, shares no code with the rules, and says of every command whether it is accepted and, if
//! not, by which refusal. The campaign plays through the same units of work as the server, on the log in memory; a part of
//! it on PostgreSQL, where no time passes. `JARI_CAMPAIGN=full` plays all of it, and a number in its place so many sequences.

mod ask;
mod business;
mod draw;
mod player;
mod reservation;
mod sequences;
