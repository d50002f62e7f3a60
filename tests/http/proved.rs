//! `jari verify` proves that nobody acted outside their permissions and branches (I10), and finds who did.

use serde_json::json;
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::Call,
    house::Sale,
    process::{self, jari},
    staff::Colleague,
};

/// What `jari verify` says after this was done to the log, which is then put right again.
async fn found(field: &Field, wrong: &str, right: &str) -> String {
    let database = field.database.client().await;
    let bend = |sql: &str| format!("set session_replication_role = replica; {sql}");
    database
        .batch_execute(&bend(wrong))
        .await
        .expect("a superuser may");
    let output = jari(&field.database.url(), &["verify"]).await;
    assert!(!output.status.success(), "nothing was found after: {wrong}");
    database
        .batch_execute(&bend(right))
        .await
        .expect("a superuser may");
    let told = [output.stdout, output.stderr].concat();
    String::from_utf8(told).expect("a text")
}

/// A log in which staff, a manager and the head office have worked, each where they may; and somebody was dismissed.
async fn worked() -> (Field, [Uuid; 3]) {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening(api, 1, 8, Sale::Long).await;
    let staff = Colleague::enlist(api, "staff", "STAFF", &[house.cinema]).await;
    let manager = Colleague::enlist(api, "manager", "BRANCH_MANAGER", &[house.shop]).await;
    let head = Colleague::enlist(api, "head", "HEAD_OFFICE", &[]).await;
    let leaver = Colleague::enlist(api, "leaver", "HEAD_OFFICE", &[]).await;
    let tokens = [
        staff.sign_in(api).await,
        manager.sign_in(api).await,
        head.sign_in(api).await,
        leaver.sign_in(api).await,
    ];
    let [at_cinema, at_shop, at_head, leaving] = &tokens;
    let block = format!("/v1/time-slots/{slot}/seats/A1/block");
    api.done(&Call::post(block, json!({})).with_token(at_cinema))
        .await;
    let hold = api.done(&Call::hold(slot, &["A5"])).await.hold();
    api.done(&Call::place(&hold, None).with_token(at_cinema)).await;
    let paid = Call::post(format!("/v1/reservations/{}/mark-paid", hold.number), json!({}));
    api.done(&paid.with_token(at_cinema)).await;
    let terms = json!({ "discount": { "rate": { "percent": 20 } }, "scope": { "branch": house.shop },
        "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z" });
    let issue = Call::post("/v1/coupons", json!({ "terms": terms, "count": 3 }));
    api.done(&issue.with_token(at_shop)).await;
    let rename = Call::post(
        format!("/v1/branches/{}/rename", house.shop),
        json!({ "name": "새 이름" }),
    );
    api.done(&rename.with_token(at_shop)).await;
    let own = json!({ "current": "correct horse battery", "new": "another horse battery" });
    let own = Call::post("/v1/admin/change-password", own).with_token(at_shop);
    assert_eq!(api.ask(&own).await.status, 204);
    let retitle = Call::post(
        format!("/v1/movies/{}/retitle", house.movie),
        json!({ "title": "밤" }),
    );
    api.done(&retitle.with_token(at_head)).await;
    // Who dismisses themselves may, and did so while they were at work.
    let dismiss = Call::post(format!("/v1/admins/{}/dismiss", leaver.id), json!({}));
    api.done(&dismiss.with_token(leaving)).await;
    let retitle = Call::post(
        format!("/v1/movies/{}/retitle", house.movie),
        json!({ "title": "낮" }),
    );
    api.done(&retitle.with_token(at_head)).await;
    (field, [staff.id, head.id, leaver.id])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_acted_where_they_may_is_proved_and_who_did_not_is_found() {
    let (field, [staff, head, leaver]) = worked().await;
    process::verifies(&field.database.url()).await;
    let (cinema, shop) = (field.house.cinema, field.house.shop);
    let blocked = "event_type = 'SeatBlocked'";
    let at = |branch: Uuid| {
        format!(
            "update events set metadata = (metadata::jsonb || '{{\"branch\":\"{branch}\"}}')::json where {blocked}"
        )
    };
    let by = |who: &str| {
        format!(
            "update events set metadata = (metadata::jsonb || '{{\"actor_id\":\"{who}\"}}')::json where {blocked}"
        )
    };
    let did = |what: &str| {
        format!(
            "update events set metadata = (metadata::jsonb || '{{\"command\":\"{what}\"}}')::json where {blocked}"
        )
    };
    let last = |who: &str| {
        format!("update events set metadata = (metadata::jsonb || '{{\"actor_id\":\"{who}\"}}')::json where")
    };
    let (end, earlier) = (field.position(), "update events set recorded_at = recorded_at");
    let (sound, nobody) = (staff.to_string(), Uuid::now_v7().to_string());
    for (wrong, right, told) in [
        (at(shop), at(cinema), "to whom it was not granted"),
        (by(&nobody), by(&sound), "to whom it was not granted"),
        (by("no id"), by(&sound), "whom nobody can be"),
        (
            did("branches/rename"),
            did("seats/block"),
            "to whom it was not granted",
        ),
        (
            did("customers/leave"),
            did("seats/block"),
            "no admin can be allowed",
        ),
        (did("never/heard"), did("seats/block"), "no admin can be allowed"),
        (
            format!(
                "update events set payload = replace(payload::text, '\"STAFF\"', '\"AUDITOR\"')::json
                where aggregate_id = '{staff}' and event_type = 'AdminEnlisted'"
            ),
            format!(
                "update events set payload = replace(payload::text, '\"AUDITOR\"', '\"STAFF\"')::json
                where aggregate_id = '{staff}' and event_type = 'AdminEnlisted'"
            ),
            "to whom it was not granted",
        ),
        (
            // An hour after they were dismissed.
            format!(
                "{} position = {end}; {earlier} - interval '1 hour' where position < {end}",
                last(&leaver.to_string())
            ),
            format!(
                "{} position = {end}; {earlier} + interval '1 hour' where position < {end}",
                last(&head.to_string())
            ),
            "to whom it was not granted",
        ),
    ] {
        let found = found(&field, &wrong, &right).await;
        assert!(
            found.contains("I10") && found.contains(told),
            "{found} after: {wrong}"
        );
    }
    process::verifies(&field.database.url()).await;
    field.close().await;
}
