//! `POST /v1/reservations/search`: staff find reservations by a part of the phone or name; a POST, so that neither
//! stands in an address or a log (DOMAIN E6, E8). Never finds anybody who was erased.

use std::str::FromStr;

use aggregates::{
    fault::Fault,
    ids::{BranchId, MovieId, ThemeId, TimeSlotId},
    reservation::PaymentChoice,
    values::{CouponCode, Name},
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use projections::reservation_list::Entry;
use serde::Deserialize;

use super::{
    super::{
        App,
        access::Admin,
        answer::Json,
        body::{Sendable, Sent, refuse},
        lists::{self, Direction, List, Wrong},
        pages,
        params::{Day, Moment},
        problem::{Problem, ProblemBody},
        time_slots::AsOf,
    },
    asked::{self, SortBy, Terms},
    list::{self, Listed},
};

/// What staff know; at least phone or name. Everything else is as in the list.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "phone": "5678" }))]
pub struct Search {
    /// Some digits of the phone number, in a row; dashes and spaces are ignored.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "5678")]
    phone: Option<PhonePart>,
    /// A part of the name.
    #[serde(default)]
    name: Option<Name>,
    /// For this slot.
    #[serde(default)]
    time_slot: Option<TimeSlotId>,
    /// At this branch.
    #[serde(default)]
    branch: Option<BranchId>,
    /// For this movie.
    #[serde(default)]
    movie: Option<MovieId>,
    /// For this theme.
    #[serde(default)]
    theme: Option<ThemeId>,
    /// For slots of this business day of `branch`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    day: Option<Day>,
    /// For slots that begin at this moment or later.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Moment>,
    /// For slots that begin before this moment.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    before: Option<Moment>,
    /// In these states, separated by commas.
    #[serde(default)]
    #[schema(example = "placed,attended")]
    state: Option<String>,
    /// Paid; or placed and not paid.
    #[serde(default)]
    paid: Option<bool>,
    /// To be paid in this way.
    #[serde(default)]
    payment: Option<PaymentChoice>,
    /// With this coupon redeemed.
    #[serde(default)]
    coupon: Option<CouponCode>,
    /// By what they are sorted; by number unless asked otherwise.
    #[serde(default)]
    sort: Option<SortBy>,
    /// In which direction; the greatest first unless asked otherwise.
    #[serde(default)]
    order: Option<Direction>,
    /// Say in `total` how many fit.
    #[serde(default)]
    count: bool,
    /// Where the page begins: `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// Reservations on a page, 1 to 200.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    #[serde(default)]
    #[schema(minimum = 0)]
    min_position: Option<i64>,
}

/// Digits of a phone number in the order in which they stand in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PhonePart(String);

/// Digits in a row that are looked for at least.
const DIGITS_MIN: usize = 3;
/// Digits a number has.
const DIGITS_MAX: usize = 11;

/// Why a text is no part of a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 3 to 11 digits of a mobile number, like 5678 (dashes may be left out, +82 10… is accepted)")]
pub struct NotDigits;

impl PhonePart {
    /// The digits alone.
    pub fn digits(self) -> String {
        self.0
    }
}

impl FromStr for PhonePart {
    type Err = NotDigits;

    /// As it is typed (DOMAIN E6): with dashes or without, from its beginning also as it is dialled from abroad.
    fn from_str(text: &str) -> Result<Self, NotDigits> {
        let (home, rest) = text
            .trim()
            .strip_prefix("+82")
            .map_or(("", text.trim()), |rest| ("0", rest));
        if !rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ' ')) {
            return Err(NotDigits);
        }
        let digits = rest.chars().filter(char::is_ascii_digit).collect::<String>();
        let digits = format!("{}{digits}", if digits.starts_with('0') { "" } else { home });
        if (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) {
            Ok(Self(digits))
        } else {
            Err(NotDigits)
        }
    }
}

impl TryFrom<String> for PhonePart {
    type Error = NotDigits;

    fn try_from(text: String) -> Result<Self, NotDigits> {
        text.parse()
    }
}

impl Sendable for Search {
    const EXAMPLE: &'static str = r#"{"phone":"5678","name":"하늘","time_slot":"0192d3a0-0000-7000-8000-000000000001",
        "branch":"0192d3a0-0000-7000-8000-000000000002","movie":"0192d3a0-0000-7000-8000-000000000003",
        "theme":"0192d3a0-0000-7000-8000-000000000004","day":"2026-12-24","from":"2026-12-24T00:00:00Z",
        "before":"2026-12-25T00:00:00Z","state":"placed","paid":true,"payment":"on_site","coupon":"7KQ4MZ2H",
        "sort":"starts_at","order":"asc","count":true,"cursor":"W10","limit":50,"min_position":4711}"#;

    fn bounds() -> Vec<(&'static str, std::ops::RangeInclusive<u16>)> {
        vec![("/limit", 1..=pages::LIMIT_MAX)]
    }
}

/// Finds reservations by a part of the phone number or name.
#[utoipa::path(post, path = "/v1/reservations/search", tag = "admin", operation_id = "searchReservations",
    request_body = Search, security(("admin" = [])),
    responses((status = OK, description = "Newest first, unless asked otherwise", body = List<Listed>),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "Neither phone nor name, or a wrong one", body = ProblemBody)))]
pub(in super::super) async fn search(
    State(app): State<App>,
    admin: Admin,
    Sent(search): Sent<Search>,
) -> Result<Response, Problem> {
    if search.phone.is_none() && search.name.is_none() {
        refuse(vec![Fault::at("", "needs phone or name")])?;
    }
    let order = asked::order(search.sort, search.order);
    let mut wrong = Wrong::default();
    if search
        .limit
        .is_some_and(|limit| !(1..=pages::LIMIT_MAX).contains(&limit))
    {
        let bounds = format!("must be a whole number from 1 to {}", pages::LIMIT_MAX);
        wrong.note("limit", bounds);
    }
    if search.min_position.is_some_and(i64::is_negative) {
        wrong.note(
            "min_position",
            "must be a position of the log: a whole number, 0 or more",
        );
    }
    let after = asked::behind(search.cursor.as_deref(), order);
    if after.is_err() {
        wrong.note("cursor", "is not one of this list in this order");
    }
    let terms = Terms {
        time_slot: search.time_slot,
        branch: search.branch,
        movie: search.movie,
        theme: search.theme,
        day: search.day,
        from: search.from,
        before: search.before,
        state: search.state,
        paid: search.paid,
        payment: search.payment,
        coupon: search.coupon,
        customer: None,
        number: None,
        short_code: None,
        phone: search.phone,
        name: search.name,
    };
    let filter = terms.filter(&app, &admin, &mut wrong).await?;
    wrong.in_body()?;
    let limit = pages::limit(search.limit)?;
    let now = AsOf {
        min_position: search.min_position,
        ..AsOf::default()
    };
    list::as_of(&app, &now).await?;
    let found = list::entries(&app, &filter, order, None, after?, limit + 1).await?;
    let total = if search.count {
        Some(list::total(&app, &filter, order).await?)
    } else {
        None
    };
    let place = |entry: &Entry| asked::cursor(entry, order);
    Ok(Json(lists::page(found, limit, total, place, Listed::of)).into_response())
}
