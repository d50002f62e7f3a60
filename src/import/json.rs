//! Reads JSON text without losing anything: a key that is given twice is a fault, as over HTTP. Never looks at the meaning.

use std::{cell::RefCell, fmt};

use aggregates::fault::{FAULTS_MAX, Fault};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The document, and each key in it that was given before.
pub(super) fn read(text: &str) -> serde_json::Result<(Value, Vec<Fault>)> {
    // Some editors begin every file with a byte order mark; it says nothing in UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let repeated = RefCell::new(Vec::new());
    let root = Place {
        pointer: String::new(),
        repeated: &repeated,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = root.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, repeated.into_inner()))
}

/// Where a value stands.
struct Place<'a> {
    pointer: String,
    repeated: &'a RefCell<Vec<Fault>>,
}

impl Place<'_> {
    fn below(&self, step: impl fmt::Display) -> Self {
        Self {
            pointer: format!("{}/{step}", self.pointer),
            repeated: self.repeated,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self.below(values.len()))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            let place = self.below(key.replace('~', "~0").replace('/', "~1"));
            if values.contains_key(&key) && self.repeated.borrow().len() < FAULTS_MAX {
                let fault = Fault::at(place.pointer.clone(), "is given more than once");
                self.repeated.borrow_mut().push(fault);
            }
            values.insert(key, object.next_value_seed(place)?);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_read_as_it_stands() {
        let document = json!({ "a": [1, -2, 3.5, true, null, "text"], "b": { "c": {} }, "d": [] });
        let (read, repeated) = read(&document.to_string()).expect("JSON");
        assert_eq!((read, repeated), (document, vec![]));
        assert!(super::read("{} {}").is_err());
        assert!(super::read(r#"{"a":}"#).is_err());
    }

    #[test]
    fn every_key_that_is_given_twice_is_named() {
        let text = r#"{"a":1,"a":2,"b":[{"c/d":1,"c/d":2,"e":{"f":1,"f":1}}]}"#;
        let (_, repeated) = read(text).expect("JSON");
        let places: Vec<&str> = repeated.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/a", "/b/0/c~1d", "/b/0/e/f"]);
    }
}
