//! The door: a ticket is scanned, and whoever it stands for is let in or told why not (DOMAIN E9); also a while later, when
//! a device that had no network tells what it scanned. Never reads a code: that is [`crate::ticket`]'s business.

use aggregates::{
    Event, StreamId,
    branch::Branch,
    business_day::on_the_wall,
    fault::Fault,
    ids::{BranchId, PatronId, ReservationId},
    patron::{Patron, PatronCommand},
    refusal::{Kind, Refusal},
    reservation::{Reservation, ReservationCommand, ReservationError, ReservationEvent},
    time_slot::{Plan, TimeSlot},
    values::Name,
};
use jiff::{SignedDuration, Timestamp};

use super::{Bookings, patrons::patrons_of_placed, refused::Refused};
use crate::{
    store::{Committed, Request, Stop, StoreError, UnitOfWork},
    ticket::Ticket,
};

/// How far the clock of a device may be ahead of ours.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);
/// How long a device may go without telling what it scanned.
const LATE_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A ticket that was scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// What it says; its signature is good.
    pub ticket: Ticket,
    /// When it was scanned, if not just now.
    pub at: Option<Timestamp>,
    /// By which device.
    pub device: Option<Name>,
    /// At the door of which branch, if the device knows.
    pub branch: Option<BranchId>,
}

/// Who was let in, and when that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Whether it was this scan that let them in.
    pub by_this: bool,
    /// When they came.
    pub at: Timestamp,
    /// By which device they were let in.
    pub device: Option<Name>,
    /// By whom: the id of an admin.
    pub by: Option<String>,
}

/// Why a ticket that is genuine opens no door.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DoorError {
    /// Nothing is known of its reservation.
    #[error("no reservation goes with this ticket")]
    Unknown,
    /// It was moved since.
    #[error("the reservation was rescheduled; this ticket is of no use any more")]
    Superseded,
    /// It is for another branch than that of the door, or of who stands there.
    #[error("the ticket is for another branch")]
    OtherBranch,
    /// It is for another day.
    #[error("the ticket is for another day: it begins at {starts_at}")]
    OtherDay {
        /// When its slot begins.
        starts_at: Timestamp,
    },
    /// The device's clock is wrong.
    #[error("it was scanned later than now: the clock of the device is wrong")]
    ScannedAhead,
    /// Told too late.
    #[error("it was scanned more than 7 days ago")]
    ScannedLongAgo,
}

impl DoorError {
    /// One of each, for the documentation.
    pub const EACH: &'static [Self] = &[
        Self::Unknown,
        Self::Superseded,
        Self::OtherBranch,
        Self::OtherDay {
            starts_at: Timestamp::UNIX_EPOCH,
        },
        Self::ScannedAhead,
        Self::ScannedLongAgo,
    ];

    const fn told(&self) -> (&'static str, Kind, &'static str) {
        match self {
            Self::Unknown => (
                "ticket/unknown",
                Kind::NotFound,
                "Ask for the reservation's number and look it up.",
            ),
            Self::Superseded => (
                "ticket/superseded",
                Kind::Gone,
                "Ask for the ticket of the reservation as it is now.",
            ),
            Self::OtherBranch => (
                "ticket/other-branch",
                Kind::Conflict,
                "Show the way to the branch the ticket is for.",
            ),
            Self::OtherDay { .. } => (
                "ticket/other-day",
                Kind::Conflict,
                "Show the day that stands on the ticket.",
            ),
            Self::ScannedAhead => (
                "ticket/scanned-ahead",
                Kind::Invalid,
                "Correct the clock of the device.",
            ),
            Self::ScannedLongAgo => (
                "ticket/scanned-long-ago",
                Kind::Invalid,
                "Look the reservation up; it can be checked in by its number while it lasts.",
            ),
        }
    }
}

impl Refusal for DoorError {
    fn slug(&self) -> &'static str {
        self.told().0
    }

    fn kind(&self) -> Kind {
        self.told().1
    }

    fn help(&self) -> &'static str {
        self.told().2
    }

    fn faults(&self) -> Vec<Fault> {
        match self {
            Self::ScannedAhead | Self::ScannedLongAgo => vec![Fault::at("/scanned_at", self.to_string())],
            Self::Unknown | Self::Superseded | Self::OtherBranch | Self::OtherDay { .. } => Vec::new(),
        }
    }
}

impl Bookings {
    /// Lets in whoever a scanned ticket stands for, or tells since when they are in; `may` says at which branches that is
    /// the business of who asks. However often it is told, and in whatever order: they come in once.
    pub async fn admit(
        &self,
        request: &Request,
        scan: &Scan,
        may: impl Fn(BranchId) -> bool + Sync,
    ) -> Result<(Committed, Arrival), Stop<Refused>> {
        let may = &may;
        let id = scan.ticket.reservation;
        let committed = self
            .run(request, |mut unit| async move {
                let work = &mut unit;
                let at = moment(scan, work.now())?;
                let plan = self::plan(work, scan).await?;
                work.at_branch(plan.branch);
                if !may(plan.branch) || scan.branch.is_some_and(|branch| branch != plan.branch) {
                    return Err(DoorError::OtherBranch.into());
                }
                let reservation = work.load::<Reservation>(&id).await?;
                let superseded = reservation.placed().is_some_and(|placed| {
                    placed.moves != scan.ticket.number || placed.hold.time_slot != scan.ticket.time_slot
                });
                if superseded {
                    return Err(work.blame::<Reservation, _>(&id, DoorError::Superseded).into());
                }
                let (patrons, missed_at) = absence(work, id).await?;
                let command = ReservationCommand::Admit {
                    at,
                    device: scan.device.clone(),
                    missed_at,
                };
                if let Err(refused) = work.execute::<Reservation>(&id, command) {
                    return Err(on_that_day(work, refused, &plan, at).await?);
                }
                if missed_at.is_some() {
                    for patron in &patrons {
                        work.execute::<Patron>(patron, PatronCommand::WithdrawMiss { reservation: id })?;
                    }
                }
                Ok(())
            })
            .await?;
        let arrival = self.arrival(id, scan, &committed).await?;
        Ok((committed, arrival))
    }

