//! The short code of a reservation, which people read out and write on a transfer; never a secret, and never unique for
//! certain.

use std::{fmt, str::FromStr};

use smol_str::SmolStr;

use super::{CouponCode, folded};

/// A short code: 6 of the characters that coupon codes are made of; read in lower case and in any width.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShortCode(SmolStr);

/// Why a text is no short code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a short code: 6 letters and digits without 0, 1, I, L, O and U")]
pub struct MalformedShortCode;

impl ShortCode {
    /// Characters in a code.
    pub const LENGTH: usize = 6;

    /// The code that stands for these bytes, which are a keyed hash, so that it gives no number away.
    #[must_use]
    pub fn of(hash: [u8; Self::LENGTH]) -> Self {
        let letters = CouponCode::ALPHABET;
        let letter = |byte: u8| char::from(letters[usize::from(byte) % letters.len()]);
        Self(hash.into_iter().map(letter).collect())
    }

    /// Everything in these words that may be a code, alone or within other words: banks drop or add what stands between
    /// letters.
    #[must_use]
    pub fn all_in(words: &str) -> Vec<Self> {
        let letters: Vec<char> = folded(words)
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .collect();
        let parts = letters.windows(Self::LENGTH);
        parts
            .filter_map(|part| part.iter().collect::<String>().parse().ok())
            .collect()
    }

    /// The code's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ShortCode {
    type Err = MalformedShortCode;

    fn from_str(text: &str) -> Result<Self, MalformedShortCode> {
        let code: SmolStr = folded(text)
            .chars()
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        let known = code.bytes().all(|byte| CouponCode::ALPHABET.contains(&byte));
        if code.len() == Self::LENGTH && known {
            Ok(Self(code))
        } else {
            Err(MalformedShortCode)
        }
    }
}

impl fmt::Display for ShortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_and_banks_write_it() {
        let code: ShortCode = "K7MQ2Z".parse().expect("a code");
        for text in ["k7mq2z", " K7MQ2Z ", "Ｋ７ＭＱ２Ｚ", "ｋ７ｍｑ２ｚ"] {
            assert_eq!(text.parse(), Ok(code.clone()), "{text}");
        }
        for text in [
            "",
            "K7MQ2",
            "K7MQ2ZZ",
            "K7MQ20",
            "K7MQ2I",
            "K7M Q2Z",
            "홍길동홍길동",
        ] {
            assert_eq!(text.parse::<ShortCode>(), Err(MalformedShortCode), "{text}");
        }
    }

    #[test]
    fn every_hash_stands_for_a_code() {
        for byte in 0..=u8::MAX {
            let code = ShortCode::of([byte; ShortCode::LENGTH]);
            assert_eq!(code.as_str().parse(), Ok(code.clone()), "{byte}");
        }
        assert_ne!(ShortCode::of([0; 6]), ShortCode::of([1, 0, 0, 0, 0, 0]));
    }

    #[test]
    fn codes_are_found_within_words_and_across_gaps() {
        let all = |words: &str| -> Vec<String> {
            ShortCode::all_in(words).iter().map(ToString::to_string).collect()
        };
        assert_eq!(all("홍길동K7MQ2Z"), ["K7MQ2Z"]);
        assert_eq!(all("k7m-q2z"), ["K7MQ2Z"]);
        assert_eq!(all("Ｋ７ＭＱ２Ｚ님"), ["K7MQ2Z"]);
        assert_eq!(all("7K7MQ2Z"), ["7K7MQ2", "K7MQ2Z"]);
        assert_eq!(all("K7M홍길동Q2Z"), Vec::<String>::new());
        assert_eq!(all("홍길동"), Vec::<String>::new());
    }
}
