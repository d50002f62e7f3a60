//! Customers sign up, book under their own name, see what is theirs and nothing else, and are forgotten when they leave.

use reqwest::Method;
use serde_json::{Value, json};

use super::field::Field;
use crate::support::{
    api::{Answer, Api, Call, Hold},
    house::Sale,
    staff::PASSWORD,
};

const SESSIONS: &str = "/v1/customer/sessions";

fn signing_up(email: &str, nickname: &str) -> Call {
    let body = json!({ "email": email, "password": PASSWORD, "nickname": nickname, "phone": "010-4444-5555",
        "birth_date": "2001-02-03" });
    Call::post("/v1/customers", body)
}

async fn sign_in(api: &Api, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    api.ask(&Call::post(SESSIONS, body)).await
}

/// The token of a customer who has just signed up.
pub(super) async fn customer(api: &Api, email: &str, nickname: &str) -> String {
    api.done(&signing_up(email, nickname)).await;
    token(api, email).await
}

/// The token of a customer who has just signed up with this birth date, or none.
pub(super) async fn signed_up(api: &Api, email: &str, nickname: &str, birth_date: Value) -> String {
    let body =
        json!({ "email": email, "password": PASSWORD, "nickname": nickname, "birth_date": birth_date });
    api.done(&Call::post("/v1/customers", body)).await;
    token(api, email).await
}

/// The token of another session of theirs.
pub(super) async fn token(api: &Api, email: &str) -> String {
    let begun = sign_in(api, email, PASSWORD).await;
    assert_eq!(begun.status, 201, "{begun}");
    begun.json()["token"].as_str().expect("a token").to_owned()
}

