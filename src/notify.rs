//! What customers are told by message, and the ways a message takes; never when, which is the policy's.
//!
//! A new notice is one line in the table here, and its texts in `messages/`.

pub mod email;
pub mod log;
pub mod port;
pub mod sms;
mod texts;

use std::sync::Arc;

use aggregates::{
    ids::ReservationId,
    reservation::{Placed, Reservation, ReservationEvent},
    values::SeatLabel,
    waitlist::WaitlistEvent,
};
use jiff::{Timestamp, ToSpan as _};

pub use self::{
    port::{Channel, Message, Outcome, Port},
    texts::{About, Telling, Text, faults, text},
};
use crate::config::NoticeArgs;

/// How long before the deadline of a transfer its customer is reminded.
const REMINDED_BEFORE_MINUTES: i64 = 10;

/// Something customers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// It is binding.
    Placed,
    /// The money should come soon.
    PaymentDue,
    /// The money came.
    Paid,
    /// It was called off.
    Cancelled,
    /// The money did not come.
    Expired,
    /// It was moved.
    Rescheduled,
    /// The branch does no business then, and offers to move it.
    RescheduleOffered,
    /// Its money came late, and it was taken up again.
    Reinstated,
    /// Its money came late, and an equal slot is offered.
    SlotOffered,
    /// Money goes back.
    RefundDue,
    /// Money went back.
    Refunded,
    /// Whoever waited is offered a place.
    PlaceOffered,
}

/// Places that are held for somebody who waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOffer {
    /// The number of the entry, and of the reservation that holds them.
    pub number: ReservationId,
    /// Which.
    pub seats: Vec<SeatLabel>,
    /// When the slot begins.
    pub starts_at: Timestamp,
    /// Until when they are held.
    pub until: Timestamp,
}

impl Notice {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Placed,
        Self::PaymentDue,
        Self::Paid,
        Self::Cancelled,
        Self::Expired,
        Self::Rescheduled,
        Self::RescheduleOffered,
        Self::Reinstated,
        Self::SlotOffered,
        Self::RefundDue,
        Self::Refunded,
        Self::PlaceOffered,
    ];

    /// Its name, in rows and texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::PaymentDue => "payment-due",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Rescheduled => "rescheduled",
            Self::RescheduleOffered => "reschedule-offered",
            Self::Reinstated => "reinstated",
            Self::SlotOffered => "slot-offered",
            Self::RefundDue => "refund-due",
            Self::Refunded => "refunded",
            Self::PlaceOffered => "place-offered",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.name() == name)
    }

    /// What is told of an event, and when. Of most nothing.
    #[must_use]
    pub fn of(event: &ReservationEvent, recorded_at: Timestamp) -> Vec<(Self, Timestamp)> {
        let at_once = |notice| vec![(notice, recorded_at)];
        match event {
            ReservationEvent::Placed(placement) => {
                let deadline = placement.payment.pay_by().filter(|_| placement.quote.total > 0);
                let reminder = deadline.map(|pay_by| pay_by - REMINDED_BEFORE_MINUTES.minutes());
                let reminder = reminder.filter(|at| *at > recorded_at);
                let reminder = reminder.map(|at| (Self::PaymentDue, at));
                at_once(Self::Placed).into_iter().chain(reminder).collect()
            }
            ReservationEvent::Paid { .. } => at_once(Self::Paid),
            ReservationEvent::Cancelled { settlement, .. } => {
                let refund = settlement.filter(|settled| settled.refund_due.amount > 0);
                let refund = refund.map(|_| (Self::RefundDue, recorded_at));
                at_once(Self::Cancelled).into_iter().chain(refund).collect()
            }
            ReservationEvent::Rescheduled(_) => at_once(Self::Rescheduled),
            ReservationEvent::RescheduleOffered { .. } => at_once(Self::RescheduleOffered),
            ReservationEvent::Reinstated { .. } => at_once(Self::Reinstated),
            ReservationEvent::Offered(_) => at_once(Self::SlotOffered),
            ReservationEvent::RefundDue { .. } => at_once(Self::RefundDue),
            ReservationEvent::Refunded { .. } => at_once(Self::Refunded),
            ReservationEvent::Expired => at_once(Self::Expired),
            ReservationEvent::Held { .. }
            | ReservationEvent::Extended { .. }
            | ReservationEvent::Changed { .. }
            | ReservationEvent::Released
            | ReservationEvent::Lapsed
            | ReservationEvent::Revived { .. }
            | ReservationEvent::Notified { .. }
            | ReservationEvent::CheckedIn
            | ReservationEvent::Admitted { .. }
            | ReservationEvent::CheckInUndone { .. }
            | ReservationEvent::MarkedNoShow
            | ReservationEvent::NoShowWithdrawn
            | ReservationEvent::OfferAccepted { .. }
            | ReservationEvent::OfferDeclined
            | ReservationEvent::OfferLapsed => Vec::new(),
        }
    }

    /// What is told of an event of a waitlist: to whom it is offered a place, at once.
    #[must_use]
    pub const fn of_waitlist(event: &WaitlistEvent) -> Option<(Self, ReservationId)> {
        match event {
            WaitlistEvent::Offered { entry, .. } => Some((Self::PlaceOffered, *entry)),
            WaitlistEvent::Joined { .. }
            | WaitlistEvent::Left { .. }
            | WaitlistEvent::Accepted { .. }
            | WaitlistEvent::Declined { .. }
            | WaitlistEvent::Lapsed { .. }
            | WaitlistEvent::Passed { .. }
            | WaitlistEvent::Ended { .. } => None,
        }
    }

    /// The placed reservation it speaks of, while it is still true. An offered place is not placed: its waitlist knows
    /// whether the offer runs.
    #[must_use]
    pub fn holds(self, reservation: &Reservation) -> Option<&Placed> {
        match (self, reservation) {
            (Self::Placed | Self::Rescheduled | Self::Reinstated, Reservation::Placed(placed)) => {
                Some(placed)
            }
            (Self::RescheduleOffered, Reservation::Placed(placed)) => {
                placed.reschedule_until.is_some().then_some(placed)
            }
            (Self::SlotOffered, Reservation::Expired(placed)) => placed.offer.is_some().then_some(placed),
            (Self::RefundDue, _) => reservation
                .placed()
                .filter(|placed| placed.money.refund_due() > 0),
            (Self::Refunded, _) => reservation.placed(),
            (Self::PaymentDue, Reservation::Placed(placed)) => placed.pay_by().is_some().then_some(placed),
            (Self::Paid, Reservation::Placed(placed) | Reservation::Attended(placed)) => {
                placed.paid.then_some(placed)
            }
            (Self::Cancelled, Reservation::Cancelled(placed))
            | (Self::Expired, Reservation::Expired(placed)) => Some(placed),
            (Self::PlaceOffered, _) => None,
            (
                Self::Placed
                | Self::PaymentDue
                | Self::Paid
                | Self::Cancelled
                | Self::Expired
                | Self::Rescheduled
                | Self::RescheduleOffered
                | Self::Reinstated
                | Self::SlotOffered,
                _,
            ) => None,
        }
    }
}

