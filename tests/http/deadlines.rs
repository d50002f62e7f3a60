//! Where one deadline meets another: money for what is offered, moved, closed, waited for or begun meanwhile (DOMAIN E7, W2).

use aggregates::{
    Event,
    ids::{ReservationId, TimeSlotId},
    reservation::{MoneyCommand, Offer, Reservation, ReservationCommand, ReservationEvent},
    values::SeatLabel,
    waitlist::WaitlistEvent,
};
use jari::store::{Request, Stop};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    checkout::with_provider,
    field::Field,
    money::{ROOM, expired, hold_room, money, owing, pay, reached, recorded, shown, step, story},
    named::names,
    provider::{Provider, Signed},
};
use crate::support::{
    api::{Call, Hold},
    house::{Sale, admin},
    waiting::eventually,
};

const SEAT: i64 = 14_000;

/// Moves it to these seats of a slot, one adult each.
fn move_to(hold: &Hold, slot: Uuid, seats: &[&str]) -> Call {
    let body = json!({ "time_slot": slot, "seats": seats, "persons": { "adult": seats.len() } });
    let path = format!("/v1/reservations/{}/reschedule", hold.number);
    Call::post(path, body).with_token(&hold.token)
}

/// Somebody who waits for a session: how they look at their entry.
async fn waits_for_room(field: &Field, slot: Uuid) -> Call {
    let body = json!({ "name": "김하늘", "phone": "010-1234-0001", "party_size": 2 });
    waits(field, slot, body).await
}

async fn waits(field: &Field, slot: Uuid, body: Value) -> Call {
    let path = format!("/v1/time-slots/{slot}/waitlist");
    let joined = field.api.ask(&Call::post(path, body)).await.json();
    assert_eq!(joined["outcome"], "waiting", "{joined}");
    let text = |name: &str| joined["entry"][name].as_str().expect("a text").to_owned();
    Call::get(format!("/v1/waitlist-entries/{}", text("number"))).with_token(&text("token"))
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().expect("a moment").parse().expect("a moment")
}

