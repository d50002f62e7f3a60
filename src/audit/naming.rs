//! Names in place of the ids a sentence holds, as far as read models know them; the ids stay beside it; never a name of
//! a person.

use std::collections::{BTreeSet, HashMap};

use aggregates::ids::TimeSlotId;
use projections::{catalogue, time_slot_calendar};
use sqlx::PgPool;
use uuid::Uuid;

use super::Told;

/// Characters of an id.
const LENGTH: usize = 36;

/// Says names in all these sentences.
pub async fn name(reads: &PgPool, told: &mut [Told]) -> sqlx::Result<()> {
    let ids: BTreeSet<Uuid> = told.iter().flat_map(|told| ids(&told.sentence)).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let slots: Vec<TimeSlotId> = ids.iter().copied().map(TimeSlotId::new).collect();
    let mut names: HashMap<Uuid, String> = catalogue::names(reads, &ids).await?;
    for (slot, label) in time_slot_calendar::labels(reads, &slots).await? {
        let parts = [
            label.movie.or(label.theme),
            label.auditorium,
            Some(label.starts_at.to_string()),
        ];
        names.insert(
            slot.uuid(),
            parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
        );
    }
    for told in told {
        for id in ids.iter().filter(|id| names.contains_key(id)) {
            told.sentence = told.sentence.replace(&id.to_string(), &names[id]);
        }
    }
    Ok(())
}

/// The ids in a sentence.
fn ids(sentence: &str) -> Vec<Uuid> {
    let words = sentence.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
    let ids = words.filter(|word| word.len() == LENGTH);
    ids.filter_map(|word| Uuid::try_parse(word).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_wherever_they_stand() {
        let id = "0192d3a0-0000-7000-8000-000000000001";
        let sentence = format!("seats A1, A2 of time slot {id} held until 2026-12-24T10:00:00Z (movie {id})");
        assert_eq!(ids(&sentence), [Uuid::try_parse(id).expect("an id"); 2]);
        assert!(ids("the branch was renamed to e-e-e").is_empty());
    }
}
