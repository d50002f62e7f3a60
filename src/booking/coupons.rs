//! Issuing many coupons at once: codes nobody has thought of, all in one append; never a code that is in use.

use aggregates::{
    coupon::{Coupon, CouponCommand, Terms},
    values::CouponCode,
};

use crate::{
    administration::{self, Denied},
    store::{Committed, Request, Stop, Store},
};

/// Coupons that are issued at once at most (DOMAIN K1).
pub const ISSUED_MAX: u16 = 1_000;

/// Issues `count` coupons with these terms, each under a random code.
pub async fn issue_coupons(
    store: &Store,
    request: &Request,
    terms: &Terms,
    count: u16,
) -> Result<Committed, Stop<Denied>> {
    let count = usize::from(count.min(ISSUED_MAX));
    store
        .run(request, |mut unit| async move {
            let work = &mut unit;
            let mut issued = 0;
            while issued < count {
                let codes: Vec<CouponCode> =
                    (issued..count).map(|_| CouponCode::of(rand::random())).collect();
                work.load_all::<Coupon>(&codes).await?;
                for code in codes {
                    // Of 6.6·10^11 codes one may be in use; another is drawn for it.
                    if *work.state::<Coupon>(&code)? == Coupon::Unknown {
                        let terms = terms.clone();
                        administration::administer::<Coupon>(work, &code, CouponCommand::Issue { terms })
                            .await?;
                        issued += 1;
                    }
                }
            }
            Ok(())
        })
        .await
}
