//! Which reservation a deposit is for, by what its depositor wrote; a guess is never taken for certain.

use serde::{Deserialize, Serialize};

use super::{Basis, Receipt};
use crate::{
    ids::ReservationId,
    reservation::{Payment, Placed, Reservation},
};

/// What speaks for a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The amount is due, and the depositor wrote the short code.
    AmountAndShortCode,
    /// The amount is due, and the depositor has the customer's name.
    AmountAndName,
    /// The depositor wrote the short code, but another amount is due.
    ShortCode,
    /// The amount is due, and nothing else speaks for it.
    Amount,
}

/// What speaks for this reservation, if it still waits for a transfer: placed, or expired before its money came.
#[must_use]
pub fn reason(receipt: &Receipt, reservation: &Reservation) -> Option<Reason> {
    let placed = awaited(reservation)?;
    if placed.due().currency != receipt.amount.currency {
        return None;
    }
    let amount = placed.money.outstanding() == receipt.amount.amount;
    let code = receipt.names_code(&placed.placement.short_code);
    let name = placed.placement.contact.name.plain();
    let name = name.is_some_and(|name| receipt.names(name));
    match (amount, code, name) {
        (true, true, _) => Some(Reason::AmountAndShortCode),
        (true, false, true) => Some(Reason::AmountAndName),
        (false, true, _) => Some(Reason::ShortCode),
        (true, false, false) => Some(Reason::Amount),
        (false, false, _) => None,
    }
}

/// The one reservation it must be for: the only one whose amount is due and that the depositor named, by code before by
/// name, and one that is placed before one that expired.
#[must_use]
pub fn certain<'a>(
    receipt: &Receipt,
    candidates: impl Iterator<Item = (ReservationId, &'a Reservation)> + Clone,
) -> Option<(ReservationId, Basis)> {
    let named = |reason_wanted: Reason, expired: bool| {
        let found: Vec<ReservationId> = candidates
            .clone()
            .filter(|(_, reservation)| matches!(reservation, Reservation::Expired(_)) == expired)
            .filter(|(_, reservation)| reason(receipt, reservation) == Some(reason_wanted))
            .map(|(id, _)| id)
            .collect();
        found
    };
    for expired in [false, true] {
        for (wanted, basis) in [
            (Reason::AmountAndShortCode, Basis::AmountAndShortCode),
            (Reason::AmountAndName, Basis::AmountAndName),
        ] {
            match *named(wanted, expired) {
                [only] => return Some((only, basis)),
                [] => {}
                [_, _, ..] => return None,
            }
        }
    }
    None
}

