//! Every route × everyone × every branch: what the server allows is what the table of rights says, and nothing else.

use std::collections::BTreeSet;

use aggregates::{
    ids::BranchId,
    rights::{Authority, Permission, RoleName},
};
use jari::{
    http::{
        openapi,
        rights::{Line, Needs, Where, table},
    },
    rights::{commands, of_command},
};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{customers::customer, field::Field};
use crate::support::{
    api::{Call, Hold},
    house::{Sale, layout},
    process::ADMIN_TOKEN,
    staff::{Colleague, PASSWORD, enlisting},
};

/// How the server meets somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// They are told to sign in.
    SignIn,
    /// None of their roles grants it.
    NotGranted,
    /// Not at this branch.
    Elsewhere,
    /// As if there was nothing.
    Hidden,
    /// They get what they want, or are refused for another reason.
    Let,
}

/// Somebody who asks.
struct Person {
    name: String,
    token: Option<String>,
    /// Who they sign in as.
    colleague: Option<Colleague>,
    /// None for who is no admin.
    authority: Option<Authority>,
    /// How they sign up, if they are a customer.
    customer: Option<&'static str>,
}

/// Something that is asked about, and its branch.
#[derive(Clone)]
struct Thing {
    id: String,
    branch: Option<Uuid>,
}

/// One of each kind at each branch, as far as there can be.
struct World {
    things: Vec<(&'static str, Vec<Thing>)>,
    reservations: Vec<Thing>,
    traces: Vec<Thing>,
}

impl World {
    #[expect(clippy::too_many_lines, reason = "one thing of every kind")]
    async fn furnish(field: &Field, owner: &str) -> Self {
        let (api, house) = (&field.api, &field.house);
        let thing = |id: &dyn ToString, branch: Option<Uuid>| Thing {
            id: id.to_string(),
            branch,
        };
        let (cinema, shop) = (Some(house.cinema), Some(house.shop));
        let screening = house.screening(api, 2, 6, Sale::Long).await;
        let session = house.session(api, Sale::Long).await;
        let at_cinema: Hold = api
            .done(&Call::hold(screening, &["A1"]).with_token(owner))
            .await
            .hold();
        let at_shop: Hold = api
            .done(&Call::hold_room(session, 2).with_token(owner))
            .await
            .hold();
        let trace = async |call: &Call| {
            api.ask(call).await.json()["trace"]
                .as_str()
                .expect("a trace")
                .to_owned()
        };
        let traces = vec![
            thing(&trace(&Call::hold(screening, &["A1"])).await, cinema),
            thing(&trace(&Call::hold_room(session, 2)).await, shop),
        ];
        let auditorium = Uuid::now_v7();
        let built =
            json!({ "branch": house.cinema, "name": "나란히관", "hall": null, "cleaning_minutes": 15 });
        api.done(&Call::admin(format!("/v1/auditoriums/{auditorium}/build"), built))
            .await;
        let drawn = json!({ "layout": layout(1, 2) });
        api.done(&Call::admin(
            format!("/v1/auditoriums/{auditorium}/draw-layout"),
            drawn,
        ))
        .await;
        let mut coupons = Vec::new();
        for branch in [cinema, shop, None] {
            let scope = branch.map_or_else(|| json!({}), |branch| json!({ "branch": branch }));
            let terms = json!({ "discount": { "rate": { "percent": 20 } }, "scope": scope,
                "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z" });
            let issued = api
                .done(&Call::admin("/v1/coupons", json!({ "terms": terms })))
                .await
                .json();
            coupons.push(thing(&issued["codes"][0].as_str().expect("a code"), branch));
        }
        let full = house.screening(api, 1, 1, Sale::Long).await;
        let block = format!("/v1/time-slots/{full}/seats/A1/block");
        api.done(&Call::admin(block, json!({}))).await;
        let who = json!({ "name": "김하늘", "phone": "010-1234-5678" });
        let mut entries = Vec::new();
        for (slot, party, branch) in [
            (full, json!({ "persons": { "adult": 1 } }), cinema),
            (session, json!({ "party_size": 2 }), shop),
        ] {
            let mut body = who.clone();
            for (field, value) in party.as_object().into_iter().flatten() {
                body[field] = value.clone();
            }
            let join = Call::post(format!("/v1/time-slots/{slot}/waitlist"), body).with_token(owner);
            let joined = api.done(&join).await.json();
            entries.push(thing(
                &joined["entry"]["number"].as_str().expect("an entry"),
                branch,
            ));
        }
        let mut batches = Vec::new();
        for branch in [cinema, shop, None] {
            let scope = branch.map_or_else(|| json!({}), |branch| json!({ "branch": branch }));
            let issued = api
                .done(&Call::admin("/v1/admin/coupons/bulk", batch_of(&scope)))
                .await
                .json();
            batches.push(thing(&issued["batch"]["id"].as_str().expect("an id"), branch));
        }
        let mut deposits = Vec::new();
        for (branch, reference) in [(house.cinema, "1"), (house.shop, "2")] {
            let id = Uuid::now_v7();
            let body = deposit(branch, reference);
            api.done(&Call::admin(format!("/v1/deposits/{id}/record"), body))
                .await;
            deposits.push(thing(&id, Some(branch)));
        }
        let cancellation = Uuid::now_v7();
        let terms = json!({ "tiers": [{ "minutes_before": 0, "fee": { "rate": { "percent": 0 } } }] });
        let adopt = json!({ "name": "무료", "terms": terms });
        api.done(&Call::admin(
            format!("/v1/cancellation-policies/{cancellation}/adopt"),
            adopt,
        ))
        .await;
        let colleague = Uuid::now_v7();
        api.done(&enlisting(colleague, "colleague", "STAFF", &[])).await;
        let rights = json!({ "permissions": ["see-shows"], "reach": "everywhere" });
        api.done(&Call::admin("/v1/roles/USHER/define", rights)).await;
        Self {
            things: vec![
                (
                    "branches",
                    vec![thing(&house.cinema, cinema), thing(&house.shop, shop)],
                ),
                ("auditoriums", vec![thing(&auditorium, cinema)]),
                ("themes", vec![thing(&house.theme, shop)]),
                (
                    "time-slots",
                    vec![thing(&screening, cinema), thing(&session, shop)],
                ),
                ("coupons", coupons),
                ("waitlist-entries", entries),
                ("coupon-batches", batches),
                ("deposits", deposits),
                ("cancellation-policies", vec![thing(&cancellation, None)]),
                ("movies", vec![thing(&house.movie, None)]),
                ("price-policies", vec![thing(&house.session_prices, None)]),
                ("admins", vec![thing(&colleague, None)]),
                ("roles", vec![thing(&"USHER", None)]),
            ],
            reservations: vec![thing(&at_cinema.number, cinema), thing(&at_shop.number, shop)],
            traces,
        }
    }

