//! The rules of a branch, one sentence each.

use jiff::{ToSpan, civil::date};

use super::{BranchCommand::*, *};
use crate::decider::testing::given;

const CHRISTMAS: Date = date(2026, 12, 25);

fn premises() -> Premises {
    Premises {
        kind: BranchKind::EscapeRoom,
        name: "강남점".parse().expect("a name"),
        address: "예시로 1길 10".parse().expect("an address"),
        detail_address: None,
        image_url: None,
        time_zone: "Asia/Seoul".parse().expect("a zone"),
        accounts: vec![account("100-200")],
        notices: vec![],
        welcome: None,
    }
}

fn account(number: &str) -> Account {
    Account {
        bank: "국민은행".parse().expect("a bank"),
        number: number.parse().expect("a number"),
        holder: "예시주식회사".parse().expect("a holder"),
    }
}

fn notice() -> Notice {
    Notice {
        title: "주차".parse().expect("a title"),
        body: "없음".parse().expect("a body"),
    }
}

fn opened() -> BranchEvent {
    BranchEvent::Opened(premises())
}

/// Each command that changes a branch, with its event.
fn changes() -> Vec<(BranchCommand, BranchEvent)> {
    let name: Name = "강남 본점".parse().expect("a name");
    let address: Address = "예시로 2길 10".parse().expect("an address");
    let image_url: Option<Url> = Some("https://example.com/a.jpg".parse().expect("an address"));
    let accounts = vec![account("1"), account("2")];
    vec![
        (Rename { name: name.clone() }, BranchEvent::Renamed { name }),
        (
            Relocate {
                address: address.clone(),
                detail_address: None,
            },
            BranchEvent::Relocated {
                address,
                detail_address: None,
            },
        ),
        (
            Depict {
                image_url: image_url.clone(),
            },
            BranchEvent::Depicted { image_url },
        ),
        (
            ListAccounts {
                accounts: accounts.clone(),
            },
            BranchEvent::AccountsListed { accounts },
        ),
        (
            Announce {
                welcome: None,
                notices: vec![notice()],
            },
            BranchEvent::Announced {
                welcome: None,
                notices: vec![notice()],
            },
        ),
        (
            CloseOn {
                date: CHRISTMAS,
                reason: None,
            },
            BranchEvent::ClosedOn {
                date: CHRISTMAS,
                reason: None,
            },
        ),
        (Close { reason: None }, BranchEvent::Closed { reason: None }),
    ]
}

#[test]
fn a_branch_is_opened_once() {
    given::<Branch>([]).when(Open(premises())).then([opened()]);
    given::<Branch>([opened()]).when(Open(premises())).then([]);
    let other = Premises {
        kind: BranchKind::Cinema,
        ..premises()
    };
    given::<Branch>([opened()])
        .when(Open(other))
        .refused(&BranchError::AlreadyOpen);
}

#[test]
fn every_change_is_its_own_event_and_a_repeat_is_none() {
    for (command, event) in changes() {
        given::<Branch>([opened()])
            .when(command.clone())
            .then([event.clone()]);
        given::<Branch>([opened(), event]).when(command).then([]);
    }
}

#[test]
fn a_closing_day_can_be_taken_back() {
    let closed = BranchEvent::ClosedOn {
        date: CHRISTMAS,
        reason: None,
    };
    let reopened = BranchEvent::ReopenedOn { date: CHRISTMAS };
    given::<Branch>([opened(), closed])
        .when(ReopenOn { date: CHRISTMAS })
        .then([reopened]);
    given::<Branch>([opened()])
        .when(ReopenOn { date: CHRISTMAS })
        .then([]);
}

#[test]
fn a_branch_nobody_opened_is_not_found() {
    for (command, _) in changes() {
        given::<Branch>([]).when(command).refused(&BranchError::NotFound);
    }
    given::<Branch>([])
        .when(ReopenOn { date: CHRISTMAS })
        .refused(&BranchError::NotFound);
}

#[test]
fn a_branch_that_ended_stays_closed() {
    let history = || [opened(), BranchEvent::Closed { reason: None }];
    for (command, event) in changes() {
        if event == (BranchEvent::Closed { reason: None }) {
            given::<Branch>(history()).when(command).then([]);
        } else {
            given::<Branch>(history())
                .when(command)
                .refused(&BranchError::Closed);
        }
    }
    given::<Branch>(history())
        .when(Open(premises()))
        .refused(&BranchError::Closed);
}

