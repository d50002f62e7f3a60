//! Reads the parameters of a query into their type, or says everything that is wrong with them in words of our own;
//! never takes a parameter that nothing knows.

use std::fmt::Display;

use serde::{
    de::{
        self, DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor, value::MapDeserializer,
    },
    forward_to_deserialize_any,
};

use super::{nearest, pages::LIMIT_MAX};

/// Faults that are looked for in one query.
const FAULTS_MAX: usize = 16;

/// The `T` in these pairs, or every fault, each with the name of its parameter.
pub(super) fn read<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Vec<String>> {
    let mut faults = Vec::new();
    let mut sound: Vec<&(String, String)> = Vec::new();
    for pair in pairs {
        if sound.iter().any(|(name, _)| *name == pair.0) {
            faults.push(format!("{}: is given twice", pair.0));
        } else {
            sound.push(pair);
        }
    }
    // serde stops at the first fault. What it names is left out, and the rest is read again.
    loop {
        let texts = sound
            .iter()
            .map(|(name, text)| (name.as_str(), Text { name, text }));
        let read = T::deserialize(MapDeserializer::<_, Fault>::new(texts));
        match read {
            Ok(read) if faults.is_empty() => return Ok(read),
            Ok(_) => return Err(faults),
            Err(Fault(fault)) => {
                let place = sound.iter().position(|(name, text)| {
                    let wrong = Text { name, text };
                    wrong.is_meant_by(&fault)
                });
                // One that is needed and wrong was left out, and so is missing now: that is no second fault.
                let about = |fault: &str| fault.split(": ").next().map(str::to_owned);
                if place.is_none() && faults.iter().any(|known: &String| about(known) == about(&fault)) {
                    return Err(faults);
                }
                faults.push(fault);
                match place {
                    Some(place) if faults.len() < FAULTS_MAX => drop(sound.remove(place)),
                    Some(_) | None => return Err(faults),
                }
            }
        }
    }
}

/// What is wrong: the parameter's name, a colon, and the rest.
#[derive(Debug)]
struct Fault(String);

impl Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self(format!(
            "{field}: {}",
            nearest::unknown("is no parameter here", field, known)
        ))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(format!("{field}: is missing"))
    }
}

/// One parameter.
#[derive(Clone, Copy)]
struct Text<'a> {
    name: &'a str,
    text: &'a str,
}

impl Text<'_> {
    fn wrong(self, why: impl Display) -> Fault {
        Fault(format!("{}: {why}", self.name))
    }

    /// A fault by the name of its parameter, in our words.
    fn named(self, fault: Fault) -> Fault {
        match &*fault.0 {
            said if self.is_meant_by(said) => fault,
            said if said.contains("UUID") => self.wrong("must be a UUID"),
            said => self.wrong(said),
        }
    }

    fn is_meant_by(self, fault: &str) -> bool {
        fault
            .strip_prefix(self.name)
            .is_some_and(|rest| rest.starts_with(": "))
    }

    /// A whole number, within what its name allows.
    fn number<N: std::str::FromStr + TryInto<i64> + Copy>(self) -> Result<N, Fault> {
        let within = |number: N| {
            let number: Option<i64> = number.try_into().ok();
            match self.name {
                "limit" => number.is_some_and(|limit| (1..=i64::from(LIMIT_MAX)).contains(&limit)),
                name if name.ends_with("position") => number.is_some_and(|position| position >= 0),
                _ => true,
            }
        };
        let number: Option<N> = self.text.parse().ok();
        number
            .filter(|number| within(*number))
            .ok_or_else(|| match self.name {
                "limit" => self.wrong(format_args!("must be a whole number from 1 to {LIMIT_MAX}")),
                name if name.ends_with("position") => {
                    self.wrong("must be a position of the log: a whole number, 0 or more")
                }
                _ => self.wrong("must be a whole number"),
            })
    }
}

