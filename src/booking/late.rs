//! Money for a reservation that expired: taken up again if its seats are free, else an equal slot offered, else due
//! back (DOMAIN E7); each recorded, nothing lost. Never takes a seat from anybody.

use aggregates::{
    Decider as _, Event,
    branch::Branch,
    coupon::{Coupon, CouponCommand},
    ids::{ReservationId, SeatId, TimeSlotId},
    personal::Personal,
    ratings::Statement,
    reservation::{
        Choice, Contact, MoneyCommand, Offer, Pay, Payment, Placed, Placement, Reservation,
        ReservationCommand, ReservationError, ReservationEvent, Source,
    },
    seat::{Seat, SeatCommand},
    time_slot::{Plan, TimeSlot},
    values::{CouponCode, SeatLabel, ShortCode},
};

use super::{
    Answer, Bookings, Places, Wish,
    choice::choose,
    end::end_if_due,
    hold::{held, in_business, open_plan, seat_ids, take_seats},
    money::frozen,
    nearby::NEARBY_MAX,
    patrons::{give_allowance_back, take_allowance},
    place::reserve_seats,
    ratings::admit,
    refused::Refused,
    reschedule::said,
    waitlist::overtakes_nobody,
};
use crate::store::{Committed, Request, Stop, UnitOfWork};

/// Numbers tried for the new reservation, should others have been given the same.
const NUMBERS_MAX: usize = 8;
/// The number of nobody: stands for a reservation that is not there yet.
const ANOTHER: ReservationId = ReservationId::new(0);

impl Bookings {
    /// Takes the equal slot that is offered for late money: a new reservation is placed there with all terms of the old one,
    /// and the money moves to it, in one append.
    pub async fn accept_offer(&self, request: &Request, id: ReservationId) -> Answer {
        let mut answer = self.accept_as(request, id, self.next_number()).await;
        for _ in 1..NUMBERS_MAX {
            let Err(Stop::Refused(Refused::Reservation(ReservationError::AlreadyBegun))) = answer else {
                break;
            };
            answer = self.accept_as(request, id, self.next_number()).await;
        }
        answer
    }

    async fn accept_as(&self, request: &Request, id: ReservationId, into: ReservationId) -> Answer {
        let short_code = &self.short_code(into);
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            held(work, id).await?;
            let offered = work.state::<Reservation>(&id)?;
            let offer = offered.offer().cloned();
            let old = offered.placed().cloned();
            let accept = MoneyCommand::AcceptOffer { into };
            work.execute::<Reservation>(&id, ReservationCommand::Settle(accept))?;
            let (Some(offer), Some(old)) = (offer, old) else {
                return Err(ReservationError::NoOffer.into());
            };
            move_to(work, into, &offer, &old, short_code).await?;
            let amount = old.money_of(old.money.kept());
            let pay = Pay {
                amount: Some(amount),
                note: None,
                source: Some(Source::Moved { from: id }),
            };
            Ok(work.execute::<Reservation>(&into, ReservationCommand::Pay(pay))?)
        })
        .await
    }
}

/// The reservation that an accepted offer led to.
#[must_use]
pub fn moved_to(committed: &Committed) -> Option<ReservationId> {
    committed.events.iter().find_map(|recorded| {
        let Event::Reservation(ReservationEvent::OfferAccepted { into, .. }) = &recorded.event else {
            return None;
        };
        Some(*into)
    })
}