    /// What a route can be asked about.
    fn of(&self, line: &Line) -> Vec<Thing> {
        let anything = vec![Thing {
            id: Uuid::now_v7().to_string(),
            branch: None,
        }];
        match line.path.as_str() {
            path if path.starts_with("/v1/reservations/{id}") => self.reservations.clone(),
            "/v1/audit/refusals/{trace}" => self.traces.clone(),
            "/v1/audit/{entity}/{id}" => self.collection("time-slots"),
            "/v1/coupons" | "/v1/admin/coupons/bulk" if line.method == Method::POST => {
                self.collection("coupons")
            }
            "/v1/admin/schedules/batch" => self.collection("auditoriums"),
            "/v1/admin/closing-days/preview" | "/v1/admin/closing-days/carry-out" => {
                self.collection("branches")
            }
            _ if is_asked(line) => self.collection("branches"),
            path => {
                let path = path.trim_start_matches("/v1/").trim_start_matches("admin/");
                let collection = path.split_once("/{id}").map_or("", |(collection, _)| collection);
                let known = self.things.iter().find(|(name, _)| *name == collection);
                known.map_or(anything, |(_, things)| things.clone())
            }
        }
    }

    fn collection(&self, name: &str) -> Vec<Thing> {
        let found = self.things.iter().find(|(known, _)| *known == name);
        found.map(|(_, things)| things.clone()).unwrap_or_default()
    }
}

async fn people(field: &Field) -> Vec<Person> {
    let (cinema, shop) = (field.house.cinema, field.house.shop);
    let mut people = vec![
        Person {
            name: "nobody".to_owned(),
            token: None,
            colleague: None,
            authority: None,
            customer: None,
        },
        Person {
            name: "the token of the configuration".to_owned(),
            token: Some(ADMIN_TOKEN.to_owned()),
            colleague: None,
            authority: Some(Authority::whole()),
            customer: None,
        },
    ];
    for (login, role, branches) in [
        ("head", "HEAD_OFFICE", &[][..]),
        ("auditor", "AUDITOR", &[]),
        ("manager.cinema", "BRANCH_MANAGER", &[cinema]),
        ("manager.shop", "BRANCH_MANAGER", &[shop]),
        ("manager.nowhere", "BRANCH_MANAGER", &[]),
        ("staff.cinema", "STAFF", &[cinema]),
        ("staff.shop", "STAFF", &[shop]),
    ] {
        let colleague = Colleague::enlist(&field.api, login, role, branches).await;
        let rights = role
            .parse::<RoleName>()
            .expect("a role")
            .shipped()
            .expect("a shipped one");
        let own: BTreeSet<BranchId> = branches.iter().copied().map(BranchId::new).collect();
        people.push(Person {
            name: login.to_owned(),
            token: Some(colleague.sign_in(&field.api).await),
            colleague: Some(colleague),
            authority: Some(Authority::of(&[rights], &own)),
            customer: None,
        });
    }
    for email in [OWNER, "other@example.com"] {
        let token = customer(&field.api, email, email.split('@').next().unwrap_or_default()).await;
        people.push(Person {
            name: email.to_owned(),
            token: Some(token),
            colleague: None,
            authority: None,
            customer: Some(email),
        });
    }
    people
}

/// The customer whose the reservations are.
const OWNER: &str = "owner@example.com";

/// Whether the branch that counts is one the query names.
fn is_asked(line: &Line) -> bool {
    matches!(line.needs, Needs::Staff(_, Where::Asked))
}

/// What the table says.
fn expected(line: &Line, person: &Person, thing: &Thing) -> Outcome {
    let branch = thing.branch.map(BranchId::new);
    let (permission, place) = match (line.needs, &person.authority) {
        // The test is on the same machine as the server.
        (Needs::Anyone | Needs::Local(_), _) => return Outcome::Let,
        (Needs::OwnSession, _) if person.colleague.is_some() => return Outcome::Let,
        (Needs::Customer, _) if person.customer.is_some() => return Outcome::Let,
        (Needs::Customer, _) => return Outcome::SignIn,
        (Needs::Holder(_), None) if person.customer == Some(OWNER) => return Outcome::Let,
        (Needs::OwnSession | Needs::Staff(..), None) | (Needs::OwnSession, Some(_)) => {
            return Outcome::SignIn;
        }
        (Needs::Holder(_), None) => return Outcome::Hidden,
        (Needs::Holder(permission), Some(_)) => (permission, Where::Reservation),
        (Needs::Staff(permission, place), Some(_)) => (permission, place),
    };
    let Some(authority) = &person.authority else {
        return Outcome::SignIn;
    };
    let granted = match place {
        // What is of other branches is left out, or refused for itself.
        Where::Listed | Where::Ticket | Where::Each => authority.somewhere(permission),
        Where::AllBranches => authority.at(permission, None),
        Where::Seen if branch.is_none() => authority.somewhere(permission),
        Where::Seen | Where::Asked | Where::Slot | Where::Reservation | Where::Stream | Where::Body => {
            authority.at(permission, branch)
        }
    };
    match (granted, authority.somewhere(permission)) {
        (true, _) => Outcome::Let,
        (false, false) => Outcome::NotGranted,
        (false, true) if place == Where::Reservation || line.path.starts_with("/v1/audit/") => {
            Outcome::Hidden
        }
        (false, true) => Outcome::Elsewhere,
    }
}

/// What the server does.
async fn met(line: &Line, answer: Response) -> Result<Outcome, String> {
    let status = answer.status().as_u16();
    if status < 400 {
        // What goes on for ever is not read to its end.
        return Ok(Outcome::Let);
    }
    let problem: Value = answer.json().await.map_err(|error| error.to_string())?;
    let kind = problem["type"].as_str().unwrap_or_default();
    match (status, kind.trim_start_matches("/problems/")) {
        (401, "request/unauthorized") => Ok(Outcome::SignIn),
        (403, "rights/not-granted") => Ok(Outcome::NotGranted),
        (403, "rights/elsewhere") => Ok(Outcome::Elsewhere),
        // The reservation that the body names is looked for last.
        (404, "reservation/not-found") if line.path == "/v1/deposits/{id}/match" => Ok(Outcome::Let),
        (404, "reservation/not-found" | "waitlist/not-found" | "request/no-such-thing") => {
            Ok(Outcome::Hidden)
        }
        (403 | 405 | 500.., kind) if kind != "server/busy" => Err(problem.to_string()),
        (404, "request/no-such-route") => Err(problem.to_string()),
        _ => Ok(Outcome::Let),
    }
}

/// The body a route is asked with: sound, because what is granted is looked at last.
fn body(document: &Value, line: &Line, thing: &Thing) -> Value {
    let operation = &document["paths"][&line.path]["post"];
    let content = &operation["requestBody"]["content"]["application/json"];
    let scope = thing
        .branch
        .map_or_else(|| json!({}), |branch| json!({ "branch": branch }));
    match line.path.as_str() {
        "/v1/coupons" => json!({ "terms": { "discount": { "rate": { "percent": 20 } }, "scope": scope,
            "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z" } }),
        "/v1/admin/coupons/bulk" => batch_of(&scope),
        "/v1/admin/schedules/batch" => {
            json!({ "auditorium": thing.id, "movie": Uuid::nil(), "price_policy": Uuid::nil(),
                "days": ["2030-01-01"], "times": ["10:00"] })
        }
        "/v1/admin/price-policies/{id}/simulate" => {
            json!({ "tariff": { "session": { "currency": "KRW", "price": { "room": { "amount": 1 } } } },
                "from": "2026-11-01", "until": "2026-11-02" })
        }
        "/v1/admin/closing-days/preview" => json!({ "branch": thing.id, "date": "2030-01-01" }),
        "/v1/admin/closing-days/carry-out" => {
            json!({ "branch": thing.id, "date": "2030-01-01", "handling": "keep" })
        }
        "/v1/deposits/{id}/record" => deposit(thing.branch.expect("it has one"), "3"),
        "/v1/deposits/{id}/match" => json!({ "reservation": "301422961418752000" }),
        "/v1/reservations/search" | "/v1/waitlist-entries/search" => json!({ "phone": "5678" }),
        "/v1/reservations/{id}/place" => {
            json!({ "name": "김하늘", "phone": "010-1234-5678", "payment": "on_site",
            "agreements": { "privacy": true, "house_rules": true } })
        }
        "/v1/reservations/{id}/change" => json!({ "seats": ["A2"], "persons": { "adult": 1 } }),
        "/v1/customer/change-password" | "/v1/admin/change-password" => {
            json!({ "current": "wrong horse battery", "new": PASSWORD })
        }
        "/v1/customer/change-email" => {
            json!({ "email": "other@example.com", "password": "wrong horse battery" })
        }
        "/v1/customer/leave" => json!({ "password": "wrong horse battery" }),
        "/v1/customers" | "/v1/customer/describe" => json!({ "nickname": "" }),
        "/v1/admins/{id}/give-password" => json!({ "password": PASSWORD }),
        _ => content.get("example").cloned().unwrap_or_else(|| json!({})),
    }
}

/// One coupon in a batch of its own.
fn batch_of(scope: &Value) -> Value {
    json!({ "batch": "행사", "count": 1, "terms": { "discount": { "rate": { "percent": 20 } }, "scope": scope,
        "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z" } })
}

/// What a bank says.
fn deposit(branch: Uuid, reference: &str) -> Value {
    json!({ "branch": branch, "amount": { "amount": 1, "currency": "KRW" }, "depositor": "홍길동",
        "deposited_at": "2026-11-01T00:00:00Z", "reference": reference })
}

fn concrete(path: &str, thing: &Thing) -> String {
    path.replace("{id}", &thing.id)
        .replace("{trace}", &thing.id)
        .replace("{entity}", "time-slot")
        .replace("{time_slot}", &thing.id)
        .replace("{label}", "A6")
        .replace("{subject}", "seat")
        .replace("{reason}", "taken")
}

#[test]
fn every_route_of_the_document_is_in_the_table_and_no_other() {
    let document: Value = serde_json::from_str(openapi::text()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let methods = operations.as_object().unwrap().keys();
        documented.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    let known: Vec<_> = table()
        .into_iter()
        .map(|line| (line.method.to_string(), line.path))
        .collect();
    let listed: BTreeSet<_> = known.iter().cloned().collect();
    assert_eq!(known.len(), listed.len(), "a route stands in the table twice");
    let missing: Vec<_> = documented.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&documented).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "without a line: {missing:#?}; without a route: {unknown:#?}"
    );
}

