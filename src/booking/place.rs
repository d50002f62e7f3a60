//! Placing: the hold becomes binding, its seats are reserved and its coupon redeemed, all in one append; never partly.

use aggregates::{
    branch::Branch,
    coupon::{Coupon, CouponCommand, CouponError},
    ids::ReservationId,
    language::Language,
    personal::Personal,
    ratings::Statement,
    reservation::{
        Agreements, Contact, Payment, PaymentChoice, Placement, Reservation, ReservationCommand,
        ReservationError,
    },
    seat::{Seat, SeatCommand},
    time_slot::{TimeSlot, TimeSlotError},
    values::{CouponCode, CustomerName, Money, PhoneNumber, ShortCode},
};
use jiff::Timestamp;

use super::{
    Answer, Bookings,
    hold::{in_business, seat_ids},
    money::frozen,
    patrons::{among_us, patrons_of, take_allowance, welcome},
    ratings::{admit, credible},
    refused::Refused,
    waitlist::{Settled, settle},
};
use crate::{
    payments::{Checkout, Intent},
    store::{Actor, Request, Stop, UnitOfWork},
};

/// What a customer says when placing (DOMAIN E5).
#[derive(Debug, Clone)]
pub struct Placing {
    /// The name.
    pub name: CustomerName,
    /// The number to call.
    pub phone: PhoneNumber,
    /// What was agreed to.
    pub agreements: Agreements,
    /// A coupon to redeem.
    pub coupon: Option<CouponCode>,
    /// How to pay.
    pub payment: PaymentChoice,
    /// What is said about ages, besides what was said when it was held.
    pub said: Statement,
    /// The language that was asked in, if one was named.
    pub language: Option<Language>,
}

