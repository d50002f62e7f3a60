//! What those who wait do: join, leave, accept, decline; whoever joins while places are free gets them at once (DOMAIN
//! W3); never past anybody who came before.

use aggregates::{
    ids::{ReservationId, TimeSlotId},
    language::Language,
    personal::Personal,
    pricing::Party,
    ratings::Statement,
    reservation::{Contact, Reservation, ReservationCommand, ReservationError},
    seating,
    time_slot::{Plan, Show},
    values::{CustomerName, Note, PhoneNumber, SeatLabel},
    waitlist::{ContactMark, Crowd, Leaver, Waitlist, WaitlistCommand, WaitlistError, seats_for},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::{
    Answer, Bookings, Places, Wish,
    choice::{choose, so_many},
    hold::{NUMBERS_MAX, begin_hold, customer_of, give_back, open_plan, renumbered},
    patrons::among_us,
    ratings::foresee,
    refused::{ChoiceError, Refused},
    waitlist::{Hall, free_among, look_again},
};
use crate::store::{Request, Stop, UnitOfWork};

/// What somebody says who wants to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Joining {
    /// For which slot.
    pub time_slot: TimeSlotId,
    /// Who comes.
    pub party: Party,
    /// Their name.
    pub name: CustomerName,
    /// The number to call.
    pub phone: PhoneNumber,
    /// The language they ask in, if they named one: the same request is the same in any language.
    #[serde(skip)]
    pub language: Option<Language>,
}

impl Bookings {
    /// Waits for a slot under this number or another one; or holds places, if there are some (DOMAIN W1, W3). `crowd` tells
    /// who came from where they come from; it is asked anew with every attempt, since others may come meanwhile.
    pub async fn join(
        &self,
        request: &Request,
        id: ReservationId,
        joining: &Joining,
        crowd: &(dyn Fn() -> Crowd + Sync),
    ) -> Answer {
        let mut answer = self.join_as(request, id, joining, crowd).await;
        for _ in 1..NUMBERS_MAX {
            let Err(Stop::Refused(Refused::Reservation(ReservationError::AlreadyBegun))) = answer else {
                break;
            };
            let other = self.next_number();
            answer = self
                .join_as(&renumbered(request, id, other), other, joining, crowd)
                .await;
        }
        answer
    }

    async fn join_as(
        &self,
        request: &Request,
        id: ReservationId,
        joining: &Joining,
        crowd: &(dyn Fn() -> Crowd + Sync),
    ) -> Answer {
        let time_slot = joining.time_slot;
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            let plan = open_plan(work, time_slot).await?;
            among_us(work, customer_of(request)).await?;
            foresee(work, &plan, customer_of(request), Statement::default()).await?;
            let hall = Hall::of(work, &plan).await?;
            // Every place is checked in the append: whoever frees one meanwhile must know of this entry.
            let labels = hall.blocks(None);
            free_among(work, time_slot, &labels).await?;
            let empty = wish_in_empty(work, &plan, &hall, joining)?;
            choose(work, &plan, &empty).await?;
            look_again(work, time_slot).await?;
            let mut free = free_among(work, time_slot, &labels).await?;
            let open = plan.pool_is_open(work.now());
            if let Some(seats) = hall.take(&mut free, seats_for(&joining.party), open) {
                let wish = wish_for(&plan, joining, seats);
                return begin_hold(work, request, id, &plan, &wish).await;
            }
            work.begin::<Reservation>(&id).await?;
            if *work.state::<Reservation>(&id)? != Reservation::Blank {
                return Err(ReservationError::AlreadyBegun.into());
            }
            let mark = format!("{time_slot} {}", joining.phone);
            let mark = work.vault().mac(MARK_PURPOSE, mark.as_bytes());
            let command = WaitlistCommand::Join {
                entry: id,
                party: joining.party,
                contact: Contact {
                    name: Personal::Plain(joining.name.clone()),
                    phone: Personal::Plain(joining.phone.clone()),
                },
                mark: ContactMark::new(URL_SAFE_NO_PAD.encode(mark)),
                customer: customer_of(request),
                language: joining.language,
                crowd: crowd(),
            };
            Ok(work.execute::<Waitlist>(&time_slot, command)?)
        })
        .await
    }

    /// Waits no more; places that are offered are given back.
    pub async fn leave(
        &self,
        request: &Request,
        time_slot: TimeSlotId,
        entry: ReservationId,
        by: Leaver,
        reason: Option<Note>,
    ) -> Answer {
        let reason = &reason;
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            let command = WaitlistCommand::Leave {
                entry,
                by,
                reason: reason.clone(),
            };
            self.let_go(work, time_slot, entry, command).await
        })
        .await
    }

    /// Gives back what is offered; the next in line get it in the same append (DOMAIN W2).
    pub async fn decline(&self, request: &Request, time_slot: TimeSlotId, entry: ReservationId) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            self.let_go(work, time_slot, entry, WaitlistCommand::Decline { entry })
                .await
        })
        .await
    }

    async fn let_go(
        &self,
        work: &mut UnitOfWork,
        time_slot: TimeSlotId,
        entry: ReservationId,
        command: WaitlistCommand,
    ) -> Result<(), Stop<Refused>> {
        note_branch(work, time_slot).await?;
        let waitlist = work.load::<Waitlist>(&time_slot).await?;
        let offer = waitlist.entry(entry).and_then(|known| known.offer.clone());
        work.execute::<Waitlist>(&time_slot, command)?;
        if let Some(offer) = offer {
            work.load::<Reservation>(&entry).await?;
            work.execute::<Reservation>(&entry, ReservationCommand::Release)?;
            give_back(work, entry, time_slot, &offer.seats).await?;
        }
        Ok(())
    }

    /// Takes what is offered: the hold is theirs to be placed until the offer would have lapsed (DOMAIN W2).
    pub async fn accept(&self, request: &Request, time_slot: TimeSlotId, entry: ReservationId) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            note_branch(work, time_slot).await?;
            work.load::<Waitlist>(&time_slot).await?;
            Ok(work.execute::<Waitlist>(&time_slot, WaitlistCommand::Accept { entry })?)
        })
        .await
    }

    /// Offers what is free to those who wait for a slot, or ends their waiting if its sale is over.
    pub async fn look_after(&self, request: &Request, time_slot: TimeSlotId) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            note_branch(work, time_slot).await?;
            Ok(look_again(work, time_slot).await?)
        })
        .await
    }
}

