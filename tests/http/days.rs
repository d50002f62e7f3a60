//! The seven days that can be chosen from, and the day a slot after midnight belongs to (DOMAIN C5).

use aggregates::{
    business_day::{moment, on_the_wall},
    values::WallTime,
};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::Call,
    house::{Sale, admin, layout},
};

fn seoul() -> TimeZone {
    TimeZone::get("Asia/Seoul").expect("a bundled zone")
}

/// A screening that begins so late on this business day.
async fn screening(field: &Field, day: Date, time: &str) -> Uuid {
    let time: WallTime = time.parse().expect("a time");
    let starts_at = moment(&seoul(), day, time).expect("a moment");
    let plan = json!({ "starts_at": starts_at, "ends_at": starts_at + 1.hour(),
        "sales_open_at": Timestamp::now() - 1.hour(), "sales_close_at": starts_at });
    let (api, house) = (&field.api, &field.house);
    house.screening_in(api, layout(1, 5), Sale::Long, plan).await
}

async fn ids(field: &Field, query: &str) -> Vec<String> {
    let path = format!("/v1/time-slots?{query}&min_position={}", field.position());
    let page = field.api.done(&Call::get(path)).await.json();
    let items = page["items"].as_array().expect("a page");
    items
        .iter()
        .map(|slot| slot["id"].as_str().expect("an id").to_owned())
        .collect()
}

async fn days(field: &Field, branch: Uuid, query: &str) -> Vec<Value> {
    let path = format!(
        "/v1/branches/{branch}/days?{query}&min_position={}",
        field.position()
    );
    let answer = field.api.done(&Call::get(path)).await.json();
    answer["items"].as_array().expect("days").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_after_midnight_is_listed_on_the_evening_before() {
    let field = Field::open().await;
    let today = on_the_wall(&seoul(), Timestamp::now()).0;
    let (evening, next) = (today + 1.day(), today + 2.days());
    let late = screening(&field, evening, "25:10").await;
    let early = screening(&field, next, "05:00").await;
    let cinema = field.house.cinema;
    assert_eq!(
        ids(&field, &format!("branch={cinema}&date={evening}")).await,
        [late.to_string()]
    );
    assert_eq!(
        ids(&field, &format!("branch={cinema}&date={next}")).await,
        [early.to_string()]
    );
    let slot = field.settled(late).await;
    assert_eq!(
        (&slot["date"], &slot["starts"]),
        (&json!(evening.to_string()), &json!("25:10"))
    );
    let of_next = slot["starts_at"].as_str().expect("a moment");
    let on_the_calendar = of_next.parse::<Timestamp>().expect("a moment").to_zoned(seoul());
    assert_eq!(on_the_calendar.date(), next, "by the calendar it is the next day");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seven_days_from_today_at_the_branch_say_what_is_on_and_what_is_left() {
    let field = Field::open().await;
    let (api, cinema, movie) = (&field.api, field.house.cinema, field.house.movie);
    let today = on_the_wall(&seoul(), Timestamp::now()).0;
    let late = screening(&field, today + 1.day(), "25:10").await;
    let closed = screening(&field, today + 1.day(), "19:00").await;
    screening(&field, today + 6.days(), "28:59").await;
    screening(&field, today + 7.days(), "05:00").await;
    admin(api, "time-slots", closed, "close", json!({})).await;
    let dates: Vec<String> = (0..7).map(|day| (today + day.days()).to_string()).collect();
    let shown = days(&field, cinema, "").await;
    let told =
        |name: &str, days: &[Value]| -> Vec<Value> { days.iter().map(|day| day[name].clone()).collect() };
    assert_eq!(
        told("date", &shown),
        dates.iter().map(|date| json!(date)).collect::<Vec<_>>()
    );
    assert_eq!(
        told("slots", &shown),
        [0, 2, 0, 0, 0, 0, 1].map(|count| json!(count))
    );
    assert_eq!(
        told("bookable", &shown),
        [0, 1, 0, 0, 0, 0, 1].map(|count| json!(count))
    );
    // By the steps before, as the list.
    assert_eq!(days(&field, cinema, &format!("movie={movie}")).await, shown);
    let hall = field.settled(late).await["auditorium"]
        .as_str()
        .expect("an id")
        .to_owned();
    let of_hall = days(&field, cinema, &format!("auditorium={hall}")).await;
    assert_eq!(
        told("slots", &of_hall),
        [0, 1, 0, 0, 0, 0, 0].map(|count| json!(count))
    );
    let session = field.house.session(api, Sale::Long).await;
    let (date, _) = field.day(session).await;
    let of_theme = days(&field, field.house.shop, &format!("theme={}", field.house.theme)).await;
    let there = of_theme
        .iter()
        .find(|day| day["date"] == json!(date))
        .expect("within seven days");
    assert_eq!((&there["slots"], &there["bookable"]), (&json!(1), &json!(1)));
    // What nothing is on at is still a day; what is not there is none.
    let nobody = Uuid::now_v7();
    for (path, slug) in [
        (format!("/v1/branches/{nobody}/days"), "branch/not-found"),
        (
            format!("/v1/branches/{cinema}/days?movie={nobody}"),
            "movie/not-found",
        ),
        (
            format!("/v1/branches/{cinema}/days?theme={nobody}"),
            "theme/not-found",
        ),
        (
            format!("/v1/branches/{cinema}/days?theme={}", field.house.theme),
            "theme/not-found",
        ),
    ] {
        api.ask(&Call::get(path)).await.refused(404, slug);
    }
    let asked = format!("/v1/branches/{cinema}/days?date={today}");
    api.ask(&Call::get(asked))
        .await
        .refused(400, "request/malformed-query");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_date_the_slots_of_today_at_the_branch_are_listed() {
    let field = Field::open().await;
    let cinema = field.house.cinema;
    // It ends before the business day does, or runs over its end: today is what the wall says, not the calendar.
    let soon = Timestamp::now() + 1.minute();
    let day = on_the_wall(&seoul(), soon).0;
    let plan = json!({ "starts_at": soon, "ends_at": soon + 1.hour(), "sales_open_at": soon - 1.hour(),
        "sales_close_at": soon });
    let slot = field
        .house
        .screening_in(&field.api, layout(1, 5), Sale::Long, plan)
        .await;
    let tomorrow = screening(&field, day + 1.day(), "12:00").await;
    let listed = ids(&field, &format!("branch={cinema}")).await;
    let today = days(&field, cinema, "").await[0]["date"].clone();
    if today == json!(day.to_string()) {
        assert_eq!(listed, [slot.to_string()]);
    }
    let today = today.as_str().expect("a date");
    assert_eq!(
        listed,
        ids(&field, &format!("branch={cinema}&date={today}")).await
    );
    assert!(!listed.contains(&tomorrow.to_string()));
    field.close().await;
}
