//! What is wrong with a document and where, all of it at once; never stops at the first fault.

use std::{cell::RefCell, fmt, ops::RangeInclusive, str::FromStr};

use serde_json::{Map, Value};

/// The greatest number of faults that are kept of one document.
pub const FAULTS_MAX: usize = 1_000;

/// One fault: where and what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Fault {
    /// The place as a JSON pointer (RFC 6901), for example `/branches/0/themes/2/price`.
    pub pointer: String,
    /// What is wrong there.
    pub problem: String,
}

impl Fault {
    /// A fault at `pointer`.
    #[must_use]
    pub fn at(pointer: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            problem: problem.into(),
        }
    }

    /// The same, of a document that is a part of another one.
    #[must_use]
    pub fn below(&self, place: &str) -> Self {
        Self::at(format!("{place}{}", self.pointer), self.problem.clone())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The whole document has no place to be named.
        match &*self.pointer {
            "" => f.write_str(&self.problem),
            pointer => write!(f, "{pointer}: {}", self.problem),
        }
    }
}

/// Everything wrong with one document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// A document being read: values are asked for by name, faults are collected on the side.
#[derive(Debug, Default)]
pub struct Reading {
    faults: RefCell<Vec<Fault>>,
}

impl Reading {
    /// The whole document.
    #[must_use]
    pub fn of<'a>(&'a self, value: &'a Value) -> Node<'a> {
        Node {
            value,
            pointer: String::new(),
            reading: self,
        }
    }

    /// `result`, if nothing was wrong; else everything that was.
    pub fn finish<T>(self, result: Option<T>) -> Result<T, Faults> {
        let mut faults = self.faults.into_inner();
        faults.truncate(FAULTS_MAX);
        match result {
            Some(result) if faults.is_empty() => Ok(result),
            Some(_) | None => Err(Faults(faults)),
        }
    }
}

/// One value inside a document that is being read.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    value: &'a Value,
    pointer: String,
    reading: &'a Reading,
}

impl<'a> Node<'a> {
    /// Notes that something is wrong here.
    pub fn fault(&self, problem: impl Into<String>) {
        self.push(Fault::at(self.pointer.clone(), problem));
    }

    /// Notes a fault that was found at `fault.pointer` below this value.
    pub fn nested(&self, fault: &Fault) {
        self.push(Fault::at(
            format!("{}{}", self.pointer, fault.pointer),
            fault.problem.clone(),
        ));
    }

    fn push(&self, fault: Fault) {
        let mut faults = self.reading.faults.borrow_mut();
        if faults.len() < FAULTS_MAX {
            faults.push(fault);
        }
    }

