//! The `Jari-Reason` header: why somebody does it, in their own words, for the audit trail; never a part of the command.

use aggregates::values::Note;
use axum::http::{HeaderMap, HeaderName};

use super::{problem::Problem, problems};

/// The header's name.
pub(super) const NAME: HeaderName = HeaderName::from_static("jari-reason");
/// What it holds, for the documentation.
pub(super) const DESCRIPTION: &str =
    "Why, in at most 500 characters, for the audit trail; other than ASCII as percent-encoded UTF-8";
/// Bytes of it at most: each character takes up to four, each written with three.
const BYTES_MAX: usize = Note::LENGTH_MAX * 4 * 3;

/// The reason a caller gave, if any.
pub(super) fn of(headers: &HeaderMap) -> Result<Option<Note>, Problem> {
    let Some(header) = headers.get(NAME) else {
        return Ok(None);
    };
    let malformed = |why: &str| Problem::new(&problems::MALFORMED_HEADER, format!("the Jari-Reason {why}"));
    let sent = header.as_bytes();
    if sent.len() > BYTES_MAX {
        return Err(malformed("is too long"));
    }
    let text = String::from_utf8(decoded(sent)).map_err(|_| malformed("is not UTF-8"))?;
    if text.chars().any(char::is_control) {
        return Err(malformed("must not contain control characters"));
    }
    if text.trim().is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|error: aggregates::values::Unprintable| malformed(&error.to_string()))
}

/// Percent-encoded bytes as they are meant; a percent sign that begins no code stands for itself.
fn decoded(sent: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut bytes = Vec::with_capacity(sent.len());
    let mut rest = sent;
    while let Some((first, behind)) = rest.split_first() {
        let code = match (first, behind) {
            (b'%', [high, low, ..]) => digit(high).zip(digit(low)),
            _plain => None,
        };
        if let Some((high, low)) = code {
            bytes.push(high << 4 | low);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(sent: &[u8]) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(NAME, HeaderValue::from_bytes(sent).expect("a header"));
        let reason = of(&headers).map_err(|problem| problem.slug())?;
        Ok(reason.map(|note| note.to_string()))
    }

    fn said(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn a_reason_is_read_plain_or_percent_encoded() {
        assert_eq!(of(&HeaderMap::new()).expect("no header").map(drop), None);
        assert_eq!(
            read(b"the projector broke"),
            Ok(Some(said("the projector broke")))
        );
        assert_eq!(
            read(b"%EA%B3%A0%EA%B0%9D%20%ec%9a%94%ec%b2%ad"),
            Ok(Some(said("고객 요청")))
        );
        assert_eq!(read("고객 요청".as_bytes()), Ok(Some(said("고객 요청"))));
        assert_eq!(read(b"50% off, 100%"), Ok(Some(said("50% off, 100%"))));
        assert_eq!(read(b"  "), Ok(None));
    }

    #[test]
    fn a_reason_is_bounded_and_has_no_control_characters() {
        let malformed = Err("request/malformed-header");
        assert_eq!(
            read("%EA%B0%80".repeat(500).as_bytes()),
            Ok(Some(said(&"가".repeat(500))))
        );
        assert_eq!(read("%EA%B0%80".repeat(501).as_bytes()), malformed);
        assert_eq!(read("x".repeat(BYTES_MAX + 1).as_bytes()), malformed);
        for sent in ["a%00b", "a%0Ab", "%7F", "%C2%85", "a%E2%80%A8b", "%FF"] {
            assert_eq!(read(sent.as_bytes()), malformed, "{sent}");
        }
    }
}
