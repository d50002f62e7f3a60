//! Waiting for what is taken (DOMAIN W1–W3): the place in line, offers that pass from one to the next, and why not yet.

mod edges;
mod said;

use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{customers::customer, field::Field};
use crate::support::{
    api::{Answer, Api, Call, Hold},
    house::Sale,
    waiting::eventually,
};

/// Somebody who waits.
struct Entry {
    number: String,
    token: String,
}

impl Entry {
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 201, "{answer}");
        let joined = answer.json();
        assert_eq!(joined["outcome"], "waiting", "{answer}");
        let text = |name: &str| joined["entry"][name].as_str().expect("a text").to_owned();
        Self {
            number: text("number"),
            token: text("token"),
        }
    }

    fn look(&self) -> Call {
        Call::get(format!("/v1/waitlist-entries/{}", self.number)).with_token(&self.token)
    }

    fn step(&self, verb: &str) -> Call {
        let path = format!("/v1/waitlist-entries/{}/{verb}", self.number);
        Call::post(path, json!({})).with_token(&self.token)
    }

    /// The reservation it is offered.
    fn hold(&self, seats: &[&str]) -> Hold {
        Hold {
            number: self.number.clone(),
            token: self.token.clone(),
            seats: seats.iter().map(ToString::to_string).collect(),
            expires_at: Timestamp::now(),
        }
    }
}

fn path(slot: Uuid) -> String {
    format!("/v1/time-slots/{slot}/waitlist")
}

/// Asks to wait for a room, as the person with these last digits.
fn for_room(slot: Uuid, person: u16) -> Call {
    let phone = format!("010-1234-{person:04}");
    Call::post(
        path(slot),
        json!({ "name": "김하늘", "phone": phone, "party_size": 2 }),
    )
}

/// Asks to wait for so many seats together.
fn for_seats(slot: Uuid, person: u16, adults: u8) -> Call {
    let phone = format!("010-1234-{person:04}");
    Call::post(
        path(slot),
        json!({ "name": "김하늘", "phone": phone, "persons": { "adult": adults } }),
    )
}

impl Field {
    async fn waits(&self, call: &Call) -> Entry {
        Entry::of(&self.api.ask(call).await)
    }

    async fn seen(&self, entry: &Entry) -> Value {
        self.api.done(&entry.look()).await.json()
    }

    /// Every seat of a row held by somebody of its own.
    async fn fill(&self, slot: Uuid, seats: &[&str]) -> Vec<Hold> {
        let mut holds = Vec::new();
        for seat in seats {
            holds.push(self.api.done(&Call::hold(slot, &[seat])).await.hold());
        }
        holds
    }
}

