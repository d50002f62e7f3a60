//! How a refusal looks from outside: a stable type, its class, and what the caller can do; never an HTTP status.

/// The class of a refusal; an edge maps it to its own codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// There is no such thing.
    NotFound,
    /// It stands in the way of something that is already so.
    Conflict,
    /// It was possible once and is not any more.
    Gone,
    /// The values do not fit the rule.
    Invalid,
}

/// A reason not to do what was asked.
pub trait Refusal: std::error::Error {
    /// The stable type, for example `seat/taken`; never renamed.
    fn slug(&self) -> &'static str;
    /// Its class.
    fn kind(&self) -> Kind;
    /// What the caller can do about it, in one sentence.
    fn help(&self) -> &'static str;
}

/// Implements [`Refusal`] as a table, one refusal per line.
macro_rules! refusals {
    ($error:ident: $($variant:pat => $slug:literal, $kind:ident, $help:literal;)+) => {
        impl $crate::refusal::Refusal for $error {
            fn slug(&self) -> &'static str {
                match self { $($variant => $slug,)+ }
            }

            fn kind(&self) -> $crate::refusal::Kind {
                match self { $($variant => $crate::refusal::Kind::$kind,)+ }
            }

            fn help(&self) -> &'static str {
                match self { $($variant => $help,)+ }
            }
        }

        impl $error {
            /// Every refusal's stable type, class and help, for the documentation.
            pub const REFUSALS: &'static [(&'static str, $crate::refusal::Kind, &'static str)] =
                &[$(($slug, $crate::refusal::Kind::$kind, $help)),+];
        }
    };
}
pub(crate) use refusals;
