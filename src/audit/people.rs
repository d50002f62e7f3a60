//! Sentences about people and their rights: roles, admins, customers. Never a name: who it is stands beside, as an id.

use aggregates::{
    admin::{AdminEvent, Duties},
    allowance::AllowanceEvent,
    customer::CustomerEvent,
    patron::PatronEvent,
    rights::{Reach, Rights},
    role::RoleEvent,
};

use super::sentence::because;

pub(super) fn role(name: &str, event: &RoleEvent) -> String {
    match event {
        RoleEvent::Defined(rights) => format!("the role {name} was defined with {}", granted(rights)),
        RoleEvent::Revised(rights) => format!("the role {name} was revised to {}", granted(rights)),
        RoleEvent::Retired => format!("the role {name} was retired"),
        RoleEvent::Given { to } => format!("the role {name} was given to admin {to}"),
        RoleEvent::TakenBack { from } => format!("the role {name} was taken back from admin {from}"),
    }
}

fn granted(Rights { permissions, reach }: &Rights) -> String {
    let reach = match reach {
        Reach::Everywhere => "everywhere",
        Reach::OwnBranches => "at own branches",
    };
    format!("{} permissions {reach}", permissions.len())
}

pub(super) fn admin(event: &AdminEvent) -> String {
    match event {
        AdminEvent::Enlisted { duties, .. } => format!("the admin was enlisted as {}", entrusted(duties)),
        AdminEvent::Described { .. } => "the admin's name or number was corrected".to_owned(),
        AdminEvent::Entrusted(duties) => format!("the admin was made {}", entrusted(duties)),
        AdminEvent::Dismissed { reason } => format!("the admin was dismissed{}", because(reason.as_ref())),
        AdminEvent::PasswordChanged => "the admin's password was changed".to_owned(),
    }
}

pub(super) const fn customer(event: &CustomerEvent) -> &'static str {
    match event {
        CustomerEvent::SignedUp { .. } => "the customer signed up",
        CustomerEvent::Described { .. } => "the customer changed their profile",
        CustomerEvent::Completed { .. } => "the customer added their birth date",
        CustomerEvent::Linked { .. } => "the customer linked an account at another provider",
        CustomerEvent::EmailChanged { .. } => "the customer changed their e-mail address",
        CustomerEvent::PasswordChanged => "the customer's password was changed",
        CustomerEvent::Left => "the customer left and was forgotten",
    }
}

fn entrusted(Duties { roles, branches }: &Duties) -> String {
    let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
    let roles = roles.join(", ");
    match branches.len() {
        0 => roles,
        some => format!("{roles} of {some} branches"),
    }
}

pub(super) fn allowance(event: &AllowanceEvent) -> String {
    match event {
        AllowanceEvent::Taken { by, seats } => {
            format!("{seats} of the seats one customer may have were taken by reservation {by}")
        }
        AllowanceEvent::GivenBack { by } => {
            format!("reservation {by} has none of the seats one customer may have any more")
        }
    }
}

pub(super) fn patron(event: &PatronEvent) -> String {
    match event {
        PatronEvent::Missed { reservation, .. } => format!("nobody came for reservation {reservation}"),
        PatronEvent::Barred { until, missed, .. } => format!(
            "after {} missed reservations nothing can be booked until {until}",
            missed.len()
        ),
        PatronEvent::MissWithdrawn { reservation } => {
            format!("they had come for reservation {reservation} after all")
        }
        PatronEvent::BarLifted => "the bar was lifted".to_owned(),
        PatronEvent::BarWithdrawn => {
            "the bar fell, since too few missed reservations are left; those still count".to_owned()
        }
    }
}
