//! What files of both kinds say about a branch and its days; never what is sold there.

use std::{collections::BTreeSet, str::FromStr};

use aggregates::{
    Decider as _,
    branch::{
        ACCOUNTS_MAX, Account, Branch, BranchCommand, BranchError, BranchKind, NOTICES_MAX, Notice, Premises,
    },
    business_day::Weekday,
    fault::Node,
    values::folded,
};
use jiff::Timestamp;

use super::catalogue::At;

/// The most branches, movies or themes in one file.
pub(super) const ENTRIES_MAX: usize = 2_000;
/// The fields both kinds of branch have.
pub(super) const FIELDS: [&str; 8] = [
    "name",
    "address",
    "detail_address",
    "time_zone",
    "image_url",
    "accounts",
    "notices",
    "welcome",
];

pub(super) fn read(branch: &Node<'_>, kind: BranchKind) -> Option<At<Premises>> {
    let name = branch.field("name", Node::text);
    let address = branch.field("address", Node::text);
    let detail_address = branch.maybe("detail_address", Node::text);
    let image_url = branch.maybe("image_url", Node::text);
    let time_zone = branch.field("time_zone", Node::text);
    let accounts = branch.maybe("accounts", |accounts| accounts.each(ACCOUNTS_MAX, account));
    let notices = branch.maybe("notices", |notices| notices.each(NOTICES_MAX, notice));
    let welcome = branch.maybe("welcome", Node::text);
    let premises = (|| {
        Some(Premises {
            kind,
            name: name?,
            address: address?,
            detail_address: detail_address?,
            image_url: image_url?,
            time_zone: time_zone?,
            accounts: accounts.clone()?.unwrap_or_default(),
            notices: notices.clone()?.unwrap_or_default(),
            welcome: welcome?,
        })
    })();
    check_lists(branch, kind, accounts.flatten(), notices.flatten());
    Some(At::new(branch.pointer(), premises?))
}

/// Whether the rule of a branch would take these lists, whatever else is wrong with it.
fn check_lists(
    branch: &Node<'_>,
    kind: BranchKind,
    accounts: Option<Vec<Account>>,
    notices: Option<Vec<Notice>>,
) -> Option<()> {
    let premises = Premises {
        kind,
        name: any()?,
        address: any()?,
        detail_address: None,
        image_url: None,
        time_zone: "UTC".parse().ok()?,
        accounts: accounts.unwrap_or_default(),
        notices: notices.unwrap_or_default(),
        welcome: None,
    };
    let opened = Branch::default().decide(BranchCommand::Open(premises), Timestamp::UNIX_EPOCH);
    if let Err(error) = opened {
        let field = match error {
            BranchError::TooManyAccounts | BranchError::AccountListedTwice { .. } => "accounts",
            BranchError::TooManyNotices => "notices",
            BranchError::NotFound
            | BranchError::AlreadyOpen
            | BranchError::Closed
            | BranchError::ClosedOn { .. }
            | BranchError::NoCinema
            | BranchError::NoEscapeRoom
            | BranchError::TooManyClosingDays
            | BranchError::InconsistentAttendance(_)
            | BranchError::InconsistentPayment(_) => "name",
        };
        branch.get(field)?.fault(error.to_string());
    }
    Some(())
}

/// Something that stands in for a name that was not understood.
pub(super) fn any<T: FromStr>() -> Option<T> {
    "-".parse().ok()
}

fn account(account: &Node<'_>) -> Option<Account> {
    account.only(&["bank", "number", "holder"]);
    let bank = account.field("bank", Node::text);
    let number = account.field("number", Node::text);
    let holder = account.field("holder", Node::text);
    Some(Account {
        bank: bank?,
        number: number?,
        holder: holder?,
    })
}

fn notice(notice: &Node<'_>) -> Option<Notice> {
    notice.only(&["title", "body"]);
    let (title, body) = (
        notice.field("title", Node::text),
        notice.field("body", Node::text),
    );
    Some(Notice {
        title: title?,
        body: body?,
    })
}

/// A day of the week by its English name.
pub(super) fn weekday(node: &Node<'_>) -> Option<Weekday> {
    let name: String = node.text()?;
    let day = Weekday::ALL.into_iter().find(|day| day.to_string() == name);
    if day.is_none() {
        node.fault("must be a day of the week, for example monday");
    }
    day
}

/// Names that must differ from each other, and not only in what looks alike.
#[derive(Default)]
pub(super) struct Unique(BTreeSet<String>);

impl Unique {
    /// The text of `node` must be new; one that is no text is at fault anyway.
    pub fn check(&mut self, node: &Node<'_>) {
        let Some(text) = node.value().as_str() else {
            return;
        };
        if !self.0.insert(folded(text)) {
            node.fault(format!("{} is already used", text.trim()));
        }
    }

    /// As [`Unique::check`], for a field of a thing that may be faulty otherwise.
    pub fn check_field(&mut self, thing: &Node<'_>, field: &str) {
        if let Some(node) = thing.get(field) {
            self.check(&node);
        }
    }
}
