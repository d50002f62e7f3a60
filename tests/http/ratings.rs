//! The ages of rated movies over HTTP: refused when a seat is held as far as that is known, and once more when it is placed.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{customers::signed_up, field::Field};
use crate::support::{
    api::{Answer, Api, Call, Hold},
    house::{Sale, admin},
    staff::Colleague,
};

/// A screening of the house's movie, which has this rating now.
async fn screening(field: &Field, rating: &str) -> Uuid {
    let rated = json!({ "rating": rating });
    admin(&field.api, "movies", field.house.movie, "rate", rated).await;
    field.house.screening(&field.api, 1, 8, Sale::Long).await
}

/// The day of a screening on the wall of its branch.
async fn day(field: &Field, slot: Uuid) -> Date {
    let slot = field.settled(slot).await;
    let starts_at: Timestamp = slot["starts_at"].as_str().unwrap().parse().unwrap();
    TimeZone::get("Asia/Seoul").unwrap().to_datetime(starts_at).date()
}

/// A customer who was born on this day.
async fn customer(api: &Api, name: &str, birth_date: Option<Date>) -> String {
    let birth_date = birth_date.map_or(Value::Null, |date| json!(date));
    signed_up(api, &format!("{name}@example.com"), name, birth_date).await
}

fn holding(slot: Uuid, seat: &str, said: &Value) -> Call {
    let mut body = json!({ "time_slot": slot, "seats": [seat], "persons": { "adult": 1 } });
    body.as_object_mut()
        .unwrap()
        .extend(said.as_object().unwrap().clone());
    Call::post("/v1/reservations", body)
}

fn placing(hold: &Hold, said: &Value) -> Call {
    let mut body = json!({ "name": "김하늘", "phone": "010-1234-5678", "payment": "on_site",
        "agreements": { "privacy": true, "house_rules": true } });
    body.as_object_mut()
        .unwrap()
        .extend(said.as_object().unwrap().clone());
    Call::post(format!("/v1/reservations/{}/place", hold.number), body).with_token(&hold.token)
}

fn refused_at(answer: &Answer, slug: &str, pointer: &str) {
    answer.refused(422, slug);
    assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{answer}");
}