fn because(entry: &Value) -> Vec<&str> {
    let freed = entry["why_not_yet"].as_array().expect("a list");
    freed
        .iter()
        .map(|freed| freed["because"].as_str().expect("a reason"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_is_freed_passes_down_the_line_and_past_everybody_else() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    let holder = field.api.done(&Call::hold_room(slot, 2)).await.hold();

    // Whoever asks for what is taken is told where to wait.
    let refused = field.api.ask(&Call::hold_room(slot, 2)).await;
    refused.refused(409, "seat/taken");
    assert_eq!(refused.json()["waitlist"], json!(path(slot)));
    let (first, second) = (
        field.waits(&for_room(slot, 1)).await,
        field.waits(&for_room(slot, 2)).await,
    );
    assert_eq!(field.seen(&first).await["position"], 1);
    assert_eq!(field.seen(&second).await["position"], 2);

    // The first in line has it in the same append; a passer-by does not.
    field.api.done(&Call::step(&holder, "release")).await;
    let offered = field.seen(&first).await;
    assert_eq!(offered["state"], "offered", "{offered}");
    assert_eq!(offered["offer"]["seats"], json!(["room"]));
    assert_eq!(offered["offer"]["reservation"], json!(first.number));
    field
        .api
        .ask(&Call::hold_room(slot, 2))
        .await
        .refused(409, "seat/taken");
    let waiting = field.seen(&second).await;
    assert_eq!(
        (&waiting["state"], &waiting["position"]),
        (&json!("waiting"), &json!(1))
    );
    assert_eq!(because(&waiting), ["somebody_before"]);

    // Declined: the next in line has it.
    let declined = field.api.done(&first.step("decline")).await.json();
    assert_eq!(declined["state"], "declined");
    let offered = field.seen(&second).await;
    assert_eq!(offered["state"], "offered");
    assert_eq!(offered["why_not_yet"][0]["outcome"], "declined");
    let sentence = offered["why_not_yet"][0]["sentence"]
        .as_str()
        .expect("a sentence");
    assert!(
        sentence.contains("offered to one before you; declined at"),
        "{sentence}"
    );

    // Accepted and placed as any hold, but never extended.
    let accepted = field.api.done(&second.step("accept")).await.hold();
    assert_eq!(
        (&accepted.number, &accepted.token),
        (&second.number, &second.token)
    );
    field
        .api
        .ask(&Call::step(&accepted, "extend"))
        .await
        .refused(409, "reservation/at-its-longest");
    field.api.done(&Call::place(&accepted, None)).await;
    assert_eq!(field.seen(&second).await["state"], "accepted");
    field.assert_sound().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_three_together_is_told_why_a_single_seat_was_not_for_them() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 4, Sale::Long).await;
    let holds = field.fill(slot, &["A1", "A2", "A3", "A4"]).await;
    let three = field.waits(&for_seats(slot, 1, 3)).await;
    let one = field.waits(&for_seats(slot, 2, 1)).await;

    // A single seat fits the second in line only.
    field.api.done(&Call::step(&holds[0], "release")).await;
    assert_eq!(field.seen(&one).await["offer"]["seats"], json!(["A1"]));
    assert_eq!(because(&field.seen(&three).await), ["too_few_offered"]);
    // It is placed directly; then nobody waits for one seat, and a passer-by may have the next.
    field.api.done(&Call::place(&one.hold(&["A1"]), None)).await;
    assert_eq!(field.seen(&one).await["state"], "accepted");
    field.api.done(&Call::step(&holds[1], "release")).await;
    let passer_by = field.api.done(&Call::hold(slot, &["A2"])).await.hold();
    let waiting = field.seen(&three).await;
    assert_eq!(because(&waiting), ["too_few_offered", "too_few"]);
    let sentence = waiting["why_not_yet"][1]["sentence"]
        .as_str()
        .expect("a sentence");
    assert!(sentence.starts_with("a single seat was freed at "), "{sentence}");
    assert!(sentence.ends_with("you wait for 3 together"), "{sentence}");

    // With the last of them freed, there are three together.
    for hold in [&passer_by, &holds[2], &holds[3]] {
        assert_eq!(field.seen(&three).await["state"], "waiting");
        field.api.done(&Call::step(hold, "release")).await;
    }
    let offered = field.seen(&three).await;
    assert_eq!(offered["offer"]["seats"], json!(["A2", "A3", "A4"]));
    field.assert_sound().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_are_served_by_one_freeing_in_their_order() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let seats = ["A1", "A2", "A3", "A4", "A5"];
    let all = field.api.done(&Call::hold(slot, &seats)).await.hold();
    let mut line = Vec::new();
    for (person, adults) in [(1, 2), (2, 2), (3, 2), (4, 1)] {
        line.push(field.waits(&for_seats(slot, person, adults)).await);
    }
    field.api.done(&Call::step(&all, "release")).await;
    let mut states = Vec::new();
    for entry in &line {
        states.push(field.seen(entry).await["state"].clone());
    }
    assert_eq!(states, ["offered", "offered", "waiting", "offered"]);
    // One who leaves with an offer gives it back; two singles that stand together are for the pair.
    let first = &field.seen(&line[0]).await["offer"]["seats"];
    assert_eq!(first.as_array().map(Vec::len), Some(2));
    field.api.done(&line[0].step("leave")).await;
    let moved_on = field.seen(&line[2]).await;
    assert_eq!(moved_on["offer"]["seats"], *first, "{moved_on}");
    field.assert_sound().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_to_wait_while_places_are_free_has_them_at_once() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.fill(slot, &["A1"]).await;
    let call = for_seats(slot, 1, 3).keyed();
    let held = field.api.ask(&call).await;
    assert_eq!(held.status, 201, "{held}");
    let answer = held.json();
    assert_eq!(answer["outcome"], "held");
    assert_eq!(answer["reservation"]["seats"], json!(["A2", "A3", "A4"]));
    assert_eq!(
        field.api.ask(&call).await.json(),
        answer,
        "a repeat is answered the same"
    );
    let number = answer["reservation"]["number"].as_str().expect("a number");
    let token = answer["reservation"]["token"].as_str().expect("a token");
    let show = Call::get(format!("/v1/reservations/{number}")).with_token(token);
    assert_eq!(field.api.done(&show).await.json()["state"], "held");
    // Three more there are not.
    let waits = for_seats(slot, 1, 3).keyed();
    let entry = field.waits(&waits).await;
    assert_eq!(Entry::of(&field.api.ask(&waits).await).number, entry.number);
    let session = field.house.session(&field.api, Sale::Long).await;
    assert_eq!(
        field.api.done(&for_room(session, 1)).await.json()["outcome"],
        "held"
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waitlist_refuses_what_it_must() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    let holder = field.api.done(&Call::hold_room(slot, 2)).await.hold();
    let entry = field.waits(&for_room(slot, 1)).await;
    let ask = async |call: Call| field.api.ask(&call).await;

    ask(for_room(slot, 1))
        .await
        .refused(409, "waitlist/already-waiting");
    ask(entry.step("accept"))
        .await
        .refused(409, "waitlist/not-offered");
    ask(entry.step("decline"))
        .await
        .refused(409, "waitlist/not-offered");
    ask(entry.look().with_token("wrong"))
        .await
        .refused(404, "waitlist/not-found");
    ask(Call::get("/v1/waitlist-entries/7").with_token("wrong"))
        .await
        .refused(404, "waitlist/not-found");
    let who = json!({ "name": "김하늘", "phone": "010-1234-0002" });
    let with = |field: &str, value: Value| {
        let mut body = who.clone();
        body[field] = value;
        Call::post(path(slot), body)
    };
    ask(Call::post(path(slot), who.clone()))
        .await
        .refused(422, "request/invalid-fields");
    let both =
        json!({ "name": "김하늘", "phone": "010-1234-0002", "party_size": 2, "persons": { "adult": 2 } });
    ask(Call::post(path(slot), both))
        .await
        .refused(422, "request/invalid-fields");
    ask(with("party_size", json!(5)))
        .await
        .refused(422, "choice/party-size");
    ask(with("persons", json!({ "adult": 2 })))
        .await
        .refused(422, "choice/wrong-kind");
    let screening = field.house.screening(&field.api, 1, 3, Sale::Long).await;
    ask(for_room(screening, 2))
        .await
        .refused(422, "choice/wrong-kind");
    ask(for_seats(screening, 2, 9))
        .await
        .refused(422, "choice/too-many-seats");
    ask(for_seats(screening, 2, 0))
        .await
        .refused(422, "choice/nothing-chosen");
    // More than the row has is never freed.
    ask(for_seats(screening, 2, 4))
        .await
        .refused(409, "choice/nothing-adjacent");
    ask(for_room(Uuid::now_v7(), 2))
        .await
        .refused(404, "time-slot/not-found");

    field.api.done(&entry.step("leave")).await;
    field.api.done(&entry.step("leave")).await;
    ask(entry.step("accept")).await.refused(410, "waitlist/over");
    // Whoever left may come again.
    field.waits(&for_room(slot, 1)).await;
    field.api.done(&Call::step(&holder, "release")).await;
    field.assert_sound().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_ends_with_the_sale_and_offers_with_their_time() {
    let field = Field::open().await;
    let until = Timestamp::now() + 4.seconds();
    let slot = field.house.session(&field.api, Sale::Until(until)).await;
    let holder = field.api.done(&Call::hold_room(slot, 2)).await.hold();
    let (first, second) = (
        field.waits(&for_room(slot, 1)).await,
        field.waits(&for_room(slot, 2)).await,
    );
    field.api.done(&Call::step(&holder, "release")).await;
    let offered = field.seen(&first).await;
    let runs_out: Timestamp = offered["offer"]["until"]
        .as_str()
        .expect("a moment")
        .parse()
        .unwrap();
    assert!(runs_out <= until, "no offer outlives the sale: {offered}");
    eventually("the offer lapses and the waiting ends", || async {
        let states = (field.seen(&first).await, field.seen(&second).await);
        let over = states.0["state"] == "lapsed" && states.1["state"] == "ended";
        over.then_some(())
    })
    .await;
    assert_eq!(field.seen(&second).await["ended"], "sales_closed");
    field
        .api
        .ask(&first.step("accept"))
        .await
        .refused(410, "waitlist/over");
    field
        .api
        .ask(&for_room(slot, 3))
        .await
        .refused(410, "time-slot/sales-closed");
    field.assert_sound().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_free_close_reopen_and_withdraw_with_those_who_wait_in_mind() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening(api, 1, 2, Sale::Long).await;
    let staff = async |what: &str| {
        api.done(&Call::admin(format!("/v1/time-slots/{slot}/{what}"), json!({})))
            .await
    };
    staff("seats/A1/block").await;
    let hold = api.done(&Call::hold(slot, &["A2"])).await.hold();
    let (first, second) = (
        field.waits(&for_seats(slot, 1, 1)).await,
        field.waits(&for_seats(slot, 2, 1)).await,
    );
    // A seat put back on sale is for who waits.
    staff("seats/A1/unblock").await;
    assert_eq!(field.seen(&first).await["offer"]["seats"], json!(["A1"]));
    // While the slot is closed nothing is offered; once it is open again, what was freed is.
    staff("close").await;
    api.done(&Call::step(&hold, "release")).await;
    assert_eq!(
        because(&field.seen(&second).await),
        ["somebody_before", "not_for_sale"]
    );
    api.ask(&for_seats(slot, 3, 1))
        .await
        .refused(409, "time-slot/closed");
    staff("reopen").await;
    assert_eq!(field.seen(&second).await["offer"]["seats"], json!(["A2"]));

    // A slot that is taken off the programme is nothing to wait for.
    let other = house.screening(api, 1, 2, Sale::Long).await;
    let seat = format!("/v1/time-slots/{other}/seats");
    for label in ["A1", "A2"] {
        api.done(&Call::admin(format!("{seat}/{label}/block"), json!({})))
            .await;
    }
    let waiting = field.waits(&for_seats(other, 1, 2)).await;
    api.done(&Call::admin(
        format!("/v1/time-slots/{other}/withdraw"),
        json!({}),
    ))
    .await;
    let ended = field.seen(&waiting).await;
    assert_eq!(
        (&ended["state"], &ended["ended"]),
        (&json!("ended"), &json!("withdrawn"))
    );
    field.assert_sound().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_see_the_line_and_take_somebody_off_with_a_reason() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    field.api.done(&Call::hold_room(slot, 2)).await;
    let mut line = Vec::new();
    for person in 1..=3 {
        line.push(field.waits(&for_room(slot, person)).await);
    }
    let removed = Call::admin(
        format!("/v1/waitlist-entries/{}/leave", line[0].number),
        json!({ "reason": "called and does not want it any more" }),
    );
    let answer = field.api.done(&removed).await;
    assert_eq!(answer.json()["state"], "left");
    let position = answer.position.expect("a position");
    let list = async |query: &str| {
        let path = format!("/v1/waitlist-entries?min_position={position}&{query}");
        field.api.done(&Call::get(path).by_staff()).await.json()
    };
    let page = list(&format!("time_slot={slot}&state=waiting&limit=1")).await;
    assert_eq!(page["items"][0]["number"], json!(line[1].number));
    assert_eq!(page["items"][0]["position"], 1);
    let next = page["next"].as_str().expect("a next page");
    let page = list(&format!("time_slot={slot}&state=waiting&limit=1&cursor={next}")).await;
    assert_eq!(page["items"][0]["number"], json!(line[2].number));
    assert_eq!(page["items"][0]["position"], 2);
    let here = list(&format!("branch={}", field.house.shop)).await;
    assert_eq!(here["items"].as_array().map(Vec::len), Some(3));
    let elsewhere = list(&format!("branch={}", field.house.cinema)).await;
    assert_eq!(elsewhere["items"], json!([]));
    field
        .api
        .ask(&Call::get("/v1/waitlist-entries?state=happy").by_staff())
        .await
        .refused(400, "request/malformed-query");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_wait_by_their_account_and_leave_no_trace_of_themselves() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    field.api.done(&Call::hold_room(slot, 2)).await;
    let port = field.api.address().rsplit(':').next().unwrap().parse().unwrap();
    let door = Api::new(port, Arc::default());
    let token = customer(&door, "waits@example.com", "waits").await;
    let entry = field.waits(&for_room(slot, 1).with_token(&token)).await;
    let own = entry.look().with_token(&token);
    let seen = field.api.done(&own).await.json();
    assert_eq!(
        (&seen["name"], &seen["phone"]),
        (&json!("김하늘"), &json!("010-1234-0001"))
    );
    field
        .api
        .ask(&for_room(slot, 2).with_token(&token))
        .await
        .refused(409, "waitlist/already-waiting");
    let other = customer(&door, "other@example.com", "other").await;
    let others = entry.look().with_token(&other);
    field.api.ask(&others).await.refused(404, "waitlist/not-found");
    let behind = field.waits(&for_room(slot, 3)).await;

    let password = json!({ "password": crate::support::staff::PASSWORD });
    door.done(&Call::post("/v1/customer/leave", password).with_token(&token))
        .await;
    let seen = field.api.done(&entry.look().by_staff()).await.json();
    assert_eq!(seen["state"], "left");
    assert_eq!((&seen["name"], &seen["phone"]), (&Value::Null, &Value::Null));
    let behind = field.seen(&behind).await;
    assert_eq!(behind["position"], 1);
    assert_eq!(behind["phone"], "010-1234-0003", "nobody else is forgotten");
    field.assert_sound().await;
    field.close().await;
}
