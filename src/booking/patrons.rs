//! The rules about all reservations of one person (DOMAIN C4, E9): how many seats of a slot they have, and whether they may
//! book at all. Never writes who they are: a phone number and an account are known by keyed hashes alone.

use aggregates::{
    allowance::{Allowance, AllowanceCommand},
    branch::Branch,
    customer::{Customer, CustomerError},
    ids::{AllowanceId, CustomerId, PatronId, ReservationId, TimeSlotId},
    patron::{Patron, PatronCommand},
    reservation::{Reservation, ReservationCommand, ReservationError},
    time_slot::{Plan, Show, TimeSlot},
    values::PhoneNumber,
};
use uuid::Uuid;

use super::{Answer, Bookings, end::end_if_due, hold::held, refused::Refused};
use crate::{
    store::{Request, Stop, UnitOfWork},
    vault::Vault,
};

/// What the hashes are for, so that no other hash of ours is the same.
const PURPOSE: &str = "patron";

/// Who somebody is by their account.
pub(super) fn by_account(vault: &Vault, customer: CustomerId) -> PatronId {
    patron(vault, &format!("customer:{customer}"))
}

/// Who somebody is: by the number they gave, and by their account if they have one.
pub(super) fn patrons_of(vault: &Vault, customer: Option<CustomerId>, phone: &PhoneNumber) -> Vec<PatronId> {
    let by_phone = patron(vault, &format!("phone:{phone}"));
    let by_account = customer.map(|customer| by_account(vault, customer));
    [by_phone].into_iter().chain(by_account).collect()
}

fn patron(vault: &Vault, text: &str) -> PatronId {
    let hash = vault.mac(PURPOSE, text.as_bytes());
    PatronId::new(Uuid::from_u128(
        hash.iter()
            .take(16)
            .fold(0, |bits, byte| bits << 8 | u128::from(*byte)),
    ))
}

/// Refuses who has left: what they begin now would be forgotten by nobody. Whoever leaves meanwhile is a conflict.
pub(super) async fn among_us(
    work: &mut UnitOfWork,
    customer: Option<CustomerId>,
) -> Result<(), Stop<Refused>> {
    let Some(customer) = customer else {
        return Ok(());
    };
    match work.load::<Customer>(&customer).await? {
        Customer::Left => Err(CustomerError::Left.into()),
        Customer::Unknown | Customer::SignedUp(_) => Ok(()),
    }
}

/// Refuses who is barred. Hardly anybody ever missed anything, so nothing is read first; if something was, that is a
/// conflict, and the next attempt looks.
pub(super) async fn welcome(work: &mut UnitOfWork, patrons: &[PatronId]) -> Result<(), Stop<Refused>> {
    let now = work.now();
    for patron in patrons {
        work.begin::<Patron>(patron).await?;
        let welcome = work.state::<Patron>(patron)?.welcome(now);
        welcome.map_err(|barred| work.blame::<Patron, _>(patron, barred))?;
    }
    Ok(())
}

/// Takes so many seats of a slot for a reservation out of what these people may have. A session has one place, which needs
/// no counting.
pub(super) async fn take_allowance(
    work: &mut UnitOfWork,
    by: ReservationId,
    plan: &Plan,
    time_slot: TimeSlotId,
    patrons: &[PatronId],
    seats: usize,
) -> Result<(), Stop<Refused>> {
    match plan.show {
        Show::Theme { .. } => return Ok(()),
        Show::Movie { .. } => {}
    }
    let (seats, max) = (
        u8::try_from(seats).unwrap_or(u8::MAX),
        plan.seats_per_customer_max,
    );
    for patron in patrons {
        let id = AllowanceId {
            time_slot,
            patron: *patron,
        };
        work.begin::<Allowance>(&id).await?;
        work.execute::<Allowance>(&id, AllowanceCommand::Take { by, seats, max })?;
    }
    Ok(())
}

