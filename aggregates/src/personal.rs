//! Values that belong to a person: sealed before they reach the log, gone when the person's key is gone; never written plain.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, ser};

/// A personal value. Rules see it plain or erased; the log only ever holds it sealed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Personal<T> {
    /// Readable, in memory only.
    Plain(T),
    /// As it is stored: ciphertext under the key of its subject.
    Sealed(String),
    /// The key is gone: the value can never be read again.
    Erased,
}

impl<T> Personal<T> {
    /// The value, unless it is sealed or erased.
    pub fn plain(&self) -> Option<&T> {
        match self {
            Self::Plain(value) => Some(value),
            Self::Sealed(_) | Self::Erased => None,
        }
    }
}

/// What the store needs to seal and open a value without knowing its type.
pub trait Sealable {
    /// The plain value as JSON text; none if it is sealed already, or erased.
    fn plaintext(&self) -> Option<String>;
    /// Replaces the plain value by its ciphertext.
    fn seal(&mut self, ciphertext: String);
    /// The ciphertext, if sealed.
    fn ciphertext(&self) -> Option<&str>;
    /// Replaces the ciphertext by what it held; `None`, or text that is no such value, means erased.
    fn open(&mut self, plaintext: Option<&str>);
}

impl<T: Serialize + DeserializeOwned> Sealable for Personal<T> {
    fn plaintext(&self) -> Option<String> {
        self.plain().and_then(|value| serde_json::to_string(value).ok())
    }

    fn seal(&mut self, ciphertext: String) {
        *self = Self::Sealed(ciphertext);
    }

    fn ciphertext(&self) -> Option<&str> {
        match self {
            Self::Sealed(text) => Some(text),
            Self::Plain(_) | Self::Erased => None,
        }
    }

    fn open(&mut self, plaintext: Option<&str>) {
        *self = plaintext
            .and_then(|text| serde_json::from_str(text).ok())
            .map_or(Self::Erased, Self::Plain);
    }
}

/// A personal value that may be missing, as the store wants it.
pub(crate) fn sealable<T: Serialize + DeserializeOwned>(
    value: &mut Option<Personal<T>>,
) -> Vec<&mut dyn Sealable> {
    value.iter_mut().map(|value| value as &mut dyn Sealable).collect()
}

/// A personal value in a state that is shown to whoever may see it, and never stored: plain as it is, else what is left.
pub(crate) fn shown<T: Serialize, S: Serializer>(
    value: &Personal<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Personal::Plain(plain) => plain.serialize(serializer),
        Personal::Sealed(text) => serializer.serialize_str(text),
        Personal::Erased => serializer.serialize_none(),
    }
}

/// As [`shown`], where there may be none.
#[expect(clippy::ref_option, reason = "serde asks for it so")]
pub(crate) fn shown_if_any<T: Serialize, S: Serializer>(
    value: &Option<Personal<T>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => shown(value, serializer),
        None => serializer.serialize_none(),
    }
}

impl<T> Serialize for Personal<T> {
    /// Refuses a plain value, so that none can reach the log by a forgotten step.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Sealed(text) => serializer.serialize_some(text),
            Self::Erased => serializer.serialize_none(),
            Self::Plain(_) => Err(ser::Error::custom(
                "a personal value must be sealed before it is written",
            )),
        }
    }
}

impl<'de, T> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map_or(Self::Erased, Self::Sealed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_value_cannot_be_written() {
        assert!(serde_json::to_string(&Personal::Plain("name")).is_err());
    }

    #[test]
    fn a_sealed_value_opens_to_what_it_was() {
        let mut value = Personal::Plain("name".to_owned());
        let plain = value.plaintext();
        value.seal("x1".to_owned());
        let stored = serde_json::to_string(&value).expect("sealed values are writable");
        let mut read: Personal<String> = serde_json::from_str(&stored).expect("a sealed value is readable");
        assert_eq!(read.ciphertext(), Some("x1"));
        read.open(plain.as_deref());
        assert_eq!(read.plain().map(String::as_str), Some("name"));
    }

    #[test]
    fn without_its_key_a_value_is_erased() {
        let mut value: Personal<String> = Personal::Sealed("x1".to_owned());
        value.open(None);
        assert_eq!(value, Personal::Erased);
    }
}
