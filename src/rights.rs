//! What each command in the log asks of whoever sends it, by the name that the log has for it. Never a route: one may move,
//! and what was done is judged by the same line as before.
//!
//! What the shipped roles grant stands in `aggregates::rights`; which route is which command, at the edge.

use std::{collections::HashMap, sync::LazyLock};

use aggregates::{
    admin::Admin,
    administered::Administered,
    auditorium::Auditorium,
    branch::Branch,
    cancellation_policy::CancellationPolicy,
    coupon::Coupon,
    movie::Movie,
    price_policy::PricePolicy,
    rights::Permission::{
        self, ChangeAdmins, ChangeBranches, ChangeCoupons, ChangeReservations, ChangeSlots, SeeAdmins,
    },
    role::Role,
    theme::Theme,
    time_slot::TimeSlot,
};
use serde_json::json;

use Needs::{Anyone, Customer, Holder, OwnSession, Staff};
use Where::{AllBranches, Body, Reservation, Slot, Stream, Ticket};

use crate::admin_commands::for_each_administered;

/// What a command or a question asks of whoever sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Anyone,
    /// Nothing from this machine itself; from elsewhere an admin with this permission somewhere.
    Local(Permission),
    /// The reservation's secret, the session of its customer, or an admin with this permission at its branch.
    Holder(Permission),
    /// An admin with this permission where it counts.
    Staff(Permission, Where),
    /// The session of any admin.
    OwnSession,
    /// The session of a customer, who meets only what is theirs.
    Customer,
}

/// Where a permission counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// It concerns all branches.
    AllBranches,
    /// The list shows only what is of one's own branches.
    Listed,
    /// At the branch that the query names.
    Asked,
    /// Each of many things counts at its own branch, and is answered for itself.
    Each,
    /// At the branch of the time slot in the path.
    Slot,
    /// At the branch of the reservation in the path.
    Reservation,
    /// At the branch that the stream belongs to which the path names or the command begins; everywhere, if to none.
    Stream,
    /// The same for who only looks: what belongs to no branch is seen from each.
    Seen,
    /// At the branch that the body names; everywhere, if it names none.
    Body,
    /// At the branch of the ticket in the body; one of another branch is refused as that.
    Ticket,
}

/// What has a route of its own. A name stays for good, also when nothing is called so any more: the log has it.
const COMMANDS: &[(&str, Needs)] = &[
    ("reservations/hold", Anyone),
    ("reservations/extend", Holder(ChangeReservations)),
    ("reservations/release", Holder(ChangeReservations)),
    ("reservations/revive", Holder(ChangeReservations)),
    ("reservations/change", Holder(ChangeReservations)),
    ("reservations/place", Holder(ChangeReservations)),
    ("reservations/cancel", Holder(ChangeReservations)),
    ("reservations/reschedule", Holder(ChangeReservations)),
    ("reservations/accept-offer", Holder(ChangeReservations)),
    ("reservations/decline-offer", Holder(ChangeReservations)),
    ("reservations/mark-paid", Staff(ChangeReservations, Reservation)),
    ("reservations/refund", Staff(ChangeReservations, Reservation)),
    (
        "reservations/mark-notified",
        Staff(ChangeReservations, Reservation),
    ),
    ("reservations/check-in", Staff(ChangeReservations, Reservation)),
    (
        "reservations/mark-no-show",
        Staff(ChangeReservations, Reservation),
    ),
    ("time-slots/waitlist", Anyone),
    ("waitlist-entries/accept", Holder(ChangeReservations)),
    ("waitlist-entries/decline", Holder(ChangeReservations)),
    ("waitlist-entries/leave", Holder(ChangeReservations)),
    (
        "reservations/undo-check-in",
        Staff(ChangeReservations, Reservation),
    ),
    ("reservations/lift-bar", Staff(ChangeReservations, Reservation)),
    ("check-ins/scan", Staff(ChangeReservations, Ticket)),
    ("check-ins/batch", Staff(ChangeReservations, Ticket)),
    ("deposits/record", Staff(ChangeReservations, Body)),
    ("deposits/match", Staff(ChangeReservations, Stream)),
    ("deposits/return", Staff(ChangeReservations, Stream)),
    ("payments/webhook", Anyone),
    ("customers/sign-up", Anyone),
    ("customers/join", Anyone),
    ("customer/link-google", Customer),
    ("customer/describe", Customer),
    ("customer/complete", Customer),
    ("customer/change-email", Customer),
    ("customer/change-password", Customer),
    ("customer/leave", Customer),
    ("seats/block", Staff(ChangeSlots, Slot)),
    ("seats/unblock", Staff(ChangeSlots, Slot)),
    ("coupons/bulk", Staff(ChangeCoupons, Body)),
    ("coupon-batches/revoke", Staff(ChangeCoupons, Stream)),
    ("schedules/batch", Staff(ChangeSlots, Body)),
    // It also asks for ChangeReservations, which everybody has who comes with this one.
    ("closing-days/carry-out", Staff(ChangeBranches, Body)),
    ("admin/change-password", OwnSession),
    ("admins/give-password", Staff(ChangeAdmins, AllBranches)),
];

/// What each command asks for: those with a route of their own, and those of every administered aggregate.
#[must_use]
pub fn commands() -> &'static HashMap<String, Needs> {
    static ALL: LazyLock<HashMap<String, Needs>> = LazyLock::new(|| {
        let own = COMMANDS.iter().map(|(name, needs)| ((*name).to_owned(), *needs));
        let mut all: HashMap<String, Needs> = own.collect();
        macro_rules! add {
            ($($aggregate:ident),+) => {
                $(all.extend(administered::<$aggregate>());)+
            };
        }
        for_each_administered!(add);
        all
    });
    &ALL
}

/// What a command asks for; none: nobody can be allowed what nobody knows.
#[must_use]
pub fn of_command(name: &str) -> Option<Needs> {
    commands().get(name).copied()
}

fn administered<A: Administered>() -> impl Iterator<Item = (String, Needs)> {
    let needs = |verb: &str| (command_of::<A>(verb), Staff(of_verb::<A>(verb), Stream));
    A::EXAMPLES.iter().map(move |(verb, _)| needs(verb))
}

/// How the log calls a command of an administered aggregate.
#[must_use]
pub fn command_of<A: Administered>(verb: &str) -> String {
    format!("{}/{verb}", A::COLLECTION)
}

/// What a command of an aggregate asks for. It depends on the verb alone, so the example tells; without one, the most.
#[must_use]
pub fn of_verb<A: Administered>(verb: &str) -> Permission {
    let example = A::EXAMPLES.iter().find(|(known, _)| *known == verb);
    let body = example.and_then(|(_, body)| serde_json::from_str::<serde_json::Value>(body).ok());
    let command = body.and_then(|body| serde_json::from_value(json!({ verb: body })).ok());
    command.map_or(ChangeAdmins, |command| A::access(&command))
}

/// What reading an aggregate asks for.
#[must_use]
pub fn to_see<A: Administered>() -> Permission {
    A::EXAMPLES
        .first()
        .map_or(SeeAdmins, |(verb, _)| of_verb::<A>(verb).to_see())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_command_has_two_lines() {
        let mut known: HashSet<String> = HashSet::new();
        macro_rules! add {
            ($($aggregate:ident),+) => {
                $(for (name, _) in administered::<$aggregate>() {
                    assert!(known.insert(name.clone()), "{name}");
                })+
            };
        }
        for_each_administered!(add);
        for (name, _) in COMMANDS {
            assert!(known.insert((*name).to_owned()), "{name}");
        }
        assert_eq!(known.len(), commands().len());
    }
}
