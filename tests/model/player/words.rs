//! What is said with a request: seats, names, money. Never asks for anything.

use aggregates::{
    deposit::Receipt,
    ids::{BranchId, DepositId, ReservationId},
    personal::Personal,
    pricing::{Party, Persons},
    ratings::Statement,
    reservation::{Agreements, PaymentChoice},
    values::{Currency, Money, SeatLabel},
};
use jari::booking::{Nearby, Places, Placing};
use uuid::Uuid;

use super::{
    super::ask::{Seats, Slot, Told},
    Player,
};

impl Player<'_> {
    pub(super) fn places(&self, seats: Seats) -> Places {
        Places::Seats(
            seats
                .numbers()
                .map(|seat| self.shop.label(seat))
                .collect::<Vec<SeatLabel>>(),
        )
    }

    /// To every session the other one.
    pub(super) fn nearby(&self) -> Nearby {
        let sessions = vec![self.slot(Slot::Session), self.slot(Slot::Later)];
        self.begun.iter().map(|id| (*id, sessions.clone())).collect()
    }

    pub(super) fn receipt(&self, told: &Told, new: ReservationId) -> Receipt {
        let branch: BranchId = if told.at_the_cinema {
            self.cinema
        } else {
            self.shop.rooms
        };
        Receipt {
            branch: Some(branch),
            account: None,
            amount: won(told.won),
            depositor: Some(Personal::Plain(self.people[told.who].0.clone())),
            deposited_at: self.shop.store.now(),
            reference: new.to_string().parse().expect("a reference"),
        }
    }

    pub(super) fn placing(&self, who: usize, coupon: Option<usize>, on_site: bool) -> Placing {
        let (name, phone) = self.people[who].clone();
        Placing {
            name,
            phone,
            agreements: Agreements {
                privacy: true,
                house_rules: true,
            },
            // The movie is from 15, and nobody is signed in.
            said: Statement {
                age_confirmed: true,
                ..Statement::default()
            },
            coupon: coupon.map(|coupon| self.coupons[coupon].clone()),
            payment: if on_site {
                PaymentChoice::OnSite
            } else {
                PaymentChoice::BankTransfer
            },
            language: None,
        }
    }
}

pub(super) fn adults(count: usize) -> Party {
    Party::Persons(Persons {
        adult: u8::try_from(count).expect("a few seats"),
        ..Persons::default()
    })
}

pub(super) fn won(amount: i64) -> Money {
    Money {
        amount,
        currency: Currency::KRW,
    }
}

/// A deposit is recorded under the number that its request was asked under.
pub(super) fn deposit_id(new: ReservationId) -> DepositId {
    let number = u128::try_from(new.number()).expect("a positive number");
    DepositId::new(Uuid::from_u128(number))
}
