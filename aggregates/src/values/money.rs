//! Amounts of money in minor units; never a float.

use serde::{Deserialize, Serialize};

pub use iso_currency::Currency;

/// An amount in the minor unit of its currency (won for KRW, cents for USD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// How many minor units.
    pub amount: i64,
    /// The ISO 4217 code.
    #[schema(value_type = String, example = "KRW")]
    pub currency: Currency,
}

/// The greatest amount of one price, in minor units; keeps every sum far from overflow.
pub const AMOUNT_MAX: i64 = 1_000_000_000;
