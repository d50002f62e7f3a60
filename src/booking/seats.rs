//! What staff do to one seat: take it off sale and put it back; never sells it.

use aggregates::{
    auditorium::Auditorium,
    ids::SeatId,
    seat::{Seat, SeatCommand},
    time_slot::{Show, TimeSlot},
    values::SeatLabel,
};

use super::{Answer, Bookings, ChoiceError, Refused, waitlist::free_places};
use crate::store::{Request, Stop};

impl Bookings {
    /// Sends a command to one seat that the slot really has.
    pub async fn work_on_seat(&self, request: &Request, seat: &SeatId, command: SeatCommand) -> Answer {
        let command = &command;
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            let plan = work.load::<TimeSlot>(&seat.time_slot).await?.plan()?;
            let (show, branch) = (plan.show.clone(), plan.branch);
            work.at_branch(branch);
            let known = match show {
                Show::Theme { .. } => seat.label == SeatLabel::room(),
                Show::Movie {
                    auditorium,
                    layout_version,
                    ..
                } => {
                    let auditorium = work.load::<Auditorium>(&auditorium).await?;
                    auditorium
                        .layout(layout_version)
                        .is_ok_and(|layout| layout.seat(&seat.label).is_some())
                }
            };
            if !known {
                return Err(ChoiceError::NoSuchSeat(seat.label.clone()).into());
            }
            let before = *work.load::<Seat>(seat).await?;
            work.execute::<Seat>(seat, command.clone())
                .map_err(|error| Stop::Refused(Refused::Seats(vec![(seat.label.clone(), error)])))?;
            if before != Seat::Free && *work.state::<Seat>(seat)? == Seat::Free {
                free_places(work, seat.time_slot, std::slice::from_ref(&seat.label)).await?;
            }
            Ok(())
        })
        .await
    }
}