/// Places a new reservation in the offered slot, under the terms of the old one.
async fn move_to(
    work: &mut UnitOfWork,
    into: ReservationId,
    offer: &Offer,
    old: &Placed,
    short_code: &ShortCode,
) -> Result<(), Stop<Refused>> {
    let now = work.now();
    // Whoever was erased meanwhile cannot be placed anew: staff give the money back.
    let (name, phone) = (
        old.placement.contact.name.plain().cloned(),
        old.placement.contact.phone.plain().cloned(),
    );
    let (Some(name), Some(phone)) = (name, phone) else {
        return Err(ReservationError::NoOffer.into());
    };
    let plan = open_plan(work, offer.time_slot).await?;
    admit(work, &plan, old.hold.customer, said(old)).await?;
    let choice = choose(
        work,
        &plan,
        &wish(offer.time_slot, &offer.seats, &old.hold.choice),
    )
    .await?;
    let people = choice.seats.len();
    take_seats(work, into, &plan, offer.time_slot, &choice.seats).await?;
    work.begin::<Reservation>(&into).await?;
    let (until, cap) = (plan.hold_until(now), plan.hold_cap(now));
    let seats = seat_ids(offer.time_slot, &choice.seats);
    let hold = ReservationCommand::Hold {
        time_slot: offer.time_slot,
        choice,
        until,
        cap,
        customer: old.hold.customer,
        said: said(old),
    };
    work.execute::<Reservation>(&into, hold)?;
    if let Some(code) = &old.placement.coupon {
        let redeem = redeeming(work, into, code, &plan).await?;
        work.execute::<Coupon>(code, redeem)?;
    }
    let (cancellation, cancel_until) = frozen(work, &plan).await?;
    let rules = work.load::<Branch>(&plan.branch).await?.attendance();
    let placement = Placement {
        contact: Contact {
            name: Personal::Plain(name),
            phone: Personal::Plain(phone),
        },
        payment: match &old.placement.payment {
            Payment::BankTransfer { accounts, .. } => Payment::BankTransfer {
                pay_by: plan.starts_at,
                accounts: accounts.clone(),
            },
            // Paid through the provider, it is paid for here too: nothing is due any more.
            Payment::OnSite | Payment::Provider { .. } => Payment::OnSite,
        },
        short_code: short_code.to_string(),
        starts_at: plan.starts_at,
        cancel_until,
        cancellation,
        attendance: Some(rules.of(&plan)),
        ..old.placement.clone()
    };
    work.execute::<Reservation>(&into, ReservationCommand::Place(Box::new(placement)))?;
    let patrons = &old.placement.patrons;
    take_allowance(work, into, &plan, offer.time_slot, patrons, people).await?;
    reserve_seats(work, into, &seats).await
}

/// Decides what becomes of the money of a reservation that has expired; nothing if it has not.
pub(super) async fn settle_late(
    work: &mut UnitOfWork,
    id: ReservationId,
    near: &[TimeSlotId],
) -> Result<(), Stop<Refused>> {
    let Reservation::Expired(placed) = work.load::<Reservation>(&id).await? else {
        return Ok(());
    };
    let placed = placed.clone();
    // While a slot is offered, whatever comes belongs to that.
    if placed.offer.is_some() || (placed.paid && take_up_again(work, id, &placed).await?) {
        return Ok(());
    }
    let offer = if placed.paid {
        equal_slot(work, &placed, near).await?
    } else {
        None
    };
    let command = offer.map_or(MoneyCommand::GiveBack, MoneyCommand::Offer);
    Ok(work.execute::<Reservation>(&id, ReservationCommand::Settle(command))?)
}

/// Confirms it again, if its slot has not begun and its seats are still free, and tells whether it did. Who paid is not asked
/// again for what they chose: the orphan rule was kept when they chose it.
async fn take_up_again(
    work: &mut UnitOfWork,
    id: ReservationId,
    placed: &Placed,
) -> Result<bool, Stop<Refused>> {
    let now = work.now();
    let plan = match work.load::<TimeSlot>(&placed.hold.time_slot).await? {
        // A slot that is closed may be about to be emptied: nothing comes back there.
        TimeSlot::OnSale(plan) if now < plan.starts_at => plan.clone(),
        TimeSlot::Unknown | TimeSlot::OnSale(_) | TimeSlot::Closed(_) | TimeSlot::Withdrawn(_) => {
            return Ok(false);
        }
    };
    if !fits(in_business(work, &plan).await)? {
        return Ok(false);
    }
    let seats = seat_ids(placed.hold.time_slot, &placed.hold.choice.seats);
    if !redeemable(work, id, placed, &plan).await? || !all_free(work, placed.hold.time_slot, &seats).await? {
        return Ok(false);
    }
    // Money is recorded whoever waits: what it would overtake them for is not free.
    let free = overtakes_nobody(work, &plan, placed.hold.time_slot, &placed.hold.choice.seats).await;
    if !fits(free)? {
        return Ok(false);
    }
    let (time_slot, patrons) = (placed.hold.time_slot, &placed.placement.patrons);
    let allowed = take_allowance(work, id, &plan, time_slot, patrons, seats.len()).await;
    if !fits(allowed)? {
        // They have booked other seats of the slot meanwhile; what one of them was granted goes back.
        give_allowance_back(work, id, time_slot, patrons).await?;
        return Ok(false);
    }
    work.execute::<Reservation>(&id, ReservationCommand::Settle(MoneyCommand::Reinstate))?;
    take_seats(work, id, &plan, time_slot, &placed.hold.choice.seats).await?;
    reserve_seats(work, id, &seats).await?;
    if let Some(code) = &placed.placement.coupon {
        let redeem = redeeming(work, id, code, &plan).await?;
        work.execute::<Coupon>(code, redeem)?;
    }
    Ok(true)
}

