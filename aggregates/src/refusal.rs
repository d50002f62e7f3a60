//! How a refusal looks from outside: a stable type, its class, the wrong fields, and what the caller can do; never an
//! HTTP status.

use crate::fault::Fault;

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
    /// Whoever asks may not.
    Forbidden,
    /// Too many ask from the same place.
    TooMany,
}

/// A reason not to do what was asked.
pub trait Refusal: std::error::Error {
    /// The stable type, for example `seat/taken`; never renamed.
    fn slug(&self) -> &'static str;
    /// Its class.
    fn kind(&self) -> Kind;
    /// What the caller can do about it, in one sentence.
    fn help(&self) -> &'static str;
    /// Each wrong field of the command; none where no field is to blame.
    fn faults(&self) -> Vec<Fault>;
}

/// Implements [`Refusal`] as a table, one refusal per line: its type, class and help, then the fields it blames as JSON
/// pointers (`at`), or what tells them (`by`). A command that is invalid must name its fields, or it does not compile.
macro_rules! refusals {
    ($error:ident: $(
        $variant:pat => $slug:literal, $kind:ident, $help:literal
            $(, at [$($pointer:literal),+])? $(, by $faults:path)?;
    )+) => {
        $(const _: () = assert!(
            !matches!($crate::refusal::Kind::$kind, $crate::refusal::Kind::Invalid)
                || 0 $($(+ $pointer.len())+)? $(+ stringify!($faults).len())? > 0,
            "an invalid command is told which of its fields are wrong",
        );)+

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

            fn faults(&self) -> Vec<$crate::fault::Fault> {
                let none = std::iter::empty::<$crate::fault::Fault>;
                match self {
                    $($variant => none()
                        $(.chain([$($pointer),+].map(|at| $crate::fault::Fault::at(at, self.to_string()))))?
                        $(.chain($faults(self)))?
                        .collect(),)+
                }
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
