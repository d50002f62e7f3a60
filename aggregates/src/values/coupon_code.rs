//! The code on a coupon (DOMAIN K1): eight characters people can read out; never an ordinal, never guessable.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::SmolStr;

/// A coupon's code: 8 of the 30 characters that nobody mixes up; read in lower case and with dashes too. 30^8 is 6.6·10^11
/// codes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^-*([2-9A-HJKMNP-TV-Za-hjkmnp-tv-z]-*){8}$", example = "7KQ4MZ2H")]
pub struct CouponCode(SmolStr);

/// Why a text is no coupon code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a coupon code: 8 letters and digits without 0, 1, I, L, O and U")]
pub struct MalformedCouponCode;

impl CouponCode {
    /// The characters a code is made of: no 0/O, 1/I/L, and no U, so that no words appear by accident.
    pub const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
    /// Characters in a code.
    pub const LENGTH: usize = 8;

    /// The code that stands for this number; random numbers give random codes (30^8 of them, and 2^64 has a remainder
    /// of less than one in ten million).
    #[must_use]
    pub fn of(number: u64) -> Self {
        let digits = std::iter::successors(Some(number), |rest| Some(rest / 30));
        let letter = |rest: u64| char::from(Self::ALPHABET[usize::try_from(rest % 30).unwrap_or(0)]);
        Self(digits.take(Self::LENGTH).map(letter).collect())
    }

    /// The code's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CouponCode {
    type Err = MalformedCouponCode;

    /// Accepts lower case and the dashes people type.
    fn from_str(text: &str) -> Result<Self, MalformedCouponCode> {
        let code: String = text
            .trim()
            .chars()
            .filter(|c| *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .take(Self::LENGTH + 1)
            .collect();
        if code.len() == Self::LENGTH && code.bytes().all(|byte| Self::ALPHABET.contains(&byte)) {
            Ok(Self(code.into()))
        } else {
            Err(MalformedCouponCode)
        }
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for CouponCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CouponCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_typed_in_lower_case_and_with_dashes() {
        assert_eq!(
            "7kq4-mz2h".parse::<CouponCode>().expect("a code").as_str(),
            "7KQ4MZ2H"
        );
    }

    #[test]
    fn every_number_stands_for_a_code() {
        for number in [0, 1, 29, 30, 656_099_999_999, u64::MAX] {
            let code = CouponCode::of(number);
            assert_eq!(code.as_str().parse(), Ok(code.clone()), "{number}");
        }
        assert_ne!(CouponCode::of(0), CouponCode::of(1));
        assert_ne!(CouponCode::of(1), CouponCode::of(30));
    }

    #[test]
    fn characters_that_look_alike_are_no_code() {
        for text in [
            "7KQ4MZ20",
            "7KQ4MZ2O",
            "7KQ4MZ2I",
            "7KQ4MZ2U",
            "7KQ4MZ2",
            "7KQ4MZ2HH",
            "",
            "7KQ4MZ2é",
        ] {
            assert_eq!(text.parse::<CouponCode>(), Err(MalformedCouponCode), "{text}");
        }
    }
}
