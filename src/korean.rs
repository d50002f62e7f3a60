//! What Korean sentences need once the words are in: particles that fit, moments that read well; never a text.

use jiff::{
    Timestamp,
    civil::Date,
    fmt::temporal::{Pieces, PiecesOffset},
    tz::Offset,
};

/// How a word ends, as far as particles care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Vowel,
    /// ㄹ: a consonant, except for 으로.
    Rieul,
    Consonant,
}

/// As a translator writes it, and what it becomes behind a consonant, behind a vowel, and behind ㄹ.
const PARTICLES: [(&str, &str, &str, &str); 8] = [
    ("은(는)", "은", "는", "은"),
    ("이(가)", "이", "가", "이"),
    ("을(를)", "을", "를", "을"),
    ("과(와)", "과", "와", "과"),
    ("으로(로)", "으로", "로", "로"),
    ("이어야(여야)", "이어야", "여야", "이어야"),
    ("이라(라)", "이라", "라", "이라"),
    ("이나(나)", "이나", "나", "이나"),
];

/// The text with every particle as the word before it wants it.
#[must_use]
pub fn fitted(text: &str) -> String {
    let mut fitted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let particle = PARTICLES.iter().find(|(written, ..)| rest.starts_with(written));
        if let Some((written, consonant, vowel, rieul)) = particle {
            fitted.push_str(match ending(&fitted) {
                Ending::Consonant => consonant,
                Ending::Vowel => vowel,
                Ending::Rieul => rieul,
            });
            rest = &rest[written.len()..];
        } else {
            fitted.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    fitted
}

/// How the last word of a text ends when it is read aloud. Quotes and brackets behind it are silent.
fn ending(text: &str) -> Ending {
    let mut letters = text.chars().rev().skip_while(|c| !c.is_alphanumeric());
    let before = |letters: &mut dyn Iterator<Item = char>| letters.next();
    let Some(last) = before(&mut letters) else {
        return Ending::Vowel;
    };
    match last {
        // Syllables stand in blocks of 28, one for each final consonant: none first, ㄹ as the ninth.
        '가'..='힣' => match (u32::from(last) - u32::from('가')) % 28 {
            0 => Ending::Vowel,
            8 => Ending::Rieul,
            _final => Ending::Consonant,
        },
        // 일, 칠, 팔.
        '1' | '7' | '8' => Ending::Rieul,
        // 영 (also 십, 백, 천, 만), 삼, 육.
        '0' | '3' | '6' => Ending::Consonant,
        '2' | '4' | '5' | '9' => Ending::Vowel,
        // Capitals are spelt: 엘, 알; 엠, 엔. Words in small letters are read.
        'L' | 'R' | 'l' => Ending::Rieul,
        'M' | 'N' | 'm' | 'n' => Ending::Consonant,
        'g' if letters.next() == Some('n') => Ending::Consonant,
        _other => Ending::Vowel,
    }
}

/// A value as a Korean reads it: moments and days in words, the won by its name; anything else as it is.
#[must_use]
pub fn readable(value: &str) -> String {
    if let Ok(day) = Date::strptime("%Y-%m-%d", value) {
        return format!("{}년 {}월 {}일", day.year(), day.month(), day.day());
    }
    match value.parse::<Timestamp>() {
        Ok(moment) => {
            // With an offset it is what the clock of a branch shows.
            let offset = match Pieces::parse(value).ok().and_then(|pieces| pieces.offset()) {
                Some(PiecesOffset::Numeric(offset)) => Some(offset.offset()),
                Some(_) | None => None,
            };
            let utc = if offset.is_none() { "(UTC)" } else { "" };
            let at = offset.unwrap_or(Offset::UTC).to_datetime(moment);
            format!(
                "{}년 {}월 {}일 {:02}:{:02}{utc}",
                at.year(),
                at.month(),
                at.day(),
                at.hour(),
                at.minute()
            )
        }
        Err(_) if value == "KRW" => "원".to_owned(),
        Err(_) => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("좌석은(는)", "좌석은")]
    #[case("쿠폰이(가)", "쿠폰이")]
    #[case("회차이(가)", "회차가")]
    #[case("서울으로(로)", "서울로")]
    #[case("부산으로(로)", "부산으로")]
    #[case("제주으로(로)", "제주로")]
    #[case("A1을(를)", "A1을")]
    #[case("A2을(를)", "A2를")]
    #[case("10으로(로)", "10으로")]
    #[case("17으로(로)", "17로")]
    #[case("`party_size`과(와)", "`party_size`와")]
    #[case("seats(좌석)은(는)", "seats(좌석)은")]
    #[case("UUID이어야(여야)", "UUID여야")]
    #[case("URL이어야(여야)", "URL이어야")]
    #[case("ticket, booking을(를)", "ticket, booking을")]
    #[case("을(를)", "를")]
    #[case("", "")]
    fn a_particle_fits_the_word_before_it(#[case] written: &str, #[case] read: &str) {
        assert_eq!(fitted(written), read);
    }

    #[test]
    fn moments_and_days_are_readable() {
        assert_eq!(readable("2026-12-24T10:05:00Z"), "2026년 12월 24일 10:05(UTC)");
        assert_eq!(readable("2026-12-24T19:05:00+09:00"), "2026년 12월 24일 19:05");
        assert_eq!(readable("2026-12-04"), "2026년 12월 4일");
        assert_eq!(readable("KRW"), "원");
        assert_eq!(readable("A1, A2"), "A1, A2");
        assert_eq!(readable(""), "");
    }
}
