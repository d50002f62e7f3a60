//! Finds every wrong field of a body, each with its place; runs only once the body was refused, never on good ones.
//!
//! serde stops at the first fault. So each fault is noted, repaired with what the example of the same type has there,
//! and the body is read again, until it is sound or nothing more can be repaired.

use aggregates::fault::Fault;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::{document::Strict, nearest};

/// Faults that are looked for in one body.
pub(super) const FAULTS_MAX: usize = 32;

/// A step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    At(usize),
}

/// Everything that keeps `body` from being a `T`; `example` is one that is. Empty if nothing does.
pub(super) fn find<T: DeserializeOwned>(body: &Value, example: &Value) -> Vec<Fault> {
    let mut body = body.clone();
    let mut faults: Vec<Fault> = Vec::new();
    while faults.len() < FAULTS_MAX {
        let Some((place, message)) = first::<T>(&body) else {
            break;
        };
        let (place, message) = narrowed::<T>(&body, example, place, message);
        let message = with_kind(message, &body, example, &place);
        let fault = Fault::at(pointer(&place), message);
        // The same place twice: the repair did not help, and more rounds would not either.
        if faults.iter().any(|known| known.pointer == fault.pointer) {
            break;
        }
        let unknown = fault.problem.starts_with(UNKNOWN_FIELD);
        faults.push(fault);
        let repaired = if unknown {
            // Whatever else is wrong beside it is still to be found.
            take_away(&mut body, &place)
        } else {
            repair(&mut body, example, &place)
        };
        if !repaired {
            break;
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

/// The first fault serde meets: where, and what.
fn first<T: DeserializeOwned>(body: &Value) -> Option<(Vec<Step>, String)> {
    let error = serde_path_to_error::deserialize::<_, T>(Strict(body)).err()?;
    let mut place: Vec<Step> = error
        .path()
        .iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(Step::At(*index)),
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Enum { variant } => Some(Step::Key(variant.clone())),
            Segment::Unknown => None,
        })
        .collect();
    // Tagged enums lose their inner path, others may name a variant that is no step of the document.
    while at(body, &place).is_none() && !place.is_empty() {
        place.pop();
    }
    let text = error.inner().to_string();
    let message = match (quoted(&text, "missing field `"), quoted(&text, "unknown field `")) {
        (Some(field), _) => {
            place.push(Step::Key(field.to_owned()));
            "is missing".to_owned()
        }
        (None, Some(field)) => {
            if place.last() != Some(&Step::Key(field.to_owned())) {
                place.push(Step::Key(field.to_owned()));
            }
            nearest::unknown(UNKNOWN_FIELD, field, &named(&text))
        }
        (None, None) => in_words(&text),
    };
    Some((place, message))
}

/// How serde's words for something with fields begin.
const RUST: [&str; 7] = [
    "struct ",
    "enum ",
    "a map",
    "map",
    "internally tagged enum",
    "tuple ",
    "unit ",
];

/// serde's own messages speak of Rust; callers speak JSON. Messages of our types are in words already.
fn in_words(message: &str) -> String {
    let expected = |rest: &str| match rest {
        "a string" | "a borrowed string" | "string" => "a string".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" => "a whole number from 0 to 4294967295".to_owned(),
        "i64" | "u64" => "a whole number".to_owned(),
        "f64" => "a number".to_owned(),
        "string or map" => "a name, or an object with one field".to_owned(),
        "a timestamp string" => "a moment like 2026-12-24T10:00:00Z".to_owned(),
        "a date string" => "a day like 2026-12-24".to_owned(),
        other if other.contains("UUID") => "a UUID".to_owned(),
        // What is left of serde's words names types of ours, which callers see as objects.
        other if RUST.iter().any(|word| other.starts_with(word)) => "an object".to_owned(),
        other => other.to_owned(),
    };
    let rules = ["invalid type: ", "invalid value: ", "invalid length "];
    if rules.iter().any(|rule| message.starts_with(rule))
        && let Some((_, wanted)) = message.split_once(", expected ")
    {
        let wanted = wanted.split(" with ").next().unwrap_or(wanted);
        return format!("must be {}", expected(wanted));
    }
    if let Some((_, wanted)) = message
        .strip_prefix("unknown variant `")
        .and_then(|rest| rest.split_once("`, expected "))
    {
        return format!("must be {}", wanted.replace('`', ""));
    }
    // The clock library explains itself in terms of bytes.
    if message.starts_with("failed to ") {
        return MOMENT_OR_DAY.to_owned();
    }
    if message.starts_with("UUID parsing failed") {
        return "must be a UUID".to_owned();
    }
    message.to_owned()
}

/// What is said where only the clock library knows whether it was to be a moment or a day.
const MOMENT_OR_DAY: &str = "must be a moment like 2026-12-24T10:00:00Z, or a day like 2026-12-24";

/// Says which of both it is to be: the one that was not sent, or else the one that the example has there.
fn with_kind(message: String, body: &Value, example: &Value, place: &[Step]) -> String {
    if message != MOMENT_OR_DAY {
        return message;
    }
    let is_day = |text: &str| text.len() == 10 && text.parse::<Date>().is_ok();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let sent = at(body, place).and_then(text);
    let shown = sample(example, place).and_then(text);
    match (sent.as_deref().map(is_day), shown.as_deref().map(is_day)) {
        (Some(true), _) | (_, Some(false)) => "must be a moment like 2026-12-24T10:00:00Z".to_owned(),
        (_, Some(true)) => "must be a day like 2026-12-24".to_owned(),
        (_, None) => message,
    }
}

/// How it is said that a field is not known.
pub(super) const UNKNOWN_FIELD: &str = "is not a known field";

/// The names that serde says it expected.
fn named(text: &str) -> Vec<&str> {
    let expected = text.split_once(", expected ").map_or("", |(_, names)| names);
    expected.split('`').skip(1).step_by(2).collect()
}

fn take_away(body: &mut Value, place: &[Step]) -> bool {
    let Some((Step::Key(key), parents)) = place.split_last() else {
        return false;
    };
    at_mut(body, parents)
        .and_then(Value::as_object_mut)
        .is_some_and(|fields| fields.remove(key).is_some())
}

fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.split('`').next()
}

