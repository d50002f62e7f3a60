//! Anything may die at any moment: nothing acknowledged is lost, nothing is half done, nothing needs a restart by hand.

mod database;
mod server;
