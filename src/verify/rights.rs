//! I10: nobody acts outside their permissions and branches. Replays who was an admin with which roles at which branches, and
//! looks at each unit of work of an admin: whether its command was granted there and then; never at any table.
//!
//! Rights are looked at when a request comes in, and its events come a little later. What was granted when it can have
//! come in at the earliest therefore still counts: a request is given up after [`REQUEST_MAX`] at the latest.

use std::collections::HashMap;

use aggregates::{
    Event, Recorded,
    admin::Admin,
    coupon::CouponEvent,
    ids::{AdminId, BranchId},
    rights::{Authority, Permission, RoleName},
    role::Role,
};
use cqrs_es::Aggregate as _;
use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;

use super::Violation;
use crate::rights::{Needs, of_command};

/// The longest a request is worked on, as the settings allow it.
const REQUEST_MAX: SignedDuration = SignedDuration::from_secs(300);
/// Who acts with the token of the configuration.
const TOKEN: &str = "token";

/// Who may do what, as the log has it so far.
#[derive(Default)]
pub(super) struct Rights {
    admins: HashMap<AdminId, Admin>,
    roles: HashMap<RoleName, Role>,
    /// What somebody could do until lately, and until when.
    former: HashMap<AdminId, Vec<(Timestamp, Authority)>>,
    /// Who acts in the running unit, and in which one: judged once.
    judged: Option<[Option<SmolStr>; 4]>,
}

impl Rights {
    /// Judges the unit that this event is of, if nobody has yet; then remembers what it changes.
    pub fn check(&mut self, recorded: &Recorded) -> Result<(), Violation> {
        let said = |name: &str| recorded.metadata.get(name).cloned();
        let unit = ["request_id", "actor_id", "command", "branch"].map(said);
        if recorded
            .metadata
            .get("actor_kind")
            .is_some_and(|kind| kind == "admin")
        {
            if self.judged.as_ref() != Some(&unit) {
                self.judge(recorded).map_err(|sentence| Violation {
                    invariant: "I10",
                    position: recorded.position,
                    sentence,
                })?;
                self.judged = Some(unit);
            }
        } else {
            self.judged = None;
        }
        self.remember(recorded);
        Ok(())
    }

    fn judge(&mut self, recorded: &Recorded) -> Result<(), String> {
        let said = |name: &str| recorded.metadata.get(name).map_or("", SmolStr::as_str);
        let (actor, command) = (said("actor_id"), said("command"));
        let asked = asked_by(command)
            .ok_or_else(|| format!("admin {actor} did {command:?}, which no admin can be allowed"))?;
        if actor == TOKEN {
            return Ok(());
        }
        let id: AdminId = actor
            .parse()
            .map_err(|_| format!("{command} was done by admin {actor:?}, whom nobody can be"))?;
        let Asked::For(permission) = asked else {
            // Whoever is at work does this to themselves.
            return if self.lately(id, recorded.recorded_at).is_empty() {
                Err(format!("{command} was done by admin {id}, who was not at work"))
            } else {
                Ok(())
            };
        };
        let branch = branch_of(recorded);
        let granted = self.lately(id, recorded.recorded_at);
        if granted.iter().any(|authority| authority.at(permission, branch)) {
            return Ok(());
        }
        let place = branch.map_or_else(|| "everywhere".to_owned(), |branch| format!("at branch {branch}"));
        Err(format!(
            "{command} was done {place} by admin {id}, to whom it was not granted"
        ))
    }

    /// What somebody could do at this moment, or when their request can have come in.
    fn lately(&mut self, id: AdminId, now: Timestamp) -> Vec<Authority> {
        let earliest = now.checked_sub(REQUEST_MAX).unwrap_or(Timestamp::MIN);
        let former = self.former.entry(id).or_default();
        former.retain(|(until, _)| *until >= earliest);
        let former: Vec<Authority> = former.iter().map(|(_, authority)| authority.clone()).collect();
        self.authority(id).into_iter().chain(former).collect()
    }

    fn authority(&self, id: AdminId) -> Option<Authority> {
        let duties = &self.admins.get(&id)?.at_work()?.duties;
        let rights = duties.roles.iter().filter_map(|name| {
            let unknown = Role::default();
            let now = || self.roles.get(name).unwrap_or(&unknown).rights(name);
            name.ever_shipped().or_else(now)
        });
        Some(Authority::of(&rights.collect::<Vec<_>>(), &duties.branches))
    }

    fn remember(&mut self, recorded: &Recorded) {
        if let Event::Admin(event) = &recorded.event
            && let Ok(id) = recorded.stream.id.parse::<AdminId>()
        {
            self.put_by(id, recorded.recorded_at);
            self.admins.entry(id).or_default().apply(event.clone());
        }
        if let Event::Role(event) = &recorded.event
            && let Ok(name) = recorded.stream.id.parse::<RoleName>()
        {
            let of = |admin: &Admin| admin.at_work().is_some_and(|at| at.duties.roles.contains(&name));
            let concerned = self.admins.iter().filter(|(_, admin)| of(admin));
            for id in concerned.map(|(id, _)| *id).collect::<Vec<_>>() {
                self.put_by(id, recorded.recorded_at);
            }
            self.roles.entry(name).or_default().apply(event.clone());
        }
    }

    /// Keeps what somebody can do now for as long as a request of theirs may be under way.
    fn put_by(&mut self, id: AdminId, now: Timestamp) {
        if let Some(authority) = self.authority(id) {
            self.former.entry(id).or_default().push((now, authority));
        }
    }
}

/// What a command asks of an admin.
enum Asked {
    /// This permission, where it counts.
    For(Permission),
    /// Only that they are at work.
    AtWork,
}

/// What a command of an admin asks for, by the one table of commands. None: no
/// admin can be allowed that.
fn asked_by(command: &str) -> Option<Asked> {
    match of_command(command)? {
        Needs::Staff(permission, _) | Needs::Holder(permission) => Some(Asked::For(permission)),
        Needs::OwnSession => Some(Asked::AtWork),
        // Staff who have looked at an identity card hold seats themselves; everybody else does so as a guest.
        Needs::Anyone if command == "reservations/hold" => Some(Asked::For(Permission::ChangeReservations)),
        Needs::Anyone | Needs::Local(_) | Needs::Customer => None,
    }
}

/// The branch at which something was done; none: it concerns them all.
fn branch_of(recorded: &Recorded) -> Option<BranchId> {
    let said = recorded
        .metadata
        .get("branch")
        .and_then(|branch| branch.parse().ok());
    if let Event::Coupon(CouponEvent::Issued { terms, .. }) = &recorded.event {
        // Many coupons in one unit say so each by itself.
        return said.or(terms.scope.branch);
    }
    said
}