#[test]
fn lists_are_bounded_and_name_an_account_once() {
    let many: Vec<Account> = (0..=ACCOUNTS_MAX).map(|n| account(&n.to_string())).collect();
    let twice = vec![account("7"), account("7")];
    let listed_twice = BranchError::AccountListedTwice {
        number: "7".parse().expect("a number"),
    };
    for (accounts, error) in [(many, BranchError::TooManyAccounts), (twice, listed_twice)] {
        given::<Branch>([opened()])
            .when(ListAccounts {
                accounts: accounts.clone(),
            })
            .refused(&error);
        given::<Branch>([])
            .when(Open(Premises {
                accounts,
                ..premises()
            }))
            .refused(&error);
    }
    let notices = vec![notice(); NOTICES_MAX + 1];
    given::<Branch>([opened()])
        .when(Announce {
            welcome: None,
            notices,
        })
        .refused(&BranchError::TooManyNotices);
    let days = (0..).map(|n: i64| BranchEvent::ClosedOn {
        date: CHRISTMAS + n.days(),
        reason: None,
    });
    given::<Branch>([opened()].into_iter().chain(days.take(CLOSING_DAYS_MAX)))
        .when(CloseOn {
            date: CHRISTMAS - 1.day(),
            reason: None,
        })
        .refused(&BranchError::TooManyClosingDays);
}

#[test]
fn a_name_is_claimed_moved_and_given_back() {
    let id = BranchId::new(uuid::Uuid::nil());
    let old = ClaimId::on("branch", "강남점");
    let new = ClaimId::on("branch", "강남 본점");
    let mut branch = Branch::Unknown;
    let claims = |takes, gives_back| Claims { takes, gives_back };
    assert_eq!(
        branch.claims(&id, &Open(premises())),
        claims(Some(old.clone()), None)
    );
    branch.evolve(opened());
    let renamed: Name = "강남 본점".parse().expect("a name");
    assert_eq!(
        branch.claims(&id, &Rename { name: renamed }),
        claims(Some(new), Some(old.clone()))
    );
    assert_eq!(
        branch.claims(
            &id,
            &Rename {
                name: premises().name
            }
        ),
        claims(Some(old.clone()), None)
    );
    assert_eq!(
        branch.claims(&id, &Close { reason: None }),
        claims(None, Some(old))
    );
    assert_eq!(branch.claims(&id, &Depict { image_url: None }), Claims::default());
}

#[test]
fn who_comes_and_who_does_not_is_regulated_whole_and_within_limits() {
    let rules = AttendanceRules {
        check_in_minutes: 30,
        no_show_minutes: Some(15),
        ..AttendanceRules::default()
    };
    let regulate = || BranchCommand::RegulateAttendance(rules.clone());
    let regulated = BranchEvent::AttendanceRegulated(rules.clone());
    given::<Branch>([opened()])
        .when(regulate())
        .then([regulated.clone()]);
    given::<Branch>([opened(), regulated]).when(regulate()).then([]);
    given::<Branch>([opened()])
        .when(BranchCommand::RegulateAttendance(AttendanceRules::default()))
        .then([]);
    let wild = AttendanceRules {
        within_days: 0,
        ..AttendanceRules::default()
    };
    let faults = Faults(wild.faults());
    given::<Branch>([opened()])
        .when(BranchCommand::RegulateAttendance(wild))
        .refused(&BranchError::InconsistentAttendance(faults));
    given::<Branch>([])
        .when(regulate())
        .refused(&BranchError::NotFound);
}

#[test]
fn how_long_there_is_to_pay_is_regulated_whole_and_within_limits() {
    let rules = PaymentRules {
        pay_minutes_near: 20,
        offer_minutes: 5,
        ..PaymentRules::default()
    };
    let regulate = || BranchCommand::RegulatePayment(rules);
    let regulated = BranchEvent::PaymentRegulated(rules);
    given::<Branch>([opened()])
        .when(regulate())
        .then([regulated.clone()]);
    given::<Branch>([opened(), regulated]).when(regulate()).then([]);
    given::<Branch>([opened()])
        .when(BranchCommand::RegulatePayment(PaymentRules::default()))
        .then([]);
    let wild = PaymentRules {
        far_hours: 0,
        ..PaymentRules::default()
    };
    let faults = Faults(wild.faults());
    given::<Branch>([opened()])
        .when(BranchCommand::RegulatePayment(wild))
        .refused(&BranchError::InconsistentPayment(faults));
    given::<Branch>([])
        .when(regulate())
        .refused(&BranchError::NotFound);
}