/// Where serde only knows that something inside an object is wrong, finds the field whose repair changes that.
fn narrowed<T: DeserializeOwned>(
    body: &Value,
    example: &Value,
    place: Vec<Step>,
    message: String,
) -> (Vec<Step>, String) {
    let Some(Value::Object(fields)) = at(body, &place) else {
        return (place, message);
    };
    for key in fields.keys() {
        let mut deeper = place.clone();
        deeper.push(Step::Key(key.clone()));
        let mut repaired = body.clone();
        let same = |(found, text): (Vec<Step>, String)| found == place && text == message;
        if repair(&mut repaired, example, &deeper) && !first::<T>(&repaired).is_some_and(same) {
            return narrowed::<T>(body, example, deeper, message);
        }
    }
    (place, message)
}

/// Puts at `place` what the example has there, or takes away what the example does not have.
fn repair(body: &mut Value, example: &Value, place: &[Step]) -> bool {
    let Some((last, parents)) = place.split_last() else {
        let differs = body != example;
        example.clone_into(body);
        return differs;
    };
    let good = sample(example, place).cloned();
    match (at_mut(body, parents), last, good) {
        (Some(Value::Object(fields)), Step::Key(key), Some(good)) => {
            fields.insert(key.clone(), good.clone()) != Some(good)
        }
        // A choice that the example makes otherwise: without its one field nothing would be chosen.
        (Some(Value::Object(fields)), Step::Key(key), None)
            if fields.len() == 1 && fields.contains_key(key) =>
        {
            repair(body, example, parents)
        }
        (Some(Value::Object(fields)), Step::Key(key), None) => fields.remove(key).is_some(),
        (Some(Value::Array(items)), Step::At(index), Some(good)) if *index < items.len() => {
            items[*index] = good;
            true
        }
        // An element that the example has none of: the whole list becomes the example's.
        (Some(Value::Array(_)), Step::At(_), _) => repair(body, example, parents),
        (Some(_) | None, Step::Key(_) | Step::At(_), _) => false,
    }
}

fn at<'a>(value: &'a Value, place: &[Step]) -> Option<&'a Value> {
    place.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::At(index) => value.get(index),
    })
}

/// The example's value at a place; any element of a list stands for all.
fn sample<'a>(example: &'a Value, place: &[Step]) -> Option<&'a Value> {
    place.iter().try_fold(example, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::At(index) => value.get(index).or_else(|| value.get(0)),
    })
}

fn at_mut<'a>(value: &'a mut Value, place: &[Step]) -> Option<&'a mut Value> {
    place.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::At(index) => value.get_mut(index),
    })
}

pub(super) fn pointer(place: &[Step]) -> String {
    place.iter().fold(String::new(), |pointer, step| match step {
        Step::Key(key) => {
            let key: String = key.chars().filter(|c| !c.is_control()).take(64).collect();
            format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
        }
        Step::At(index) => format!("{pointer}/{index}"),
    })
}

#[cfg(test)]
#[path = "faults/tests.rs"]
mod tests;