async fn becomes(field: &Field, hold: &Hold, state: &str) -> Value {
    eventually(state, || async {
        let view = shown(field, hold).await;
        (view["state"] == state).then_some(view)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_money_does_not_stop_the_clock_of_what_is_offered_for_it() {
    let field = Field::open().await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = expired(&field, session, "홍길동", "K7MQ2Z").await;
    hold_room(&field, session).await;
    field.api.done(&pay(&hold, ROOM)).await;
    // The policy offers for hours; this one is offered for a moment.
    let number: ReservationId = hold.number.parse().expect("a number");
    let offer = Offer {
        time_slot: TimeSlotId::new(session),
        seats: vec![SeatLabel::room()],
        until: Timestamp::now() + 3.seconds(),
    };
    let request = Request::system("test", "reservations/offer");
    let offered = field.store().run(&request, |mut unit| {
        let offer = offer.clone();
        async move {
            unit.load::<Reservation>(&number).await?;
            let command = ReservationCommand::Settle(MoneyCommand::Offer(offer));
            unit.execute::<Reservation>(&number, command)
                .map_err(|error| Stop::Refused(error.to_string()))
        }
    });
    offered.await.expect("it is offered");
    let view = field.api.done(&pay(&hold, 5)).await.json();
    assert_ne!(view["placed"]["offer"], Value::Null, "{view}");
    eventually("it lapses", || async {
        let story = story(&field, &hold).await;
        story.contains(&"ReservationOfferLapsed".to_owned()).then_some(())
    })
    .await;
    assert_eq!(money(&shown(&field, &hold).await).3, ROOM + 5);
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_the_provider_gave_back_is_recorded_though_it_is_not_due_any_more() {
    // It gives back, and each of its answers is lost.
    let provider = Provider::open(u32::MAX).await;
    let field = with_provider(&provider).await;
    let api = &field.api;
    let slot = field.house.screening(api, 2, 5, Sale::Long).await;
    let hold = api.done(&Call::hold(slot, &["A1", "A2"])).await.hold();
    api.done(&Call::place_paid_by(&hold, "provider")).await;
    let paid = Signed::paid("msg_1", "pay_1", &hold.number, 2 * SEAT);
    assert_eq!(paid.send(&field).await.0, 204);
    let view = api.done(&move_to(&hold, slot, &["A1"])).await.json();
    assert_eq!(money(&view), ("over_paid", 2 * SEAT, 0, SEAT), "{view}");
    eventually("it goes back", || async {
        (provider.refunds() == [("pay_1".to_owned(), SEAT)]).then_some(())
    })
    .await;
    // Before the provider tells, it is moved to where nothing is due back.
    let view = api.done(&move_to(&hold, slot, &["A1", "A2"])).await.json();
    assert_eq!(money(&view), ("paid", 2 * SEAT, 0, 0), "{view}");
    for message in ["msg_2", "msg_3"] {
        let told = Signed::refunded(message, "re_1", "pay_1", &hold.number, SEAT);
        assert_eq!(told.send(&field).await.0, 204);
    }
    let view = shown(&field, &hold).await;
    assert_eq!(money(&view), ("under_paid", 2 * SEAT, 0, 0), "{view}");
    assert_eq!(view["placed"]["money"]["given_back"], SEAT, "{view}");
    assert!(
        view["placed"].get("pay_by").is_none(),
        "it does not expire for the rest"
    );
    // More than was ever kept is not believed.
    let more = Signed::refunded("msg_4", "re_2", "pay_1", &hold.number, SEAT + 1);
    let (status, kind) = more.send(&field).await;
    assert_eq!((status, &*kind), (409, "reservation/refund-exceeds-due"));
    // By hand nothing goes back that is not due.
    let body = json!({ "amount": { "amount": 1, "currency": "KRW" } });
    api.ask(&step(&hold, "refund", body))
        .await
        .refused(409, "reservation/refund-exceeds-due");
    let view = api.done(&step(&hold, "mark-paid", json!({}))).await.json();
    assert_eq!(money(&view), ("paid", 3 * SEAT, 0, 0), "{view}");
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_moved_is_paid_on_a_page_of_its_own_for_what_it_costs_now() {
    let provider = Provider::open(0).await;
    let field = with_provider(&provider).await;
    let api = &field.api;
    let slot = field.house.screening(api, 2, 5, Sale::Long).await;
    let far = Sale::UntilItBegins(Timestamp::now() + 48.hours());
    let far = field.house.screening(api, 2, 5, far).await;
    let hold = api.done(&Call::hold(far, &["A1"])).await.hold();
    let placed = api.done(&Call::place_paid_by(&hold, "provider")).await.json();
    let page = |view: &Value, amount: i64| -> String {
        let url = view["placed"]["checkout_url"]
            .as_str()
            .expect("where to pay")
            .to_owned();
        assert!(url.contains(&format!("&amount={amount}&")), "{url}");
        let intent = url
            .split_once("intent=")
            .and_then(|(_, rest)| rest.split('&').next());
        intent.expect("an intent").to_owned()
    };
    let until = |view: &Value, pay_by: Timestamp| {
        let url = view["placed"]["checkout_url"].as_str().expect("where to pay");
        let expires = format!("&expires={}&", pay_by.as_second());
        assert!(url.contains(&expires), "{url} has not {expires}");
    };
    let first = page(&placed, SEAT);
    let moved = api.done(&move_to(&hold, slot, &["B1", "B2"])).await.json();
    let second = page(&moved, 2 * SEAT);
    until(&moved, moment(&moved["placed"]["pay_by"]));
    assert!(moment(&moved["placed"]["pay_by"]) < moment(&placed["placed"]["pay_by"]));
    // A part of it is paid: the next page asks for the rest.
    let part = Signed::paid("msg_1", "pay_1", &hold.number, SEAT);
    assert_eq!(part.send(&field).await.0, 204);
    let moved = api
        .done(&move_to(&hold, slot, &["B1", "B2", "B3", "B4"]))
        .await
        .json();
    let third = page(&moved, 3 * SEAT);
    assert!(first != second && second != third, "each page is another one");
    let rest = Signed::paid("msg_2", "pay_2", &hold.number, 3 * SEAT);
    assert_eq!(rest.send(&field).await.0, 204);
    let view = shown(&field, &hold).await;
    assert_eq!(money(&view), ("paid", 4 * SEAT, 0, 0), "{view}");
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_money_is_offered_nothing_that_its_coupon_does_not_pay_for() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let begins = Timestamp::now() + 5.seconds();
    let session = house.session(api, Sale::UntilItBegins(begins)).await;
    house.session(api, Sale::Long).await;
    let terms = json!({ "discount": { "rate": { "percent": 20 } }, "valid_from": begins - 1.hour(),
        "valid_until": begins + 24.hours(), "restorable": false });
    admin(api, "coupons", "7KQ4MZ2H", "issue", json!({ "terms": terms })).await;
    let hold = hold_room(&field, session).await;
    api.done(&Call::place_unpaid(&hold, "7KQ4MZ2H")).await;
    becomes(&field, &hold, "expired").await;
    reached(&field).await;
    let price = ROOM * 80 / 100;
    // There is an equal slot, but the coupon is used up, and the money is not the price without it.
    let view = api.done(&step(&hold, "mark-paid", json!({}))).await.json();
    assert_eq!(
        (view["placed"].get("offer"), money(&view)),
        (None, ("paid", price, 0, price)),
        "{view}"
    );
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_was_emptied_stays_empty() {
    let field = Field::open().await;
    let api = &field.api;
    let session = field.house.session(api, Sale::Long).await;
    let late = expired(&field, session, "홍길동", "K7MQ2Z").await;
    let running = hold_room(&field, session).await;
    let body = json!({ "time_slot": session, "handling": "cancel" });
    let done = Call::admin("/v1/admin/closing-days/carry-out", body);
    assert_eq!(api.done(&done).await.json()["left"], 0);
    // A hold that runs is not placed any more, and nothing that expired comes back.
    api.ask(&Call::place(&running, None))
        .await
        .refused(409, "time-slot/closed");
    api.done(&Call::step(&running, "release")).await;
    let view = api.done(&pay(&late, ROOM)).await.json();
    assert_eq!(
        (&view["state"], money(&view).3),
        (&json!("expired"), ROOM),
        "{view}"
    );
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_money_for_a_closed_slot_is_recorded_though_somebody_waits_for_it() {
    let field = Field::open().await;
    let api = &field.api;
    let session = field.house.session(api, Sale::Long).await;
    let hold = hold_room(&field, session).await;
    owing(&field, &hold, "홍길동", "K7MQ2Z", Timestamp::now() + 2.seconds()).await;
    let entry = waits_for_room(&field, session).await;
    admin(api, "time-slots", session, "close", json!({})).await;
    becomes(&field, &hold, "expired").await;
    let found = recorded(&field, ROOM, "홍길동K7MQ2Z", "1").await;
    assert_eq!(found["reservation"], json!(hold.number), "{found}");
    let view = shown(&field, &hold).await;
    assert_eq!(
        (&view["state"], money(&view).3),
        (&json!("expired"), ROOM),
        "{view}"
    );
    admin(api, "time-slots", session, "reopen", json!({})).await;
    let entry = api.done(&entry).await.json();
    assert_eq!(entry["offer"]["seats"], json!(["room"]), "{entry}");
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_expires_unpaid_is_offered_to_who_waits_in_the_same_append_and_still_listed() {
    let field = Field::open().await;
    let api = &field.api;
    let session = field.house.session(api, Sale::Long).await;
    let hold = hold_room(&field, session).await;
    owing(&field, &hold, "홍길동", "K7MQ2Z", Timestamp::now() + 2.seconds()).await;
    let entry = waits_for_room(&field, session).await;
    assert_eq!(api.done(&entry).await.json()["offer"], Value::Null);
    becomes(&field, &hold, "expired").await;
    let entry = api.done(&entry).await.json();
    assert_eq!(entry["offer"]["seats"], json!(["room"]), "{entry}");
    let log = field.log().await;
    let ends = |event: &Event| matches!(event, Event::Reservation(ReservationEvent::Expired));
    let offers = |event: &Event| matches!(event, Event::Waitlist(WaitlistEvent::Offered { .. }));
    let at = |which: &dyn Fn(&Event) -> bool| {
        let mut found = log.iter().filter(|recorded| which(&recorded.event));
        let first = found.next().expect("it happened");
        assert!(found.next().is_none(), "it happened once");
        first.clone()
    };
    let (end, offer) = (at(&ends), at(&offers));
    assert_eq!(end.metadata["command"], "reservations/end-due");
    // The key of a timer is that of one unit of work, and a unit is one append.
    assert_eq!(end.metadata, offer.metadata);
    assert_eq!(end.recorded_at, offer.recorded_at);
    // What expired does not vanish.
    for (state, listed) in [("expired", true), ("placed", false)] {
        let path = format!("/v1/reservations?state={state}&min_position={}", field.position());
        let list = api.done(&Call::get(path).by_staff()).await.json();
        let numbers: Vec<&Value> = list["items"]
            .as_array()
            .expect("a page")
            .iter()
            .map(|item| &item["number"])
            .collect();
        assert_eq!(numbers.contains(&&json!(hold.number)), listed, "{list}");
    }
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_code_is_found_however_wide_its_letters_are() {
    let field = Field::open().await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = hold_room(&field, session).await;
    owing(&field, &hold, "홍길동", "K7MQ2Z", Timestamp::now() + 20.minutes()).await;
    // Another amount, so that nothing but the code speaks for it.
    let found = recorded(&field, ROOM - 1, "김하늘 Ｋ７ｍｑ２ｚ", "1").await;
    assert_eq!(
        found["candidates"][0]["reservation"],
        json!(hold.number),
        "{found}"
    );
    assert_eq!(found["candidates"][0]["reason"], "short_code", "{found}");
    // Words between the letters are no code.
    let found = recorded(&field, ROOM - 1, "K7M홍길동Q2Z", "2").await;
    assert_eq!(found["candidates"], json!([]), "{found}");
    field.close().await;
}

/// How long there is until a moment that an answer names, as it was before it was asked for.
fn lasts(value: &Value, since: Timestamp) -> SignedDuration {
    moment(value).duration_since(since)
}

/// About so long: an answer takes its time.
fn about(span: SignedDuration, expected: SignedDuration) {
    let late = SignedDuration::from_secs(60);
    assert!(
        span >= expected && span < expected + late,
        "{span} is not about {expected}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn how_long_there_is_to_pay_is_a_rule_of_the_branch() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let near = house.screening(api, 1, 9, Sale::Long).await;
    let far = Sale::UntilItBegins(Timestamp::now() + 48.hours());
    let far = house.screening(api, 1, 9, far).await;
    let placed = async |slot: Uuid, seat: &str| {
        let since = Timestamp::now();
        let hold = api.done(&Call::hold(slot, &[seat])).await.hold();
        let view = api
            .done(&Call::place_paid_by(&hold, "bank_transfer"))
            .await
            .json();
        (hold, lasts(&view["placed"]["pay_by"], since))
    };
    let (minutes, hours) = (SignedDuration::from_mins, SignedDuration::from_hours);
    let (before, usual) = placed(near, "A1").await;
    about(usual, minutes(30));
    about(placed(far, "A1").await.1, hours(12));
    let kept = shown(&field, &before).await["placed"]["pay_by"].clone();

    let regulate =
        |branch: Uuid, rules: Value| Call::admin(format!("/v1/branches/{branch}/regulate-payment"), rules);
    let rules = json!({ "pay_minutes_near": 7, "pay_hours_far": 3, "far_hours": 40, "offer_minutes": 4 });
    api.done(&regulate(house.cinema, rules.clone())).await;
    let position = field.position();
    api.done(&regulate(house.cinema, rules)).await;
    assert_eq!(field.position(), position, "nothing is new about it");
    let (hold, soon) = placed(near, "A3").await;
    about(soon, minutes(7));
    about(placed(far, "A3").await.1, hours(3));
    // What was placed before keeps its deadline; what is moved gains no more time than the branch gives now.
    assert_eq!(shown(&field, &before).await["placed"]["pay_by"], kept);
    let since = Timestamp::now();
    let moved = api.done(&move_to(&hold, far, &["A5"])).await.json();
    about(lasts(&moved["placed"]["pay_by"], since), minutes(7));
    // The other branch has its own rules.
    let room = house.session(api, Sale::Long).await;
    let since = Timestamp::now();
    let hold = hold_room(&field, room).await;
    let view = api
        .done(&Call::place_paid_by(&hold, "bank_transfer"))
        .await
        .json();
    about(lasts(&view["placed"]["pay_by"], since), minutes(30));

    // Who waited has so long to take what is freed.
    let small = house.screening(api, 1, 1, Sale::Long).await;
    let holder = api.done(&Call::hold(small, &["A1"])).await.hold();
    let body = json!({ "name": "김하늘", "phone": "010-1234-0001", "persons": { "adult": 1 } });
    let entry = waits(&field, small, body).await;
    let since = Timestamp::now();
    api.done(&Call::step(&holder, "release")).await;
    let entry = api.done(&entry).await.json();
    about(lasts(&entry["offer"]["until"], since), minutes(4));

    // Staff see the rules and who said so.
    let known = Call::get(format!("/v1/admin/branches/{}", house.cinema)).by_staff();
    let known = api.done(&known).await.json();
    assert_eq!(known["state"]["payment"]["pay_hours_far"], 3, "{known}");
    assert_eq!(known["state"]["payment"]["late_offer_hours"], 12, "{known}");
    let told = Call::get(format!("/v1/audit/branch/{}", house.cinema)).by_staff();
    let told = api.done(&told).await.json();
    let last = told.as_array().and_then(|told| told.last()).expect("an event");
    let sentence = last["sentence"].as_str().expect("a sentence");
    assert!(
        sentence.contains("7 minutes") && sentence.contains("3 hours"),
        "{sentence}"
    );

    let wild = json!({ "pay_minutes_near": 0, "pay_hours_far": 169, "late_offer_hours": 0 });
    let fields = ["/pay_minutes_near", "/pay_hours_far", "/late_offer_hours"];
    names(
        &field,
        &regulate(house.cinema, wild),
        "branch/inconsistent-payment",
        &fields,
    )
    .await;
    api.ask(&regulate(Uuid::now_v7(), json!({})))
        .await
        .refused(404, "branch/not-found");
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_late_money_is_offered_a_slot_is_a_rule_of_the_branch() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let rules = json!({ "late_offer_hours": 1 });
    admin(api, "branches", house.shop, "regulate-payment", rules).await;
    let session = house.session(api, Sale::Long).await;
    house.session(api, Sale::Long).await;
    let hold = expired(&field, session, "홍길동", "K7MQ2Z").await;
    hold_room(&field, session).await;
    reached(&field).await;
    let since = Timestamp::now();
    let view = api.done(&step(&hold, "mark-paid", json!({}))).await.json();
    about(
        lasts(&view["placed"]["offer"]["until"], since),
        SignedDuration::from_hours(1),
    );
    field.close().await;
}