macro_rules! numbers {
    ($($name:ident: $visit:ident),+ $(,)?) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.$visit(self.number()?)
        })+
    };
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = Fault;

    numbers! {
        deserialize_i8: visit_i8, deserialize_i16: visit_i16, deserialize_i32: visit_i32, deserialize_i64: visit_i64,
        deserialize_u8: visit_u8, deserialize_u16: visit_u16, deserialize_u32: visit_u32,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.text {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(self.wrong("must be true or false")),
        }
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor
            .visit_borrowed_str(self.text)
            .map_err(|fault| self.named(fault))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self).map_err(|fault| self.named(fault))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if known.contains(&self.text) {
            visitor.visit_enum(self.text.into_deserializer())
        } else {
            Err(self.wrong(format_args!("must be one of {}", known.join(", "))))
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::custom(format_args!("{}: is no parameter here", self.name)))
    }

    forward_to_deserialize_any! {
        u64 i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier
    }
}

impl<'de> IntoDeserializer<'de, Fault> for Text<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use aggregates::ids::MovieId;
    use rstest::rstest;
    use serde::Deserialize;

    use super::{
        super::params::{Day, Moment},
        *,
    };

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Needing {
        movie: MovieId,
    }

    #[test]
    fn what_is_needed_is_named_when_it_is_wrong_or_missing() {
        let asked = |query: &[(&str, &str)]| {
            let pairs = query
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
            read::<Needing>(&pairs.collect::<Vec<_>>())
        };
        assert_eq!(
            asked(&[("movie", "x")]),
            Err(vec!["movie: must be a UUID".to_owned()])
        );
        assert_eq!(asked(&[]), Err(vec!["movie: is missing".to_owned()]));
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Which {
        movie: Option<MovieId>,
        date: Option<Day>,
        from: Option<Moment>,
        limit: Option<u16>,
        min_position: Option<i64>,
        #[serde(default)]
        newest_first: bool,
        state: Option<String>,
    }

    fn asked(query: &[(&str, &str)]) -> Result<Which, Vec<String>> {
        let pairs: Vec<(String, String)> = query
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        read(&pairs)
    }

    #[test]
    fn a_sound_query_is_read() {
        assert_eq!(asked(&[]), Ok(Which::default()));
        let which = asked(&[("limit", "200"), ("newest_first", "true"), ("state", "")]);
        let expected = Which {
            limit: Some(200),
            newest_first: true,
            state: Some(String::new()),
            ..Which::default()
        };
        assert_eq!(which, Ok(expected));
    }

    #[rstest]
    #[case("movie", "", "must be a UUID")]
    #[case("movie", "x", "must be a UUID")]
    #[case("date", "tomorrow", "must be a day like 2026-12-24")]
    #[case("date", "2026-13-01", "must be a day like 2026-12-24")]
    #[case("date", "20261123", "must be a day like 2026-12-24")]
    #[case("date", "2026-11-23T00:00:00Z", "must be a day like 2026-12-24")]
    #[case("date", "9999-12-31", "must be in a year from 1900 to 2200")]
    #[case("limit", "100000", "must be a whole number from 1 to 200")]
    #[case("limit", "0", "must be a whole number from 1 to 200")]
    #[case("limit", "ten", "must be a whole number from 1 to 200")]
    #[case(
        "min_position",
        "x",
        "must be a position of the log: a whole number, 0 or more"
    )]
    #[case(
        "min_position",
        "-1",
        "must be a position of the log: a whole number, 0 or more"
    )]
    #[case("newest_first", "1", "must be true or false")]
    #[case(
        "film",
        "x",
        "is no parameter here; there are movie, date, from, limit, min_position, newest_first, state"
    )]
    #[case("movies", "x", "is no parameter here; did you mean movie?")]
    fn a_fault_is_said_in_our_words(#[case] name: &str, #[case] text: &str, #[case] words: &str) {
        assert_eq!(asked(&[(name, text)]), Err(vec![format!("{name}: {words}")]));
    }

    #[test]
    fn every_fault_is_said_at_once() {
        let faults = asked(&[
            ("date", "x"),
            ("limit", "1"),
            ("limit", "2"),
            ("colour", "red"),
            ("movie", ""),
        ]);
        let faults = faults.expect_err("faults");
        let places: Vec<_> = faults
            .iter()
            .filter_map(|fault| fault.split(':').next())
            .collect();
        assert_eq!(places, ["limit", "date", "colour", "movie"]);
    }
}
