//! Old forms of stored events, lifted to today's when they are read. Never changes what is stored.

use std::{borrow::Cow, fmt, sync::Arc};

use aggregates::event::{KINDS, VERSION};
use serde_json::Value;

use super::{command::Row, error::StoreError};

/// Versions an event may pass through at most.
const STEPS_MAX: usize = 64;

/// One step: an event of this name and version becomes one of the next version.
#[derive(Clone)]
pub struct Upcaster {
    /// The stored name of the event.
    pub name: &'static str,
    /// The version it lifts from.
    pub from: &'static str,
    /// The version it lifts to.
    pub to: &'static str,
    /// The payload in the older form becomes the payload in the newer one.
    pub lift: Arc<dyn Fn(Value) -> Value + Send + Sync>,
}

impl fmt::Debug for Upcaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} to {}", self.name, self.from, self.to)
    }
}

/// All steps.
#[derive(Debug, Clone, Default)]
pub struct Upcasters(Vec<Upcaster>);

impl Upcasters {
    /// These steps; an event takes as many of them as it needs.
    #[must_use]
    pub fn new(steps: Vec<Upcaster>) -> Self {
        Self(steps)
    }

    /// The payload in today's form.
    pub(crate) fn lift<'a>(&self, row: &'a Row) -> Result<Cow<'a, str>, StoreError> {
        if row.version == VERSION || !KINDS.contains(&row.stream.kind.as_str()) {
            return Ok(Cow::Borrowed(&row.payload));
        }
        let bad =
            |text: &str| StoreError::Corrupt(format!("event {} of {}: {text}", row.sequence, row.stream));
        let mut payload: Value =
            serde_json::from_str(&row.payload).map_err(|error| bad(&error.to_string()))?;
        let mut version = row.version.as_str();
        for _ in 0..STEPS_MAX {
            if version == VERSION {
                return Ok(Cow::Owned(payload.to_string()));
            }
            let step = self
                .0
                .iter()
                .find(|step| step.name == row.name && step.from == version);
            let step = step.ok_or_else(|| {
                bad(&format!(
                    "{} {version} is not a form this program knows",
                    row.name
                ))
            })?;
            payload = (step.lift)(payload);
            version = step.to;
        }
        Err(bad("its forms lead in a circle"))
    }
}
