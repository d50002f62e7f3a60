//! What is recorded about one reservation and changes nothing else: that somebody was told, has come or gets money back;
//! never touches seats.

use aggregates::{
    ids::ReservationId,
    reservation::{Reservation, ReservationCommand},
};

use super::{Answer, Bookings, hold::held};
use crate::store::Request;

impl Bookings {
    /// Sends one command to one reservation, to which nothing else has to agree.
    pub async fn record(&self, request: &Request, id: ReservationId, command: ReservationCommand) -> Answer {
        let command = &command;
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            held(work, id).await?;
            Ok(work.execute::<Reservation>(&id, command.clone())?)
        })
        .await
    }
}
