//! The one table of who may do what: what each route asks of whoever uses it, and where the branch is found that counts.
//!
//! What the shipped roles grant stands in `aggregates::rights`. A route that is not in here is closed, and a test fails.

use std::{collections::HashMap, sync::LazyLock};

use aggregates::{
    admin::Admin, administered::Administered, auditorium::Auditorium, branch::Branch,
    cancellation_policy::CancellationPolicy, coupon::Coupon, movie::Movie, price_policy::PricePolicy,
    rights::Permission, role::Role, theme::Theme, time_slot::TimeSlot,
};
use axum::http::Method;
use serde_json::json;

use Needs::{Anyone, Customer, Holder, Local, OwnSession, Staff};
use Permission::{
    ChangeAdmins, ChangeBranches, ChangeCoupons, ChangeReservations, ChangeShows, SeeAdmins, SeeAudit,
    SeeCoupons, SeeReservations, SeeShows,
};
use Where::{AllBranches, Asked, Body, Each, Listed, Reservation, Seen, Slot, Stream, Ticket};

use super::super::administer::for_each_administered;

/// What a route asks of whoever uses it.
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
    /// At the branch that the stream in the path belongs to; everywhere, if it belongs to none.
    Stream,
    /// The same for who only looks: what belongs to no branch is seen from each.
    Seen,
    /// At the branch that the body names; everywhere, if it names none.
    Body,
    /// At the branch of the ticket in the body; one of another branch is refused as that.
    Ticket,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// By which method.
    pub method: Method,
    /// The path as the document writes it.
    pub path: String,
    /// What it asks for.
    pub needs: Needs,
}

