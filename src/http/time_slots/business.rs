//! Whether branches and movies do business when their slots begin (DOMAIN E3); never whether a slot itself sells.

use std::collections::HashMap;

use aggregates::time_slot::{Plan, Show};
use projections::{
    catalogue::{self, Kind, Row},
    time_slot_calendar::Slot,
};
use sqlx::PgPool;
use uuid::Uuid;

/// The branches and movies of some slots.
pub(super) struct Business(HashMap<Uuid, Row>);

impl Business {
    /// Reads what these slots name, all at once.
    pub async fn of(db: &PgPool, slots: &[Slot]) -> sqlx::Result<Self> {
        let mut ids: Vec<Uuid> = slots
            .iter()
            .flat_map(|slot| [Some(slot.plan.branch.uuid()), movie(&slot.plan)])
            .flatten()
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let found = catalogue::these(db, &[Kind::Branch, Kind::Movie], &ids).await?;
        Ok(Self(
            found
                .into_iter()
                .map(|entry| (entry.key.id, entry.details))
                .collect(),
        ))
    }

    /// Whether anything is sold for this plan, as far as its branch and its movie go.
    pub fn is_done(&self, plan: &Plan) -> bool {
        let branch = match self.0.get(&plan.branch.uuid()) {
            Some(Row::Branch(branch)) => branch.open_at(plan.starts_at).is_ok(),
            Some(_) | None => false,
        };
        let shown = movie(plan).is_none_or(|id| match self.0.get(&id) {
            Some(Row::Movie(movie)) => movie.film().is_ok(),
            Some(_) | None => false,
        });
        branch && shown
    }
}

const fn movie(plan: &Plan) -> Option<Uuid> {
    match plan.show {
        Show::Movie { movie, .. } => Some(movie.uuid()),
        Show::Theme { .. } => None,
    }
}
