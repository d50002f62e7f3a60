//! Deposits and the reservations they pay for: recorded and matched in one append, or left for staff (DOMAIN E7); never a guess.

use aggregates::{
    branch::Branch,
    claim::{Claim, ClaimCommand},
    deposit::{Basis, Deposit, DepositCommand, DepositError, Receipt, certain},
    ids::{DepositId, ReservationId},
    reservation::{Pay, Reservation, Source},
};

use super::{
    Answer, Bookings,
    hold::held,
    money::{branch_of, take},
    nearby::Nearby,
    refused::Refused,
};
use crate::store::{Request, Stop, UnitOfWork};

impl Bookings {
    /// Records a deposit and matches it, if exactly one of the `candidates` must be meant; the streams decide that, whatever
    /// the list they were found in shows.
    pub async fn record_deposit(
        &self,
        request: &Request,
        id: DepositId,
        receipt: &Receipt,
        candidates: &[ReservationId],
        nearby: &Nearby,
    ) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            if let Some(branch) = receipt.branch {
                work.load::<Branch>(&branch).await?.open()?;
                work.at_branch(branch);
            }
            let repeat = *work.load::<Deposit>(&id).await? != Deposit::Unknown;
            work.execute::<Deposit>(&id, DepositCommand::Record(Box::new(receipt.clone())))?;
            if repeat {
                return Ok(());
            }
            let claim = receipt.claim();
            work.load::<Claim>(&claim).await?;
            work.execute::<Claim>(&claim, ClaimCommand::Take { by: id.to_string() })
                .map_err(|_taken| DepositError::ReferenceInUse)?;
            match meant(work, receipt, candidates).await? {
                Some((reservation, basis)) => pay_with(work, id, receipt, reservation, basis, nearby).await,
                None => Ok(()),
            }
        })
        .await
    }

    /// Matches a deposit to the reservation that staff say it is for.
    pub async fn match_deposit(
        &self,
        request: &Request,
        id: DepositId,
        reservation: ReservationId,
        nearby: &Nearby,
    ) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            let known = work.load::<Deposit>(&id).await?;
            let repeat = known.reservation() == Some(reservation);
            let receipt = known.receipt().cloned().ok_or(DepositError::NotFound)?;
            let branch = branch_of(work, reservation).await?;
            held(work, reservation).await?;
            if receipt.branch.is_some() && receipt.branch != branch {
                return Err(DepositError::OtherBranch.into());
            }
            if repeat {
                return Ok(());
            }
            pay_with(work, id, &receipt, reservation, Basis::Staff, nearby).await
        })
        .await
    }

    /// Sends a deposit one command that concerns nothing else.
    pub async fn work_on_deposit(
        &self,
        request: &Request,
        id: DepositId,
        command: &DepositCommand,
    ) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            let branch = work
                .load::<Deposit>(&id)
                .await?
                .receipt()
                .and_then(|receipt| receipt.branch);
            if let Some(branch) = branch {
                work.at_branch(branch);
            }
            Ok(work.execute::<Deposit>(&id, command.clone())?)
        })
        .await
    }
}

/// The one candidate that must be meant, at the branch that the money came to.
async fn meant(
    work: &mut UnitOfWork,
    receipt: &Receipt,
    candidates: &[ReservationId],
) -> Result<Option<(ReservationId, Basis)>, Stop<Refused>> {
    let mut here = Vec::new();
    for id in candidates {
        if branch_of(work, *id).await? == receipt.branch {
            here.push((*id, work.state::<Reservation>(id)?.clone()));
        }
    }
    Ok(certain(receipt, here.iter().map(|(id, state)| (*id, state))))
}

/// Matched and paid in one append.
async fn pay_with(
    work: &mut UnitOfWork,
    id: DepositId,
    receipt: &Receipt,
    reservation: ReservationId,
    basis: Basis,
    nearby: &Nearby,
) -> Result<(), Stop<Refused>> {
    work.execute::<Deposit>(&id, DepositCommand::Match { reservation, basis })?;
    let pay = Pay {
        amount: Some(receipt.amount),
        note: None,
        source: Some(Source::Deposit { deposit: id }),
    };
    take(work, reservation, pay, nearby).await
}