const ROUTES: &[(Method, &str, Needs)] = &[
    // What is on: open to everyone.
    (Method::GET, "/v1/movies", Anyone),
    (Method::GET, "/v1/movies/{id}", Anyone),
    (Method::GET, "/v1/branches", Anyone),
    (Method::GET, "/v1/branches/{id}", Anyone),
    (Method::GET, "/v1/branches/{id}/days", Anyone),
    (Method::GET, "/v1/themes", Anyone),
    (Method::GET, "/v1/themes/{id}", Anyone),
    (Method::GET, "/v1/auditoriums", Anyone),
    (Method::GET, "/v1/auditoriums/{id}", Anyone),
    (Method::GET, "/v1/auditoriums/{id}/time-slots/{time_slot}", Anyone),
    (Method::GET, "/v1/time-slots", Anyone),
    (Method::GET, "/v1/time-slots/{id}", Anyone),
    (Method::GET, "/v1/time-slots/{id}/seat-map", Anyone),
    (Method::GET, "/v1/time-slots/{id}/layout", Anyone),
    (Method::GET, "/v1/time-slots/{id}/live", Anyone),
    (Method::GET, "/v1/time-slots/{id}/prices", Anyone),
    (Method::GET, "/problems", Anyone),
    (Method::GET, "/problems/{subject}/{reason}", Anyone),
    (Method::GET, "/health/live", Anyone),
    (Method::GET, "/health/ready", Anyone),
    (Method::GET, "/metrics", Local(SeeAudit)),
    // Reservations: begun by anyone, found by number and phone, otherwise their holder's and staff's.
    (Method::POST, "/v1/reservations", Anyone),
    (Method::POST, "/v1/reservations/look-up", Anyone),
    (Method::GET, "/v1/reservations/{id}", Holder(SeeReservations)),
    (
        Method::POST,
        "/v1/reservations/{id}/extend",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/release",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/revive",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/change",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/check-coupon",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/place",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/cancel",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/reschedule",
        Holder(ChangeReservations),
    ),
    (
        Method::GET,
        "/v1/reservations/{id}/ticket",
        Holder(SeeReservations),
    ),
    (
        Method::GET,
        "/v1/reservations/{id}/ticket.svg",
        Holder(SeeReservations),
    ),
    (
        Method::GET,
        "/v1/reservations/{id}/calendar.ics",
        Holder(SeeReservations),
    ),
    (
        Method::GET,
        "/v1/reservations/{id}/cancel-quote",
        Holder(SeeReservations),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/accept-offer",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/decline-offer",
        Holder(ChangeReservations),
    ),
    (Method::GET, "/v1/reservations", Staff(SeeReservations, Listed)),
    (
        Method::POST,
        "/v1/reservations/search",
        Staff(SeeReservations, Listed),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/mark-paid",
        Staff(ChangeReservations, Reservation),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/refund",
        Staff(ChangeReservations, Reservation),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/mark-notified",
        Staff(ChangeReservations, Reservation),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/check-in",
        Staff(ChangeReservations, Reservation),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/mark-no-show",
        Staff(ChangeReservations, Reservation),
    ),
    // Waiting: joined by anyone, otherwise as reservations.
    (Method::POST, "/v1/time-slots/{id}/waitlist", Anyone),
    (
        Method::GET,
        "/v1/waitlist-entries",
        Staff(SeeReservations, Listed),
    ),
    (
        Method::POST,
        "/v1/waitlist-entries/search",
        Staff(SeeReservations, Listed),
    ),
    (
        Method::GET,
        "/v1/waitlist-entries.csv",
        Staff(SeeReservations, Listed),
    ),
    (Method::GET, "/v1/waitlist-entries/{id}", Holder(SeeReservations)),
    (
        Method::POST,
        "/v1/waitlist-entries/{id}/accept",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/waitlist-entries/{id}/decline",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/waitlist-entries/{id}/leave",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/undo-check-in",
        Staff(ChangeReservations, Reservation),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/lift-bar",
        Staff(ChangeReservations, Reservation),
    ),
    // The door.
    (Method::POST, "/v1/check-ins", Staff(ChangeReservations, Ticket)),
    (
        Method::POST,
        "/v1/check-ins/batch",
        Staff(ChangeReservations, Ticket),
    ),
    (Method::GET, "/v1/ticket-keys", Anyone),
    (Method::POST, "/v1/ticket-keys", Staff(ChangeAdmins, AllBranches)),
    // Money that came: to a branch's account, or as the payment provider tells, who is known by its signature.
    (Method::GET, "/v1/deposits", Staff(SeeReservations, Listed)),
    (Method::GET, "/v1/deposits.csv", Staff(SeeReservations, Listed)),
    (
        Method::POST,
        "/v1/deposits/{id}/record",
        Staff(ChangeReservations, Body),
    ),
    (
        Method::POST,
        "/v1/deposits/{id}/match",
        Staff(ChangeReservations, Stream),
    ),
    (
        Method::POST,
        "/v1/deposits/{id}/return",
        Staff(ChangeReservations, Stream),
    ),
    (Method::POST, "/v1/payments/webhook", Anyone),
    // Customers and what is theirs.
    (Method::POST, "/v1/customers", Anyone),
    (Method::POST, "/v1/customer/sessions", Anyone),
    (Method::POST, "/v1/customer/sign-in-nonces", Anyone),
    (Method::POST, "/v1/customer/sessions/google", Anyone),
    (Method::POST, "/v1/customer/link-google", Customer),
    (Method::GET, "/v1/customer/sessions", Customer),
    (Method::DELETE, "/v1/customer/sessions", Customer),
    (Method::DELETE, "/v1/customer/sessions/{id}", Customer),
    (Method::GET, "/v1/customer", Customer),
    (Method::POST, "/v1/customer/describe", Customer),
    (Method::POST, "/v1/customer/complete", Customer),
    (Method::POST, "/v1/customer/change-email", Customer),
    (Method::POST, "/v1/customer/change-password", Customer),
    (Method::POST, "/v1/customer/leave", Customer),
    (Method::GET, "/v1/customer/reservations", Customer),
    // Behind the counter.
    (
        Method::POST,
        "/v1/time-slots/{id}/seats/{label}/block",
        Staff(ChangeShows, Slot),
    ),
    (
        Method::POST,
        "/v1/time-slots/{id}/seats/{label}/unblock",
        Staff(ChangeShows, Slot),
    ),
    (Method::GET, "/v1/coupons", Staff(SeeCoupons, Listed)),
    // The lists of the counter, as files, and what is done to many at once.
    (
        Method::GET,
        "/v1/reservations.csv",
        Staff(SeeReservations, Listed),
    ),
    (Method::GET, "/v1/coupons.csv", Staff(SeeCoupons, Listed)),
    (Method::GET, "/v1/admin/customers", Staff(SeeReservations, Listed)),
    (
        Method::POST,
        "/v1/admin/customers/search",
        Staff(SeeReservations, Listed),
    ),
    (
        Method::GET,
        "/v1/admin/customers.csv",
        Staff(SeeReservations, Listed),
    ),
    (Method::GET, "/v1/admin/time-slots", Staff(SeeShows, Asked)),
    (Method::GET, "/v1/admin/time-slots.csv", Staff(SeeShows, Asked)),
    (
        Method::GET,
        "/v1/admin/daily-numbers",
        Staff(SeeReservations, Asked),
    ),
    (
        Method::GET,
        "/v1/admin/daily-numbers.csv",
        Staff(SeeReservations, Asked),
    ),
    (
        Method::POST,
        "/v1/admin/reservations/bulk",
        Staff(ChangeReservations, Each),
    ),
    (
        Method::POST,
        "/v1/admin/time-slots/bulk",
        Staff(ChangeShows, Each),
    ),
    (Method::POST, "/v1/coupons", Staff(ChangeCoupons, Body)),
    (Method::POST, "/v1/admin/coupons/bulk", Staff(ChangeCoupons, Body)),
    (
        Method::GET,
        "/v1/admin/coupon-batches/{id}/codes.csv",
        Staff(SeeCoupons, Stream),
    ),
    (
        Method::POST,
        "/v1/admin/coupon-batches/{id}/revoke",
        Staff(ChangeCoupons, Stream),
    ),
    (
        Method::POST,
        "/v1/admin/schedules/batch",
        Staff(ChangeShows, Body),
    ),
    (
        Method::POST,
        "/v1/admin/price-policies/{id}/simulate",
        Staff(SeeReservations, Body),
    ),
    (
        Method::POST,
        "/v1/admin/closing-days/preview",
        Staff(SeeReservations, Body),
    ),
    // It also asks for ChangeReservations, which everybody has who comes with this one.
    (
        Method::POST,
        "/v1/admin/closing-days/carry-out",
        Staff(ChangeBranches, Body),
    ),
    // The audit trail.
    (Method::GET, "/v1/audit/events", Staff(SeeAudit, Listed)),
    (Method::GET, "/v1/audit/{entity}/{id}", Staff(SeeAudit, Stream)),
    (Method::GET, "/v1/audit/refusals/{trace}", Staff(SeeAudit, Stream)),
    // Messages to customers.
    (
        Method::GET,
        "/v1/admin/deliveries",
        Staff(SeeReservations, AllBranches),
    ),
    (
        Method::POST,
        "/v1/admin/deliveries/{id}/resend",
        Staff(ChangeReservations, AllBranches),
    ),
    // Admins and their sessions.
    (Method::POST, "/v1/admin/sessions", Anyone),
    (Method::GET, "/v1/admin/sessions", OwnSession),
    (Method::DELETE, "/v1/admin/sessions", OwnSession),
    (Method::DELETE, "/v1/admin/sessions/{id}", OwnSession),
    (Method::POST, "/v1/admin/change-password", OwnSession),
    (Method::GET, "/v1/admins", Staff(SeeAdmins, AllBranches)),
    (Method::GET, "/v1/admins.csv", Staff(SeeAdmins, AllBranches)),
    (Method::GET, "/v1/roles", Staff(SeeAdmins, AllBranches)),
    (
        Method::POST,
        "/v1/admins/{id}/give-password",
        Staff(ChangeAdmins, AllBranches),
    ),
];

