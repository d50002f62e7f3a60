//! Many customers want the same at the same moment: one gets it, and everyone is told the truth; against the real server.

mod coupons;
mod field;
mod keys;
mod money;
mod names;
mod nonsense;
mod orphans;
mod reschedule;
mod seats;
mod time;
mod waitlist;
