//! The label of a seat in its layout, as printed on a ticket; never a seat's identity beyond one layout.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::SmolStr;

/// A seat's label: `C7`, `AD67`, or `room` for the one place of an escape-room slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 16, example = "C7")]
pub struct SeatLabel(SmolStr);

/// Why a text is no seat label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a seat label: 1 to 16 letters, digits or dashes, for example C7")]
pub struct MalformedSeatLabel;

impl SeatLabel {
    /// The greatest number of characters.
    pub const LENGTH_MAX: usize = 16;

    /// The one seat of an escape-room slot (DOMAIN E4).
    #[must_use]
    pub const fn room() -> Self {
        Self(SmolStr::new_static("room"))
    }

    /// The label's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SeatLabel {
    type Err = MalformedSeatLabel;

    fn from_str(text: &str) -> Result<Self, MalformedSeatLabel> {
        let fits = (1..=Self::LENGTH_MAX).contains(&text.chars().count());
        if fits && text.chars().all(|c| c.is_alphanumeric() || c == '-') {
            Ok(Self(SmolStr::new(text)))
        } else {
            Err(MalformedSeatLabel)
        }
    }
}

impl fmt::Display for SeatLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for SeatLabel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SeatLabel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}
