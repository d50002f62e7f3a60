//! Whole numbers as people write them, within their bounds; never a refusal in the words of a library.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

/// A reader of whole numbers in `range`.
pub fn from_to<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: FromStr + PartialOrd + Display + Clone,
{
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
    }
}

/// A reader of whole numbers of at least `min`.
pub fn at_least<T>(min: T) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: FromStr + PartialOrd + Display + Clone,
{
    move |text| {
        let number = text.parse().ok().filter(|number| *number >= min);
        number.ok_or_else(|| format!("must be a whole number, {min} or more"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_refused_with_the_bounds_it_has() {
        let port = from_to(0..=u16::MAX);
        assert_eq!(port("8080"), Ok(8080));
        let wrong = Err("must be a whole number from 0 to 65535".to_owned());
        for text in ["abc", "", "-1", "65536", "1.5"] {
            assert_eq!(port(text), wrong, "{text}");
        }
        assert_eq!(at_least(1_u32)("7"), Ok(7));
        assert_eq!(
            at_least(1_u32)("0"),
            Err("must be a whole number, 1 or more".to_owned())
        );
    }
}
