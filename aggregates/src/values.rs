//! Words and amounts with private fields: what is built is valid; never accepts control characters.

mod coupon_code;
mod money;
mod phone_number;
mod seat_label;
mod short_code;
mod text;
mod wall_time;

pub use coupon_code::{CouponCode, MalformedCouponCode};
pub use money::{AMOUNT_MAX, Currency, Money};
pub use phone_number::{NotAPhoneNumber, PhoneNumber};
pub use seat_label::{MalformedSeatLabel, SeatLabel};
pub use short_code::{MalformedShortCode, ShortCode};
pub use text::{
    AccountNumber, Address, BankReference, Category, CustomerName, Description, Email, GivenEmail, LoginId,
    Name, Nickname, Note, RefundAccount, Title, Unprintable, Url, ZoneName, folded,
};
pub use wall_time::{NotAWallTime, WallTime};