impl Bookings {
    /// Makes a hold binding (DOMAIN E5, E7, K2).
    #[expect(clippy::too_many_lines, reason = "one unit of work, in its order")]
    pub async fn place(&self, request: &Request, id: ReservationId, placing: &Placing) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            let now = work.now();
            let hold = work
                .load::<Reservation>(&id)
                .await?
                .hold()
                .ok_or(ReservationError::NotFound)?
                .clone();
            among_us(work, hold.customer).await?;
            let slot = work.load::<TimeSlot>(&hold.time_slot).await?;
            let plan = match slot {
                TimeSlot::Withdrawn(_) => return Err(TimeSlotError::Withdrawn.into()),
                TimeSlot::Unknown | TimeSlot::OnSale(_) | TimeSlot::Closed(_) => slot.plan()?.clone(),
            };
            let closed = matches!(slot, TimeSlot::Closed(_));
            work.at_branch(plan.branch);
            in_business(work, &plan).await?;
            let said = hold.said.and(credible(placing.said, &request.actor)?);
            let admitted = match work.state::<Reservation>(&id)? {
                // Whoever empties a slot closes it first: from then on nothing new stands there.
                Reservation::Held(_) if closed => {
                    return Err(work
                        .blame::<TimeSlot, _>(&hold.time_slot, TimeSlotError::Closed)
                        .into());
                }
                Reservation::Held(_) => admit(work, &plan, hold.customer, said).await?,
                // Whatever else it is says so itself.
                Reservation::Blank
                | Reservation::Lapsed(_)
                | Reservation::Released(_)
                | Reservation::Placed(_)
                | Reservation::Attended(_)
                | Reservation::NoShow(_)
                | Reservation::Cancelled(_)
                | Reservation::Expired(_) => None,
            };
            let (cancellation, cancel_until) = frozen(work, &plan).await?;
            let quote = match &placing.coupon {
                None => hold.choice.quote.clone(),
                Some(code) => {
                    let coupon = work.load::<Coupon>(code).await?;
                    let terms = coupon.terms().cloned();
                    let covered = terms.as_ref().is_some_and(|terms| terms.scope.covers(&plan));
                    work.execute::<Coupon>(code, CouponCommand::Redeem { by: id, covered })?;
                    let terms = terms.ok_or(CouponError::NotFound)?;
                    hold.choice.quote.less_coupon(&terms.discount, code)
                }
            };
            let branch = work.load::<Branch>(&plan.branch).await?;
            let (rules, pay_by) = (branch.attendance(), branch.payment().pay_by(now, plan.starts_at));
            let payment = match placing.payment {
                PaymentChoice::OnSite => Payment::OnSite,
                PaymentChoice::BankTransfer => Payment::BankTransfer {
                    pay_by,
                    accounts: branch.open()?.premises.accounts.clone(),
                },
                PaymentChoice::Provider => {
                    let amount = Money {
                        amount: quote.total,
                        currency: quote.currency,
                    };
                    self.checkout(id, amount, pay_by, 0)?
                }
            };
            let patrons = patrons_of(work.vault(), hold.customer, &placing.phone);
            let placement = Placement {
                contact: Contact {
                    name: Personal::Plain(placing.name.clone()),
                    phone: Personal::Plain(placing.phone.clone()),
                },
                agreements: placing.agreements,
                coupon: placing.coupon.clone(),
                quote,
                payment,
                short_code: self.short_code(id).to_string(),
                starts_at: plan.starts_at,
                cancel_until,
                cancellation,
                admitted,
                attendance: Some(rules.of(&plan)),
                patrons: patrons.clone(),
                language: placing.language.filter(|_| asks_for_themselves(&request.actor)),
            };
            work.execute::<Reservation>(&id, ReservationCommand::Place(Box::new(placement)))?;
            welcome(work, &patrons).await?;
            let (time_slot, seats) = (hold.time_slot, hold.choice.seats.len());
            take_allowance(work, id, &plan, time_slot, &patrons, seats).await?;
            settle(work, id, Settled::Accepted).await?;
            reserve_seats(work, id, &seat_ids(hold.time_slot, &hold.choice.seats)).await
        })
        .await
    }

    /// Where to pay this amount through the provider, if one is set up, for what was moved so often before.
    pub(super) fn checkout(
        &self,
        id: ReservationId,
        amount: Money,
        pay_by: Timestamp,
        moves: u16,
    ) -> Result<Payment, ReservationError> {
        let provider = self.payments().ok_or(ReservationError::NoProvider)?;
        let Checkout { intent, url } = provider.checkout(&Intent {
            reservation: id,
            amount,
            pay_by,
            moves,
        });
        Ok(Payment::Provider {
            pay_by,
            intent,
            checkout_url: url,
        })
    }

    /// A short code for people.
    pub(super) fn short_code(&self, id: ReservationId) -> ShortCode {
        let mac = self.store.vault().mac("short-code", &id.number().to_be_bytes());
        let mut hash = [0; ShortCode::LENGTH];
        hash.copy_from_slice(&mac[..ShortCode::LENGTH]);
        ShortCode::of(hash)
    }
}

/// Whether it is the customer who asks: the language of staff is not theirs.
const fn asks_for_themselves(actor: &Actor) -> bool {
    match actor {
        Actor::Guest(_) | Actor::Customer(_) => true,
        Actor::Admin(_) | Actor::System(_) => false,
    }
}

/// Reserves all of these held seats, or names every one that cannot be.
pub(super) async fn reserve_seats(
    work: &mut UnitOfWork,
    id: ReservationId,
    seats: &[aggregates::ids::SeatId],
) -> Result<(), Stop<Refused>> {
    work.load_all::<Seat>(seats).await?;
    let refused: Vec<_> = seats
        .iter()
        .filter_map(|seat| {
            let result = work.execute::<Seat>(seat, SeatCommand::Reserve { by: id });
            result.err().map(|error| (seat.label.clone(), error))
        })
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Stop::Refused(Refused::Seats(refused)))
    }
}
