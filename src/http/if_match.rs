//! The `If-Match` header: which state of a thing the caller has read; never decides whether it is still that one.

use axum::http::{HeaderMap, header};

use super::{problem::Problem, problems};
use crate::store::Precondition;

/// What the header asks for. Tags are compared strongly (RFC 9110 §8.8.3.2), so a weak one matches nothing, and neither
/// does one that is none of ours.
pub(super) fn read(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let mut tags = None;
    for header in headers.get_all(header::IF_MATCH) {
        let text = header.to_str().map_err(|_| malformed())?.trim();
        match (text, &mut tags) {
            ("*", None) if headers.get_all(header::IF_MATCH).iter().count() == 1 => {
                return Ok(Precondition::Exists);
            }
            (text, tags) => read_tags(text, tags.get_or_insert_default()).ok_or_else(malformed)?,
        }
    }
    Ok(tags.map_or(Precondition::None, Precondition::StandsAt))
}

fn malformed() -> Problem {
    Problem::new(
        &problems::MALFORMED_HEADER,
        "If-Match must be ETags in quotes, separated by commas, or *",
    )
}

/// Adds the sequences that a list of entity tags names.
fn read_tags(text: &str, sequences: &mut Vec<i64>) -> Option<()> {
    let mut rest = text;
    loop {
        let (weak, tag) = rest
            .strip_prefix("W/")
            .map_or((false, rest), |strong| (true, strong));
        let (tag, after) = tag.strip_prefix('"')?.split_once('"')?;
        sequences.extend(sequence(tag).filter(|_| !weak));
        let after = after.trim_start();
        if after.is_empty() {
            return Some(());
        }
        rest = after.strip_prefix(',')?.trim_start();
    }
}

/// The sequence in a tag of ours, spelled as we spell it.
fn sequence(tag: &str) -> Option<i64> {
    let sequence: i64 = tag.parse().ok()?;
    (sequence > 0 && sequence.to_string() == tag).then_some(sequence)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use rstest::rstest;

    use super::*;

    fn asked(lines: &[&'static str]) -> Option<Precondition> {
        let lines = lines
            .iter()
            .map(|line| (header::IF_MATCH, HeaderValue::from_static(line)));
        read(&lines.collect()).ok()
    }

    #[test]
    fn tags_of_ours_are_sequences() {
        assert_eq!(asked(&[]), Some(Precondition::None));
        assert_eq!(asked(&["*"]), Some(Precondition::Exists));
        assert_eq!(asked(&["\"2\""]), Some(Precondition::StandsAt(vec![2])));
        assert_eq!(
            asked(&["\"2\", \"3\"", "\"5\""]),
            Some(Precondition::StandsAt(vec![2, 3, 5]))
        );
    }

    #[rstest]
    #[case("W/\"2\"")]
    #[case("\"+3\"")]
    #[case("\"03\"")]
    #[case("\"0\"")]
    #[case("\"a,b\"")]
    #[case("\"\"")]
    fn other_tags_match_nothing(#[case] tag: &'static str) {
        assert_eq!(asked(&[tag]), Some(Precondition::StandsAt(Vec::new())));
    }

    #[rstest]
    #[case("2")]
    #[case("")]
    #[case("\"2")]
    #[case("\"2\" \"3\"")]
    #[case("\"2\",")]
    #[case("*, \"2\"")]
    fn what_is_no_tag_is_malformed(#[case] text: &'static str) {
        assert_eq!(asked(&[text]), None);
    }
}
