//! Reservations that must be paid by a moment of the test's choosing: placed as the program does, past the edge, which would
//! choose the moment itself.

use aggregates::{
    branch::Branch,
    cancellation::Frozen,
    ids::{ReservationId, SeatId},
    personal::Personal,
    reservation::{Agreements, Contact, Payment, Placement, Reservation, ReservationCommand},
    seat::{Seat, SeatCommand},
    time_slot::TimeSlot,
};
use jari::store::{Request, Stop, Store};
use jiff::Timestamp;

/// Places what is held by this person, to be paid by transfer until then; tells where in the log that is.
pub async fn place_until(
    store: &Store,
    id: ReservationId,
    name: &str,
    short_code: &str,
    pay_by: Timestamp,
) -> i64 {
    let request = Request::system("test", "reservations/place");
    let placed = store
        .run(&request, |mut unit| async move {
            let hold = unit
                .load::<Reservation>(&id)
                .await?
                .hold()
                .expect("a hold")
                .clone();
            let plan = unit.load::<TimeSlot>(&hold.time_slot).await?.plan();
            let plan = plan.expect("a slot").clone();
            let branch = unit
                .load::<Branch>(&plan.branch)
                .await?
                .open()
                .expect("open")
                .clone();
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
                quote: hold.choice.quote.clone(),
                payment: Payment::BankTransfer {
                    pay_by,
                    accounts: branch.premises.accounts,
                },
                short_code: short_code.to_owned(),
                starts_at: plan.starts_at,
                cancel_until: plan.cancel_until(),
                cancellation: Frozen::default(),
                admitted: None,
                attendance: None,
                patrons: vec![],
                language: None,
            };
            unit.execute::<Reservation>(&id, ReservationCommand::Place(Box::new(placement)))
                .map_err(|error| Stop::Refused(error.to_string()))?;
            let seats: Vec<SeatId> = hold
                .choice
                .seats
                .iter()
                .map(|label| SeatId {
                    time_slot: hold.time_slot,
                    label: label.clone(),
                })
                .collect();
            unit.load_all::<Seat>(&seats).await?;
            for seat in &seats {
                unit.execute::<Seat>(seat, SeatCommand::Reserve { by: id })
                    .map_err(|error| Stop::Refused(error.to_string()))?;
            }
            Ok(())
        })
        .await;
    placed.unwrap_or_else(|error| panic!("{error:?}")).position
}
