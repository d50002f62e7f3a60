//! Puts time slots on the programme and takes them off: the slot and its span on the day of its place, in one append.
//! Never sells a seat.

mod batch;
mod soundness;

use aggregates::{
    auditorium::Auditorium,
    branch::Branch,
    business_day::on_the_wall,
    cancellation_policy::CancellationPolicy,
    fault::{Fault, Faults},
    ids::{ScheduleId, TimeSlotId},
    price_policy::PricePolicy,
    schedule::{Entry, Schedule, ScheduleCommand, ScheduleError},
    theme::Theme,
    time_slot::{Plan, Show, TimeSlot, TimeSlotCommand, TimeSlotError},
};
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};

pub use self::{
    batch::{BATCH_SLOTS_MAX, Batch, BatchError, Batched, Planned, Starts, schedule_batch},
    soundness::{IN_USE, ProgrammeError, check as sound},
};
use crate::{
    administration::{Denied, administer},
    booking::look_again,
    store::{Stop, UnitOfWork},
};

/// The command with what it leaves out: a slot that is there has it already, a new one gets the capacity of its layout
/// and the prices of its day. What cannot be found stays out, for the rules to refuse.
pub async fn completed(
    work: &mut UnitOfWork,
    id: TimeSlotId,
    command: TimeSlotCommand,
) -> Result<TimeSlotCommand, Stop<Denied>> {
    let TimeSlotCommand::Schedule { mut plan } = command else {
        return Ok(command);
    };
    let known = work.load::<TimeSlot>(&id).await?.plan().ok().cloned();
    if plan.price_version == 0 {
        let date = day(work, &plan).await?.date;
        let policy = work.load::<PricePolicy>(&plan.price_policy).await?;
        let in_effect = policy.in_effect(date).map_or(0, |(version, _)| version);
        plan.price_version = known.as_ref().map_or(in_effect, |known| known.price_version);
    }
    if let Some(named) = plan.cancellation.as_mut().filter(|named| named.version == 0) {
        let latest = work.load::<CancellationPolicy>(&named.policy).await?.latest();
        let known = known.as_ref().and_then(|known| known.cancellation);
        named.version = known.map_or(latest, |known| known.version);
    }
    if let Show::Movie {
        auditorium,
        layout_version,
        capacity: capacity @ 0,
        ..
    } = &mut plan.show
    {
        let layout = work.load::<Auditorium>(auditorium).await?.layout(*layout_version);
        let drawn = layout.map_or(0, |layout| layout.capacity());
        *capacity = u32::try_from(drawn).unwrap_or(u32::MAX);
    }
    Ok(TimeSlotCommand::Schedule { plan })
}

/// Executes a command on a time slot, with what it means for the day of its place.
pub async fn change(
    work: &mut UnitOfWork,
    id: TimeSlotId,
    command: TimeSlotCommand,
) -> Result<(), Stop<Denied>> {
    match command {
        TimeSlotCommand::Schedule { plan } => schedule(work, id, plan).await,
        TimeSlotCommand::Withdraw { .. } => {
            administer::<TimeSlot>(work, &id, command).await?;
            leave(work, id).await?;
            Ok(look_again(work, id).await?)
        }
        TimeSlotCommand::Reopen {} => {
            administer::<TimeSlot>(work, &id, command).await?;
            // Places that were freed meanwhile are for those who wait.
            Ok(look_again(work, id).await?)
        }
        TimeSlotCommand::Adjust(_) | TimeSlotCommand::Close { .. } => {
            administer::<TimeSlot>(work, &id, command).await
        }
    }
}

/// Puts a slot on the programme, unless another one of the same place is in the way: on its own business day, or on one near
/// it (DOMAIN C4, E3).
pub async fn schedule(work: &mut UnitOfWork, id: TimeSlotId, plan: Plan) -> Result<(), Stop<Denied>> {
    schedule_cleaned(work, id, plan, None).await
}

