//! The words of a notice in each language; never whom they are for.

use std::sync::LazyLock;

use aggregates::{
    branch::Account,
    reservation::{Payment, Placed},
    values::{Money, SeatLabel},
};
use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use jiff::{Timestamp, tz::TimeZone};

use super::{Notice, PlaceOffer};
use crate::{korean::fitted, language::Language};

static KOREAN: LazyLock<Texts> = LazyLock::new(|| Texts::of("ko", include_str!("messages/ko.ftl")));
static ENGLISH: LazyLock<Texts> = LazyLock::new(|| Texts::of("en", include_str!("messages/en.ftl")));

/// What a notice is about.
#[derive(Clone, Copy)]
pub enum About<'a> {
    /// A reservation that was placed.
    Placed(&'a Placed),
    /// Places that are offered to somebody who waited.
    Offer(&'a PlaceOffer),
}

/// What a notice tells of, and the names of what that is for.
pub struct Telling<'a> {
    /// What happened to what.
    pub about: About<'a>,
    /// The movie or theme.
    pub show: String,
    /// The branch.
    pub branch: String,
    /// Its zone.
    pub zone: TimeZone,
}

/// The words of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What stands above, where there is room.
    pub subject: String,
    /// The words.
    pub body: String,
}

struct Texts {
    bundle: FluentBundle<FluentResource>,
    unread: Vec<String>,
}

fn texts(language: Language) -> &'static Texts {
    match language {
        Language::English => &ENGLISH,
        Language::Korean => &KOREAN,
    }
}

/// The words of a notice; none if they are missing or want to know what is not there, which a test keeps from happening.
#[must_use]
pub fn text(language: Language, notice: Notice, telling: &Telling<'_>) -> Option<Text> {
    texts(language).text(language, notice, telling)
}

/// What cannot be read in the texts of this language.
#[must_use]
pub fn faults(language: Language) -> &'static [String] {
    &texts(language).unread
}

impl Texts {
    fn of(tag: &str, source: &str) -> Self {
        let (resource, errors) = match FluentResource::try_new(source.to_owned()) {
            Ok(resource) => (resource, Vec::new()),
            Err((resource, errors)) => (resource, errors),
        };
        let mut unread: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let mut bundle = FluentBundle::new_concurrent(tag.parse().into_iter().collect());
        bundle.set_use_isolating(false);
        if let Err(errors) = bundle.add_resource(resource) {
            unread.extend(errors.iter().map(ToString::to_string));
        }
        Self { bundle, unread }
    }

    fn text(&self, language: Language, notice: Notice, telling: &Telling<'_>) -> Option<Text> {
        let message = self.bundle.get_message(notice.name())?;
        let args = args(language, telling);
        let formatted = |pattern| {
            let mut errors = Vec::new();
            let text = self.bundle.format_pattern(pattern, Some(&args), &mut errors);
            errors.is_empty().then(|| match language {
                Language::English => text.into_owned(),
                Language::Korean => fitted(&text),
            })
        };
        Some(Text {
            subject: formatted(message.get_attribute("subject")?.value())?,
            body: formatted(message.value()?)?,
        })
    }
}

