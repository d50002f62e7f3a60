//! The one table of who may do what: what each route asks of whoever uses it, and where the branch is found that counts.
//! Never what a command asks for: that stands in [`crate::rights`], under the command's name.
//!
//! What the shipped roles grant stands in `aggregates::rights`. A route that is not in here is closed, and a test fails.

use aggregates::{
    admin::Admin, administered::Administered, auditorium::Auditorium, branch::Branch,
    cancellation_policy::CancellationPolicy, coupon::Coupon, movie::Movie, price_policy::PricePolicy,
    rights::Permission, role::Role, theme::Theme, time_slot::TimeSlot,
};
use axum::http::Method;

use Needs::{Anyone, Customer, Holder, Local, OwnSession, Staff};
use Permission::{
    ChangeAdmins, ChangeReservations, ChangeSlots, SeeAdmins, SeeAudit, SeeCoupons, SeeReservations, SeeShows,
};
use Where::{AllBranches, Asked, Body, Each, Listed, Seen, Stream};

pub use crate::rights::{Needs, Where};
use crate::{
    admin_commands::for_each_administered,
    rights::{command_of, of_command, of_verb, to_see},
};

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// By which method.
    pub method: Method,
    /// The path as the document writes it.
    pub path: String,
    /// What it asks for.
    pub needs: Needs,
    /// How the log calls what it does; none, if it only asks, or if what it does is not in the log.
    pub command: Option<String>,
}

/// What only asks, and what is done without a trace in the log.
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
    (Method::POST, "/v1/reservations/look-up", Anyone),
    (Method::GET, "/v1/reservations/{id}", Holder(SeeReservations)),
    (
        Method::POST,
        "/v1/reservations/{id}/check-coupon",
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
    (Method::GET, "/v1/reservations", Staff(SeeReservations, Listed)),
    (
        Method::POST,
        "/v1/reservations/search",
        Staff(SeeReservations, Listed),
    ),
    // Waiting: joined by anyone, otherwise as reservations.
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
    // The door.
    (Method::GET, "/v1/ticket-keys", Anyone),
    (Method::POST, "/v1/ticket-keys", Staff(ChangeAdmins, AllBranches)),
    // Money that came: to a branch's account, or as the payment provider tells, who is known by its signature.
    (Method::GET, "/v1/deposits", Staff(SeeReservations, Listed)),
    (Method::GET, "/v1/deposits.csv", Staff(SeeReservations, Listed)),
    // Customers and what is theirs.
    (Method::POST, "/v1/customer/sessions", Anyone),
    (Method::POST, "/v1/customer/sign-in-nonces", Anyone),
    (Method::GET, "/v1/customer/sessions", Customer),
    (Method::DELETE, "/v1/customer/sessions", Customer),
    (Method::DELETE, "/v1/customer/sessions/{id}", Customer),
    (Method::GET, "/v1/customer", Customer),
    (Method::GET, "/v1/customer/reservations", Customer),
    // Behind the counter.
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
        Staff(ChangeSlots, Each),
    ),
    (
        Method::GET,
        "/v1/admin/coupon-batches/{id}/codes.csv",
        Staff(SeeCoupons, Stream),
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
    (Method::GET, "/v1/admins", Staff(SeeAdmins, AllBranches)),
    (Method::GET, "/v1/admins.csv", Staff(SeeAdmins, AllBranches)),
    (Method::GET, "/v1/roles", Staff(SeeAdmins, AllBranches)),
];