    /// The value itself.
    #[must_use]
    pub const fn value(&self) -> &'a Value {
        self.value
    }

    /// Where it is in the document.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The field `key` as `read` understands it, which must be there.
    pub fn field<T>(&self, key: &str, read: impl FnOnce(&Self) -> Option<T>) -> Option<T> {
        read(&self.need(key)?)
    }

    /// The field `key` as `read` understands it: `Some(None)` when it is missing or null, `None` when it is wrong.
    pub fn maybe<T>(&self, key: &str, read: impl FnOnce(&Self) -> Option<T>) -> Option<Option<T>> {
        match self.get(key) {
            None => Some(None),
            Some(node) => read(&node).map(Some),
        }
    }

    /// The elements of this list, at most `max`, as `read` understands them; none if one of them is wrong.
    pub fn each<T>(&self, max: usize, read: impl FnMut(&Self) -> Option<T>) -> Option<Vec<T>> {
        let elements: Vec<Option<T>> = self.list(max)?.iter().map(read).collect();
        elements.into_iter().collect()
    }

    fn object(&self) -> Option<&'a Map<String, Value>> {
        let object = self.value.as_object();
        if object.is_none() {
            self.fault("must be an object");
        }
        object
    }

    /// Refuses every field that is not in `known`, so that a misspelt one is not silently lost.
    pub fn only(&self, known: &[&str]) {
        for key in self
            .object()
            .into_iter()
            .flat_map(Map::keys)
            .filter(|key| !known.contains(&key.as_str()))
        {
            self.push(Fault::at(
                format!("{}/{}", self.pointer, escaped(key)),
                "is not a known field",
            ));
        }
    }

    /// The field `key`, absent when it is missing or null.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Self> {
        let value = self
            .value
            .as_object()?
            .get(key)
            .filter(|value| !value.is_null())?;
        Some(Self {
            value,
            pointer: format!("{}/{}", self.pointer, escaped(key)),
            reading: self.reading,
        })
    }

    /// The field `key`, which must be there.
    #[must_use]
    pub fn need(&self, key: &str) -> Option<Self> {
        self.object()?;
        let found = self.get(key);
        if found.is_none() {
            self.push(Fault::at(
                format!("{}/{}", self.pointer, escaped(key)),
                "is missing",
            ));
        }
        found
    }

    /// This value as a text of type `T`.
    #[must_use]
    pub fn text<T: FromStr<Err: fmt::Display>>(&self) -> Option<T> {
        let Some(text) = self.value.as_str() else {
            self.fault("must be a string");
            return None;
        };
        text.parse()
            .map_err(|error: T::Err| self.fault(error.to_string()))
            .ok()
    }

    /// This value as a whole number within `range`.
    #[must_use]
    pub fn integer<T: TryFrom<i64>>(&self, range: RangeInclusive<i64>) -> Option<T> {
        let number = self
            .value
            .as_i64()
            .filter(|number| range.contains(number))
            .and_then(|n| T::try_from(n).ok());
        if number.is_none() {
            self.fault(format!(
                "must be a whole number from {} to {}",
                range.start(),
                range.end()
            ));
        }
        number
    }

    /// This value as a finite number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        let number = self.value.as_f64().filter(|number| number.is_finite());
        if number.is_none() {
            self.fault("must be a number");
        }
        number
    }

    /// This value as true or false.
    #[must_use]
    pub fn truth(&self) -> Option<bool> {
        let truth = self.value.as_bool();
        if truth.is_none() {
            self.fault("must be true or false");
        }
        truth
    }

    /// The elements of this list, at most `max`.
    fn list(&self, max: usize) -> Option<Vec<Self>> {
        let Some(list) = self.value.as_array() else {
            self.fault("must be a list");
            return None;
        };
        if list.len() > max {
            self.fault(format!("must have at most {max} elements, has {}", list.len()));
            return None;
        }
        let element = |(index, value)| Self {
            value,
            pointer: format!("{}/{index}", self.pointer),
            reading: self.reading,
        };
        Some(list.iter().enumerate().map(element).collect())
    }

    /// The fields of this object with their names, in the order of the names.
    #[must_use]
    pub fn entries(&self) -> Vec<(&'a str, Self)> {
        let entry = |(key, value): (&'a String, &'a Value)| {
            let pointer = format!("{}/{}", self.pointer, escaped(key));
            (
                key.as_str(),
                Self {
                    value,
                    pointer,
                    reading: self.reading,
                },
            )
        };
        self.object()
            .into_iter()
            .flat_map(|object| object.iter().map(entry))
            .collect()
    }
}

/// A key as a step of a JSON pointer.
fn escaped(key: &str) -> String {
    key.chars()
        .take(64)
        .collect::<String>()
        .replace('~', "~0")
        .replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::values::Name;

    #[test]
    fn every_fault_is_reported_with_its_place() {
        let document = json!({ "a/b": 1, "names": ["ok", "", 7], "size": 11, "zone": null });
        let reading = Reading::default();
        let root = reading.of(&document);
        root.only(&["names", "size", "zone"]);
        assert_eq!(
            root.field("names", |names| names.each(5, Node::text::<Name>)),
            None
        );
        assert_eq!(root.field("size", |size| size.integer::<u8>(1..=10)), None);
        assert_eq!(root.maybe("zone", Node::text::<Name>), Some(None));
        assert!(root.need("zone").is_none());
        let faults = reading.finish(Some(())).expect_err("faults were found");
        let places: Vec<&str> = faults.0.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/a~1b", "/names/1", "/names/2", "/size", "/zone"]);
    }

    #[test]
    fn a_document_without_faults_gives_its_result() {
        assert_eq!(Reading::default().finish(Some(1)), Ok(1));
    }
}