/// The same with so many minutes for cleaning or turnover as are given, else as many as the place usually needs.
async fn schedule_cleaned(
    work: &mut UnitOfWork,
    id: TimeSlotId,
    plan: Plan,
    cleaning: Option<u16>,
) -> Result<(), Stop<Denied>> {
    let repeat = *work.load::<TimeSlot>(&id).await? != TimeSlot::Unknown;
    administer::<TimeSlot>(work, &id, TimeSlotCommand::Schedule { plan: plan.clone() }).await?;
    if repeat {
        return Ok(());
    }
    work.load::<Branch>(&plan.branch)
        .await?
        .open_at(plan.starts_at)
        .map_err(Denied::stop)?;
    let policy = work.load::<PricePolicy>(&plan.price_policy).await?;
    policy.tariff(plan.price_version).map_err(Denied::stop)?;
    if let Some(named) = plan.cancellation {
        let policy = work.load::<CancellationPolicy>(&named.policy).await?;
        policy.terms(named.version).map_err(Denied::stop)?;
    }
    let ready_at = ready_at(work, &plan, cleaning).await?;
    if let Some(entry) = clash_until(work, &plan, ready_at).await? {
        return Err(Denied::stop(ScheduleError::Overlaps(entry)));
    }
    let enter = ScheduleCommand::Enter {
        time_slot: id,
        starts_at: plan.starts_at,
        ends_at: ready_at,
    };
    let day = day(work, &plan).await?;
    work.execute::<Schedule>(&day, enter).map_err(Denied::stop)
}

/// Business days before and after that a slot can reach: it lasts at most a day, and cleaning or turnover hours more.
const DAYS_NEAR: i64 = 2;

/// The slot of the same place that is in the way of a plan, on its own business day or one near it.
pub async fn clash(work: &mut UnitOfWork, plan: &Plan) -> Result<Option<Entry>, Stop<Denied>> {
    let ready_at = ready_at(work, plan, None).await?;
    clash_until(work, plan, ready_at).await
}

async fn clash_until(
    work: &mut UnitOfWork,
    plan: &Plan,
    ready_at: Timestamp,
) -> Result<Option<Entry>, Stop<Denied>> {
    let day = day(work, plan).await?;
    let near = (-DAYS_NEAR..=DAYS_NEAR).filter_map(|days| day.date.checked_add(days.days()).ok());
    let around: Vec<ScheduleId> = near.map(|date| ScheduleId { date, ..day }).collect();
    work.load_all::<Schedule>(&around).await?;
    for day in &around {
        let clash = work
            .state::<Schedule>(day)?
            .clash(plan.starts_at, ready_at)
            .copied();
        if clash.is_some() {
            return Ok(work.blame::<Schedule, _>(day, clash));
        }
    }
    Ok(None)
}

async fn leave(work: &mut UnitOfWork, id: TimeSlotId) -> Result<(), Stop<Denied>> {
    let plan = work
        .load::<TimeSlot>(&id)
        .await?
        .plan()
        .map_err(Denied::stop)?
        .clone();
    let day = day(work, &plan).await?;
    work.load::<Schedule>(&day).await?;
    work.execute::<Schedule>(&day, ScheduleCommand::Leave { time_slot: id })
        .map_err(Denied::stop)
}

/// The business day a slot belongs to, in its place.
async fn day(work: &mut UnitOfWork, plan: &Plan) -> Result<ScheduleId, Stop<Denied>> {
    let place = match plan.show {
        Show::Movie { auditorium, .. } => auditorium.uuid(),
        Show::Theme { theme, .. } => theme.uuid(),
    };
    // Whether the branch is there is its own rule's business.
    let zone = work
        .load::<Branch>(&plan.branch)
        .await?
        .zone()
        .unwrap_or(TimeZone::UTC);
    Ok(ScheduleId {
        place,
        date: on_the_wall(&zone, plan.starts_at).0,
    })
}

/// When the place is ready for the next slot.
async fn ready_at(
    work: &mut UnitOfWork,
    plan: &Plan,
    cleaning: Option<u16>,
) -> Result<Timestamp, Stop<Denied>> {
    let usual = match plan.show {
        Show::Movie {
            auditorium,
            layout_version,
            ..
        } => {
            let auditorium = work.load::<Auditorium>(&auditorium).await?;
            auditorium.layout(layout_version).map_err(Denied::stop)?;
            auditorium.built().map_err(Denied::stop)?.cleaning_minutes
        }
        Show::Theme { theme, .. } => {
            work.load::<Theme>(&theme)
                .await?
                .game()
                .map_err(Denied::stop)?
                .turnover_minutes
        }
    };
    let minutes = SignedDuration::from_mins(cleaning.unwrap_or(usual).into());
    plan.ends_at.checked_add(minutes).map_err(|_| {
        let fault = Fault::at("/plan/ends_at", "must be from 2000 to 2199");
        Denied::stop(TimeSlotError::InconsistentPlan(Faults(vec![fault])))
    })
}
