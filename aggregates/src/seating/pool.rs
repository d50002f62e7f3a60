//! Wheelchair and companion places are a protected pool: until a moment the slot fixes they are sold to those only who
//! state that they need them; then to everyone. Never asks for a proof, and never looks at the clock.

use jiff::Timestamp;

use super::SeatingError;
use crate::{
    layout::{Layout, SeatKind},
    values::SeatLabel,
};

/// Whether seats of this kind belong to the pool.
#[must_use]
pub const fn is_protected(kind: SeatKind) -> bool {
    match kind {
        SeatKind::Wheelchair | SeatKind::Companion => true,
        SeatKind::Standard | SeatKind::Recliner | SeatKind::Couple => false,
    }
}

/// The kinds of seat that are sold to everyone one by one.
#[must_use]
pub const fn open_to_all(pool_is_open: bool) -> &'static [SeatKind] {
    if pool_is_open {
        &[
            SeatKind::Standard,
            SeatKind::Recliner,
            SeatKind::Wheelchair,
            SeatKind::Companion,
        ]
    } else {
        &[SeatKind::Standard, SeatKind::Recliner]
    }
}

/// Whether these seats may be had before the pool opens: its places only with the statement that somebody needs them, and
/// a companion place only together with a wheelchair place.
pub fn stated(
    layout: &Layout,
    seats: &[SeatLabel],
    accessible: bool,
    opens_at: Timestamp,
) -> Result<(), SeatingError> {
    let of = |kind: SeatKind| {
        let is =
            move |(_, label): &(usize, &SeatLabel)| layout.seat(label).is_some_and(|seat| seat.kind == kind);
        seats.iter().enumerate().filter(is)
    };
    let is_kept = |label: &&SeatLabel| layout.seat(label).is_some_and(|seat| is_protected(seat.kind));
    let kept: Vec<SeatLabel> = seats.iter().filter(is_kept).cloned().collect();
    if !kept.is_empty() && !accessible {
        return Err(SeatingError::Protected {
            seats: kept,
            opens_at,
        });
    }
    if of(SeatKind::Wheelchair).next().is_some() {
        return Ok(());
    }
    let (chosen, seats): (Vec<_>, Vec<_>) = of(SeatKind::Companion)
        .map(|(index, label)| (index, label.clone()))
        .unzip();
    if chosen.is_empty() {
        Ok(())
    } else {
        Err(SeatingError::CompanionAlone { chosen, seats })
    }
}