fn by(hold: &Hold, token: &str) -> Call {
    Call::get(format!("/v1/reservations/{}", hold.number)).with_token(token)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_meets_their_own_reservations_and_no_others() {
    let field = Field::open().await;
    let api = &field.api;
    let haneul = customer(api, "haneul@example.com", "하늘").await;
    let bada = customer(api, "bada@example.com", "바다").await;
    let slot = field.house.screening(api, 1, 6, Sale::Long).await;
    let held = api.done(&Call::hold(slot, &["A1"]).with_token(&haneul)).await;
    let own: Hold = held.hold();
    let guests = api.done(&Call::hold(slot, &["A3"])).await.hold();
    api.done(&by(&own, &haneul)).await;
    for (hold, token) in [(&own, &bada), (&guests, &haneul)] {
        api.ask(&by(hold, token))
            .await
            .refused(404, "reservation/not-found");
        let release = Call::step(hold, "release").with_token(token);
        api.ask(&release).await.refused(404, "reservation/not-found");
    }
    // The secret that came with it still opens it: for who books for somebody else, or signs out.
    api.done(&Call::show(&own)).await;
    let placed = api.done(&Call::place(&own, None).with_token(&haneul)).await;
    let list = |token: &str| {
        let path = format!(
            "/v1/customer/reservations?min_position={}",
            placed.position.unwrap()
        );
        Call::get(path).with_token(token)
    };
    let listed = api.done(&list(&haneul)).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["items"][0]["number"], own.number.as_str());
    assert_eq!(api.done(&list(&bada)).await.json()["items"], json!([]));
    let story = api
        .done(&Call::get(format!("/v1/audit/reservation/{}", own.number)).by_staff())
        .await;
    let who = &story.json()[0]["who"];
    assert!(who.as_str().unwrap().starts_with("customer "), "{who}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_seat_map_marks_the_seats_of_the_customer_who_asks() {
    let field = Field::open().await;
    let api = &field.api;
    let haneul = customer(api, "haneul@example.com", "하늘").await;
    let bada = customer(api, "bada@example.com", "바다").await;
    let slot = field.house.screening(api, 1, 8, Sale::Long).await;
    let own = api
        .done(&Call::hold(slot, &["A1", "A2"]).with_token(&haneul))
        .await
        .hold();
    api.done(&Call::place(&own, None)).await;
    api.done(&Call::hold(slot, &["A4"]).with_token(&haneul)).await;
    api.done(&Call::hold(slot, &["A6"]).with_token(&bada)).await;
    let guests = api.done(&Call::hold(slot, &["A8"])).await;
    let map = format!(
        "/v1/time-slots/{slot}/seat-map?min_position={}",
        guests.position.unwrap()
    );
    let mine = async |call: Call| -> Vec<String> {
        let map = api.done(&call).await.json();
        let seats = map["seats"].as_array().unwrap().iter();
        let mine = seats.filter(|seat| seat["mine"] == true);
        mine.map(|seat| seat["label"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        mine(Call::get(&map).with_token(&haneul)).await,
        ["A1", "A2", "A4"]
    );
    assert_eq!(mine(Call::get(&map).with_token(&bada)).await, ["A6"]);
    let guest = guests.hold();
    let with_secret = Call::get(format!("{map}&reservation={}", guest.number)).with_token(&guest.token);
    assert_eq!(mine(with_secret).await, ["A8"]);
    // A number alone, another's session, or an ended one marks nothing.
    let number = format!("{map}&reservation={}", guest.number);
    assert_eq!(mine(Call::get(&number)).await, [""; 0]);
    assert_eq!(mine(Call::get(&number).with_token(&bada)).await, ["A6"]);
    api.ask(&Call::delete(SESSIONS).with_token(&bada)).await;
    assert_eq!(mine(Call::get(&map).with_token(&bada)).await, [""; 0]);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_e_mail_address_and_a_nickname_belong_to_one_customer() {
    let field = Field::open().await;
    let api = &field.api;
    let token = customer(api, "haneul@example.com", "하늘").await;
    for (call, pointer) in [
        (signing_up("Haneul@Example.com", "바다"), "/email"),
        (signing_up("bada@example.com", "하늘"), "/nickname"),
    ] {
        let refused = api.ask(&call).await;
        refused.refused(409, "claim/taken");
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
    // What was refused left nothing behind.
    customer(api, "bada@example.com", "바다").await;
    let describe = |nickname: &str| {
        Call::post("/v1/customer/describe", json!({ "nickname": nickname })).with_token(&token)
    };
    api.ask(&describe("바다")).await.refused(409, "claim/taken");
    let described = api.done(&describe("구름")).await.json();
    assert_eq!(described["nickname"], "구름");
    customer(api, "new@example.com", "하늘").await;
    let future = json!({ "nickname": "구름", "birth_date": "2999-01-01" });
    let future = Call::post("/v1/customer/describe", future).with_token(&token);
    api.ask(&future)
        .await
        .refused(422, "customer/impossible-birth-date");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_in_wrongly_learns_nothing_about_customers() {
    let field = Field::open().await;
    let api = &field.api;
    customer(api, "haneul@example.com", "하늘").await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("haneul@example.com", "wrong horse battery"),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
    ] {
        let answer = sign_in(api, email, password).await;
        let mut problem: Value = answer.json();
        problem["instance"] = Value::Null;
        answers.push((answer.status, problem));
    }
    assert_eq!(answers[0].0, 401);
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_password_of_a_customer_ends_all_other_sessions() {
    let field = Field::open().await;
    let api = &field.api;
    let here = customer(api, "haneul@example.com", "하늘").await;
    let there = sign_in(api, "haneul@example.com", PASSWORD).await.json();
    let there = there["token"].as_str().unwrap();
    let new = "another horse battery";
    let change = |current: &str| {
        let body = json!({ "current": current, "new": new });
        Call::post("/v1/customer/change-password", body).with_token(&here)
    };
    api.ask(&change("wrong"))
        .await
        .refused(401, "sign-in/wrong-credentials");
    assert_eq!(api.ask(&change(PASSWORD)).await.status, 204);
    let show = |token: &str| Call::get("/v1/customer").with_token(token);
    api.done(&show(&here)).await;
    api.ask(&show(there)).await.refused(401, "request/unauthorized");
    assert_eq!(sign_in(api, "haneul@example.com", PASSWORD).await.status, 401);
    assert_eq!(sign_in(api, "haneul@example.com", new).await.status, 201);
    // An ended session is no guest: who thinks to be signed in is told.
    let slot = field.house.screening(api, 1, 3, Sale::Long).await;
    let hold = Call::hold(slot, &["A1"]).with_token(there);
    api.ask(&hold).await.refused(401, "request/unauthorized");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_moves_to_another_e_mail_address_that_is_free() {
    let field = Field::open().await;
    let api = &field.api;
    let here = customer(api, "haneul@example.com", "하늘").await;
    let there = token(api, "haneul@example.com").await;
    customer(api, "bada@example.com", "바다").await;
    let change = |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        Call::post("/v1/customer/change-email", body).with_token(&here)
    };
    api.ask(&change("moved@example.com", "wrong"))
        .await
        .refused(401, "sign-in/wrong-credentials");
    let taken = api.ask(&change("Bada@example.com", PASSWORD)).await;
    taken.refused(409, "claim/taken");
    assert_eq!(taken.json()["errors"][0]["pointer"], "/email");
    for _ in 0..2 {
        let moved = api.done(&change("moved@example.com", PASSWORD)).await.json();
        assert_eq!(moved["email"], "moved@example.com");
    }
    let show = Call::get("/v1/customer").with_token(&there);
    api.ask(&show).await.refused(401, "request/unauthorized");
    assert_eq!(sign_in(api, "haneul@example.com", PASSWORD).await.status, 401);
    token(api, "moved@example.com").await;
    // The address is free for somebody else.
    customer(api, "haneul@example.com", "구름").await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_sees_and_ends_their_own_sessions_and_no_others() {
    let field = Field::open().await;
    let api = &field.api;
    let here = customer(api, "haneul@example.com", "하늘").await;
    let there = token(api, "haneul@example.com").await;
    let bada = customer(api, "bada@example.com", "바다").await;
    let sessions = api.done(&Call::get(SESSIONS).with_token(&here)).await.json();
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions
        .iter()
        .find(|session| session["current"] == false)
        .unwrap();
    let end =
        |token: &str| Call::delete(format!("{SESSIONS}/{}", other["id"].as_str().unwrap())).with_token(token);
    api.ask(&end(&bada)).await.refused(404, "request/no-such-thing");
    assert_eq!(api.ask(&end(&here)).await.status, 204);
    let show = Call::get("/v1/customer").with_token(&there);
    api.ask(&show).await.refused(401, "request/unauthorized");
    api.done(&Call::get("/v1/customer").with_token(&here)).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_is_forgotten_and_the_history_stays_whole() {
    let field = Field::open().await;
    let api = &field.api;
    let token = customer(api, "haneul@example.com", "하늘").await;
    let slot = field.house.screening(api, 1, 3, Sale::Long).await;
    let hold = api
        .done(&Call::hold(slot, &["A1"]).with_token(&token))
        .await
        .hold();
    api.done(&Call::place(&hold, None).with_token(&token)).await;
    let another = Call::hold(slot, &["A2"]).with_token(&token);
    let another = api.done(&another).await.hold();
    let leave =
        |password: &str| Call::post("/v1/customer/leave", json!({ "password": password })).with_token(&token);
    api.ask(&leave("wrong"))
        .await
        .refused(401, "sign-in/wrong-credentials");
    assert_eq!(api.ask(&leave(PASSWORD)).await.status, 204);
    assert_eq!(sign_in(api, "haneul@example.com", PASSWORD).await.status, 401);
    let profile = Call::get("/v1/customer").with_token(&token);
    api.ask(&profile).await.refused(401, "request/unauthorized");
    // Whoever has the token of the hold: what is placed now would be forgotten by nobody.
    api.ask(&Call::place(&another, None))
        .await
        .refused(410, "customer/left");
    let shown = api.done(&Call::show(&hold)).await.json();
    assert_eq!(shown["placed"]["name"], Value::Null, "{shown}");
    assert_eq!(shown["state"], "placed");
    let database = field.database.client().await;
    let keys = "select count(*) from vault.subject_keys where subject like 'customer:%' or subject = 'reservation:' || $1";
    let kept: i64 = database
        .query_one(keys, &[&hold.number])
        .await
        .expect("a count")
        .get(0);
    assert_eq!(kept, 0, "no key is left");
    let secrets = "select count(*) from vault.credentials";
    let kept: i64 = database.query_one(secrets, &[]).await.expect("a count").get(0);
    assert_eq!(kept, 0, "no password is left");
    // The names are free for somebody else.
    customer(api, "haneul@example.com", "하늘").await;
    let verified = crate::support::process::jari(&field.database.url(), &["verify"]).await;
    assert!(verified.status.success(), "{verified:?}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_log_nor_vault_tells_who_a_customer_is() {
    let field = Field::open().await;
    let token = customer(&field.api, "haneul@example.com", "하늘이네").await;
    let database = field.database.client().await;
    let everything = "select coalesce(string_agg(t, E'\\n'), '') from (
        select e.aggregate_id || e.payload::text || e.metadata::text from events e union all
        select row_to_json(c)::text from vault.credentials c union all
        select row_to_json(s)::text from vault.sessions s) all_of(t)";
    let text: String = database
        .query_one(everything, &[])
        .await
        .expect("all of it")
        .get(0);
    for secret in [
        "haneul",
        "하늘이네",
        "010-4444-5555",
        "2001-02-03",
        PASSWORD,
        token.as_str(),
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
    let mut talk = field.talk();
    let own = talk.speaking_as(Some(&token)).get("/v1/customer").await;
    assert_eq!(own["birth_date"], "2001-02-03");
    let ended = talk.ask(Method::DELETE, SESSIONS, None, &[]).await;
    assert_eq!(ended, Value::Null);
    field.close().await;
}
