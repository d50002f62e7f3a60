//! One entry as the events of its slot tell it, and why it was not its turn yet: every place that was freed since, who got
//! it and why (DOMAIN W1). Never a word about who the others are.

use aggregates::{
    Event, Recorded,
    ids::ReservationId,
    pricing::Party,
    reservation::Contact,
    values::SeatLabel,
    waitlist::{Offer, WaitlistEvent, WhyEnded, WhyPassed, seats_for},
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::super::messages;
use crate::{language::Language, moments::on_the_wall};

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WaitlistState)]
pub enum State {
    /// It waits for its turn.
    Waiting,
    /// Places are held for it until its offer runs out.
    Offered,
    /// They were taken: the reservation of the same number goes on.
    Accepted,
    /// They were given back.
    Declined,
    /// They were not taken in time.
    Lapsed,
    /// It was taken off.
    Left,
    /// There was nothing to wait for any more.
    Ended,
}

/// Why places that were freed did not go to this entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// They were offered to somebody who came before.
    SomebodyBefore,
    /// They were too few side by side, and were offered to somebody who waits for fewer.
    TooFewOffered,
    /// They were too few side by side for everybody who waits.
    TooFew,
    /// Nothing was sold just then.
    NotForSale,
}

/// What became of an offer to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WaitlistOutcome)]
pub enum Outcome {
    /// It was taken.
    Accepted,
    /// It was given back.
    Declined,
    /// It was not taken in time.
    Lapsed,
}

/// Places that were freed and went to somebody else, or to nobody.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(title = "FreedPlaces")]
pub struct Freed {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Which.
    seats: Vec<SeatLabel>,
    /// Why they did not go to this entry.
    because: Because,
    /// The same as a sentence, in the caller's language and by the clock of the branch.
    sentence: String,
    /// What became of the offer, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
    #[serde(skip)]
    to: Option<ReservationId>,
}

/// An entry as far as it has come.
pub(super) struct Story {
    pub entry: ReservationId,
    pub party: Party,
    pub contact: Contact,
    pub joined_at: Timestamp,
    pub state: State,
    pub offer: Option<Offer>,
    pub ended: Option<WhyEnded>,
    pub freed: Vec<Freed>,
    /// Who came before and still waits.
    before: Vec<ReservationId>,
}

impl Story {
    /// The story of an entry; none if nobody joined under this number.
    pub fn of(entry: ReservationId, events: &[Recorded]) -> Option<Self> {
        let mut before = Vec::new();
        let mut story: Option<Self> = None;
        for recorded in events {
            let Event::Waitlist(event) = &recorded.event else {
                continue;
            };
            match (&mut story, event) {
                (Some(story), event) if event.entry() == Some(entry) => story.own(event),
                (Some(story), event) => story.of_another(event, recorded.recorded_at),
                (
                    None,
                    WaitlistEvent::Joined {
                        entry: joined,
                        party,
                        contact,
                        ..
                    },
                ) if *joined == entry => {
                    story = Some(Self {
                        entry,
                        party: *party,
                        contact: contact.clone(),
                        joined_at: recorded.recorded_at,
                        state: State::Waiting,
                        offer: None,
                        ended: None,
                        freed: Vec::new(),
                        before: std::mem::take(&mut before),
                    });
                }
                (None, WaitlistEvent::Joined { entry, .. }) => before.push(*entry),
                (None, event) => before.retain(|other| event.entry() != Some(*other)),
            }
        }
        story
    }

    /// The place in line, from 1, while it waits.
    pub fn position(&self) -> Option<usize> {
        (self.state == State::Waiting).then(|| self.before.len() + 1)
    }

    fn own(&mut self, event: &WaitlistEvent) {
        self.state = match event {
            WaitlistEvent::Offered { seats, until, .. } => {
                self.offer = Some(Offer {
                    seats: seats.clone(),
                    until: *until,
                });
                State::Offered
            }
            WaitlistEvent::Accepted { .. } => State::Accepted,
            WaitlistEvent::Declined { .. } => State::Declined,
            WaitlistEvent::Lapsed { .. } => State::Lapsed,
            WaitlistEvent::Left { .. } => State::Left,
            WaitlistEvent::Ended { why, .. } => {
                self.ended = Some(*why);
                State::Ended
            }
            WaitlistEvent::Joined { .. } | WaitlistEvent::Passed { .. } => return,
        };
    }

    fn of_another(&mut self, event: &WaitlistEvent, at: Timestamp) {
        match event {
            WaitlistEvent::Offered { entry, seats, .. } => {
                let because = if self.before.contains(entry) {
                    Because::SomebodyBefore
                } else {
                    Because::TooFewOffered
                };
                self.passed_by(at, seats, because, Some(*entry));
            }
            WaitlistEvent::Passed { seats, why } => {
                let because = match why {
                    WhyPassed::NoFit => Because::TooFew,
                    WhyPassed::NotForSale => Because::NotForSale,
                };
                self.passed_by(at, seats, because, None);
            }
            WaitlistEvent::Accepted { entry } => self.settled(*entry, Outcome::Accepted, at),
            WaitlistEvent::Declined { entry } => self.settled(*entry, Outcome::Declined, at),
            WaitlistEvent::Lapsed { entry } => self.settled(*entry, Outcome::Lapsed, at),
            WaitlistEvent::Joined { .. } | WaitlistEvent::Left { .. } | WaitlistEvent::Ended { .. } => {}
        }
        if let Some(other) = event.entry() {
            self.before.retain(|before| *before != other);
        }
    }

    /// Only what was freed while it waited explains why it waits.
    fn passed_by(&mut self, at: Timestamp, seats: &[SeatLabel], because: Because, to: Option<ReservationId>) {
        if self.state != State::Waiting {
            return;
        }
        self.freed.push(Freed {
            at,
            seats: seats.to_vec(),
            because,
            sentence: sentence(at, seats, because, seats_for(&self.party)),
            outcome: None,
            settled_at: None,
            to,
        });
    }

    fn settled(&mut self, entry: ReservationId, outcome: Outcome, at: Timestamp) {
        let offers = self.freed.iter_mut().filter(|freed| freed.to == Some(entry));
        for freed in offers {
            let settled = match outcome {
                Outcome::Accepted => format!("accepted at {at}"),
                Outcome::Declined => format!("declined at {at}"),
                Outcome::Lapsed => format!("lapsed at {at}"),
            };
            freed.outcome = Some(outcome);
            freed.settled_at = Some(at);
            freed.sentence = format!("{}; {settled}", freed.sentence);
        }
    }
}

impl Freed {
    /// The same, told in a language and by the clock of a zone.
    #[must_use]
    pub fn told(self, language: Language, zone: &TimeZone) -> Self {
        let english = on_the_wall(&self.sentence, zone);
        let sentence = messages::said(language, &english).unwrap_or(english);
        Self { sentence, ..self }
    }
}

fn sentence(at: Timestamp, seats: &[SeatLabel], because: Because, wanted: usize) -> String {
    let what = match seats {
        [room] if *room == SeatLabel::room() => format!("the room was freed at {at}: "),
        [_] => format!("a single seat was freed at {at}: "),
        seats => format!("{} seats were freed at {at}: ", seats.len()),
    };
    let cause = match because {
        Because::SomebodyBefore => "offered to one before you".to_owned(),
        Because::TooFewOffered => {
            format!("offered to one who waits for fewer, you wait for {wanted} together")
        }
        Because::TooFew => format!("you wait for {wanted} together"),
        Because::NotForSale => "nothing was sold just then".to_owned(),
    };
    what + &cause
}
