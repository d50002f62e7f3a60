//! What whoever waits is told: in their language, by the clock of the branch.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde_json::{Value, json};

use super::{Entry, for_room, for_seats};
use crate::{
    http::field::Field,
    support::{
        api::Call,
        house::{Sale, admin},
    },
};

/// A moment as the branch's clock shows it, for readers of English and of Korean.
fn on_the_wall(at: &Value) -> (String, String) {
    let at: Timestamp = at.as_str().expect("a moment").parse().expect("a moment");
    let at = at.to_zoned(TimeZone::get("Asia/Seoul").expect("a zone"));
    let korean = format!(
        "{}년 {}월 {}일 {:02}:{:02}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute()
    );
    (at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(), korean)
}

async fn seen_in(field: &Field, entry: &Entry, language: &'static str) -> Value {
    field.api.done(&entry.look().in_language(language)).await.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_place_in_line_and_why_not_yet_are_said_in_both_languages() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 3, Sale::Long).await;
    let holds = field.fill(slot, &["A1", "A2", "A3"]).await;
    let pair = field.waits(&for_seats(slot, 1, 2)).await;
    let one = field.waits(&for_seats(slot, 2, 1)).await;
    field.api.done(&Call::step(&holds[0], "release")).await;
    field.api.done(&one.step("decline")).await;
    let (english, korean) = (
        seen_in(&field, &pair, "en").await,
        seen_in(&field, &pair, "ko").await,
    );
    assert_eq!(
        (&english["position"], &korean["position"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(english["position_text"], "number 1 in line");
    assert_eq!(korean["position_text"], "1번째 예약대기");
    let freed = &english["why_not_yet"][0];
    let (at, settled_at) = (on_the_wall(&freed["at"]), on_the_wall(&freed["settled_at"]));
    assert_eq!(
        freed["sentence"],
        format!(
            "a single seat was freed at {}: offered to one who waits for fewer, you wait for 2 together; declined at {}",
            at.0, settled_at.0
        )
    );
    assert_eq!(
        korean["why_not_yet"][0]["sentence"],
        format!(
            "{}에 한 자리가 비었습니다: 더 적은 자리를 기다리는 사람에게 제안되었습니다(나란히 2석을 기다리고 계십니다); {}에 사양되었습니다",
            at.1, settled_at.1
        )
    );
    // What was given back is free again and fits nobody.
    let last = korean["why_not_yet"].as_array().and_then(|freed| freed.last());
    let last = last.expect("two").clone();
    assert_eq!(last["because"], "too_few");
    assert_eq!(
        last["sentence"],
        format!(
            "{}에 한 자리가 비었습니다: 나란히 2석을 기다리고 계십니다",
            on_the_wall(&last["at"]).1
        )
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_and_a_closed_sale_are_said_in_korean_too() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    let holder = field.api.done(&Call::hold_room(slot, 2)).await.hold();
    let (first, second) = (
        field.waits(&for_room(slot, 1)).await,
        field.waits(&for_room(slot, 2)).await,
    );
    field.api.done(&Call::step(&holder, "release")).await;
    field.api.done(&first.step("accept")).await;
    admin(&field.api, "time-slots", slot, "close", json!({})).await;
    let room = Call::post(format!("/v1/reservations/{}/release", first.number), json!({}));
    field.api.done(&room.with_token(&first.token)).await;
    let seen = seen_in(&field, &second, "ko-KR,ko;q=0.9").await;
    let told: Vec<&str> = seen["why_not_yet"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|freed| freed["sentence"].as_str())
        .collect();
    assert!(
        told[0].contains("에 방이 비었습니다: 앞서 기다리던 사람에게 제안되었습니다; "),
        "{told:?}"
    );
    assert!(told[0].ends_with("에 수락되었습니다"), "{told:?}");
    assert!(
        told[1].ends_with("에 방이 비었습니다: 그때는 판매하지 않았습니다"),
        "{told:?}"
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moments_in_refusals_are_those_of_the_branch() {
    let field = Field::open().await;
    let opens_at = Timestamp::now() + 1.hour();
    let rules = json!({ "sales_open_at": opens_at });
    let layout = crate::support::house::layout(1, 3);
    let slot = field
        .house
        .screening_in(&field.api, layout, Sale::Long, rules)
        .await;
    let (english, korean) = on_the_wall(&json!(opens_at));
    let refused = async |language| {
        let answer = field
            .api
            .ask(&Call::hold(slot, &["A1"]).in_language(language))
            .await;
        answer.refused(409, "time-slot/not-yet-on-sale");
        answer.json()["detail"].as_str().expect("a sentence").to_owned()
    };
    assert_eq!(refused("en").await, format!("sales open at {english}"));
    assert_eq!(refused("ko").await, format!("예약은 {korean}에 열립니다"));
    field.close().await;
}
