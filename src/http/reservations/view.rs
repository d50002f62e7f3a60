//! A reservation as its holder and staff see it; never what only the log must know.

use aggregates::{
    branch::Account,
    ids::{ReservationId, TimeSlotId},
    pricing::{Party, Quote},
    reservation::{Balance, Offer, Payment, PaymentChoice, Placed, Reservation, ReservationError},
    values::{CouponCode, Currency, CustomerName, Money, PhoneNumber, SeatLabel},
};
use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::Serialize;

use super::super::{
    App,
    answer::{Done, etag, sequence_after},
    problem::Problem,
};
use crate::store::Committed;

/// A reservation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Reservation")]
pub struct ReservationView<'a> {
    /// Its number.
    number: ReservationId,
    /// What has become of it.
    state: State,
    /// The time slot.
    time_slot: TimeSlotId,
    /// Its seats; `room` for an escape-room slot.
    seats: &'a [SeatLabel],
    /// Who comes.
    party: &'a Party,
    /// Whether wheelchair or companion places are among them, on the statement that they are needed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    accessible: bool,
    /// What it costs and why.
    quote: &'a Quote,
    /// When the hold runs out, until it is placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Its holder's secret, sent only when it is held or looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// What was agreed when it was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    placed: Option<PlacedView<'a>>,
}

/// What a placed reservation is bound to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Placed")]
pub struct PlacedView<'a> {
    /// A short code for people.
    short_code: &'a str,
    /// The name, unless it was erased.
    name: Option<&'a CustomerName>,
    /// The number to call, unless it was erased.
    phone: Option<&'a PhoneNumber>,
    /// The coupon redeemed.
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon: Option<&'a CouponCode>,
    /// When the slot begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// Until when its holder may cancel.
    #[schema(value_type = String, format = DateTime)]
    cancel_until: Timestamp,
    /// Until when its holder may move it elsewhere or cancel and owe nothing, if the branch does no business then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    reschedule_until: Option<Timestamp>,
    /// How it is paid.
    payment: PaymentChoice,
    /// From when they check in; not known of what was placed long ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    check_in_from: Option<Timestamp>,
    /// What became of the price, if it was rescheduled.
    #[serde(skip_serializing_if = "Option::is_none")]
    rescheduled: Option<RescheduledView>,
    /// Whether nothing is due any more.
    paid: bool,
    /// Whether the customer was told.
    notified: bool,
    /// The deadline of the transfer, while it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pay_by: Option<Timestamp>,
    /// Where to transfer to, while a transfer is due.
    accounts: &'a [Account],
    /// The payment provider's page, while a payment through it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkout_url: Option<&'a str>,
    /// What came and what goes back.
    money: MoneyView,
    /// The equal time slot that is offered, because its money came after it had expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<OfferView<'a>>,
}

/// The money of a reservation, in minor units of one currency.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Money of a reservation")]
pub struct MoneyView {
    /// The currency of all amounts.
    #[schema(value_type = String, example = "KRW")]
    currency: Currency,
    /// How what was paid compares with the price.
    balance: Balance,
    /// What came in, all payments together.
    received: i64,
    /// What went back, or moved to another reservation.
    given_back: i64,
    /// What is still to be paid; 0 once it has ended.
    outstanding: i64,
    /// What is kept of a cancelled one: the fee of its tier.
    retained: i64,
    /// What has to go back.
    refund_due: i64,
}

impl MoneyView {
    fn of(placed: &Placed) -> Self {
        let ledger = &placed.money;
        Self {
            currency: placed.placement.quote.currency,
            balance: ledger.balance(),
            received: ledger.received,
            given_back: ledger.given_back,
            outstanding: if ledger.ended { 0 } else { ledger.outstanding() },
            retained: ledger.retained,
            refund_due: ledger.refund_due(),
        }
    }
}

/// An equal time slot.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "OfferForLateMoney", as = OfferForLateMoney)]
pub struct OfferView<'a> {
    /// Which one.
    time_slot: TimeSlotId,
    /// Which of its seats; whoever accepts gets them if they are still free.
    seats: &'a [SeatLabel],
    /// Until when it can be accepted.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

impl<'a> OfferView<'a> {
    fn of(offer: &'a Offer) -> Self {
        Self {
            time_slot: offer.time_slot,
            seats: &offer.seats,
            until: offer.until,
        }
    }
}

