//! Our store, without HTTP: two commands per booking, each one append; never with read models or policies running.

use std::net::{IpAddr, Ipv4Addr};

use aggregates::{
    ids::{ReservationId, SeatId},
    pricing::{Party, Persons},
    ratings::Statement,
    reservation::{Agreements, PaymentChoice},
    seat::{Seat, SeatCommand},
};
use jari::{
    booking::{Bookings, Numbers, Places, Placing, Refused, Wish},
    store::{Actor, Precondition, Request, Stop, Store, Trace, UnitOfWork},
    vault::leases::WorkerLease,
};
use uuid::Uuid;

use crate::business::Booking;

/// Our store with its booking commands.
#[derive(Clone)]
pub struct Ours {
    /// The log.
    pub store: Store,
    /// Its commands.
    pub bookings: Bookings,
}

impl Ours {
    /// Bookings on this log.
    #[must_use]
    pub fn new(store: Store) -> Self {
        let bookings = Bookings::new(store.clone(), Numbers::of(&WorkerLease::fixed(1)));
        Self { store, bookings }
    }

    /// Holds two seats, then places with a coupon.
    pub async fn book(&self, booking: &Booking) -> Result<(), String> {
        let id = self.bookings.next_number();
        let wish = Wish {
            time_slot: booking.time_slot,
            places: Places::Seats(booking.seats.to_vec()),
            party: Party::Persons(Persons {
                adult: 2,
                ..Persons::default()
            }),
            accessible: false,
            said: Statement::default(),
        };
        self.bookings
            .hold(&request(id, "Hold"), id, &wish)
            .await
            .map_err(reason)?;
        let placing = Placing {
            name: "홍길동".parse().expect("a name"),
            // Each is somebody else, as far as one customer may have so many seats.
            phone: format!("010{:08}", id.number() % 100_000_000)
                .parse()
                .expect("a number"),
            agreements: Agreements {
                privacy: true,
                house_rules: true,
            },
            coupon: Some(booking.coupon.clone()),
            payment: PaymentChoice::OnSite,
            said: Statement {
                age_confirmed: true,
                ..Statement::default()
            },
            language: None,
        };
        self.bookings
            .place(&request(id, "Place"), id, &placing)
            .await
            .map_err(reason)?;
        Ok(())
    }

    /// Tries to hold one seat; whether it was free.
    pub async fn grab(&self, seat: &SeatId) -> Result<bool, String> {
        let id = self.bookings.next_number();
        let wish = Wish {
            time_slot: seat.time_slot,
            places: Places::Seats(vec![seat.label.clone()]),
            party: Party::Persons(Persons {
                adult: 1,
                ..Persons::default()
            }),
            accessible: false,
            said: Statement::default(),
        };
        match self.bookings.hold(&request(id, "Hold"), id, &wish).await {
            Ok(_) => Ok(true),
            Err(Stop::Refused(Refused::Seats(_))) => Ok(false),
            Err(stop) => Err(reason(stop)),
        }
    }

    /// Nothing but an append: four events in four new streams.
    pub async fn append(&self, seats: &[SeatId; 4]) -> Result<(), String> {
        let by = self.bookings.next_number();
        let result: Result<_, Stop<aggregates::seat::SeatError>> = self
            .store
            .run(&request(by, "Append"), |mut work: UnitOfWork| async move {
                for seat in seats {
                    work.begin::<Seat>(seat).await?;
                    work.execute::<Seat>(seat, SeatCommand::Hold { by })
                        .map_err(Stop::Refused)?;
                }
                Ok(())
            })
            .await;
        result.map(|_| ()).map_err(|stop| format!("{stop:?}"))
    }
}

fn request(id: ReservationId, command: &'static str) -> Request {
    Request {
        actor: Actor::Guest(id),
        command: command.into(),
        request_id: Uuid::now_v7(),
        correlation_id: None,
        causation: None,
        reason: None,
        address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        key: None,
        trace: Trace::default(),
        if_match: Precondition::None,
    }
}

fn reason(stop: Stop<Refused>) -> String {
    format!("{stop:?}")
}