/// Gives back what a reservation had of a slot.
pub(super) async fn give_allowance_back(
    work: &mut UnitOfWork,
    by: ReservationId,
    time_slot: TimeSlotId,
    patrons: &[PatronId],
) -> Result<(), Stop<Refused>> {
    let of_slot = |patron: &PatronId| AllowanceId {
        time_slot,
        patron: *patron,
    };
    let ids: Vec<AllowanceId> = patrons.iter().map(of_slot).collect();
    work.load_all::<Allowance>(&ids).await?;
    for id in &ids {
        work.execute::<Allowance>(id, AllowanceCommand::GiveBack { by })?;
    }
    Ok(())
}

/// Who placed a reservation; nobody, if it was not placed, or long ago.
pub(super) async fn patrons_of_placed(
    work: &mut UnitOfWork,
    id: ReservationId,
) -> Result<Vec<PatronId>, Stop<Refused>> {
    let placed = work.load::<Reservation>(&id).await?.placed();
    Ok(placed.map_or_else(Vec::new, |placed| placed.placement.patrons.clone()))
}

impl Bookings {
    /// Records that nobody came, and remembers it of who had placed it (DOMAIN E9). What was not paid in time expires instead:
    /// nobody had to come.
    pub async fn mark_no_show(&self, request: &Request, id: ReservationId) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            held(work, id).await?;
            absent(work, id).await
        })
        .await
    }

    /// The same by itself, when its time has come; does nothing to one whose people came, or that has ended.
    ///
    /// # Errors
    ///
    /// While its time has not come yet: that is not remembered, as "nothing to do" would be.
    pub async fn mark_absent(&self, request: &Request, id: ReservationId) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            let now = work.now();
            let absent_at = match work.load::<Reservation>(&id).await? {
                Reservation::Placed(placed) => placed.placement.attendance.map(|times| times.no_show_at),
                Reservation::Blank
                | Reservation::Held(_)
                | Reservation::Lapsed(_)
                | Reservation::Released(_)
                | Reservation::Attended(_)
                | Reservation::NoShow(_)
                | Reservation::Cancelled(_)
                | Reservation::Expired(_) => None,
            };
            match absent_at {
                None => Ok(()),
                Some(due_at) if now < due_at => Err(ReservationError::NotYetDue { due_at }.into()),
                Some(_) => {
                    held(work, id).await?;
                    absent(work, id).await
                }
            }
        })
        .await
    }

    /// Lets who placed a reservation book again.
    pub async fn lift_bar(&self, request: &Request, id: ReservationId) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            held(work, id).await?;
            if work.state::<Reservation>(&id)?.placed().is_none() {
                return Err(ReservationError::NotPlaced.into());
            }
            let patrons = patrons_of_placed(work, id).await?;
            work.load_all::<Patron>(&patrons).await?;
            for patron in &patrons {
                work.execute::<Patron>(patron, PatronCommand::LiftBar)?;
            }
            Ok(())
        })
        .await
    }
}

/// They missed it, unless it is overdue.
async fn absent(work: &mut UnitOfWork, id: ReservationId) -> Result<(), Stop<Refused>> {
    let placed = matches!(work.state::<Reservation>(&id)?, Reservation::Placed(_));
    if placed && end_if_due(work, id).await?.is_some() {
        return Ok(());
    }
    missed(work, id).await
}

async fn missed(work: &mut UnitOfWork, id: ReservationId) -> Result<(), Stop<Refused>> {
    work.execute::<Reservation>(&id, ReservationCommand::MarkNoShow)?;
    let (time_slot, _) = held(work, id).await?;
    let branch = work.load::<TimeSlot>(&time_slot).await?.plan()?.branch;
    let rules = work.load::<Branch>(&branch).await?.attendance();
    let patrons = patrons_of_placed(work, id).await?;
    work.load_all::<Patron>(&patrons).await?;
    for patron in &patrons {
        let command = PatronCommand::Miss {
            reservation: id,
            rules: rules.clone(),
        };
        work.execute::<Patron>(patron, command)?;
    }
    Ok(())
}
