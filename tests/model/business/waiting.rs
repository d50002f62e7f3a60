//! Those who wait, in the order they came, and what is offered to them (DOMAIN W1, W2, W3).

use super::{
    super::{
        ask::{SEATS, Seats, Slot},
        reservation::{Reservation, Stage},
    },
    Business, Outcome, Place, Sale,
};

/// Minutes an offer is held.
const OFFER: i64 = 10;

/// Somebody who wants to have places of a slot.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub slot: Slot,
    /// So many seats side by side; or the room, with so many people.
    count: u8,
    who: usize,
    pub wait: Wait,
}

/// How far somebody is who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    Waiting,
    Offered(usize),
    Accepted,
    Declined,
    Lapsed,
    Left,
    /// There is nothing to wait for any more.
    Ended,
}

impl Entry {
    const fn places(&self) -> usize {
        match self.slot {
            Slot::Screening => self.count as usize,
            Slot::Session | Slot::Later => 1,
        }
    }

    const fn is_in_line(&self) -> bool {
        matches!(self.wait, Wait::Waiting)
    }
}

impl Business {
    pub(super) fn join(&mut self, slot: Slot, count: u8, who: usize) -> Outcome {
        self.on_sale(slot)?;
        if slot == Slot::Screening {
            Self::countable(count.into())?;
        } else {
            Self::playable(count)?;
        }
        self.look(slot);
        let wait = Wait::Waiting;
        let entry = Entry {
            slot,
            count,
            who,
            wait,
        };
        if let Some(seats) = self.best(slot, entry.places()) {
            return self.begin(slot, seats, count);
        }
        let is_there = |wait| matches!(wait, Wait::Waiting | Wait::Offered(_));
        let same = |known: &Entry| known.slot == slot && known.who == who && is_there(known.wait);
        if self.entries.iter().any(same) {
            return Err("waitlist/already-waiting");
        }
        self.entries.push(entry);
        Ok(())
    }

    pub(super) fn leave(&mut self, entry: usize) -> Outcome {
        match self.wait(entry)? {
            Wait::Waiting | Wait::Offered(_) => self.let_go(entry, Wait::Left),
            Wait::Left => {}
            Wait::Accepted | Wait::Declined | Wait::Lapsed | Wait::Ended => return Err("waitlist/over"),
        }
        Ok(())
    }

    pub(super) fn accept(&mut self, entry: usize) -> Outcome {
        match self.wait(entry)? {
            Wait::Waiting => Err("waitlist/not-offered"),
            Wait::Offered(which) if self.now >= self.reservations[which].until => {
                Err("waitlist/offer-lapsed")
            }
            Wait::Offered(_) | Wait::Accepted => {
                self.entries[entry].wait = Wait::Accepted;
                Ok(())
            }
            Wait::Declined | Wait::Lapsed | Wait::Left | Wait::Ended => Err("waitlist/over"),
        }
    }

    pub(super) fn decline(&mut self, entry: usize) -> Outcome {
        match self.wait(entry)? {
            Wait::Waiting => return Err("waitlist/not-offered"),
            Wait::Offered(_) => self.let_go(entry, Wait::Declined),
            Wait::Declined => {}
            Wait::Accepted | Wait::Lapsed | Wait::Left | Wait::Ended => return Err("waitlist/over"),
        }
        Ok(())
    }

    fn wait(&self, entry: usize) -> Result<Wait, &'static str> {
        let entry = self.entries.get(entry).ok_or("waitlist/not-found")?;
        Ok(entry.wait)
    }

    fn let_go(&mut self, entry: usize, wait: Wait) {
        let before = std::mem::replace(&mut self.entries[entry].wait, wait);
        if let Wait::Offered(which) = before {
            self.end(which, Stage::Released, false);
        }
    }

    /// What becomes of an offer, if this is one that runs.
    pub(super) fn settle(&mut self, which: usize, wait: Wait) {
        if let Some(entry) = self.reservations[which].entry
            && self.entries[entry].wait == Wait::Offered(which)
        {
            self.entries[entry].wait = wait;
        }
    }

    /// Offers what is free to those who wait, the first who fits first; where nothing is sold any more, nobody waits.
    pub(super) fn look(&mut self, slot: Slot) {
        let over = self.sale(slot) == Sale::Withdrawn || self.now >= self.starts(slot);
        for index in 0..self.entries.len() {
            let entry = self.entries[index];
            if entry.slot != slot || !entry.is_in_line() {
                continue;
            }
            if over {
                self.entries[index].wait = Wait::Ended;
            } else if self.on_sale(slot).is_ok()
                && let Some(seats) = self.best(slot, entry.places())
            {
                self.offer(index, seats);
            }
        }
    }

    fn offer(&mut self, entry: usize, seats: Seats) {
        let (which, Entry { slot, count, .. }) = (self.reservations.len(), self.entries[entry]);
        let until = (self.now + OFFER).min(self.starts(slot));
        self.reservations.push(Reservation {
            entry: Some(entry),
            ..Reservation::held(slot, seats, count, until, until)
        });
        for seat in seats.numbers() {
            self.places[seat] = Place::Of(which);
        }
        self.entries[entry].wait = Wait::Offered(which);
    }

    /// So many free places side by side: those that leave the fewest lone seats beside them, and of these the ones nearest
    /// the middle of the row (DOMAIN C13).
    fn best(&self, slot: Slot, count: usize) -> Option<Seats> {
        let is_free = |seat: usize| self.places[seat] == Place::Free;
        if slot != Slot::Screening {
            let room = Seats::of(slot);
            return room.numbers().all(is_free).then_some(room);
        }
        let free = |seat: Option<usize>| seat.is_some_and(|seat| seat < SEATS && is_free(seat));
        let is_lone = |next: Option<usize>, after: Option<usize>| usize::from(free(next) && !free(after));
        let cost = |first: &usize| {
            let last = first + count - 1;
            let left = is_lone(first.checked_sub(1), first.checked_sub(2));
            let right = is_lone(Some(last + 1), Some(last + 2));
            // Half a seat's width each, from the middle between the two seats in the middle.
            let far: usize = (*first..=last).map(|seat| (2 * seat).abs_diff(SEATS - 1)).sum();
            (left + right, far)
        };
        let all_free = |first: &usize| (*first..first + count).all(is_free);
        let first = (0..=SEATS - count).filter(all_free).min_by_key(cost)?;
        Some(Self::side_by_side(first, count))
    }

    fn side_by_side(first: usize, count: usize) -> Seats {
        Seats((first..first + count).fold(0, |seats, seat| seats | 1 << seat))
    }

    /// Whether somebody waits whom these places would fit, some of them at least, had they not just been taken.
    pub(super) fn is_waited_for(&self, slot: Slot, taken: Seats) -> bool {
        let line = self
            .entries
            .iter()
            .filter(|entry| entry.slot == slot && entry.is_in_line());
        let Some(fewest) = line.map(Entry::places).min() else {
            return false;
        };
        if slot != Slot::Screening {
            return true;
        }
        let could_have = |seat: usize| taken.0 & (1 << seat) != 0 || self.places[seat] == Place::Free;
        (0..=SEATS - fewest).any(|first| {
            Self::side_by_side(first, fewest).0 & taken.0 != 0 && (first..first + fewest).all(could_have)
        })
    }
}