fn awaited(reservation: &Reservation) -> Option<&Placed> {
    let placed = match reservation {
        Reservation::Placed(placed) | Reservation::Expired(placed) => placed,
        Reservation::Blank
        | Reservation::Held(_)
        | Reservation::Lapsed(_)
        | Reservation::Released(_)
        | Reservation::Attended(_)
        | Reservation::NoShow(_)
        | Reservation::Cancelled(_) => return None,
    };
    match placed.placement.payment {
        Payment::BankTransfer { .. } if !placed.paid && placed.offer.is_none() => Some(placed),
        Payment::BankTransfer { .. } | Payment::OnSite | Payment::Provider { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use uuid::Uuid;

    use super::*;
    use crate::{
        Aggregate as _,
        cancellation::Frozen,
        decider::testing::NOON,
        ids::TimeSlotId,
        personal::Personal,
        pricing::{Party, Quote},
        ratings::Statement,
        reservation::{Agreements, Choice, Contact, Placement, ReservationEvent as Event},
        values::{Currency, Money, SeatLabel},
    };

    const PRICE: i64 = 48_000;

    fn won(amount: i64) -> Money {
        Money {
            amount,
            currency: Currency::KRW,
        }
    }

    fn owing(name: &str, code: &str, payment: Payment, then: impl IntoIterator<Item = Event>) -> Reservation {
        let quote = Quote {
            currency: Currency::KRW,
            lines: vec![],
            total: PRICE,
        };
        let choice = Choice {
            seats: vec![SeatLabel::room()],
            party: Party::Group { size: 2 },
            quote: quote.clone(),
            accessible: false,
        };
        let held = Event::Held {
            time_slot: TimeSlotId::new(Uuid::nil()),
            choice,
            until: NOON,
            cap: NOON,
            customer: None,
            offered: false,
            said: Statement::default(),
        };
        let placement = Placement {
            contact: Contact {
                name: Personal::Plain(name.parse().expect("a name")),
                phone: Personal::Plain("010-1234-5678".parse().expect("a number")),
            },
            agreements: Agreements {
                privacy: true,
                house_rules: true,
            },
            coupon: None,
            quote,
            payment,
            short_code: code.to_owned(),
            starts_at: NOON + 3.hours(),
            cancel_until: NOON,
            cancellation: Frozen::default(),
            admitted: None,
            attendance: None,
            patrons: vec![],
            language: None,
        };
        let mut state = Reservation::default();
        let events = [held, Event::Placed(Box::new(placement))];
        events
            .into_iter()
            .chain(then)
            .for_each(|event| state.apply(event));
        state
    }

    fn transfer() -> Payment {
        Payment::BankTransfer {
            pay_by: NOON,
            accounts: vec![],
        }
    }

    fn placed(name: &str, code: &str) -> Reservation {
        owing(name, code, transfer(), [])
    }

    fn expired(name: &str, code: &str) -> Reservation {
        owing(name, code, transfer(), [Event::Expired])
    }

    fn paid(amount: i64) -> Event {
        Event::Paid {
            amount: won(amount),
            note: None,
            source: None,
        }
    }

    fn receipt(amount: i64, depositor: &str) -> Receipt {
        Receipt {
            branch: None,
            account: None,
            amount: won(amount),
            depositor: Some(Personal::Plain(depositor.parse().expect("a name"))),
            deposited_at: NOON,
            reference: "1".parse().expect("a reference"),
        }
    }

    fn found(depositor: &str, candidates: &[Reservation]) -> Option<(usize, Basis)> {
        let numbered = candidates.iter().zip(1..);
        let numbered = numbered.map(|(state, number)| (ReservationId::new(number), state));
        let (id, basis) = certain(&receipt(PRICE, depositor), numbered)?;
        usize::try_from(id.number())
            .ok()
            .map(|number| (number - 1, basis))
    }

    #[test]
    fn exactly_one_is_found_by_code_before_by_name() {
        let (code, name) = (Basis::AmountAndShortCode, Basis::AmountAndName);
        let two = [placed("홍길동", "K7MQ2Z"), placed("김하늘", "7QWERT")];
        assert_eq!(found("홍길동", &two), Some((0, name)));
        assert_eq!(found("홍길동 7qwert", &two), Some((1, code)));
        assert_eq!(found("누군가", &two), None);
        let same = [placed("홍길동", "K7MQ2Z"), placed("홍길동", "7QWERT")];
        assert_eq!(found("홍길동", &same), None, "two of one name are no certainty");
        assert_eq!(found("홍길동K7MQ2Z", &same), Some((0, code)));
    }

    #[test]
    fn who_is_placed_comes_before_who_expired() {
        let both = [expired("홍길동", "K7MQ2Z"), placed("홍길동", "7QWERT")];
        assert_eq!(found("홍길동", &both), Some((1, Basis::AmountAndName)));
        assert_eq!(found("홍길동", &both[..1]), Some((0, Basis::AmountAndName)));
    }

    #[test]
    fn only_a_transfer_that_is_awaited_is_meant() {
        let said = |state: &Reservation| reason(&receipt(PRICE, "홍길동 K7MQ2Z"), state);
        assert_eq!(
            said(&placed("홍길동", "K7MQ2Z")),
            Some(Reason::AmountAndShortCode)
        );
        assert_eq!(said(&placed("김하늘", "7QWERT")), Some(Reason::Amount));
        let partly = owing("홍길동", "K7MQ2Z", transfer(), [paid(1)]);
        assert_eq!(said(&partly), Some(Reason::ShortCode));
        let other = owing("김하늘", "7QWERT", transfer(), [paid(1)]);
        assert_eq!(said(&other), None);
        for not_awaited in [
            owing("홍길동", "K7MQ2Z", transfer(), [paid(PRICE)]),
            owing("홍길동", "K7MQ2Z", Payment::OnSite, []),
            owing("홍길동", "K7MQ2Z", transfer(), [Event::MarkedNoShow]),
            Reservation::Blank,
        ] {
            assert_eq!(said(&not_awaited), None);
        }
        let dollars = Receipt {
            amount: Money {
                currency: Currency::USD,
                ..won(PRICE)
            },
            ..receipt(PRICE, "홍길동")
        };
        assert_eq!(reason(&dollars, &placed("홍길동", "K7MQ2Z")), None);
    }
}
