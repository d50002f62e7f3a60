//! The HTTP interface as callers meet it: whole conversations with a real server on a real database, kept as goldens.

mod admin;
mod attendance;
mod audit;
mod bad_input;
mod business;
mod contract;
mod conversation;
mod customers;
mod document;
mod edges;
mod field;
mod journey;
mod keys;
mod live;
mod messages;
mod named;
mod no_shows;
mod people;
mod problems;
mod reschedule;
mod rights;
mod said;
mod seating;
mod shop;
