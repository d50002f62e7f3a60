//! What a caller takes a thing to be before changing it (`If-Match`, RFC 9110 §13.1.1); never the header itself.

/// How far a thing must have come for a command to happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// However far.
    #[default]
    None,
    /// It exists.
    Exists,
    /// Its stream stands at one of these sequences; at none, if there is none.
    StandsAt(Vec<i64>),
}

/// It is not what the caller takes it to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", if *.is == 0 { "it does not exist".to_owned() } else { format!("it was changed since: its sequence is {is}") })]
pub struct ChangedSince {
    /// The sequence its stream has.
    pub is: i64,
}

impl Precondition {
    /// Whether a thing whose stream stands at `is` may be changed.
    pub fn check(&self, is: i64) -> Result<(), ChangedSince> {
        let holds = match self {
            Self::None => true,
            Self::Exists => is > 0,
            Self::StandsAt(sequences) => sequences.contains(&is),
        };
        if holds { Ok(()) } else { Err(ChangedSince { is }) }
    }
}
