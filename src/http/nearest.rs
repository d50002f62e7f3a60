//! What somebody who wrote a name wrongly may have meant; never a guess far from what was written.

/// Letters that may be wrong.
const WRONG_MAX: usize = 2;

/// Says that a name is unknown, and the one that was meant or else all there are.
pub(super) fn unknown<T: AsRef<str>>(what: &str, name: &str, known: &[T]) -> String {
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    match (nearest(name, &known), &*known) {
        (Some(meant), _) => format!("{what}; did you mean {meant}?"),
        (None, []) => what.to_owned(),
        (None, [one]) => format!("{what}; there is {one}"),
        (None, known) => format!("{what}; there are {}", known.join(", ")),
    }
}

/// The known name that is nearest, if any is near.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name: Vec<char> = name.chars().take(64).collect();
    let distances = known
        .iter()
        .map(|known| (distance(&name, &known.chars().collect::<Vec<_>>()), *known));
    let (distance, known) = distances.min()?;
    // Half of a short name may not be wrong.
    (distance <= WRONG_MAX && distance * 2 < known.chars().count()).then_some(known)
}

/// How many letters must be changed, added or taken away to make one name of the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_nearly_right_is_told_so() {
        let known = ["time_slot", "seats", "best_available", "persons", "party_size"];
        for (name, meant) in [
            ("seat", Some("seats")),
            ("timeslot", Some("time_slot")),
            ("Seats", Some("seats")),
            ("person", Some("persons")),
            ("price", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), meant, "{name}");
        }
        assert_eq!(
            unknown("is not known", "x", &["on", "of"]),
            "is not known; there are on, of"
        );
        assert_eq!(unknown::<&str>("is not known", "x", &[]), "is not known");
    }
}
