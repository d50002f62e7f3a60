//! The one table of who may do what: what each route asks of whoever uses it, and where the branch is found that counts.
//!
//! What the shipped roles grant stands in `aggregates::rights`. A route that is not in here is closed, and a test fails.

use aggregates::{
    admin::Admin, administered::Administered, auditorium::Auditorium, branch::Branch, coupon::Coupon,
    movie::Movie, price_policy::PricePolicy, rights::Permission, role::Role, theme::Theme,
    time_slot::TimeSlot,
};
use axum::http::Method;
use serde_json::json;

use Needs::{Anyone, Customer, Holder, Local, OwnSession, Staff};
use Permission::{
    ChangeAdmins, ChangeCoupons, ChangeReservations, ChangeShows, SeeAdmins, SeeAudit, SeeCoupons,
    SeeReservations,
};
use Where::{AllBranches, Body, Listed, Reservation, Seen, Slot, Stream};

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
        "/v1/reservations/{id}/place",
        Holder(ChangeReservations),
    ),
    (
        Method::POST,
        "/v1/reservations/{id}/cancel",
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
    // Customers and what is theirs.
    (Method::POST, "/v1/customers", Anyone),
    (Method::POST, "/v1/customer/sessions", Anyone),
    (Method::GET, "/v1/customer/sessions", Customer),
    (Method::DELETE, "/v1/customer/sessions", Customer),
    (Method::DELETE, "/v1/customer/sessions/{id}", Customer),
    (Method::GET, "/v1/customer", Customer),
    (Method::POST, "/v1/customer/describe", Customer),
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
    (Method::POST, "/v1/coupons", Staff(ChangeCoupons, Body)),
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