/// The way of each channel.
#[derive(Clone)]
pub struct Ports {
    sms: Arc<dyn Port>,
    email: Arc<dyn Port>,
}

/// Why messages cannot be sent as they were set up.
#[derive(Debug, thiserror::Error)]
#[error("messages cannot be sent: {0}")]
pub struct NoWay(pub String);

impl Ports {
    /// The ways of these settings; what is not set up is only written down.
    pub fn of(settings: &NoticeArgs) -> Result<Self, NoWay> {
        let written: Arc<dyn Port> = Arc::new(log::Log::new(settings.notice_file.clone()));
        let sms: Arc<dyn Port> = match &settings.sms_url {
            Some(url) => Arc::new(sms::HttpSms::new(url, settings)?),
            None => Arc::clone(&written),
        };
        let email: Arc<dyn Port> = match (&settings.smtp_url, &settings.mail_from) {
            (Some(url), Some(from)) => Arc::new(email::Smtp::new(url, from)?),
            (None, _) | (_, None) => written,
        };
        Ok(Self { sms, email })
    }

    /// The way of this channel.
    #[must_use]
    pub fn port(&self, channel: Channel) -> &dyn Port {
        match channel {
            Channel::Sms => &*self.sms,
            Channel::Email => &*self.email,
        }
    }

    /// Whether any of them leads to somebody.
    #[must_use]
    pub fn reach_somebody(&self) -> bool {
        Channel::ALL
            .into_iter()
            .any(|channel| self.port(channel).reaches())
    }

    /// The channels on which a message that may have been sent can be sent again.
    #[must_use]
    pub fn repeatable(&self) -> Vec<String> {
        let channels = Channel::ALL.into_iter();
        channels
            .filter(|channel| self.port(*channel).repeats())
            .map(|channel| channel.name().to_owned())
            .collect()
    }
}
