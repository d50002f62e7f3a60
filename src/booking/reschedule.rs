//! Moving a placed reservation to another slot or other seats: the new ones are reserved, the old ones free, in one append;
//! seats that stay are never let go in between. Never moves money: what is due or was paid too much is said.

use aggregates::{
    branch::Branch,
    coupon::{Coupon, CouponError},
    ids::{ReservationId, TimeSlotId},
    pricing::{Party, Quote},
    ratings::{Admitted, Statement},
    reservation::{Canceller, Payment, Placed, Reservation, ReservationCommand, ReservationError, Target},
    time_slot::{Plan, Show, TimeSlot},
    values::{Money, SeatLabel},
};

use super::{
    Answer, Bookings, Places, Wish,
    choice::choose,
    hold::{give_back, held, open_plan, seat_ids, take_seats},
    money::frozen,
    orphans::keep_orphan_rule,
    patrons::{give_allowance_back, take_allowance},
    place::reserve_seats,
    ratings::admit,
    refused::Refused,
};
use crate::store::{Request, Stop, UnitOfWork};

/// Where somebody wants to have a reservation moved; what is left out stays as it is.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// To which slot.
    pub time_slot: TimeSlotId,
    /// Which places; seats with the same labels, if nothing is said.
    pub places: Option<Places>,
    /// Who comes; the same people, if nothing is said.
    pub party: Option<Party>,
    /// Whether it is stated that somebody needs a wheelchair place.
    pub accessible: bool,
}

impl Bookings {
    /// Moves a placed reservation (DOMAIN C6, C7, C14): what is chosen is judged as if it were held anew.
    pub async fn reschedule(
        &self,
        request: &Request,
        id: ReservationId,
        by: Canceller,
        wanted: &Wanted,
    ) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            let (from, before) = held(work, id).await?;
            // What is not placed, or over, is not moved, whatever else would be wrong.
            let placed = work.state::<Reservation>(&id)?.expected().cloned();
            let placed = placed.map_err(|error| work.blame::<Reservation, _>(&id, error))?;
            let branch = work.load::<TimeSlot>(&from).await?.plan()?.branch;
            let plan = open_plan(work, wanted.time_slot).await?;
            if plan.branch != branch {
                return Err(ReservationError::OtherBranch.into());
            }
            // Another day or another movie may ask for other ages.
            admit(work, &plan, placed.hold.customer, said(&placed)).await?;
            let choice = choose(work, &plan, &wish(&placed, &plan, wanted)).await?;
            let quote = less_coupon(work, &placed, &plan, &choice.quote).await?;
            let branch = work.load::<Branch>(&plan.branch).await?;
            let (rules, paying) = (branch.attendance(), branch.payment());
            let payment = placed
                .placement
                .payment
                .moved(work.now(), plan.starts_at, &paying);
            let payment = self.anew(id, &placed, &quote, payment)?;
            // The tiers stay as they were frozen; the moment until which they count is that of the other slot.
            let (_, cancel_until) = frozen(work, &plan).await?;
            let seats = choice.seats.clone();
            let target = Target {
                by,
                time_slot: wanted.time_slot,
                choice,
                quote,
                payment,
                starts_at: plan.starts_at,
                cancel_until,
                attendance: rules.of(&plan),
            };
            let moves = placed.moves;
            // The reservation decides first: one that may not be moved must not touch seats.
            work.execute::<Reservation>(&id, ReservationCommand::Reschedule(Box::new(target)))?;
            let after = work
                .state::<Reservation>(&id)?
                .placed()
                .map(|placed| placed.moves);
            if after == Some(moves) {
                return Ok(());
            }
            let stays = from == wanted.time_slot;
            let kept = |label: &SeatLabel| stays && seats.contains(label);
            let had = |label: &SeatLabel| stays && before.contains(label);
            let dropped: Vec<_> = before.iter().filter(|label| !kept(label)).cloned().collect();
            let added: Vec<_> = seats.iter().filter(|label| !had(label)).cloned().collect();
            give_back(work, id, from, &dropped).await?;
            take_seats(work, id, &plan, wanted.time_slot, &added).await?;
            keep_orphan_rule(work, id, &plan, wanted.time_slot, &seats).await?;
            reserve_seats(work, id, &seat_ids(wanted.time_slot, &added)).await?;
            let patrons = &placed.placement.patrons;
            if !stays {
                give_allowance_back(work, id, from, patrons).await?;
            }
            take_allowance(work, id, &plan, wanted.time_slot, patrons, seats.len()).await
        })
        .await
    }

    /// How a reservation is paid that is moved and costs so much then: through the provider, what is still to be paid has a
    /// page of its own.
    fn anew(
        &self,
        id: ReservationId,
        placed: &Placed,
        quote: &Quote,
        payment: Payment,
    ) -> Result<Payment, ReservationError> {
        let rest = Money {
            amount: quote.total.saturating_sub(placed.money.kept()),
            currency: quote.currency,
        };
        match payment {
            Payment::Provider { pay_by, .. } if rest.amount > 0 => {
                self.checkout(id, rest, pay_by, placed.moves.saturating_add(1))
            }
            same @ (Payment::Provider { .. } | Payment::BankTransfer { .. } | Payment::OnSite) => Ok(same),
        }
    }
}

/// What is chosen in full: what was not said is as it was.
fn wish(placed: &Placed, plan: &Plan, wanted: &Wanted) -> Wish {
    let choice = &placed.hold.choice;
    let same = match plan.show {
        Show::Theme { .. } => Places::Room,
        Show::Movie { .. } => Places::Seats(choice.seats.clone()),
    };
    Wish {
        time_slot: wanted.time_slot,
        places: wanted.places.clone().unwrap_or(same),
        party: wanted.party.unwrap_or(choice.party),
        accessible: wanted.accessible || choice.accessible,
        said: said(placed),
    }
}

/// What was said about ages until it was placed.
pub(super) fn said(placed: &Placed) -> Statement {
    let ground = placed.placement.admitted;
    placed.hold.said.and(Statement {
        age_confirmed: ground == Some(Admitted::Confirmed),
        guardian_accompanies: ground == Some(Admitted::Guardian),
        id_checked: ground == Some(Admitted::IdChecked),
    })
}

/// The price less the coupon that was redeemed, which must be good for the other slot too.
async fn less_coupon(
    work: &mut UnitOfWork,
    placed: &Placed,
    plan: &Plan,
    quote: &Quote,
) -> Result<Quote, Stop<Refused>> {
    let Some(code) = &placed.placement.coupon else {
        return Ok(quote.clone());
    };
    let coupon = work.load::<Coupon>(code).await?;
    let terms = coupon.terms().ok_or(CouponError::NotFound)?;
    if terms.scope.covers(plan) {
        Ok(quote.less_coupon(&terms.discount, code))
    } else {
        Err(work.blame::<Coupon, _>(code, CouponError::OutOfScope).into())
    }
}