/// What a keyed hash of a phone number on a waitlist is for.
const MARK_PURPOSE: &str = "waitlist-contact";

async fn note_branch(work: &mut UnitOfWork, time_slot: TimeSlotId) -> Result<(), Stop<Refused>> {
    let plan = work
        .load::<aggregates::time_slot::TimeSlot>(&time_slot)
        .await?
        .plan();
    let branch = plan
        .map(|plan| plan.branch)
        .map_err(|_| WaitlistError::NotFound)?;
    work.at_branch(branch);
    Ok(())
}

fn wish_for(plan: &Plan, joining: &Joining, seats: Vec<SeatLabel>) -> Wish {
    Wish {
        time_slot: joining.time_slot,
        places: match plan.show {
            Show::Theme { .. } => Places::Room,
            Show::Movie { .. } => Places::Seats(seats),
        },
        party: joining.party,
        accessible: false,
        said: Statement::default(),
    }
}

/// What they could have if nobody had anything: whoever can never be served need not wait.
fn wish_in_empty(
    work: &UnitOfWork,
    plan: &Plan,
    hall: &Hall,
    joining: &Joining,
) -> Result<Wish, ChoiceError> {
    let wrong = |why, field| Err(ChoiceError::WrongKind { why, field });
    let seats = match (&plan.show, &joining.party, hall) {
        (Show::Theme { .. }, Party::Group { .. }, _) => vec![SeatLabel::room()],
        (Show::Theme { .. }, Party::Persons(_), _) => {
            return wrong(
                "an escape-room slot is reserved whole: send party_size",
                "/persons",
            );
        }
        (Show::Movie { .. }, Party::Group { .. }, _) => {
            return wrong("a cinema slot is reserved by seat: send persons", "/party_size");
        }
        (Show::Movie { .. }, Party::Persons(_), Hall::Seats(layout)) => {
            let count = seats_for(&joining.party);
            so_many(count, plan.seats_per_customer_max, "/persons")?;
            let wish = seating::Wish::of(count, plan.pool_is_open(work.now()));
            let together = u8::try_from(count).unwrap_or(u8::MAX);
            seating::best_available(layout, wish, |_| false).ok_or(ChoiceError::NothingAdjacent(together))?
        }
        (Show::Movie { .. }, Party::Persons(_), Hall::Room | Hall::Nothing) => {
            return Err(ChoiceError::Incomplete);
        }
    };
    Ok(wish_for(plan, joining, seats))
}