/// The day on which somebody is just so old, and the day after.
fn born(day: Date, years: i16) -> (Date, Date) {
    let then = Date::new(day.year() - years, day.month(), day.day());
    let then = then.unwrap_or_else(|_| jiff::civil::date(day.year() - years, 2, 28));
    (then, then.tomorrow().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_confirms_the_ages_of_a_movie_from_15_at_the_latest_when_placing() {
    let field = Field::open().await;
    let api = &field.api;
    let slot = screening(&field, "15").await;
    let held = api.done(&holding(slot, "A1", &json!({}))).await.hold();
    let silent = api.ask(&placing(&held, &json!({}))).await;
    refused_at(&silent, "rating/not-confirmed", "/age_confirmed");
    let placed = api.done(&placing(&held, &json!({ "age_confirmed": true }))).await;
    assert_eq!(placed.json()["state"], "placed");
    // Said with the hold, it need not be said again.
    let said = api
        .done(&holding(slot, "A3", &json!({ "age_confirmed": true })))
        .await;
    api.done(&placing(&said.hold(), &json!({}))).await;
    let story = api
        .done(&Call::get(format!("/v1/audit/reservation/{}", held.number)).by_staff())
        .await
        .json();
    let told = story.as_array().unwrap().last().unwrap()["sentence"].clone();
    assert!(
        told.as_str().unwrap().ends_with("on the guest's word about ages"),
        "{told}"
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_under_15_needs_a_guardian_on_the_day_of_the_show() {
    let field = Field::open().await;
    let api = &field.api;
    let slot = screening(&field, "15").await;
    let (old_enough, too_young) = born(day(&field, slot).await, 15);
    let old = customer(api, "old", Some(old_enough)).await;
    let young = customer(api, "young", Some(too_young)).await;
    let held = api
        .done(&holding(slot, "A1", &json!({})).with_token(&old))
        .await
        .hold();
    api.done(&placing(&held, &json!({}))).await;
    for said in [json!({}), json!({ "age_confirmed": true })] {
        let alone = api.ask(&holding(slot, "A3", &said).with_token(&young)).await;
        refused_at(&alone, "rating/guardian-needed", "/guardian_accompanies");
    }
    let guarded = json!({ "guardian_accompanies": true });
    let held = api
        .done(&holding(slot, "A3", &guarded).with_token(&young))
        .await
        .hold();
    api.done(&placing(&held, &json!({}))).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_movie_from_19_is_for_signed_in_customers_old_enough_and_nobody_types_their_age() {
    let field = Field::open().await;
    let api = &field.api;
    let slot = screening(&field, "19").await;
    let year = day(&field, slot).await.year();
    let old = customer(api, "old", Some(jiff::civil::date(year - 19, 12, 31))).await;
    let young = customer(api, "young", Some(jiff::civil::date(year - 18, 1, 1))).await;
    let unknown = customer(api, "unknown", None).await;
    let everything = json!({ "age_confirmed": true, "guardian_accompanies": true });
    for said in [json!({}), everything.clone()] {
        let hold = holding(slot, "A5", &said);
        api.ask(&hold).await.refused(403, "rating/sign-in-needed");
        api.ask(&hold.clone().with_token(&young))
            .await
            .refused(403, "rating/too-young");
        api.ask(&hold.with_token(&unknown))
            .await
            .refused(403, "rating/birth-date-missing");
    }
    // No field of a request is an age, a birth date, or the word of staff.
    for typed in [json!({ "age": 30 }), json!({ "birth_date": "1990-01-01" })] {
        api.ask(&holding(slot, "A5", &typed).with_token(&young))
            .await
            .refused(422, "request/invalid-fields");
    }
    api.ask(&holding(slot, "A5", &json!({ "id_checked": true })).with_token(&young))
        .await
        .refused(403, "rating/only-staff-check");
    // A birth date is said once.
    let complete = |token: &str, date: &str| {
        Call::post("/v1/customer/complete", json!({ "birth_date": date })).with_token(token)
    };
    let describe = json!({ "nickname": "young", "birth_date": "1990-01-01" });
    for change in [
        complete(&young, "1990-01-01"),
        Call::post("/v1/customer/describe", describe).with_token(&young),
    ] {
        api.ask(&change).await.refused(409, "customer/birth-date-known");
    }
    api.ask(&complete(&unknown, "1890-01-01"))
        .await
        .refused(422, "customer/impossible-birth-date");
    assert_eq!(
        api.done(&complete(&unknown, "1990-01-01")).await.json()["birth_date"],
        "1990-01-01"
    );
    for (token, seat) in [(&old, "A1"), (&unknown, "A3")] {
        let held = api
            .done(&holding(slot, seat, &json!({})).with_token(token))
            .await
            .hold();
        api.done(&placing(&held, &json!({}))).await;
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_movie_is_rated_when_it_is_placed_counts() {
    let field = Field::open().await;
    let api = &field.api;
    let slot = screening(&field, "ALL").await;
    let held = api.done(&holding(slot, "A1", &json!({}))).await.hold();
    let rated = json!({ "rating": "19" });
    admin(api, "movies", field.house.movie, "rate", rated).await;
    let everything = json!({ "age_confirmed": true, "guardian_accompanies": true });
    let refused = api.ask(&placing(&held, &everything)).await;
    refused.refused(403, "rating/sign-in-needed");
    // Nobody holds it for somebody else: what counts is whose it is, not whose session asks.
    let old = customer(api, "old", Some(jiff::civil::date(1990, 1, 1))).await;
    let foreign = placing(&held, &everything).with_token(&old);
    api.ask(&foreign).await.refused(404, "reservation/not-found");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_of_the_branch_say_that_they_have_looked_at_an_identity_card() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let slot = screening(&field, "19").await;
    let here = Colleague::enlist(api, "here", "STAFF", &[house.cinema]).await;
    let there = Colleague::enlist(api, "there", "STAFF", &[house.shop]).await;
    let auditor = Colleague::enlist(api, "auditor", "AUDITOR", &[]).await;
    let (here, there, auditor) = (
        here.sign_in(api).await,
        there.sign_in(api).await,
        auditor.sign_in(api).await,
    );
    let checked = json!({ "id_checked": true });
    let hold = holding(slot, "A1", &checked);
    api.ask(&hold).await.refused(403, "rating/only-staff-check");
    let elsewhere = hold.clone().with_token(&there);
    api.ask(&elsewhere).await.refused(403, "rights/elsewhere");
    let looking = hold.clone().with_token(&auditor);
    api.ask(&looking).await.refused(403, "rights/not-granted");
    // Without a card, staff book like anybody else.
    let unseen = holding(slot, "A1", &json!({})).with_token(&here);
    api.ask(&unseen).await.refused(403, "rating/sign-in-needed");
    let begun = api.done(&hold.with_token(&here)).await.hold();
    api.done(&placing(&begun, &json!({})).with_token(&here)).await;
    let story = api
        .done(&Call::get(format!("/v1/audit/reservation/{}", begun.number)).by_staff())
        .await
        .json();
    let last = story.as_array().unwrap().last().unwrap();
    let told = last["sentence"].as_str().unwrap();
    assert!(told.ends_with("admitted by identity card"), "{told}");
    assert!(last["who"].as_str().unwrap().starts_with("admin "), "{last}");
    // Said when placing, only staff are believed, too.
    admin(api, "movies", house.movie, "rate", json!({ "rating": "15" })).await;
    let begun = api.done(&holding(slot, "A3", &json!({}))).await.hold();
    api.ask(&placing(&begun, &checked))
        .await
        .refused(403, "rating/only-staff-check");
    api.done(&placing(&begun, &checked).with_token(&here)).await;
    field.close().await;
}
