//! Korean mobile numbers in their canonical form (DOMAIN E6); never another country's.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::{SmolStr, format_smolstr};

/// A mobile number as `010-1234-5678`; read without dashes or with +82 too, always written so.
#[derive(Debug, Clone, PartialEq, Eq, Hash, utoipa::ToSchema)]
#[schema(value_type = String, max_length = 24,
    pattern = "^( *\\+82[- ]*(0[- ]*)?|[- ]*0[- ]*)1[- ]*0([- ]*[0-9]){8}[- ]*$", example = "010-1234-5678")]
pub struct PhoneNumber(SmolStr);

/// Why a text is no number we can call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a mobile number like 010-1234-5678 (dashes may be left out, +82 10… is accepted)")]
pub struct NotAPhoneNumber;

impl PhoneNumber {
    /// The canonical text, 13 characters with dashes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PhoneNumber {
    type Err = NotAPhoneNumber;

    fn from_str(text: &str) -> Result<Self, NotAPhoneNumber> {
        let text = text.trim();
        let (abroad, rest) = text
            .strip_prefix("+82")
            .map_or((false, text), |rest| (true, rest));
        let separators = |c: char| c == '-' || c == ' ';
        if text.len() > 24 || !rest.chars().all(|c| c.is_ascii_digit() || separators(c)) {
            return Err(NotAPhoneNumber);
        }
        let mut digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        if abroad && digits.starts_with("10") {
            digits.insert(0, '0');
        }
        match (digits.len(), digits.strip_prefix("010")) {
            (11, Some(own)) => Ok(Self(format_smolstr!("010-{}-{}", &own[..4], &own[4..]))),
            (_, Some(_) | None) => Err(NotAPhoneNumber),
        }
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PhoneNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("010-1234-5678")]
    #[case("01012345678")]
    #[case(" 010 1234 5678 ")]
    #[case("+821012345678")]
    #[case("+82 10-1234-5678")]
    #[case("+8201012345678")]
    fn every_usual_spelling_names_the_same_number(#[case] text: &str) {
        assert_eq!(
            text.parse::<PhoneNumber>().expect("a number").as_str(),
            "010-1234-5678"
        );
    }

    #[rstest]
    #[case("")]
    #[case("011-123-4567")]
    #[case("02-123-4567")]
    #[case("010-1234-567")]
    #[case("010-1234-56789")]
    #[case("+1 10 1234 5678")]
    #[case("010-1234-567a")]
    #[case("०१०12345678")]
    #[case("+82+821012345678")]
    fn other_numbers_are_refused(#[case] text: &str) {
        assert_eq!(text.parse::<PhoneNumber>(), Err(NotAPhoneNumber));
    }
}