/// What is done by which route, and how the log calls it.
const COMMANDS: &[(&str, &str)] = &[
    ("/v1/reservations", "reservations/hold"),
    ("/v1/reservations/{id}/extend", "reservations/extend"),
    ("/v1/reservations/{id}/release", "reservations/release"),
    ("/v1/reservations/{id}/revive", "reservations/revive"),
    ("/v1/reservations/{id}/change", "reservations/change"),
    ("/v1/reservations/{id}/place", "reservations/place"),
    ("/v1/reservations/{id}/cancel", "reservations/cancel"),
    ("/v1/reservations/{id}/reschedule", "reservations/reschedule"),
    ("/v1/reservations/{id}/accept-offer", "reservations/accept-offer"),
    (
        "/v1/reservations/{id}/decline-offer",
        "reservations/decline-offer",
    ),
    ("/v1/reservations/{id}/mark-paid", "reservations/mark-paid"),
    ("/v1/reservations/{id}/refund", "reservations/refund"),
    (
        "/v1/reservations/{id}/mark-notified",
        "reservations/mark-notified",
    ),
    ("/v1/reservations/{id}/check-in", "reservations/check-in"),
    ("/v1/reservations/{id}/mark-no-show", "reservations/mark-no-show"),
    ("/v1/time-slots/{id}/waitlist", "time-slots/waitlist"),
    ("/v1/waitlist-entries/{id}/accept", "waitlist-entries/accept"),
    ("/v1/waitlist-entries/{id}/decline", "waitlist-entries/decline"),
    ("/v1/waitlist-entries/{id}/leave", "waitlist-entries/leave"),
    (
        "/v1/reservations/{id}/undo-check-in",
        "reservations/undo-check-in",
    ),
    ("/v1/reservations/{id}/lift-bar", "reservations/lift-bar"),
    ("/v1/check-ins", "check-ins/scan"),
    ("/v1/check-ins/batch", "check-ins/batch"),
    ("/v1/deposits/{id}/record", "deposits/record"),
    ("/v1/deposits/{id}/match", "deposits/match"),
    ("/v1/deposits/{id}/return", "deposits/return"),
    ("/v1/payments/webhook", "payments/webhook"),
    ("/v1/customers", "customers/sign-up"),
    ("/v1/customer/sessions/google", "customers/join"),
    ("/v1/customer/link-google", "customer/link-google"),
    ("/v1/customer/describe", "customer/describe"),
    ("/v1/customer/complete", "customer/complete"),
    ("/v1/customer/change-email", "customer/change-email"),
    ("/v1/customer/change-password", "customer/change-password"),
    ("/v1/customer/leave", "customer/leave"),
    ("/v1/time-slots/{id}/seats/{label}/block", "seats/block"),
    ("/v1/time-slots/{id}/seats/{label}/unblock", "seats/unblock"),
    ("/v1/coupons", "coupons/issue"),
    ("/v1/admin/coupons/bulk", "coupons/bulk"),
    ("/v1/admin/coupon-batches/{id}/revoke", "coupon-batches/revoke"),
    ("/v1/admin/schedules/batch", "schedules/batch"),
    ("/v1/admin/closing-days/carry-out", "closing-days/carry-out"),
    ("/v1/admin/change-password", "admin/change-password"),
    ("/v1/admins/{id}/give-password", "admins/give-password"),
];

/// What the route with this template asks for; nothing is known of commands of administered aggregates.
pub(in super::super) fn of(method: &Method, path: &str) -> Option<Needs> {
    let method = if method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let asked = ROUTES
        .iter()
        .find(|(known, template, _)| known == method && *template == path);
    let done = COMMANDS.iter().find(|(template, _)| *template == path);
    asked.map(|(_, _, needs)| *needs).or_else(|| {
        let (_, command) = done.filter(|_| *method == Method::POST)?;
        of_command(command)
    })
}

/// The whole table: every route of the document, also those that are made of commands.
#[must_use]
pub fn table() -> Vec<Line> {
    let asked = ROUTES.iter().map(|(method, path, needs)| Line {
        method: method.clone(),
        path: (*path).to_owned(),
        needs: *needs,
        command: None,
    });
    let done = COMMANDS.iter().filter_map(|(path, command)| {
        Some(Line {
            method: Method::POST,
            path: (*path).to_owned(),
            needs: of_command(command)?,
            command: Some((*command).to_owned()),
        })
    });
    let mut table: Vec<Line> = asked.chain(done).collect();
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
        command: Some(command_of::<A>(verb)),
    };
    let shown = Line {
        method: Method::GET,
        path: format!("/v1/admin/{collection}/{{id}}"),
        needs: Staff(to_see::<A>(), Seen),
        command: None,
    };
    let commands = A::EXAMPLES.iter().map(|(verb, _)| command(verb));
    commands.chain([shown]).collect()
}