/// What the route with this template asks for; nothing is known of commands of administered aggregates.
pub(in super::super) fn of(method: &Method, path: &str) -> Option<Needs> {
    let method = if method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let found = ROUTES
        .iter()
        .find(|(known, template, _)| known == method && *template == path);
    found.map(|(_, _, needs)| *needs)
}

/// What a command asked for that stands in the log: it is named by the last two words of its route.
#[must_use]
pub fn of_command(command: &str) -> Option<Needs> {
    static COMMANDS: LazyLock<HashMap<String, Needs>> = LazyLock::new(|| {
        let commands = table().into_iter().filter(|line| line.method == Method::POST);
        commands
            .map(|line| (command_of(&line.path), line.needs))
            .collect()
    });
    COMMANDS.get(command).copied()
}

/// How the log calls what a route does.
fn command_of(path: &str) -> String {
    match path {
        // What begins something is no verb in its route.
        "/v1/reservations" => return "reservations/hold".to_owned(),
        "/v1/coupons" => return "coupons/issue".to_owned(),
        "/v1/check-ins" => return "check-ins/scan".to_owned(),
        _ => {}
    }
    let words: Vec<&str> = path
        .split('/')
        .filter(|word| !word.is_empty() && !word.starts_with('{'))
        .collect();
    let last = words.len().saturating_sub(2);
    words[last..].join("/")
}

/// The whole table: every route of the document, also those that are made of commands.
#[must_use]
pub fn table() -> Vec<Line> {
    let line = |(method, path, needs): &(Method, &str, Needs)| Line {
        method: method.clone(),
        path: (*path).to_owned(),
        needs: *needs,
    };
    let mut table: Vec<Line> = ROUTES.iter().map(line).collect();
    macro_rules! add {
        ($($aggregate:ident),+) => {
            $(table.extend(commands::<$aggregate>());)+
        };
    }
    for_each_administered!(add);
    table
}

/// What the commands of an aggregate ask for, and reading it.
fn commands<A: Administered>() -> Vec<Line> {
    let collection = A::COLLECTION;
    let command = |verb: &str| Line {
        method: Method::POST,
        path: format!("/v1/{collection}/{{id}}/{verb}"),
        needs: Staff(of_verb::<A>(verb), Stream),
    };
    let shown = Line {
        method: Method::GET,
        path: format!("/v1/admin/{collection}/{{id}}"),
        needs: Staff(to_see::<A>(), Seen),
    };
    let commands = A::EXAMPLES.iter().map(|(verb, _)| command(verb));
    commands.chain([shown]).collect()
}

/// What a command of an aggregate asks for. It depends on the verb alone, so the example tells; without one, the most.
pub(in super::super) fn of_verb<A: Administered>(verb: &str) -> Permission {
    let example = A::EXAMPLES.iter().find(|(known, _)| *known == verb);
    let body = example.and_then(|(_, body)| serde_json::from_str::<serde_json::Value>(body).ok());
    let command = body.and_then(|body| serde_json::from_value(json!({ verb: body })).ok());
    command.map_or(ChangeAdmins, |command| A::access(&command))
}

/// What reading an aggregate asks for.
pub(in super::super) fn to_see<A: Administered>() -> Permission {
    A::EXAMPLES
        .first()
        .map_or(SeeAdmins, |(verb, _)| of_verb::<A>(verb).to_see())
}