fn args(language: Language, telling: &Telling<'_>) -> FluentArgs<'static> {
    let Telling {
        about,
        show,
        branch,
        zone,
    } = telling;
    let mut args = FluentArgs::new();
    args.set("show", show.clone());
    args.set("branch", branch.clone());
    match about {
        About::Placed(placed) => of_placed(&mut args, language, placed, zone),
        About::Offer(offer) => {
            args.set("code", offer.number.to_string());
            args.set("starts_at", moment(language, offer.starts_at, zone));
            args.set("seats", seats(language, &offer.seats));
            args.set("until", moment(language, offer.until, zone));
        }
    }
    args
}

fn of_placed(args: &mut FluentArgs<'_>, language: Language, placed: &Placed, zone: &TimeZone) {
    let placement = &placed.placement;
    args.set("code", placement.short_code.clone());
    args.set("starts_at", moment(language, placement.starts_at, zone));
    args.set("seats", seats(language, &placed.hold.choice.seats));
    let due = if placed.paid {
        placed.money.price
    } else {
        placed.money.outstanding()
    };
    args.set("total", money(language, placed.money_of(due)));
    args.set(
        "refund",
        money(language, placed.money_of(placed.money.refund_due())),
    );
    let until = placed
        .reschedule_until
        .or(placed.offer.as_ref().map(|offer| offer.until));
    args.set(
        "until",
        until.map_or_else(String::new, |until| moment(language, until, zone)),
    );
    let payment = match &placement.payment {
        Payment::BankTransfer { pay_by, accounts } if !placed.paid => {
            args.set("pay_by", moment(language, *pay_by, zone));
            args.set("account", accounts.first().map_or_else(String::new, account));
            "transfer"
        }
        Payment::Provider {
            pay_by, checkout_url, ..
        } if !placed.paid => {
            args.set("pay_by", moment(language, *pay_by, zone));
            args.set("account", checkout_url.clone());
            "provider"
        }
        Payment::OnSite if !placed.paid => "on-site",
        Payment::BankTransfer { .. } | Payment::OnSite | Payment::Provider { .. } => "nothing",
    };
    args.set("payment", payment);
}

/// A moment on the branch's wall.
fn moment(language: Language, at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    match language {
        Language::English => at.strftime("%-d %B %Y, %H:%M").to_string(),
        Language::Korean => format!(
            "{}년 {}월 {}일 {:02}:{:02}",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute()
        ),
    }
}

fn seats(language: Language, seats: &[SeatLabel]) -> String {
    let labels: Vec<&str> = seats.iter().map(SeatLabel::as_str).collect();
    let is_room = matches!(seats, [seat] if *seat == SeatLabel::room());
    match (language, is_room) {
        (Language::English, true) => "the whole room".to_owned(),
        (Language::English, false) => format!("seats {}", labels.join(", ")),
        (Language::Korean, true) => "방 전체".to_owned(),
        (Language::Korean, false) => format!("{} 좌석", labels.join(", ")),
    }
}

/// `26,000원`, or `KRW 26,000`: in the minor unit, which for other currencies is written out.
fn money(language: Language, due: Money) -> String {
    let digits = due.amount.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let currency = due.currency.code();
    match (language, currency) {
        (Language::Korean, "KRW") => format!("{grouped}원"),
        (Language::Korean | Language::English, currency) => format!("{currency} {grouped}"),
    }
}

fn account(account: &Account) -> String {
    format!("{} {} {}", account.bank, account.number, account.holder)
}

#[cfg(test)]
mod tests {
    use aggregates::ids::ReservationId;
    use serde_json::{Value, json};

    use super::*;

    fn placed(payment: Value, paid: bool, seats: Value) -> Placed {
        let quote = json!({ "currency": "KRW", "lines": [], "total": 26000 });
        let party = json!({ "persons": { "adult": 2, "teen": 0, "senior": 0, "preferential": 0 } });
        let placed = json!({
            "hold": { "time_slot": "0192d3a0-0000-7000-8000-000000000001", "until": "2026-12-24T01:10:00Z",
                "cap": "2026-12-24T01:20:00Z", "extended": false,
                "choice": { "seats": seats, "party": party, "quote": quote } },
            "placement": { "contact": { "name": null, "phone": null }, "quote": quote, "payment": payment,
                "agreements": { "privacy": true, "house_rules": true }, "short_code": "ANEDNY",
                "starts_at": "2026-12-24T10:00:00Z", "cancel_until": "2026-12-24T09:40:00Z" },
            "paid": paid, "notified": false, "money": { "price": 26000, "received": if paid { 26000 } else { 0 },
                "given_back": 0, "retained": 0, "ended": false, "offered": false },
        });
        serde_json::from_value(placed).expect("a placed reservation")
    }

    fn said(language: Language, notice: Notice, placed: &Placed) -> Text {
        told(language, notice, About::Placed(placed))
    }

    fn told(language: Language, notice: Notice, about: About<'_>) -> Text {
        let telling = Telling {
            about,
            show: "한강의 밤".to_owned(),
            branch: "강남".to_owned(),
            zone: TimeZone::get("Asia/Seoul").expect("a zone"),
        };
        text(language, notice, &telling).unwrap_or_else(|| panic!("no words for {notice:?} in {language:?}"))
    }

    fn transfer() -> Value {
        json!({ "kind": "bank_transfer", "pay_by": "2026-12-24T02:00:00Z",
            "accounts": [{ "bank": "국민은행", "number": "100-200", "holder": "예시주식회사" }] })
    }

    #[test]
    fn every_notice_has_its_words_in_every_language() {
        for language in Language::ALL {
            assert_eq!(faults(language), [""; 0]);
            let offer = PlaceOffer {
                number: ReservationId::new(301_422_961_418_752_000),
                seats: vec!["C7".parse().expect("a label")],
                starts_at: "2026-12-24T10:00:00Z".parse().expect("a moment"),
                until: "2026-12-20T01:10:00Z".parse().expect("a moment"),
            };
            for notice in Notice::ALL {
                let placed = placed(transfer(), false, json!(["C7", "C8"]));
                let (about, number) = match notice {
                    Notice::PlaceOffered => (About::Offer(&offer), "301422961418752000"),
                    Notice::Placed
                    | Notice::PaymentDue
                    | Notice::Paid
                    | Notice::Cancelled
                    | Notice::Expired
                    | Notice::Rescheduled
                    | Notice::RescheduleOffered
                    | Notice::Reinstated
                    | Notice::SlotOffered
                    | Notice::RefundDue
                    | Notice::Refunded => (About::Placed(&placed), "ANEDNY"),
                };
                let Text { subject, body } = told(language, notice, about);
                for words in [&subject, &body] {
                    assert!(words.contains(number) && !words.contains(['{', '}']), "{words}");
                }
            }
        }
    }

    #[test]
    fn whoever_has_to_pay_reads_how() {
        let unpaid = placed(transfer(), false, json!(["C7", "C8"]));
        assert_eq!(
            said(Language::Korean, Notice::Placed, &unpaid).body,
            "[강남] 예약이 접수되었습니다. 한강의 밤, 2026년 12월 24일 19:00, C7, C8 좌석. 예약 번호 ANEDNY. 2026년 12월 24일 \
             11:00까지 26,000원을 국민은행 100-200 예시주식회사로 입금해 주세요."
        );
        let on_site = placed(json!({ "kind": "on_site" }), false, json!(["room"]));
        assert_eq!(
            said(Language::English, Notice::Placed, &on_site).body,
            "[강남] You have a reservation: 한강의 밤, 24 December 2026, 19:00, the whole room. Number ANEDNY. Please pay \
             KRW 26,000 on site."
        );
        let free = placed(transfer(), true, json!(["C7"]));
        let words = said(Language::Korean, Notice::Placed, &free).body;
        assert!(words.ends_with("C7 좌석. 예약 번호 ANEDNY."), "{words}");
    }
}
