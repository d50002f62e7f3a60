//! How somebody says which language they read (RFC 9110 §12.5.4); never a text.

pub use aggregates::language::{Language, NoLanguage};

/// Bytes of a list of languages that are looked at.
const LIST_BYTES_MAX: usize = 1024;
/// Ranges of a list that are looked at.
const RANGES_MAX: usize = 32;

/// The language that suits an `Accept-Language` best: the greatest weight, of equal ones the first. Whatever cannot be
/// read counts for nothing, so a broken list is answered in the default language.
#[must_use]
pub fn accepted(list: &str) -> Language {
    let ranges = ranges(list);
    let any = ranges.iter().position(|(range, _)| *range == "*");
    best(&ranges, any).unwrap_or_default()
}

/// The language that an `Accept-Language` asks for by its name; none, if it names no language there is.
#[must_use]
pub fn named(list: &str) -> Option<Language> {
    best(&ranges(list), None)
}

fn ranges(list: &str) -> Vec<(&str, u16)> {
    if list.len() > LIST_BYTES_MAX {
        return Vec::new();
    }
    list.split(',').take(RANGES_MAX).filter_map(range).collect()
}

/// The best of all languages; `any` is the range for those that are not named.
fn best(ranges: &[(&str, u16)], any: Option<usize>) -> Option<Language> {
    let weighed = Language::ALL.into_iter().filter_map(|language| {
        // A range that names it counts, not the one for all others.
        let place = ranges.iter().position(|(range, _)| is_meant(language, range));
        let place = place.or(any)?;
        let weight = ranges[place].1;
        (weight > 0).then_some((weight, std::cmp::Reverse(place), language))
    });
    let first_of_equals = weighed.reduce(|best, next| {
        if (next.0, next.1) > (best.0, best.1) {
            next
        } else {
            best
        }
    });
    first_of_equals.map(|(_, _, language)| language)
}

fn is_meant(language: Language, range: &str) -> bool {
    let primary = range.split('-').next().unwrap_or_default();
    primary.eq_ignore_ascii_case(language.tag())
}

/// One range of a list with its weight in thousandths.
fn range(part: &str) -> Option<(&str, u16)> {
    let (range, parameters) = part.split_once(';').unwrap_or((part, ""));
    let range = range.trim();
    let weight = match parameters.trim() {
        "" => 1000,
        weight => thousandths(weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?)?,
    };
    (!range.is_empty()).then_some((range, weight))
}

/// `0`, `1`, `0.5`, `1.000`: at most three digits behind the point, as RFC 9110 §12.4.2 says.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    if part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{part:0<3}").parse().ok()?;
    match (whole, part) {
        ("0", part) => Some(part),
        ("1", 0) => Some(1000),
        _other => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Language::*, *};

    #[rstest]
    #[case("", English)]
    #[case("ko", Korean)]
    #[case("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", Korean)]
    #[case("en-US,en;q=0.9,ko;q=0.8", English)]
    #[case("en;q=0.5, ko;q=0.6", Korean)]
    #[case("KO-kr", Korean)]
    #[case("fr, ko;q=0.1", Korean)]
    #[case("fr", English)]
    #[case("*", English)]
    #[case("*, en;q=0", Korean)]
    #[case("en;q=0.2, *", Korean)]
    #[case("ko;q=0, en;q=0", English)]
    #[case("ko, en", Korean)]
    #[case("en, ko", English)]
    #[case("ko;q=1.001", English)]
    #[case("ko;q=0.0001", English)]
    #[case("ko;q=abc", English)]
    #[case("ko;level=1", English)]
    #[case(";;;,,,=q;*-*", English)]
    #[case("korean", English)]
    #[case("ko\u{0}", English)]
    fn the_language_that_suits_best_is_found(#[case] list: &str, #[case] language: Language) {
        assert_eq!(accepted(list), language, "{list}");
    }

    #[test]
    fn an_endless_list_is_not_read() {
        assert_eq!(accepted(&format!("{}ko", "fr,".repeat(1000))), English);
        assert_eq!(accepted(&format!("{}ko", "fr,".repeat(40))), English);
    }

    #[test]
    fn whoever_names_no_language_there_is_has_none() {
        for list in ["", "fr", "*", "*, en;q=0", "ko;q=0", ";;=,q"] {
            assert_eq!(named(list), None, "{list}");
        }
        assert_eq!(named("fr, ko;q=0.1"), Some(Korean));
        assert_eq!(named("*, en;q=0.2, ko;q=0.1"), Some(English));
    }
}
