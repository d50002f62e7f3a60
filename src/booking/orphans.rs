//! Keeps the orphan rule of a slot (DOMAIN C12): reads the blocks around a choice, so that they are checked in the same
//! append and no race leaves a lone seat; where the rule is off it reads nothing. Never decides: the rule is
//! [`aggregates::seating`].

use aggregates::{
    auditorium::Auditorium,
    ids::{ReservationId, SeatId, TimeSlotId},
    layout::LayoutSeat,
    seat::Seat,
    seating::{Neighbourhood, OrphanRule, SeatingError, open_to_all},
    time_slot::{Plan, Show},
    values::SeatLabel,
};

use super::refused::{ChoiceError, Refused};
use crate::store::{Stop, StoreError, UnitOfWork};

/// Refuses seats that have just been taken for `id`, if they leave a lone seat and need not. Call it when all of them are
/// held and what was given up for them is free again.
pub(super) async fn keep_orphan_rule(
    work: &mut UnitOfWork,
    id: ReservationId,
    plan: &Plan,
    time_slot: TimeSlotId,
    seats: &[SeatLabel],
) -> Result<(), Stop<Refused>> {
    let further = match plan.orphan_rule {
        OrphanRule::Off => return Ok(()),
        OrphanRule::Lenient => false,
        OrphanRule::Strict => true,
    };
    let Show::Movie {
        auditorium,
        layout_version,
        ..
    } = plan.show
    else {
        return Ok(());
    };
    let hall = work.load::<Auditorium>(&auditorium).await?;
    let layout = hall
        .layout(layout_version)
        .map_err(|_| ChoiceError::Incomplete)?
        .clone();
    let around = layout.runs_around(seats);
    let view = View {
        id,
        time_slot,
        pool_is_open: plan.pool_is_open(work.now()),
    };
    let mut seen = Neighbourhood::of(seats);
    view.add(work, &mut seen, &around).await?;
    let lone = seen.lone();
    if lone.is_empty() {
        return Ok(());
    }
    let others = if further {
        layout.runs_elsewhere(seats)
    } else {
        Vec::new()
    };
    // As few blocks are read as will do: what was read must still be so when the answer is given.
    let (mut rest, mut batch) = (&*others, 1);
    loop {
        let suggestions = seen.others();
        if !suggestions.is_empty() {
            let refused = SeatingError::Orphan { lone, suggestions };
            return Err(view.blame(work, &around, refused)?.into());
        }
        let Some(next) = rest
            .split_off(..batch.min(rest.len()))
            .filter(|next| !next.is_empty())
        else {
            return Ok(());
        };
        view.add(work, &mut seen, next).await?;
        batch *= 2;
    }
}

/// How seats look to whoever makes the choice.
struct View {
    id: ReservationId,
    time_slot: TimeSlotId,
    pool_is_open: bool,
}

impl View {
    /// Reads these blocks and takes them in.
    async fn add<'a>(
        &self,
        work: &mut UnitOfWork,
        seen: &mut Neighbourhood<'a>,
        blocks: &[&'a [LayoutSeat]],
    ) -> Result<(), Stop<Refused>> {
        let seats = blocks.iter().flat_map(|block| block.iter());
        let ids: Vec<SeatId> = seats.map(|seat| self.seat(&seat.label)).collect();
        work.load_prefix::<Seat>(&format!("{}:", self.time_slot), &ids)
            .await?;
        let mut free = Vec::with_capacity(ids.len());
        for seat in &ids {
            free.push(match work.state::<Seat>(seat)? {
                Seat::Free => true,
                Seat::Held { by } | Seat::Reserved { by } => *by == self.id,
                Seat::Blocked => false,
            });
        }
        let kinds = open_to_all(self.pool_is_open);
        let mut free = free.into_iter();
        for block in blocks {
            seen.add(block, |seat| {
                free.next() == Some(true) && kinds.contains(&seat.kind)
            });
        }
        Ok(())
    }

    /// Names somebody beside a lone seat as the one who stands in the way, if anybody is there.
    fn blame(
        &self,
        work: &mut UnitOfWork,
        around: &[&[LayoutSeat]],
        refused: SeatingError,
    ) -> Result<SeatingError, StoreError> {
        for block in around {
            let beside = block.windows(2).filter_map(|two| {
                let lone = |seat: &LayoutSeat| refused.seats().contains(&seat.label);
                match (lone(&two[0]), lone(&two[1])) {
                    (true, false) => Some(&two[1]),
                    (false, true) => Some(&two[0]),
                    (true, true) | (false, false) => None,
                }
            });
            for seat in beside.map(|seat| self.seat(&seat.label)) {
                let by = *work.state::<Seat>(&seat)?;
                if by != Seat::Free && by.holder() != Some(self.id) {
                    return Ok(work.blame::<Seat, _>(&seat, refused));
                }
            }
        }
        Ok(refused)
    }

    fn seat(&self, label: &SeatLabel) -> SeatId {
        SeatId {
            time_slot: self.time_slot,
            label: label.clone(),
        }
    }
}
