//! What happens to admins, one sentence each.

use uuid::Uuid;

use super::{AdminCommand::*, *};
use crate::decider::testing::given;

fn duties(role: &str) -> Duties {
    Duties {
        roles: [role.parse().expect("a role")].into(),
        branches: [BranchId::new(Uuid::from_u128(1))].into(),
    }
}

fn enlist(login: &str) -> AdminCommand {
    let Duties { roles, branches } = duties("STAFF");
    Enlist {
        login: login.parse().expect("a login"),
        name: "김민서".parse().expect("a name"),
        phone: None,
        roles,
        branches,
    }
}

fn enlisted() -> AdminEvent {
    AdminEvent::Enlisted {
        login: Personal::Plain("minseo".parse().expect("a login")),
        name: Personal::Plain("김민서".parse().expect("a name")),
        phone: None,
        duties: duties("STAFF"),
    }
}

fn entrust(role: &str) -> AdminCommand {
    let Duties { roles, branches } = duties(role);
    Entrust { roles, branches }
}

fn dismissed() -> AdminEvent {
    AdminEvent::Dismissed { reason: None }
}

#[test]
fn somebody_is_enlisted_once() {
    given::<Admin>([]).when(enlist("minseo")).then([enlisted()]);
    given::<Admin>([enlisted()]).when(enlist("minseo")).then([]);
    given::<Admin>([enlisted()])
        .when(enlist("other"))
        .refused(&AdminError::AlreadyEnlisted);
}

#[test]
fn only_who_is_at_work_can_be_changed() {
    let commands = || {
        [
            entrust("AUDITOR"),
            ChangePassword,
            Describe {
                name: "김".parse().expect("a name"),
                phone: None,
            },
        ]
    };
    for command in commands() {
        given::<Admin>([]).when(command).refused(&AdminError::NotFound);
    }
    for command in commands().into_iter().chain([enlist("minseo")]) {
        given::<Admin>([enlisted(), dismissed()])
            .when(command)
            .refused(&AdminError::Dismissed);
    }
}

#[test]
fn duties_are_changed_as_a_whole() {
    given::<Admin>([enlisted()])
        .when(entrust("AUDITOR"))
        .then([AdminEvent::Entrusted(duties("AUDITOR"))]);
    given::<Admin>([enlisted()]).when(entrust("STAFF")).then([]);
}

#[test]
fn an_admin_has_a_role() {
    let none = Entrust {
        roles: BTreeSet::new(),
        branches: BTreeSet::new(),
    };
    let fault = Fault::at("/roles", "must be 1 to 10 roles");
    given::<Admin>([enlisted()])
        .when(none)
        .refused(&AdminError::ImpossibleDuties(Faults(vec![fault])));
}

#[test]
fn a_name_is_corrected() {
    let name: CustomerName = "김서연".parse().expect("a name");
    let describe = || Describe {
        name: "김서연".parse().expect("a name"),
        phone: None,
    };
    let described = AdminEvent::Described {
        name: Personal::Plain(name),
        phone: None,
    };
    given::<Admin>([enlisted()])
        .when(describe())
        .then([described.clone()]);
    given::<Admin>([enlisted(), described]).when(describe()).then([]);
}

#[test]
fn every_change_of_a_password_is_on_record() {
    given::<Admin>([enlisted()])
        .when(ChangePassword)
        .then([AdminEvent::PasswordChanged]);
    given::<Admin>([enlisted(), AdminEvent::PasswordChanged])
        .when(ChangePassword)
        .then([AdminEvent::PasswordChanged]);
}

#[test]
fn somebody_is_dismissed_once_and_their_login_is_free_again() {
    let dismiss = || Dismiss { reason: None };
    given::<Admin>([enlisted()]).when(dismiss()).then([dismissed()]);
    given::<Admin>([enlisted(), dismissed()]).when(dismiss()).then([]);
    given::<Admin>([]).when(dismiss()).refused(&AdminError::NotFound);
    let mut admin = Admin::default();
    crate::Aggregate::apply(&mut admin, enlisted());
    let claims = admin.claims(&AdminId::new(Uuid::from_u128(1)), &dismiss());
    let login = Admin::login_claim(&"MinSeo".parse().expect("a login"));
    assert_eq!(claims.gives_back, Some(login), "logins are compared as folded");
}
