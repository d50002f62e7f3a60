//! What staff record about a placed reservation: paid, notified, attended, no-show; never touches seats.

use aggregates::{
    ids::ReservationId,
    reservation::{Reservation, ReservationCommand},
};

use super::{Answer, Bookings, hold::held};
use crate::store::Request;

impl Bookings {
    /// Sends one command to one reservation that concerns nothing else (mark paid, notified, check in, no-show).
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
