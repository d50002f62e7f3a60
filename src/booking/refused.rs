//! Why a booking command was refused, whichever rule said no; never an HTTP status.

use aggregates::{
    branch::BranchError,
    coupon::CouponError,
    movie::MovieError,
    pricing::PricingError,
    refusal::{Kind, Refusal},
    reservation::ReservationError,
    seat::SeatError,
    time_slot::TimeSlotError,
    values::SeatLabel,
};

use crate::store::{ChangedSince, Stop};

/// A refusal of a booking command.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refused {
    /// Some of the seats cannot be had; the others were left alone (DOMAIN C7).
    #[error("{}", describe(.0))]
    Seats(Vec<(SeatLabel, SeatError)>),
    /// What was chosen does not fit the slot.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// The slot says no.
    #[error(transparent)]
    TimeSlot(#[from] TimeSlotError),
    /// The reservation says no.
    #[error(transparent)]
    Reservation(#[from] ReservationError),
    /// The coupon says no.
    #[error(transparent)]
    Coupon(#[from] CouponError),
    /// The branch says no.
    #[error(transparent)]
    Branch(#[from] BranchError),
    /// The movie is shown no more.
    #[error(transparent)]
    Movie(#[from] MovieError),
    /// No price can be made for the choice.
    #[error(transparent)]
    Price(#[from] PricingError),
    /// It is not what the caller took it to be.
    #[error(transparent)]
    ChangedSince(#[from] ChangedSince),
}

impl Refused {
    /// The rule's own refusal, with its stable type.
    #[must_use]
    pub fn refusal(&self) -> &dyn Refusal {
        match self {
            Self::Seats(seats) => seats
                .first()
                .map_or(&ChoiceError::NothingChosen, |(_, error)| error),
            Self::Choice(error) => error,
            Self::TimeSlot(error) => error,
            Self::Reservation(error) => error,
            Self::Coupon(error) => error,
            Self::Branch(error) => error,
            Self::Movie(error) => error,
            Self::Price(error) => error,
            Self::ChangedSince(since) => since,
        }
    }

    /// The seats that stood in the way.
    #[must_use]
    pub fn seats(&self) -> Vec<SeatLabel> {
        match self {
            Self::Seats(seats) => seats.iter().map(|(label, _)| label.clone()).collect(),
            Self::Choice(ChoiceError::NoSuchSeats(seats)) => seats.clone(),
            Self::Choice(ChoiceError::NoSuchSeat(seat)) => vec![seat.clone()],
            Self::Choice(_)
            | Self::TimeSlot(_)
            | Self::Reservation(_)
            | Self::Coupon(_)
            | Self::Branch(_)
            | Self::Movie(_)
            | Self::Price(_)
            | Self::ChangedSince(_) => Vec::new(),
        }
    }
}

fn describe(seats: &[(SeatLabel, SeatError)]) -> String {
    let sentences: Vec<String> = seats
        .iter()
        .map(|(label, error)| format!("{label}: {error}"))
        .collect();
    sentences.join("; ")
}

fn listed(seats: &[SeatLabel]) -> String {
    seats.iter().map(SeatLabel::as_str).collect::<Vec<_>>().join(", ")
}

/// Why a choice of places and people does not fit a slot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// No seat at all.
    #[error("no seat was chosen")]
    NothingChosen,
    /// A label twice.
    #[error("seat {0} was chosen twice")]
    ChosenTwice(SeatLabel),
    /// Labels the layout does not have.
    #[error("the layout has no seat {}", listed(.0))]
    NoSuchSeats(Vec<SeatLabel>),
    /// The layout does not have the seat that was to be worked on.
    #[error("the layout has no seat {0}")]
    NoSuchSeat(SeatLabel),
    /// More than one customer may take.
    #[error("at most {max} seats per customer")]
    TooManySeats {
        /// The limit.
        max: u8,
    },
    /// A group the theme is not made for (DOMAIN E2).
    #[error("the theme is for {min} to {max} people")]
    PartySize {
        /// The smallest group.
        min: u8,
        /// The largest group.
        max: u8,
    },
    /// Seats of a theme, or the whole room of an auditorium.
    #[error("{0}")]
    WrongKind(&'static str),
    /// Nothing adjacent is left.
    #[error("there are not {0} free seats side by side")]
    NothingAdjacent(u8),
    /// A layout or price version the slot names is missing.
    #[error("the slot's layout or prices are missing")]
    Incomplete,
}

impl ChoiceError {
    /// One of each, for the documentation.
    pub const EACH: &'static [Self] = &[
        Self::NothingChosen,
        Self::ChosenTwice(SeatLabel::room()),
        Self::NoSuchSeats(Vec::new()),
        Self::NoSuchSeat(SeatLabel::room()),
        Self::TooManySeats { max: 8 },
        Self::PartySize { min: 1, max: 6 },
        Self::WrongKind(""),
        Self::NothingAdjacent(2),
        Self::Incomplete,
    ];
}

impl Refusal for ChoiceError {
    fn slug(&self) -> &'static str {
        match self {
            Self::NothingChosen => "choice/nothing-chosen",
            Self::ChosenTwice(_) => "choice/chosen-twice",
            Self::NoSuchSeats(_) => "choice/no-such-seats",
            Self::NoSuchSeat(_) => "seat/not-found",
            Self::TooManySeats { .. } => "choice/too-many-seats",
            Self::PartySize { .. } => "choice/party-size",
            Self::WrongKind(_) => "choice/wrong-kind",
            Self::NothingAdjacent(_) => "choice/nothing-adjacent",
            Self::Incomplete => "choice/incomplete-slot",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::NothingAdjacent(_) => Kind::Conflict,
            Self::NoSuchSeat(_) => Kind::NotFound,
            Self::NothingChosen
            | Self::ChosenTwice(_)
            | Self::NoSuchSeats(_)
            | Self::TooManySeats { .. }
            | Self::PartySize { .. }
            | Self::WrongKind(_)
            | Self::Incomplete => Kind::Invalid,
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Self::NothingChosen => "Choose at least one seat.",
            Self::ChosenTwice(_) => "Name every seat once.",
            Self::NoSuchSeats(_) | Self::NoSuchSeat(_) => "Take labels from GET /v1/time-slots/{id}/layout.",
            Self::TooManySeats { .. } => "Choose fewer seats.",
            Self::PartySize { .. } => "Choose a group size the theme is made for.",
            Self::WrongKind(_) => "Seats and persons go with a movie; party_size goes with a theme.",
            Self::NothingAdjacent(_) => "Ask for fewer seats together, or choose them one by one.",
            Self::Incomplete => "Ask the branch to complete the slot's layout and prices.",
        }
    }
}

impl Refusal for ChangedSince {
    fn slug(&self) -> &'static str {
        "request/precondition-failed"
    }

    fn kind(&self) -> Kind {
        Kind::Conflict
    }

    fn help(&self) -> &'static str {
        "Read it again and decide anew."
    }
}

macro_rules! stops {
    ($($error:ty),+) => {
        $(impl From<$error> for Stop<Refused> {
            fn from(error: $error) -> Self {
                Self::Refused(error.into())
            }
        })+
    };
}

stops!(
    BranchError,
    ChangedSince,
    ChoiceError,
    TimeSlotError,
    ReservationError,
    CouponError,
    MovieError,
    PricingError
);
