//! Whether somebody who books comes (DOMAIN E9): remembers who did not, and bars them for a while; the stream that guards
//! the bar. Never knows who they are: it is named by a keyed hash of a phone number or an account.
//!
//! ```text
//!   Welcome ──no-shows within the period──▶ Barred until a moment ──lift, time, or──▶ Welcome
//!                                                                   too few left
//! ```

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    attendance::AttendanceRules,
    decider::aggregate,
    ids::{PatronId, ReservationId},
    refusal::refusals,
};

/// No-shows remembered at most; older ones are of no account.
pub const NO_SHOWS_MAX: usize = 256;
/// Hours of a day that counts.
const DAY_HOURS: i64 = 24;

/// What can be asked of a patron.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatronCommand {
    /// Remember that they did not come.
    Miss {
        /// Which reservation they missed.
        reservation: ReservationId,
        /// What the branch makes of it.
        rules: AttendanceRules,
    },
    /// They had come after all.
    WithdrawMiss {
        /// The reservation they had come for.
        reservation: ReservationId,
    },
    /// Let them book again, and hold nothing against them.
    LiftBar,
}

/// What happened to a patron.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PatronEvent {
    /// They did not come.
    Missed {
        reservation: ReservationId,
        at: Timestamp,
    },
    /// They are barred from booking, or longer or for more than before.
    Barred {
        until: Timestamp,
        /// The reservations they had missed.
        missed: Vec<ReservationId>,
        /// How many of them it takes; not known of what happened long ago, where it takes them all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        no_shows: Option<u8>,
    },
    /// They had come after all.
    MissWithdrawn { reservation: ReservationId },
    /// They may book again, and what led to it is forgiven.
    BarLifted,
    /// They may book again: too few of what they had missed are left. Those still count.
    BarWithdrawn,
}

/// Why a patron says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatronError {
    /// They did not come too often.
    #[error("after missed reservations nothing can be booked until {until}")]
    Barred {
        /// Until when.
        until: Timestamp,
    },
}

refusals! { PatronError:
    Self::Barred { .. } => "patron/barred", Conflict, "Book again from then on, or ask the branch to lift the bar.";
}

/// A reservation somebody missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Miss {
    reservation: ReservationId,
    at: Timestamp,
    /// Whether it is held against them.
    counts: bool,
}

/// A bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bar {
    until: Timestamp,
    missed: Vec<ReservationId>,
    /// With fewer of them there is no bar.
    no_shows: usize,
}

/// What a patron remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patron {
    missed: Vec<Miss>,
    bar: Option<Bar>,
}

aggregate! {
    Patron = "patron", id: PatronId, command: PatronCommand, event: PatronEvent, error: PatronError,
    stored: "Patron" [Missed, Barred, MissWithdrawn, BarLifted, BarWithdrawn]
}