/// What rescheduling did to a price.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Rescheduled")]
pub struct RescheduledView {
    /// How often it was rescheduled.
    times: u16,
    /// What was paid so far.
    received: Money,
    /// What is still to be paid.
    due: Money,
    /// What was paid too much.
    overpaid: Money,
}

impl RescheduledView {
    fn of(placed: &Placed) -> Option<Self> {
        (placed.moves > 0).then(|| Self {
            times: placed.moves,
            received: placed.money_of(placed.money.kept()),
            due: placed.money_of(placed.money.outstanding()),
            overpaid: placed.money_of((placed.money.kept() - placed.money.price).max(0)),
        })
    }
}

/// What has become of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its seats are kept until `expires_at`.
    Held,
    /// The hold ran out.
    Lapsed,
    /// The hold was given back.
    Released,
    /// Binding.
    Placed,
    /// They came.
    Attended,
    /// They did not come.
    NoShow,
    /// Called off.
    Cancelled,
    /// Not paid in time.
    Expired,
}

impl<'a> ReservationView<'a> {
    /// The reservation as it is, without its token; none before it began.
    pub(in super::super) fn of(number: ReservationId, reservation: &'a Reservation) -> Option<Self> {
        let state = match reservation {
            Reservation::Blank => return None,
            Reservation::Held(_) => State::Held,
            Reservation::Lapsed(_) => State::Lapsed,
            Reservation::Released(_) => State::Released,
            Reservation::Placed(_) => State::Placed,
            Reservation::Attended(_) => State::Attended,
            Reservation::NoShow(_) => State::NoShow,
            Reservation::Cancelled(_) => State::Cancelled,
            Reservation::Expired(_) => State::Expired,
        };
        let hold = reservation.hold()?;
        let placed = reservation.placed();
        // Only who is still expected to pay is told by when and where.
        let due = placed.filter(|placed| state == State::Placed && !placed.paid);
        Some(Self {
            number,
            state,
            time_slot: hold.time_slot,
            seats: &hold.choice.seats,
            party: &hold.choice.party,
            accessible: hold.choice.accessible,
            quote: placed.map_or(&hold.choice.quote, |placed| &placed.placement.quote),
            expires_at: placed.is_none().then_some(hold.until),
            token: None,
            placed: placed.map(|placed| PlacedView {
                short_code: &placed.placement.short_code,
                name: placed.placement.contact.name.plain(),
                phone: placed.placement.contact.phone.plain(),
                coupon: placed.placement.coupon.as_ref(),
                starts_at: placed.placement.starts_at,
                cancel_until: placed.placement.cancel_until,
                check_in_from: placed.placement.attendance.map(|times| times.check_in_from),
                rescheduled: RescheduledView::of(placed),
                reschedule_until: placed.reschedule_until,
                payment: placed.placement.payment.choice(),
                paid: placed.paid,
                notified: placed.notified,
                pay_by: due.and_then(Placed::pay_by),
                accounts: match due.map(|due| &due.placement.payment) {
                    Some(Payment::BankTransfer { accounts, .. }) => accounts,
                    Some(Payment::OnSite | Payment::Provider { .. }) | None => &[],
                },
                checkout_url: match due.map(|due| &due.placement.payment) {
                    Some(Payment::Provider { checkout_url, .. }) => Some(checkout_url.as_str()),
                    Some(Payment::BankTransfer { .. } | Payment::OnSite) | None => None,
                },
                money: MoneyView::of(placed),
                offer: reservation.offer().map(OfferView::of),
            }),
        })
    }

    /// With the secret of its holder.
    #[must_use]
    pub(in super::super) fn with_token(self, app: &App) -> Self {
        Self {
            token: Some(app.bookings.token(self.number)),
            ..self
        }
    }
}

/// There is no such reservation.
pub(super) fn not_found() -> Problem {
    Problem::refused(&ReservationError::NotFound)
}

/// The answer to a command on the reservation `id`: how it is now.
pub(super) async fn after(app: &App, committed: &Committed, id: ReservationId) -> Result<Response, Problem> {
    let written = committed
        .state::<Reservation>(&id)
        .zip(sequence_after::<Reservation>(committed, &id));
    let (state, sequence) = match written {
        Some(written) => written,
        // Nothing happened to it: as it was then, so that a repeat is answered the same.
        None => {
            app.store
                .read_until::<Reservation>(&id, committed.position)
                .await?
        }
    };
    let view = ReservationView::of(id, &state).ok_or_else(not_found)?;
    let mut response = Done::ok(committed, view).into_response();
    response.headers_mut().insert(header::ETAG, etag(sequence));
    Ok(response)
}
