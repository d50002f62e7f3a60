//! What comes in and goes back for a reservation, as one unit of work each; never moves money itself.

use aggregates::{
    cancellation::Frozen,
    cancellation_policy::CancellationPolicy,
    claim::{Claim, ClaimCommand},
    deposit::{Deposit, DepositCommand, Receipt},
    ids::{ClaimId, DepositId, ReservationId},
    reservation::{MoneyCommand, Pay, Reservation, ReservationCommand, ReservationError, Source},
    time_slot::Plan,
    values::{BankReference, Money},
};
use jiff::Timestamp;
use smol_str::format_smolstr;
use uuid::Builder;

use super::{Answer, Bookings, hold::held, late::settle_late, nearby::Nearby, refused::Refused};
use crate::{
    payments::{GivenBack, Received},
    store::{Request, Stop, UnitOfWork},
};

impl Bookings {
    /// Records money that came. What comes too late takes the reservation up again, is offered one of the slots `nearby`,
    /// or is due back, in the same append (DOMAIN E7).
    pub async fn pay(&self, request: &Request, id: ReservationId, pay: &Pay, nearby: &Nearby) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            held(work, id).await?;
            take(work, id, pay.clone(), nearby).await
        })
        .await
    }

    /// Records what the payment provider received: for the reservation, or as a deposit that nobody knows the reason of.
    /// The same payment is recorded once, however often it is told.
    pub async fn provider_paid(&self, request: &Request, received: &Received, nearby: &Nearby) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            let known = match received.reservation {
                Some(id) => payable(work, id, received.amount).await?,
                None => None,
            };
            let deposit = self.deposit_of(&received.payment);
            let by = known.map_or_else(|| deposit.to_string(), |id| id.to_string());
            if !first(work, "paid", &received.payment, by).await? {
                return Ok(());
            }
            match known {
                Some(id) => {
                    held(work, id).await?;
                    let pay = Pay {
                        amount: Some(received.amount),
                        note: None,
                        source: Some(Source::Provider {
                            payment: received.payment.clone(),
                        }),
                    };
                    take(work, id, pay, nearby).await
                }
                None => keep(work, deposit, received).await,
            }
        })
        .await
    }

    /// Records what the payment provider gave back, once however often it is told.
    pub async fn provider_refunded(&self, request: &Request, given: &GivenBack) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            let id = given.reservation;
            held(work, id).await?;
            if !first(work, "refunded", &given.refund, id.to_string()).await? {
                return Ok(());
            }
            let refund = MoneyCommand::Refund {
                amount: given.amount,
                account: None,
                note: None,
                payment: Some(given.payment.clone()),
            };
            Ok(work.execute::<Reservation>(&id, ReservationCommand::Settle(refund))?)
        })
        .await
    }

    /// The deposit that a payment for nothing known is kept as: always the same one.
    fn deposit_of(&self, payment: &BankReference) -> DepositId {
        let mac = self
            .store
            .vault()
            .mac("provider-deposit", payment.as_str().as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&mac[..16]);
        DepositId::new(Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// Records money for a reservation, and what becomes of it if that has expired.
pub(super) async fn take(
    work: &mut UnitOfWork,
    id: ReservationId,
    pay: Pay,
    nearby: &Nearby,
) -> Result<(), Stop<Refused>> {
    work.execute::<Reservation>(&id, ReservationCommand::Pay(pay))?;
    let near = nearby.get(&id).map_or(&[][..], Vec::as_slice);
    settle_late(work, id, near).await
}

/// The reservation, if money of this currency can be recorded for it.
async fn payable(
    work: &mut UnitOfWork,
    id: ReservationId,
    amount: Money,
) -> Result<Option<ReservationId>, Stop<Refused>> {
    let placed = work.load::<Reservation>(&id).await?.placed();
    let fits = placed.is_some_and(|placed| placed.due().currency == amount.currency);
    Ok(fits.then_some(id))
}

/// Whether this is told for the first time; from now on it is known.
async fn first(
    work: &mut UnitOfWork,
    what: &str,
    reference: &BankReference,
    by: String,
) -> Result<bool, Stop<Refused>> {
    let claim = ClaimId::on("payment", &format_smolstr!("{what}:{reference}"));
    if work.load::<Claim>(&claim).await?.owner().is_some() {
        return Ok(false);
    }
    work.execute::<Claim>(&claim, ClaimCommand::Take { by })?;
    Ok(true)
}

/// Keeps money that is for nothing known as a deposit, at the branch of what it was said to be for, if that is known.
async fn keep(work: &mut UnitOfWork, id: DepositId, received: &Received) -> Result<(), Stop<Refused>> {
    let branch = match received.reservation {
        Some(reservation) => branch_of(work, reservation).await?,
        None => None,
    };
    let receipt = Receipt {
        branch,
        account: None,
        amount: received.amount,
        depositor: None,
        deposited_at: work.now(),
        reference: received.payment.clone(),
    };
    if let Some(branch) = branch {
        work.at_branch(branch);
    }
    work.load::<Deposit>(&id).await?;
    Ok(work.execute::<Deposit>(&id, DepositCommand::Record(Box::new(receipt)))?)
}

/// The branch of a reservation that has begun; none of one that has not.
pub(super) async fn branch_of(
    work: &mut UnitOfWork,
    id: ReservationId,
) -> Result<Option<aggregates::ids::BranchId>, Stop<Refused>> {
    let slot = work
        .load::<Reservation>(&id)
        .await?
        .hold()
        .map(|hold| hold.time_slot);
    let Some(slot) = slot else { return Ok(None) };
    let slot = work.load::<aggregates::time_slot::TimeSlot>(&slot).await?;
    Ok(slot.plan().ok().map(|plan| plan.branch))
}

/// What a reservation freezes of the slot's cancellation policy, and until when its customer cancels by themselves
/// (DOMAIN C14).
pub(super) async fn frozen(work: &mut UnitOfWork, plan: &Plan) -> Result<(Frozen, Timestamp), Stop<Refused>> {
    let Some(named) = plan.cancellation else {
        return Ok((Frozen::default(), plan.cancel_until()));
    };
    let policy = work.load::<CancellationPolicy>(&named.policy).await?;
    let terms = policy.terms(named.version)?;
    let frozen = Frozen {
        policy: Some(named.policy),
        version: Some(named.version),
        tiers: terms.tiers.clone(),
        coupon: terms.coupon,
    };
    Ok((frozen, terms.cancel_until(plan.starts_at)))
}

/// Ends what is offered for late money when its time is up.
pub(super) fn lapse_offer(work: &mut UnitOfWork, id: ReservationId) -> Result<(), ReservationError> {
    work.execute::<Reservation>(&id, ReservationCommand::Settle(MoneyCommand::LapseOffer))
}