impl Patron {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "every rule may refuse; this one takes what it is told"
    )]
    fn rule(&self, command: PatronCommand, now: Timestamp) -> Result<Vec<PatronEvent>, PatronError> {
        let known = |reservation| self.missed.iter().any(|miss| miss.reservation == reservation);
        match command {
            PatronCommand::Miss { reservation, .. } if known(reservation) => Ok(vec![]),
            PatronCommand::Miss { reservation, rules } => {
                let missed = PatronEvent::Missed { reservation, at: now };
                let barred = self.barred_after(reservation, &rules, now);
                Ok([missed].into_iter().chain(barred).collect())
            }
            PatronCommand::WithdrawMiss { reservation } if known(reservation) => {
                let withdrawn = PatronEvent::MissWithdrawn { reservation };
                let falls =
                    |bar: &&Bar| bar.missed.contains(&reservation) && bar.missed.len() <= bar.no_shows;
                let fallen = self.running_bar(now).filter(falls);
                let fallen = fallen.map(|_| PatronEvent::BarWithdrawn);
                Ok([withdrawn].into_iter().chain(fallen).collect())
            }
            PatronCommand::WithdrawMiss { .. } => Ok(vec![]),
            PatronCommand::LiftBar if self.running_bar(now).is_some() => Ok(vec![PatronEvent::BarLifted]),
            PatronCommand::LiftBar => Ok(vec![]),
        }
    }

    /// The bar that one more missed reservation leads to. One that runs is never cut short, not by a milder branch either:
    /// of two the longer one counts, by the rule it comes from, and it rests on all that led to either.
    fn barred_after(
        &self,
        reservation: ReservationId,
        rules: &AttendanceRules,
        now: Timestamp,
    ) -> Option<PatronEvent> {
        let days = |days: u16| SignedDuration::from_hours(DAY_HOURS * i64::from(days));
        let since = now.checked_sub(days(rules.within_days)).unwrap_or(Timestamp::MIN);
        let counted = self.missed.iter().filter(|miss| miss.counts && miss.at > since);
        let mut missed: Vec<ReservationId> = counted
            .map(|miss| miss.reservation)
            .chain([reservation])
            .collect();
        if rules.no_shows == 0 || missed.len() < usize::from(rules.no_shows) {
            return None;
        }
        let mut until = now.checked_add(days(rules.barred_days)).unwrap_or(Timestamp::MAX);
        let mut no_shows = rules.no_shows;
        if let Some(running) = self.running_bar(now) {
            if running.until > until {
                until = running.until;
                no_shows = u8::try_from(running.no_shows).unwrap_or(u8::MAX);
            }
            let more = running.missed.iter().filter(|known| !missed.contains(known));
            let more: Vec<ReservationId> = more.copied().collect();
            missed.splice(0..0, more);
        }
        Some(PatronEvent::Barred {
            until,
            missed,
            no_shows: Some(no_shows),
        })
    }

    fn evolve(&mut self, event: PatronEvent) {
        match event {
            PatronEvent::Missed { reservation, at } => {
                if self.missed.len() >= NO_SHOWS_MAX {
                    self.missed.remove(0);
                }
                self.missed.push(Miss {
                    reservation,
                    at,
                    counts: true,
                });
            }
            PatronEvent::Barred {
                until,
                missed,
                no_shows,
            } => {
                self.bar = Some(Bar {
                    until,
                    no_shows: no_shows.map_or(missed.len(), usize::from),
                    missed,
                });
            }
            PatronEvent::MissWithdrawn { reservation } => {
                self.missed.retain(|miss| miss.reservation != reservation);
                if let Some(bar) = &mut self.bar {
                    bar.missed.retain(|missed| *missed != reservation);
                }
            }
            PatronEvent::BarWithdrawn => self.bar = None,
            PatronEvent::BarLifted => {
                let held_against = self.bar.take().map(|bar| bar.missed).unwrap_or_default();
                for miss in &mut self.missed {
                    miss.counts &= !held_against.contains(&miss.reservation);
                }
            }
        }
    }

    fn running_bar(&self, now: Timestamp) -> Option<&Bar> {
        self.bar.as_ref().filter(|bar| now < bar.until)
    }

    /// Whether they may book now; else until when they may not.
    pub fn welcome(&self, now: Timestamp) -> Result<(), PatronError> {
        self.running_bar(now)
            .map_or(Ok(()), |bar| Err(PatronError::Barred { until: bar.until }))
    }

    /// When it was recorded that they missed this reservation, if it was and still is.
    #[must_use]
    pub fn missed_at(&self, reservation: ReservationId) -> Option<Timestamp> {
        let miss = self.missed.iter().find(|miss| miss.reservation == reservation);
        miss.map(|miss| miss.at)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;
    use crate::decider::testing::{NOON, given};

    const FIRST: ReservationId = ReservationId::new(1);
    const SECOND: ReservationId = ReservationId::new(2);
    const THIRD: ReservationId = ReservationId::new(3);

    fn miss(reservation: ReservationId) -> PatronCommand {
        let rules = AttendanceRules::default();
        PatronCommand::Miss { reservation, rules }
    }

    fn missed(reservation: ReservationId, at: Timestamp) -> PatronEvent {
        PatronEvent::Missed { reservation, at }
    }

    fn days(days: i64) -> jiff::Span {
        (days * 24).hours()
    }

    fn barred_for(missed: &[ReservationId], until: Timestamp, no_shows: u8) -> PatronEvent {
        PatronEvent::Barred {
            until,
            missed: missed.to_vec(),
            no_shows: Some(no_shows),
        }
    }

    fn barred() -> PatronEvent {
        barred_for(&[FIRST, SECOND], NOON + days(30), 2)
    }

    /// One no-show there bars for three days.
    fn miss_at_a_milder_branch(reservation: ReservationId) -> PatronCommand {
        let rules = AttendanceRules {
            no_shows: 1,
            barred_days: 3,
            ..AttendanceRules::default()
        };
        PatronCommand::Miss { reservation, rules }
    }

    fn withdraw(reservation: ReservationId) -> PatronCommand {
        PatronCommand::WithdrawMiss { reservation }
    }

    #[test]
    fn who_misses_two_within_the_period_is_barred() {
        given::<Patron>([]).when(miss(FIRST)).then([missed(FIRST, NOON)]);
        given::<Patron>([missed(FIRST, NOON - days(89))])
            .when(miss(SECOND))
            .then([missed(SECOND, NOON), barred()]);
    }

    #[test]
    fn what_was_missed_before_the_period_does_not_count() {
        given::<Patron>([missed(FIRST, NOON - days(90))])
            .when(miss(SECOND))
            .then([missed(SECOND, NOON)]);
    }

    #[test]
    fn one_reservation_is_missed_once() {
        given::<Patron>([missed(FIRST, NOON)]).when(miss(FIRST)).then([]);
    }

    #[test]
    fn a_branch_may_never_bar_anybody() {
        let rules = AttendanceRules {
            no_shows: 0,
            ..AttendanceRules::default()
        };
        given::<Patron>([missed(FIRST, NOON), missed(SECOND, NOON)])
            .when(PatronCommand::Miss {
                reservation: THIRD,
                rules,
            })
            .then([missed(THIRD, NOON)]);
    }

    fn patron(events: impl IntoIterator<Item = PatronEvent>) -> Patron {
        let mut patron = Patron::default();
        events.into_iter().for_each(|event| patron.evolve(event));
        patron
    }

    #[test]
    fn the_bar_ends_by_itself_and_says_until_when_it_stands() {
        let until = NOON + days(30);
        let patron = patron([missed(FIRST, NOON), missed(SECOND, NOON), barred()]);
        let refused = Err(PatronError::Barred { until });
        assert_eq!(patron.welcome(NOON), refused);
        assert_eq!(patron.welcome(until - 1.second()), refused);
        assert_eq!(patron.welcome(until), Ok(()));
    }

    #[test]
    fn a_bar_is_lifted_once_and_what_led_to_it_is_forgiven() {
        let history = [missed(FIRST, NOON), missed(SECOND, NOON), barred()];
        given::<Patron>(history.clone())
            .when(PatronCommand::LiftBar)
            .then([PatronEvent::BarLifted]);
        let lifted = history.into_iter().chain([PatronEvent::BarLifted]);
        given::<Patron>(lifted.clone())
            .when(PatronCommand::LiftBar)
            .then([]);
        given::<Patron>(lifted.clone())
            .when(miss(THIRD))
            .then([missed(THIRD, NOON)]);
        assert_eq!(patron(lifted).welcome(NOON), Ok(()));
        given::<Patron>([]).when(PatronCommand::LiftBar).then([]);
    }

    #[test]
    fn a_milder_branch_never_cuts_a_bar_short() {
        let history = [missed(FIRST, NOON), missed(SECOND, NOON), barred()];
        let all = [FIRST, SECOND, THIRD];
        given::<Patron>(history.clone())
            .when(miss_at_a_milder_branch(THIRD))
            .then([missed(THIRD, NOON), barred_for(&all, NOON + days(30), 2)]);
        // A stricter one makes it longer, and what is older than its period still counts as long as the bar runs.
        let short = [
            missed(FIRST, NOON - days(100)),
            barred_for(&[FIRST], NOON + days(1), 1),
            missed(SECOND, NOON - days(1)),
        ];
        given::<Patron>(short)
            .when(miss(THIRD))
            .then([missed(THIRD, NOON), barred_for(&all, NOON + days(30), 2)]);
        // A bar that is over adds nothing.
        let over = [missed(FIRST, NOON - days(100)), barred_for(&[FIRST], NOON, 1)];
        given::<Patron>(over)
            .when(miss_at_a_milder_branch(THIRD))
            .then([missed(THIRD, NOON), barred_for(&[THIRD], NOON + days(3), 1)]);
    }

    #[test]
    fn a_bar_stands_while_enough_is_left_of_what_it_rests_on() {
        let all = [FIRST, SECOND, THIRD];
        let history = vec![
            missed(FIRST, NOON),
            missed(SECOND, NOON),
            missed(THIRD, NOON),
            barred_for(&all, NOON + days(30), 2),
        ];
        let withdrawn = |reservation| PatronEvent::MissWithdrawn { reservation };
        given::<Patron>(history.clone())
            .when(withdraw(THIRD))
            .then([withdrawn(THIRD)]);
        let one_less = history.into_iter().chain([withdrawn(THIRD)]);
        given::<Patron>(one_less.clone())
            .when(withdraw(SECOND))
            .then([withdrawn(SECOND), PatronEvent::BarWithdrawn]);
        assert!(patron(one_less).welcome(NOON).is_err());
    }

    #[test]
    fn what_is_left_of_a_bar_that_fell_still_counts() {
        let history = vec![
            missed(FIRST, NOON),
            missed(SECOND, NOON),
            barred(),
            PatronEvent::MissWithdrawn { reservation: SECOND },
            PatronEvent::BarWithdrawn,
        ];
        assert_eq!(patron(history.clone()).welcome(NOON), Ok(()));
        given::<Patron>(history).when(miss(THIRD)).then([
            missed(THIRD, NOON),
            barred_for(&[FIRST, THIRD], NOON + days(30), 2),
        ]);
    }

    #[test]
    fn of_a_bar_of_old_every_missed_reservation_is_needed() {
        let old = PatronEvent::Barred {
            until: NOON + days(30),
            missed: vec![FIRST, SECOND],
            no_shows: None,
        };
        let withdrawn = PatronEvent::MissWithdrawn { reservation: FIRST };
        given::<Patron>([missed(FIRST, NOON), missed(SECOND, NOON), old])
            .when(withdraw(FIRST))
            .then([withdrawn, PatronEvent::BarWithdrawn]);
    }

    #[test]
    fn who_had_come_after_all_did_not_miss_it() {
        let withdrawn = PatronEvent::MissWithdrawn { reservation: SECOND };
        given::<Patron>([missed(SECOND, NOON)])
            .when(withdraw(SECOND))
            .then([withdrawn.clone()]);
        given::<Patron>([missed(SECOND, NOON), withdrawn.clone()])
            .when(withdraw(SECOND))
            .then([]);
        given::<Patron>([]).when(withdraw(SECOND)).then([]);
        // The bar that rested on it goes with it.
        given::<Patron>([missed(FIRST, NOON), missed(SECOND, NOON), barred()])
            .when(withdraw(SECOND))
            .then([withdrawn, PatronEvent::BarWithdrawn]);
    }

    #[test]
    fn when_somebody_missed_a_reservation_is_known() {
        let patron = patron([missed(FIRST, NOON)]);
        assert_eq!(patron.missed_at(FIRST), Some(NOON));
        assert_eq!(patron.missed_at(SECOND), None);
    }
}
