//! What names a stream: typed ids, so that no id is taken for another; never made here, only parsed and shown.

use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::values::{SeatLabel, folded};

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct MalformedId {
    text: String,
    wanted: &'static str,
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {
        $(
            $(#[$doc])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
            #[serde(transparent)]
            #[schema(value_type = Uuid)]
            pub struct $name(Uuid);

            impl $name {
                /// The id with this UUID.
                #[must_use]
                pub const fn new(uuid: Uuid) -> Self {
                    Self(uuid)
                }

                /// The UUID inside.
                #[must_use]
                pub const fn uuid(self) -> Uuid {
                    self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.hyphenated().fmt(f)
                }
            }

            impl FromStr for $name {
                type Err = MalformedId;

                fn from_str(text: &str) -> Result<Self, MalformedId> {
                    Uuid::try_parse(text)
                        .map(Self)
                        .map_err(|_| MalformedId { text: text.chars().take(64).collect(), wanted: "a UUID" })
                }
            }
        )+
    };
}

uuid_ids! {
    /// A branch: a cinema or an escape-room shop.
    BranchId,
    /// An auditorium of a cinema.
    AuditoriumId,
    /// A movie.
    MovieId,
    /// A theme of an escape-room shop.
    ThemeId,
    /// A price policy with its versions.
    PricePolicyId,
    /// A cancellation policy with its versions.
    CancellationPolicyId,
    /// Money that came to a bank account or through a payment provider.
    DepositId,
    /// A time slot: one showing of a movie, or one game of a theme.
    TimeSlotId,
    /// Coupons that were issued together.
    CouponBatchId,
    /// A registered customer.
    CustomerId,
    /// An admin: somebody who works for the chain.
    AdminId,
    /// Somebody who books, as a keyed hash of their phone number or account: it tells nobody who they are.
    PatronId,
}

/// A reservation's number: 64 bits, ordered by time (Snowflake layout); a string in JSON, because JavaScript's numbers
/// end at 53 bits (DOMAIN S2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[1-9][0-9]{0,18}$", example = "301422961418752000")]
pub struct ReservationId(i64);

impl ReservationId {
    /// The reservation with this number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl fmt::Display for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ReservationId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let malformed = || MalformedId {
            text: text.chars().take(64).collect(),
            wanted: "a reservation number, which is all digits, like 301422961418752000",
        };
        let number: i64 = text.parse().map_err(|_: ParseIntError| malformed())?;
        // One text per number: "+7" and "007" name nothing.
        if number > 0
            && text
                .bytes()
                .next()
                .is_some_and(|first| (b'1'..=b'9').contains(&first))
        {
            Ok(Self(number))
        } else {
            Err(malformed())
        }
    }
}

impl Serialize for ReservationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReservationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// One seat of one time slot: `{time_slot}:{label}` (DOMAIN C6). An escape-room slot has the one seat `room` (E4).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeatId {
    /// The time slot the seat is sold in.
    pub time_slot: TimeSlotId,
    /// The seat's label in the layout.
    pub label: SeatLabel,
}

impl fmt::Display for SeatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.time_slot, self.label)
    }
}

impl FromStr for SeatId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let malformed = || MalformedId {
            text: text.chars().take(64).collect(),
            wanted: "a time slot and a seat label",
        };
        let (time_slot, label) = text.split_once(':').ok_or_else(malformed)?;
        Ok(Self {
            time_slot: time_slot.parse()?,
            label: label.parse().map_err(|_| malformed())?,
        })
    }
}

/// What one patron has of one time slot: `{time_slot}:{patron}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AllowanceId {
    /// The time slot.
    pub time_slot: TimeSlotId,
    /// Who.
    pub patron: PatronId,
}

impl fmt::Display for AllowanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.time_slot, self.patron)
    }
}

impl FromStr for AllowanceId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let malformed = || MalformedId {
            text: text.chars().take(64).collect(),
            wanted: "a time slot and a patron",
        };
        let (time_slot, patron) = text.split_once(':').ok_or_else(malformed)?;
        Ok(Self {
            time_slot: time_slot.parse()?,
            patron: patron.parse()?,
        })
    }
}

/// One local day of one place (an auditorium or a theme): `{place}:{date}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScheduleId {
    /// The auditorium's or theme's UUID.
    pub place: Uuid,
    /// The day in the branch's zone on which slots start.
    pub date: jiff::civil::Date,
}

impl fmt::Display for ScheduleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.place, self.date)
    }
}

impl FromStr for ScheduleId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let malformed = || MalformedId {
            text: text.chars().take(64).collect(),
            wanted: "a place and a date",
        };
        let (place, date) = text.split_once(':').ok_or_else(malformed)?;
        Ok(Self {
            place: Uuid::try_parse(place).map_err(|_| malformed())?,
            date: date.parse().map_err(|_| malformed())?,
        })
    }
}

/// A unique name: `{scope}:{name}`, for example `theme:달빛 서고`. Names are compared as folded by the caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimId {
    /// What the name is unique among, for example `branch` or `theme`.
    pub scope: &'static str,
    /// The name, folded.
    pub name: String,
}

/// All scopes of unique names.
pub const CLAIM_SCOPES: &[&str] = &[
    "branch",
    "movie",
    "theme",
    "auditorium",
    "price_policy",
    "cancellation_policy",
    "deposit",
    "payment",
    "admin_login",
    "customer_email",
    "customer_nickname",
    "customer_identity",
];

/// The scopes whose names belong to persons: in the log stands a keyed hash of them.
const PERSONAL_SCOPES: &[&str] = &[
    "admin_login",
    "customer_email",
    "customer_nickname",
    "customer_identity",
];

impl ClaimId {
    /// The claim on `name` among `scope`; names that look alike are the same (see [`folded`]).
    #[must_use]
    pub fn on(scope: &'static str, name: &str) -> Self {
        Self {
            scope,
            name: folded(name),
        }
    }

    /// Whether the name belongs to a person, so that only a keyed hash of it may stand in the log.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        PERSONAL_SCOPES.contains(&self.scope)
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scope, self.name)
    }
}

impl FromStr for ClaimId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let malformed = || MalformedId {
            text: text.chars().take(64).collect(),
            wanted: "a scope and a name",
        };
        let (scope, name) = text.split_once(':').ok_or_else(malformed)?;
        let scope = CLAIM_SCOPES
            .iter()
            .find(|known| **known == scope)
            .ok_or_else(malformed)?;
        Ok(Self {
            scope,
            name: name.to_owned(),
        })
    }
}
