//! Whoever waited is told of the place they are offered, once, while the offer runs, in the language they read.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    carriers::{Answering, SmsProvider},
    house::{Telling, notices},
};
use crate::support::{
    api::{Call, Hold},
    house::Sale,
};

/// Waits for the room; number and token of the entry.
async fn waits(house: &Telling, call: &Call) -> (String, String) {
    let joined = house.api.done(call).await.json();
    let text = |name: &str| joined["entry"][name].as_str().expect("a text").to_owned();
    (text("number"), text("token"))
}

fn join(slot: Uuid, phone: &str) -> Call {
    let body = json!({ "name": "김하늘", "phone": phone, "party_size": 2 });
    Call::post(format!("/v1/time-slots/{slot}/waitlist"), body)
}

fn step((number, token): &(String, String), verb: &str) -> Call {
    Call::post(format!("/v1/waitlist-entries/{number}/{verb}"), json!({})).with_token(token)
}

async fn full(house: &Telling) -> (Uuid, Hold) {
    let slot = house.house.session(&house.api, Sale::Long).await;
    let held = house.api.done(&Call::hold_room(slot, 2)).await.hold();
    (slot, held)
}

/// The deadline of the offer on the wall of the branch.
async fn deadline(house: &Telling, (number, token): &(String, String)) -> jiff::Zoned {
    let look = Call::get(format!("/v1/waitlist-entries/{number}")).with_token(token);
    let seen = house.api.done(&look).await.json();
    let until: Timestamp = seen["offer"]["until"]
        .as_str()
        .unwrap_or_else(|| panic!("no offer: {seen}"))
        .parse()
        .expect("a moment");
    until.to_zoned(TimeZone::get("Asia/Seoul").expect("a zone"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_offered_a_place_is_told_once_until_when() {
    let provider = SmsProvider::start().await;
    let house = Telling::open(notices().sms(&provider), 2).await;
    let (slot, held) = full(&house).await;
    let first = waits(&house, &join(slot, "010-7777-0001")).await;
    let second = waits(&house, &join(slot, "010-7777-0002").in_language("en-GB,en;q=0.9")).await;
    house.api.done(&Call::step(&held, "release")).await;
    house.settled(1, "sent").await;
    let until = deadline(&house, &first).await;
    let told = provider.messages();
    assert_eq!(told.len(), 1, "{told:?}");
    let (to, text) = &told[0];
    assert_eq!(to, "010-7777-0001");
    let by = format!(
        "{}년 {}월 {}일 {:02}:{:02}까지",
        until.year(),
        until.month(),
        until.day(),
        until.hour(),
        until.minute()
    );
    for part in ["[강남점] ", "달빛 서고", "방 전체", &first.0, &by] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(!text.contains("김하늘"), "{text}");
    // The next in line is told when it is their turn, in the language they asked in.
    house.api.done(&step(&first, "decline")).await;
    house.settled(2, "sent").await;
    let until = deadline(&house, &second).await;
    let told = provider.messages();
    let (_, text) = told
        .iter()
        .find(|(to, _)| to == "010-7777-0002")
        .unwrap_or_else(|| panic!("not told: {told:?}"));
    let by = until.strftime("by %-d %B %Y, %H:%M").to_string();
    for part in ["the whole room", &second.0, &by] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let listed = house.listed("?state=sent").await;
    assert!(
        listed
            .iter()
            .all(|delivery| delivery["notice"] == "place-offered"),
        "{listed:?}"
    );
    assert_eq!(provider.attempts().len(), 2, "each once, though two servers run");
    // What they then place is told as any reservation, and the offer is nothing the reservation remembers.
    house.notified(0).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_runs_no_more_is_not_told() {
    let provider = SmsProvider::start().await;
    provider.always(Answering::Status(503));
    let house = Telling::open(notices().sms(&provider), 1).await;
    let (slot, held) = full(&house).await;
    let first = waits(&house, &join(slot, "010-7777-0001")).await;
    house.api.done(&Call::step(&held, "release")).await;
    house.waiting_for_another_attempt().await;
    house.api.done(&step(&first, "accept")).await;
    provider.always(Answering::Take);
    house
        .sql("update vault.deliveries set next_at = now() where state = 'due'")
        .await;
    // By short message and by mail.
    house.settled(2, "dropped").await;
    let dropped = house.listed("?state=dropped").await;
    let problems: Vec<&Value> = dropped
        .iter()
        .filter(|delivery| delivery["channel"] == "sms")
        .map(|delivery| &delivery["problem"])
        .collect();
    assert_eq!(problems, ["it is not so any more"]);
    assert!(provider.messages().is_empty());
    let rows = house.rows().await;
    assert!(!rows.contains("7777"), "{rows}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_are_told_in_the_language_they_placed_in() {
    let provider = SmsProvider::start().await;
    let house = Telling::open(notices().sms(&provider), 1).await;
    let slot = house.house.screening(&house.api, 1, 8, Sale::Long).await;
    let languages = ["en-US,en;q=0.9,ko;q=0.8", "ko", "fr", "*"];
    for (seat, language) in ["A1", "A3", "A5", "A7"].into_iter().zip(languages) {
        let held = house.api.done(&Call::hold(slot, &[seat])).await.hold();
        let place = Call::place(&held, None).in_language(language);
        house.api.done(&place).await;
    }
    house.settled(4, "sent").await;
    let told: Vec<String> = provider.messages().into_iter().map(|(_, text)| text).collect();
    let english = told
        .iter()
        .filter(|text| text.contains("You have a reservation"))
        .count();
    let korean = told
        .iter()
        .filter(|text| text.contains("예약이 완료되었습니다"))
        .count();
    // Whoever named neither reads that of the server, which is Korean here.
    assert_eq!((english, korean), (1, 3), "{told:?}");
    house.close().await;
}