/// What stands in the log is judged by its name: a route that moves takes no command's name away.
#[test]
fn each_command_of_the_log_has_a_route_and_asks_for_the_same_there() {
    let mut without_route: BTreeSet<&str> = commands().keys().map(String::as_str).collect();
    let table = table();
    let doing = table
        .iter()
        .filter_map(|line| Some((line, line.command.as_deref()?)));
    for (line, command) in doing {
        assert_eq!(line.method, Method::POST, "{line:?}");
        assert_eq!(of_command(command), Some(line.needs), "{line:?}");
        without_route.remove(command);
    }
    assert!(without_route.is_empty(), "{without_route:?}");
}

/// What the log has of old stays what it was, wherever its route is today.
#[test]
fn commands_are_known_by_the_names_that_logs_have() {
    for (command, needs) in [
        ("reservations/hold", Needs::Anyone),
        (
            "check-ins/scan",
            Needs::Staff(Permission::ChangeReservations, Where::Ticket),
        ),
        (
            "coupons/issue",
            Needs::Staff(Permission::ChangeCoupons, Where::Stream),
        ),
        (
            "coupons/bulk",
            Needs::Staff(Permission::ChangeCoupons, Where::Body),
        ),
        (
            "coupons/revoke",
            Needs::Staff(Permission::ChangeCoupons, Where::Stream),
        ),
        ("admin/change-password", Needs::OwnSession),
    ] {
        assert_eq!(of_command(command), Some(needs), "{command}");
    }
    assert_eq!(of_command("coupons/forge"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_reaches_what_the_table_grants_and_nothing_else() {
    let field = Field::open().await;
    let people = people(&field).await;
    let owner = people.iter().find(|person| person.customer == Some(OWNER));
    let owner = owner.and_then(|owner| owner.token.clone()).expect("the owner");
    let world = World::furnish(&field, &owner).await;
    let document: Value = serde_json::from_str(openapi::text()).unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let (mut cells, mut wrong) = (0, Vec::new());
    for line in table() {
        for thing in world.of(&line) {
            for person in &people {
                let mut token = person.token.clone();
                if line.method == Method::DELETE
                    && let Some(colleague) = &person.colleague
                {
                    // It ends the session that asks.
                    token = Some(colleague.sign_in(&field.api).await);
                }
                if line.method == Method::DELETE
                    && let Some(email) = person.customer
                {
                    token = Some(super::customers::token(&field.api, email).await);
                }
                let query = if is_asked(&line) {
                    format!("?branch={}", thing.id)
                } else {
                    String::new()
                };
                let address = format!(
                    "http://{}{}{query}",
                    field.address(),
                    concrete(&line.path, &thing)
                );
                let mut request = client.request(line.method.clone(), address);
                if let Some(token) = &token {
                    request = request.bearer_auth(token);
                }
                if line.method == Method::POST {
                    // So that nothing happens where it is granted.
                    request = request
                        .json(&body(&document, &line, &thing))
                        .header("if-match", "\"999\"");
                }
                let met = met(&line, request.send().await.expect("the server answers")).await;
                let mut expected = expected(&line, person, &thing);
                if line.path.ends_with("/sessions/{id}") && expected == Outcome::Let {
                    // It is nobody's session.
                    expected = Outcome::Hidden;
                }
                if line.needs == Needs::Anyone && met == Ok(Outcome::Hidden) {
                    expected = Outcome::Hidden;
                }
                if met != Ok(expected) {
                    wrong.push(format!(
                        "{} {} of {:?} by {}: {met:?} instead of {expected:?}",
                        line.method, line.path, thing.branch, person.name
                    ));
                }
                cells += 1;
            }
        }
    }
    println!("{cells} cells");
    assert!(wrong.is_empty(), "{} of {cells} cells: {wrong:#?}", wrong.len());
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_show_only_what_is_of_ones_own_branches() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let owner = customer(api, OWNER, "owner").await;
    World::furnish(&field, &owner).await;
    let position = field.position();
    let manager = Colleague::enlist(api, "manager", "BRANCH_MANAGER", &[house.shop]).await;
    let token = manager.sign_in(api).await;
    let ask = |path: &str| Call::get(format!("{path}?min_position={position}"));
    let seen = async |call: Call| {
        let page = api.done(&call).await.json();
        page["items"].as_array().expect("a page").clone()
    };
    let reservations = seen(ask("/v1/reservations").with_token(&token)).await;
    assert_eq!(seen(ask("/v1/reservations").by_staff()).await.len(), 2);
    assert_eq!(reservations.len(), 1, "{reservations:?}");
    assert_eq!(reservations[0]["branch"], json!(house.shop));
    let coupons = seen(ask("/v1/coupons").with_token(&token)).await;
    assert_eq!(seen(ask("/v1/coupons").by_staff()).await.len(), 6);
    assert_eq!(coupons.len(), 2, "{coupons:?}");
    assert_eq!(coupons[0]["terms"]["scope"]["branch"], json!(house.shop));
    let other = format!("/v1/audit/events?branch={}&min_position={position}", house.cinema);
    assert_eq!(
        seen(Call::get(other.clone()).with_token(&token)).await,
        Vec::<Value>::new()
    );
    assert!(!seen(Call::get(other).by_staff()).await.is_empty());
    assert!(!seen(ask("/v1/audit/events").with_token(&token)).await.is_empty());
    field.close().await;
}
