//! Issuing and revoking many coupons at once: codes nobody has thought of, so many in one append as it can bear; never a code
//! that is in use.

use aggregates::{
    coupon::{Batch, Coupon, CouponCommand, CouponError, CouponEvent, Terms},
    event::Event,
    ids::{BranchId, CouponBatchId},
    values::{CouponCode, Name, Note},
};
use uuid::Uuid;

use crate::{
    administration::{self, Denied},
    store::{Committed, Request, Stop, Store, UnitOfWork},
};

/// Coupons that are issued in one append at most.
pub const ISSUED_MAX: u16 = 1_000;
/// Coupons of one batch at most (DOMAIN K1).
pub const BULK_MAX: u16 = 10_000;
/// Coupons that are revoked in one append at most.
const REVOKED_MAX: usize = 500;

/// Issues `count` coupons with these terms, each under a random code.
pub async fn issue_coupons(
    store: &Store,
    request: &Request,
    terms: &Terms,
    count: u16,
) -> Result<Committed, Stop<Denied>> {
    let command = || CouponCommand::Issue { terms: terms.clone() };
    issue(store, request, terms, count, &command).await
}

/// Issues a whole batch, some at a time. A repeat with the same key finishes what an earlier attempt began and answers with
/// the same codes.
pub async fn issue_in_bulk(
    store: &Store,
    request: &Request,
    terms: &Terms,
    count: u16,
    name: &Name,
) -> Result<(Batch, Vec<Committed>), Stop<Denied>> {
    let mut batch = Batch {
        id: CouponBatchId::new(Uuid::now_v7()),
        name: name.clone(),
    };
    let (mut parts, mut left) = (Vec::new(), count.min(BULK_MAX));
    while left > 0 {
        let command = || CouponCommand::IssueInBatch {
            terms: terms.clone(),
            batch: batch.clone(),
        };
        let mut part = request.clone();
        if let Some(key) = &mut part.key {
            key.key = format!("{}:{}", key.key, parts.len());
        }
        let committed = issue(store, &part, terms, left.min(ISSUED_MAX), &command).await?;
        // What an earlier attempt began goes on under its name.
        if let Some(begun) = batch_of(&committed) {
            batch = begun;
        }
        parts.push(committed);
        left -= left.min(ISSUED_MAX);
    }
    Ok((batch, parts))
}

fn batch_of(committed: &Committed) -> Option<Batch> {
    committed.events.iter().find_map(|recorded| {
        if let Event::Coupon(CouponEvent::Issued { batch, .. }) = &recorded.event {
            batch.clone()
        } else {
            None
        }
    })
}

async fn issue(
    store: &Store,
    request: &Request,
    terms: &Terms,
    count: u16,
    command: &(impl Fn() -> CouponCommand + Sync),
) -> Result<Committed, Stop<Denied>> {
    let count = usize::from(count.min(ISSUED_MAX));
    store
        .run(request, |mut unit| async move {
            let work = &mut unit;
            if let Some(branch) = terms.scope.branch {
                work.at_branch(branch);
            }
            let mut issued = 0;
            while issued < count {
                let codes: Vec<CouponCode> =
                    (issued..count).map(|_| CouponCode::of(rand::random())).collect();
                work.load_all::<Coupon>(&codes).await?;
                for code in codes {
                    // Of 6.6·10^11 codes one may be in use; another is drawn for it.
                    if *work.state::<Coupon>(&code)? == Coupon::Unknown {
                        administration::administer::<Coupon>(work, &code, command()).await?;
                        issued += 1;
                    }
                }
            }
            Ok(())
        })
        .await
}

/// What revoking a batch did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchRevoked {
    /// How many were revoked now.
    pub revoked: usize,
    /// Those that were used and stay so.
    pub used: Vec<CouponCode>,
    /// The position up to which the log holds all of it.
    pub position: i64,
}

/// Revokes all of these coupons that are not used, some at a time; what was revoked before stays as it is.
pub async fn revoke_all(
    store: &Store,
    request: &Request,
    codes: &[CouponCode],
    branch: Option<BranchId>,
    reason: Option<&Note>,
) -> Result<BatchRevoked, Stop<Denied>> {
    let mut done = BatchRevoked::default();
    for codes in codes.chunks(REVOKED_MAX) {
        let committed = store
            .run(request, |mut unit| async move {
                let work = &mut unit;
                if let Some(branch) = branch {
                    work.at_branch(branch);
                }
                work.load_all::<Coupon>(codes).await?;
                revoke(work, codes, reason)
            })
            .await?;
        done.revoked += committed.events.len();
        done.position = done.position.max(committed.position);
        for (code, coupon) in codes.iter().zip(store.read_all::<Coupon>(codes).await?) {
            match coupon {
                Coupon::Redeemed { .. } => done.used.push(code.clone()),
                Coupon::Unknown | Coupon::Issued { .. } | Coupon::Revoked { .. } => {}
            }
        }
    }
    Ok(done)
}

fn revoke(work: &mut UnitOfWork, codes: &[CouponCode], reason: Option<&Note>) -> Result<(), Stop<Denied>> {
    for code in codes {
        let command = CouponCommand::Revoke {
            reason: reason.cloned(),
        };
        match work.execute::<Coupon>(code, command) {
            // Whoever used it keeps what it gave them.
            Ok(()) | Err(CouponError::AlreadyRedeemed) => {}
            Err(error) => return Err(Denied::stop(error)),
        }
    }
    Ok(())
}
