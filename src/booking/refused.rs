//! Why a booking command was refused, whichever rule said no; never an HTTP status.

use aggregates::{
    allowance::AllowanceError,
    branch::BranchError,
    cancellation_policy::CancellationPolicyError,
    claim::ClaimError,
    coupon::CouponError,
    customer::CustomerError,
    deposit::DepositError,
    fault::Fault,
    ids::ReservationId,
    movie::MovieError,
    patron::PatronError,
    pricing::PricingError,
    ratings::RatingError,
    refusal::{Kind, Refusal},
    reservation::ReservationError,
    seat::SeatError,
    seating::SeatingError,
    time_slot::TimeSlotError,
    values::SeatLabel,
    waitlist::WaitlistError,
};

use super::door::DoorError;
use crate::{
    store::{ChangedSince, Stop},
    ticket::TicketError,
};

/// A refusal of a booking command.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refused {
    /// Some of the seats cannot be had; the others were left alone (DOMAIN C7).
    #[error("{}", describe(.0))]
    Seats(Vec<(SeatLabel, SeatError)>),
    /// What was chosen does not fit the slot.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// The seats are not sold like that.
    #[error(transparent)]
    Seating(#[from] SeatingError),
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
    /// The movie is not for whoever books it.
    #[error(transparent)]
    Rating(#[from] RatingError),
    /// No price can be made for the choice.
    #[error(transparent)]
    Price(#[from] PricingError),
    /// The waitlist says no.
    #[error(transparent)]
    Waitlist(#[from] WaitlistError),
    /// One customer has enough seats of the slot.
    #[error(transparent)]
    Allowance(#[from] AllowanceError),
    /// Whoever asks is not among us.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// Whoever asks is barred.
    #[error(transparent)]
    Patron(#[from] PatronError),
    /// The ticket is not genuine.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// The ticket opens no door.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The slot's cancellation policy says no.
    #[error(transparent)]
    Cancellation(#[from] CancellationPolicyError),
    /// The deposit says no.
    #[error(transparent)]
    Deposit(#[from] DepositError),
    /// Somebody else has it.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It is not what the caller took it to be.
    #[error(transparent)]
    ChangedSince(#[from] ChangedSince),
}

impl Refused {
    /// The rule's own refusal, with its stable type.
    #[must_use]
    pub fn refusal(&self) -> &dyn Refusal {
        match self {
            Self::Seats(seats) => match seats.first() {
                Some((label, SeatError::Taken { .. })) if *label == SeatLabel::room() => &RoomTaken,
                Some((_, error)) => error,
                None => &ChoiceError::NothingChosen { field: "/seats" },
            },
            Self::Choice(error) => error,
            Self::Seating(error) => error,
            Self::TimeSlot(error) => error,
            Self::Reservation(error) => error,
            Self::Coupon(error) => error,
            Self::Branch(error) => error,
            Self::Movie(error) => error,
            Self::Rating(error) => error,
            Self::Price(error) => error,
            Self::Waitlist(error) => error,
            Self::Allowance(error) => error,
            Self::Customer(error) => error,
            Self::Patron(error) => error,
            Self::Ticket(error) => error,
            Self::Door(error) => error,
            Self::Cancellation(error) => error,
            Self::Deposit(error) => error,
            Self::Claim(error) => error,
            Self::ChangedSince(since) => since,
        }
    }

    /// The seats it speaks of: those that stood in the way, would be left alone or are missing.
    #[must_use]
    pub fn seats(&self) -> Vec<SeatLabel> {
        match self {
            Self::Seats(seats) => seats.iter().map(|(label, _)| label.clone()).collect(),
            Self::Choice(ChoiceError::NoSuchSeats(seats)) => {
                seats.iter().map(|(_, label)| label.clone()).collect()
            }
            Self::Choice(ChoiceError::NoSuchSeat(seat)) => vec![seat.clone()],
            Self::Seating(error) => error.seats().to_vec(),
            Self::Waitlist(WaitlistError::SomebodyWaits { seats }) => seats.clone(),
            Self::Waitlist(_)
            | Self::Choice(_)
            | Self::TimeSlot(_)
            | Self::Reservation(_)
            | Self::Coupon(_)
            | Self::Branch(_)
            | Self::Movie(_)
            | Self::Rating(_)
            | Self::Price(_)
            | Self::Allowance(_)
            | Self::Customer(_)
            | Self::Patron(_)
            | Self::Ticket(_)
            | Self::Door(_)
            | Self::Cancellation(_)
            | Self::Deposit(_)
            | Self::Claim(_)
            | Self::ChangedSince(_) => Vec::new(),
        }
    }
}

impl Refused {
    /// Choices that would be accepted instead, the nearest first.
    #[must_use]
    pub fn suggestions(&self) -> &[Vec<SeatLabel>] {
        match self {
            Self::Seating(SeatingError::Orphan { suggestions, .. }) => suggestions,
            Self::Seating(
                SeatingError::HalfPair { .. }
                | SeatingError::Protected { .. }
                | SeatingError::CompanionAlone { .. },
            )
            | Self::Seats(_)
            | Self::Choice(_)
            | Self::TimeSlot(_)
            | Self::Reservation(_)
            | Self::Coupon(_)
            | Self::Branch(_)
            | Self::Movie(_)
            | Self::Rating(_)
            | Self::Price(_)
            | Self::Waitlist(_)
            | Self::Allowance(_)
            | Self::Customer(_)
            | Self::Patron(_)
            | Self::Ticket(_)
            | Self::Door(_)
            | Self::Cancellation(_)
            | Self::Deposit(_)
            | Self::Claim(_)
            | Self::ChangedSince(_) => &[],
        }
    }
}

impl Refused {
    /// The slot somebody could wait for instead: what was wanted is taken, or others wait for it (DOMAIN W3).
    #[must_use]
    pub fn can_be_waited_for(&self) -> bool {
        match self {
            Self::Seats(seats) => seats
                .iter()
                .any(|(_, error)| matches!(error, SeatError::Taken { .. })),
            Self::Choice(error) => matches!(error, ChoiceError::NothingAdjacent(_)),
            Self::Waitlist(error) => matches!(error, WaitlistError::SomebodyWaits { .. }),
            Self::Seating(_)
            | Self::TimeSlot(_)
            | Self::Reservation(_)
            | Self::Coupon(_)
            | Self::Branch(_)
            | Self::Movie(_)
            | Self::Price(_)
            | Self::Rating(_)
            | Self::Allowance(_)
            | Self::Customer(_)
            | Self::Patron(_)
            | Self::Ticket(_)
            | Self::Door(_)
            | Self::Cancellation(_)
            | Self::Deposit(_)
            | Self::Claim(_)
            | Self::ChangedSince(_) => false,
        }
    }
}

fn describe(seats: &[(SeatLabel, SeatError)]) -> String {
    let sentences: Vec<String> = seats
        .iter()
        .map(|(label, error)| match error {
            SeatError::Taken { .. } if *label == SeatLabel::room() => RoomTaken.to_string(),
            SeatError::Taken { .. } | SeatError::NotForSale | SeatError::HoldLapsed => {
                format!("{label}: {error}")
            }
        })
        .collect();
    sentences.join("; ")
}

fn listed(seats: &[(usize, SeatLabel)]) -> String {
    seats
        .iter()
        .map(|(_, label)| label.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The one seat of an escape-room slot is taken: the same refusal, in words of who wants a room.
#[derive(Debug, thiserror::Error)]
#[error("the time slot is taken")]
struct RoomTaken;

impl RoomTaken {
    /// What a seat would say.
    const SEAT: SeatError = SeatError::Taken {
        by: ReservationId::new(0),
    };
}

impl Refusal for RoomTaken {
    fn slug(&self) -> &'static str {
        Self::SEAT.slug()
    }

    fn kind(&self) -> Kind {
        Self::SEAT.kind()
    }

    fn help(&self) -> &'static str {
        "Choose another time slot of this theme."
    }

    fn faults(&self) -> Vec<Fault> {
        Vec::new()
    }
}

/// Why a choice of places and people does not fit a slot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// No seat at all.
    #[error("no seat was chosen")]
    NothingChosen {
        /// Which field says so.
        field: &'static str,
    },
    /// A label twice.
    #[error("seat {label} was chosen twice")]
    ChosenTwice {
        /// The seat.
        label: SeatLabel,
        /// Where it stands the second time.
        index: usize,
    },
    /// Labels the layout does not have, with their places in the list.
    #[error("the layout has no seat {}", listed(.0))]
    NoSuchSeats(Vec<(usize, SeatLabel)>),
    /// The layout does not have the seat that was to be worked on.
    #[error("the layout has no seat {0}")]
    NoSuchSeat(SeatLabel),
    /// More than one customer may take.
    #[error("at most {max} seats per customer")]
    TooManySeats {
        /// The limit.
        max: u8,
        /// Which field asks for more.
        field: &'static str,
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
    #[error("{why}")]
    WrongKind {
        /// What would fit.
        why: &'static str,
        /// Which field does not.
        field: &'static str,
    },
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
        Self::NothingChosen { field: "/seats" },
        Self::ChosenTwice {
            label: SeatLabel::room(),
            index: 1,
        },
        Self::NoSuchSeats(Vec::new()),
        Self::NoSuchSeat(SeatLabel::room()),
        Self::TooManySeats {
            max: 8,
            field: "/seats",
        },
        Self::PartySize { min: 1, max: 6 },
        Self::WrongKind {
            why: "",
            field: "/seats",
        },
        Self::NothingAdjacent(2),
        Self::Incomplete,
    ];
}

impl Refusal for ChoiceError {
    fn slug(&self) -> &'static str {
        match self {
            Self::NothingChosen { .. } => "choice/nothing-chosen",
            Self::ChosenTwice { .. } => "choice/chosen-twice",
            Self::NoSuchSeats(_) => "choice/no-such-seats",
            Self::NoSuchSeat(_) => "seat/not-found",
            Self::TooManySeats { .. } => "choice/too-many-seats",
            Self::PartySize { .. } => "choice/party-size",
            Self::WrongKind { .. } => "choice/wrong-kind",
            Self::NothingAdjacent(_) => "choice/nothing-adjacent",
            Self::Incomplete => "choice/incomplete-slot",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::NothingAdjacent(_) => Kind::Conflict,
            Self::NoSuchSeat(_) => Kind::NotFound,
            Self::NothingChosen { .. }
            | Self::ChosenTwice { .. }
            | Self::NoSuchSeats(_)
            | Self::TooManySeats { .. }
            | Self::PartySize { .. }
            | Self::WrongKind { .. }
            | Self::Incomplete => Kind::Invalid,
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Self::NothingChosen { .. } => "Choose at least one seat.",
            Self::ChosenTwice { .. } => "Name every seat once.",
            Self::NoSuchSeats(_) | Self::NoSuchSeat(_) => "Take labels from GET /v1/time-slots/{id}/layout.",
            Self::TooManySeats { .. } => "Choose fewer seats.",
            Self::PartySize { .. } => "Choose a group size the theme is made for.",
            Self::WrongKind { .. } => "Seats and persons go with a movie; party_size goes with a theme.",
            Self::NothingAdjacent(_) => "Ask for fewer seats together, or choose them one by one.",
            Self::Incomplete => "Ask the branch to complete the slot's layout and prices.",
        }
    }

    fn faults(&self) -> Vec<Fault> {
        let at = |field: &str| vec![Fault::at(field, self.to_string())];
        match self {
            Self::NothingChosen { field }
            | Self::TooManySeats { field, .. }
            | Self::WrongKind { field, .. } => at(field),
            Self::ChosenTwice { index, .. } => at(&format!("/seats/{index}")),
            Self::NoSuchSeats(seats) => seats
                .iter()
                .map(|(index, _)| Fault::at(format!("/seats/{index}"), "is no seat of the layout"))
                .collect(),
            Self::PartySize { .. } => at("/party_size"),
            Self::Incomplete => at("/time_slot"),
            Self::NothingAdjacent(_) | Self::NoSuchSeat(_) => Vec::new(),
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
        "Fetch it again and retry with the new ETag."
    }

    fn faults(&self) -> Vec<Fault> {
        Vec::new()
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
    AllowanceError,
    CustomerError,
    PatronError,
    TicketError,
    DoorError,
    BranchError,
    ChangedSince,
    ChoiceError,
    TimeSlotError,
    ReservationError,
    CouponError,
    SeatingError,
    MovieError,
    PricingError,
    WaitlistError,
    RatingError,
    CancellationPolicyError,
    DepositError,
    ClaimError
);
