//! The business that every variant does: hold two seats, then place with a coupon; never a store or an edge.

use aggregates::{
    coupon::{Scope, Terms},
    ids::TimeSlotId,
    personal::Personal,
    pricing::{Discount, LineItem, Party, PersonKind, Persons, Quote, QuoteLine},
    reservation::{Agreements, Choice, Contact, Payment, Placement},
    values::{CouponCode, Currency, SeatLabel},
};
use jiff::{Timestamp, ToSpan};

/// One booking to do: nobody else wants these seats or this coupon.
#[derive(Debug, Clone)]
pub struct Booking {
    /// The slot.
    pub time_slot: TimeSlotId,
    /// Two seats.
    pub seats: [SeatLabel; 2],
    /// A coupon issued before.
    pub coupon: CouponCode,
}

impl Booking {
    /// What is held, with the price two adults pay.
    #[must_use]
    pub fn choice(&self) -> Choice {
        let (unit, amount) = (14_000, 28_000);
        let band = LineItem::Band {
            name: "일반".parse().expect("a name"),
            weekend: false,
        };
        let lines = vec![
            QuoteLine {
                item: band,
                count: 2,
                unit,
                amount,
            },
            QuoteLine {
                item: LineItem::Person {
                    person: PersonKind::Adult,
                },
                count: 2,
                unit: 0,
                amount: 0,
            },
        ];
        Choice {
            seats: self.seats.to_vec(),
            party: Party::Persons(Persons {
                adult: 2,
                ..Persons::default()
            }),
            quote: Quote {
                currency: Currency::KRW,
                lines,
                total: amount,
            },
            accessible: false,
        }
    }

    /// Until when the hold lives, and its cap.
    #[must_use]
    pub fn deadlines() -> (Timestamp, Timestamp) {
        let now = Timestamp::now();
        (now + 10.minutes(), now + 20.minutes())
    }
}

/// What every coupon of the bench grants.
#[must_use]
pub fn terms() -> Terms {
    let now = Timestamp::now();
    Terms {
        discount: Discount::Amount { amount: 5_000 },
        scope: Scope::default(),
        valid_from: now - 1.hour(),
        valid_until: now + 24.hours(),
        note: None,
        restorable: true,
    }
}

/// What placing binds.
#[must_use]
pub fn placement(booking: &Booking) -> Placement {
    let now = Timestamp::now();
    Placement {
        contact: Contact {
            name: Personal::Plain("홍길동".parse().expect("a name")),
            phone: Personal::Plain("010-1234-5678".parse().expect("a number")),
        },
        agreements: Agreements {
            privacy: true,
            house_rules: true,
        },
        coupon: Some(booking.coupon.clone()),
        quote: booking
            .choice()
            .quote
            .less_coupon(&terms().discount, &booking.coupon),
        payment: Payment::OnSite,
        short_code: "K7MQ2Z".to_owned(),
        starts_at: now + 3.hours(),
        cancel_until: now + 2.hours(),
        admitted: None,
        attendance: None,
        patrons: Vec::new(),
        language: None,
        cancellation: aggregates::cancellation::Frozen::default(),
    }
}

/// The code of the `number`th coupon: the number in base 30, so that every variant can name it.
#[must_use]
pub fn coupon_code(mut number: u64) -> CouponCode {
    let mut text = [b'2'; CouponCode::LENGTH];
    for place in text.iter_mut().rev() {
        let digit = usize::try_from(number % 30).unwrap_or_default();
        *place = CouponCode::ALPHABET[digit];
        number /= 30;
    }
    String::from_utf8_lossy(&text).parse().expect("a code")
}