    /// When and by whom they were let in.
    async fn arrival(
        &self,
        id: ReservationId,
        scan: &Scan,
        committed: &Committed,
    ) -> Result<Arrival, StoreError> {
        let history = self.store.events_of(&StreamId::of::<Reservation>(&id)).await?;
        let mut found = None;
        for recorded in &history {
            let Event::Reservation(event) = &recorded.event else {
                continue;
            };
            let (at, device) = match event {
                ReservationEvent::CheckedIn => (recorded.recorded_at, None),
                ReservationEvent::Admitted { at, device } => (*at, device.clone()),
                ReservationEvent::CheckInUndone { .. } => {
                    found = None;
                    continue;
                }
                ReservationEvent::Held { .. }
                | ReservationEvent::Extended { .. }
                | ReservationEvent::Changed { .. }
                | ReservationEvent::Released
                | ReservationEvent::Lapsed
                | ReservationEvent::Revived { .. }
                | ReservationEvent::Placed(_)
                | ReservationEvent::Paid { .. }
                | ReservationEvent::Notified { .. }
                | ReservationEvent::MarkedNoShow
                | ReservationEvent::NoShowWithdrawn
                | ReservationEvent::Rescheduled(_)
                | ReservationEvent::RescheduleOffered { .. }
                | ReservationEvent::Refunded { .. }
                | ReservationEvent::RefundDue { .. }
                | ReservationEvent::Reinstated { .. }
                | ReservationEvent::Offered(_)
                | ReservationEvent::OfferAccepted { .. }
                | ReservationEvent::OfferDeclined
                | ReservationEvent::OfferLapsed
                | ReservationEvent::Cancelled { .. }
                | ReservationEvent::Expired => continue,
            };
            let first_told = committed
                .events
                .iter()
                .any(|written| written.position == recorded.position);
            let told_again = scan.at == Some(at) && scan.device == device;
            found = Some(Arrival {
                by_this: first_told || told_again,
                at,
                device,
                by: recorded.metadata.get("actor_id").map(ToString::to_string),
            });
        }
        found.ok_or_else(|| StoreError::Corrupt(format!("reservation {id} was checked in by no event")))
    }
}

/// When it was scanned, by our clock as far as the device's may be trusted.
fn moment(scan: &Scan, now: Timestamp) -> Result<Timestamp, DoorError> {
    let Some(at) = scan.at else { return Ok(now) };
    if at.duration_since(now) > AHEAD_MAX {
        Err(DoorError::ScannedAhead)
    } else if now.duration_since(at) > LATE_MAX {
        Err(DoorError::ScannedLongAgo)
    } else {
        Ok(at)
    }
}

/// The plan of the slot the reservation is for now.
async fn plan(work: &mut UnitOfWork, scan: &Scan) -> Result<Plan, Stop<Refused>> {
    let reservation = work.load::<Reservation>(&scan.ticket.reservation).await?;
    let time_slot = reservation.hold().ok_or(DoorError::Unknown)?.time_slot;
    Ok(work.load::<TimeSlot>(&time_slot).await?.plan()?.clone())
}

/// Who placed it, and when it was recorded that they had not come, if it was.
async fn absence(
    work: &mut UnitOfWork,
    id: ReservationId,
) -> Result<(Vec<PatronId>, Option<Timestamp>), Stop<Refused>> {
    match work.load::<Reservation>(&id).await? {
        Reservation::NoShow(_) => {}
        Reservation::Blank
        | Reservation::Held(_)
        | Reservation::Lapsed(_)
        | Reservation::Released(_)
        | Reservation::Placed(_)
        | Reservation::Attended(_)
        | Reservation::Cancelled(_)
        | Reservation::Expired(_) => return Ok((Vec::new(), None)),
    }
    let patrons = patrons_of_placed(work, id).await?;
    work.load_all::<Patron>(&patrons).await?;
    let mut missed_at = None;
    for patron in &patrons {
        missed_at = missed_at.or(work.state::<Patron>(patron)?.missed_at(id));
    }
    Ok((patrons, missed_at))
}

/// Too early and too late are told plainer where it is not even the day.
async fn on_that_day(
    work: &mut UnitOfWork,
    refused: ReservationError,
    plan: &Plan,
    at: Timestamp,
) -> Result<Stop<Refused>, StoreError> {
    if !matches!(
        refused,
        ReservationError::TooEarly { .. } | ReservationError::Over { .. }
    ) {
        return Ok(refused.into());
    }
    let branch = work.load::<Branch>(&plan.branch).await?;
    let Some(zone) = branch.zone() else {
        return Ok(refused.into());
    };
    let (today, _) = on_the_wall(&zone, at);
    let (that_day, _) = on_the_wall(&zone, plan.starts_at);
    if today == that_day {
        Ok(refused.into())
    } else {
        Ok(DoorError::OtherDay {
            starts_at: plan.starts_at,
        }
        .into())
    }
}
