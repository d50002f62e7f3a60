//! The HTTP interface as callers meet it: whole conversations with a real server on a real database, kept as goldens.

mod admin;
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
mod lists;
mod live;
mod named;
mod people;
mod problems;
mod rights;
mod said;
mod seating;
mod shop;
