//! Couple seats are sold in pairs; never which seats are a pair, that is the layout's.

use super::SeatingError;
use crate::{
    layout::{Layout, LayoutSeat},
    values::SeatLabel,
};

/// Refuses one half of a pair without the other.
pub fn whole_pairs(layout: &Layout, seats: &[SeatLabel]) -> Result<(), SeatingError> {
    let torn = seats.iter().enumerate().filter_map(|(index, label)| {
        let other = layout.other_half(label)?;
        (!seats.contains(&other.label)).then(|| (index, other.label.clone()))
    });
    let (chosen, others): (Vec<_>, Vec<_>) = torn.unzip();
    if chosen.is_empty() {
        Ok(())
    } else {
        Err(SeatingError::HalfPair { chosen, others })
    }
}

/// Whether no pair is torn apart by selling just these seats.
pub(super) fn none_is_torn(block: &[LayoutSeat]) -> bool {
    let halves = |pair: &SeatLabel| {
        block
            .iter()
            .filter(|seat| seat.pair.as_ref() == Some(pair))
            .count()
    };
    let mut pairs = block.iter().filter_map(|seat| seat.pair.as_ref());
    pairs.all(|pair| halves(pair) == 2)
}