/// The first of these slots that has free places of the same kind at the same price.
async fn equal_slot(
    work: &mut UnitOfWork,
    placed: &Placed,
    near: &[TimeSlotId],
) -> Result<Option<Offer>, Stop<Refused>> {
    let now = work.now();
    let before = &placed.hold;
    let Ok(show) = work.load::<TimeSlot>(&before.time_slot).await?.plan().cloned() else {
        return Ok(None);
    };
    for slot in near
        .iter()
        .take(NEARBY_MAX)
        .filter(|slot| **slot != before.time_slot)
    {
        let Ok(plan) = work.load::<TimeSlot>(slot).await?.open_for_holds(now).cloned() else {
            continue;
        };
        let same = plan.branch == show.branch && plan.show.is_same_as(&show.show);
        // Another reservation is placed there: a coupon that stays redeemed for this one is of no use to it.
        let placeable =
            same && fits(in_business(work, &plan).await)? && redeemable(work, ANOTHER, placed, &plan).await?;
        if !placeable {
            continue;
        }
        for places in [Some(before.choice.seats.clone()), None] {
            let wish = match places {
                Some(seats) => wish(*slot, &seats, &before.choice),
                None => best(*slot, &before.choice),
            };
            let choice = match choose(work, &plan, &wish).await {
                Ok(choice) => choice,
                Err(Stop::Refused(_)) => continue,
                Err(error) => return Err(error),
            };
            let price = (choice.quote.total, choice.quote.currency);
            let seats = seat_ids(*slot, &choice.seats);
            if price == (before.choice.quote.total, before.choice.quote.currency)
                && all_free(work, *slot, &seats).await?
                && fits(overtakes_nobody(work, &plan, *slot, &choice.seats).await)?
            {
                let rules = work.load::<Branch>(&plan.branch).await?.payment();
                return Ok(Some(Offer {
                    time_slot: *slot,
                    seats: choice.seats,
                    until: rules.late_offer_until(now, plan.starts_at),
                }));
            }
        }
    }
    work.at_branch(show.branch);
    Ok(None)
}

/// The same people in these seats of a slot.
fn wish(time_slot: TimeSlotId, seats: &[SeatLabel], choice: &Choice) -> Wish {
    let places = match seats {
        [room] if *room == SeatLabel::room() => Places::Room,
        seats => Places::Seats(seats.to_vec()),
    };
    Wish {
        time_slot,
        places,
        party: choice.party,
        accessible: choice.accessible,
        said: Statement::default(),
    }
}

/// The same people in the best seats of a slot.
fn best(time_slot: TimeSlotId, choice: &Choice) -> Wish {
    let wish = wish(time_slot, &choice.seats, choice);
    let places = match wish.places {
        Places::Room => Places::Room,
        Places::Seats(seats) => Places::BestAvailable(u8::try_from(seats.len()).unwrap_or(u8::MAX)),
        Places::BestAvailable(count) => Places::BestAvailable(count),
    };
    Wish { places, ..wish }
}

/// Whether a check let it pass; a lost database is passed on.
fn fits(checked: Result<(), Stop<Refused>>) -> Result<bool, Stop<Refused>> {
    match checked {
        Ok(()) => Ok(true),
        Err(Stop::Refused(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether its coupon, which it gave back when it expired unless that stays redeemed, can be redeemed by this reservation;
/// without one there is nothing to ask.
async fn redeemable(
    work: &mut UnitOfWork,
    by: ReservationId,
    placed: &Placed,
    plan: &Plan,
) -> Result<bool, Stop<Refused>> {
    let Some(code) = &placed.placement.coupon else {
        return Ok(true);
    };
    let now = work.now();
    let redeem = redeeming(work, by, code, plan).await?;
    Ok(work.state::<Coupon>(code)?.decide(redeem, now).is_ok())
}

async fn redeeming(
    work: &mut UnitOfWork,
    by: ReservationId,
    code: &CouponCode,
    plan: &Plan,
) -> Result<CouponCommand, Stop<Refused>> {
    let terms = work.load::<Coupon>(code).await?.terms();
    let covered = terms.is_some_and(|terms| terms.scope.covers(plan));
    Ok(CouponCommand::Redeem { by, covered })
}

/// Whether all of these seats can be had, before any of them is taken. Holders whose time is up give way.
async fn all_free(
    work: &mut UnitOfWork,
    time_slot: TimeSlotId,
    seats: &[SeatId],
) -> Result<bool, Stop<Refused>> {
    work.load_prefix::<Seat>(&format!("{time_slot}:"), seats).await?;
    for seat in seats {
        if let Some(holder) = work.state::<Seat>(seat)?.holder() {
            end_if_due(work, holder).await?;
        }
        let hold = SeatCommand::Hold { by: ANOTHER };
        if work.state::<Seat>(seat)?.decide(hold, work.now()).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}
