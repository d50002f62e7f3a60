//! Customers are told what happened to their reservations: each message once, by whoever runs, however the ways fail.

mod carriers;
mod house;
mod offers;

use jari::vault::{Claimed, Deliveries, Ended};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use self::{
    carriers::{Answering, MailServer, SmsProvider, Taking},
    house::{Telling, notices},
};
use crate::support::{api::Call, house::Sale, shop::phone, waiting::eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_message_is_sent_once_though_two_servers_run() {
    let provider = SmsProvider::start().await;
    let house = Telling::open(notices().sms(&provider), 2).await;
    let slot = house.house.screening(&house.api, 3, 6, Sale::Long).await;
    let mut placed = Vec::new();
    for seat in ["A1", "A3", "A5", "B1", "B3", "B5", "C1", "C3"] {
        placed.push(house.place(slot, seat, "on_site").await);
    }
    house.settled(placed.len(), "sent").await;
    let attempts = provider.attempts();
    assert_eq!(attempts.len(), placed.len(), "{attempts:?}");
    assert_eq!(provider.messages().len(), placed.len());
    let mut numbers: Vec<String> = placed
        .iter()
        .map(|hold| phone(hold.number.parse().expect("a number")))
        .collect();
    for (to, text) in provider.messages() {
        let whose = numbers.iter().position(|number| *number == to);
        numbers.swap_remove(whose.unwrap_or_else(|| panic!("{to} is told twice, or nobody's")));
        assert!(text.starts_with("[한강] "), "{text}");
        assert!(text.contains("한강의 밤") && text.contains("예약 번호"), "{text}");
        assert!(!text.contains("김하늘"), "{text}");
    }
    house.notified(placed.len()).await;
    let listed = house.listed("?state=sent").await;
    let own = listed
        .iter()
        .find(|delivery| delivery["reservation"] == placed[0].number.as_str());
    let own = own.expect("it is listed");
    assert_eq!(own["provider_id"], format!("sms-{}", own["id"].as_str().unwrap()));
    let story = house
        .api
        .done(&Call::get(format!("/v1/audit/reservation/{}", placed[0].number)).by_staff())
        .await
        .json();
    let told = story
        .as_array()
        .unwrap()
        .iter()
        .find(|told| told["event"] == "ReservationNotified");
    assert_eq!(told.expect("it is told")["who"], "the notifications policy");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_fails_or_stays_silent_gets_the_same_message_again_and_takes_it_once() {
    let provider = SmsProvider::start().await;
    provider.next([
        Answering::Status(503),
        Answering::Status(500),
        Answering::TakeAndHangUp,
        Answering::TakeAndStaySilent,
    ]);
    let house = Telling::open(notices().sms(&provider), 1).await;
    let slot = house.house.screening(&house.api, 1, 4, Sale::Long).await;
    house.place(slot, "A1", "on_site").await;
    house.settled(1, "sent").await;
    let attempts = provider.attempts();
    assert_eq!(attempts.len(), 5, "{attempts:?}");
    assert!(attempts.iter().all(|id| *id == attempts[0]), "{attempts:?}");
    assert_eq!(provider.messages().len(), 1);
    house.notified(1).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_has_failed_and_can_be_sent_again_by_hand() {
    let provider = SmsProvider::start().await;
    provider.next([Answering::Status(400)]);
    let house = Telling::open(notices().sms(&provider), 1).await;
    let slot = house.house.screening(&house.api, 1, 4, Sale::Long).await;
    house.place(slot, "A1", "on_site").await;
    house.settled(1, "failed").await;
    let failed = house.listed("?state=failed").await;
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["problem"], "the provider refused it");
    assert_eq!(
        (&failed[0]["notice"], &failed[0]["channel"]),
        (&json!("placed"), &json!("sms"))
    );
    let resend = |id: &str| Call::admin(format!("/v1/admin/deliveries/{id}/resend"), json!({}));
    let id = failed[0]["id"].as_str().unwrap();
    assert_eq!(house.api.ask(&resend(id)).await.status, 204);
    house.settled(1, "sent").await;
    assert_eq!(provider.attempts(), [id, id]);
    house
        .api
        .ask(&resend(id))
        .await
        .refused(409, "delivery/not-failed");
    let unknown = Uuid::now_v7().to_string();
    house
        .api
        .ask(&resend(&unknown))
        .await
        .refused(404, "delivery/not-found");
    let first = house.listed("?limit=1").await;
    assert_eq!(first.len(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_last_attempt_a_message_has_failed() {
    let provider = SmsProvider::start().await;
    provider.always(Answering::Status(503));
    let house = Telling::open(notices().sms(&provider), 1).await;
    let slot = house.house.screening(&house.api, 1, 4, Sale::Long).await;
    house.place(slot, "A1", "on_site").await;
    house.waiting_for_another_attempt().await;
    // As if all attempts but one had been made, and the pause before the next one was over.
    house
        .sql("update vault.deliveries set attempts_max = attempts + 1, next_at = now() where channel = 'sms'")
        .await;
    house.settled(1, "failed").await;
    assert_eq!(
        house.listed("?state=failed").await[0]["problem"],
        "the provider is busy"
    );
    assert!(provider.messages().is_empty());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_of_which_nobody_knows_is_not_sent_twice_by_itself() {
    let (provider, mail) = (SmsProvider::start().await, MailServer::start().await);
    let house = Telling::open(notices().sms(&provider).mail(&mail), 1).await;
    let slot = house.house.screening(&house.api, 1, 6, Sale::Long).await;
    let customer = house.customer("haneul@example.com", "하늘").await;
    house.place_as(slot, "A1", &customer).await;
    house.settled(2, "sent").await;
    let letters = mail.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to, "haneul@example.com");
    let listed = house.listed("?state=sent").await;
    let letter = listed
        .iter()
        .find(|delivery| delivery["channel"] == "email")
        .expect("a letter");
    assert_eq!(letter["provider_id"], "2.0.0 taken");
    assert!(
        letters[0].text.contains(letter["id"].as_str().unwrap()),
        "{}",
        letters[0].text
    );

    mail.next(Taking::TakeAndHangUp);
    house.place_as(slot, "A3", &customer).await;
    house.settled(1, "unknown").await;
    assert_eq!(mail.letters().len(), 2);
    let unknown = house.listed("?state=unknown").await;
    let resend = format!(
        "/v1/admin/deliveries/{}/resend",
        unknown[0]["id"].as_str().unwrap()
    );
    house.api.ask(&Call::admin(resend, json!({}))).await;
    house.settled(4, "sent").await;
    assert_eq!(mail.letters().len(), 3);

    mail.next(Taking::Refuse);
    house.place_as(slot, "A5", &customer).await;
    house.settled(1, "failed").await;
    assert_eq!(mail.letters().len(), 3);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_may_die_between_any_two_steps() {
    let (provider, mail) = (SmsProvider::start().await, MailServer::start().await);
    provider.always(Answering::Status(503));
    let mut house = Telling::open(notices().sms(&provider).mail(&mail), 1).await;
    let slot = house.house.screening(&house.api, 1, 6, Sale::Long).await;
    let customer = house.customer("haneul@example.com", "하늘").await;
    let held = house.place_as(slot, "A1", &customer).await;
    house.waiting_for_another_attempt().await;
    house.settled(1, "sent").await;
    assert_eq!(mail.letters().len(), 1);

    // It died before it had planned anything: the checkpoint stands where it stood, and what was added is gone with it.
    house.stop().await;
    house
        .sql("delete from vault.deliveries; update vault.outbox set position = 0")
        .await;
    house.start().await;
    house.settled(1, "sent").await;
    house.waiting_for_another_attempt().await;

    // It died after the provider took the message and before that was known: the same id goes out again, and is taken once.
    // The letter that was under way then stays unknown.
    house.stop().await;
    provider.always(Answering::Take);
    let id = house.id_of("sms").await;
    provider.take(&id, "010-1234-5678", "한 번 보낸 것");
    house
        .sql(
            "update vault.deliveries set state = 'sending', attempts = attempts + 1, noted = false,
                    leased_until = now() - interval '1 second'",
        )
        .await;
    let letters = mail.letters().len();
    house.start().await;
    house.settled(1, "sent").await;
    house.settled(1, "unknown").await;
    assert_eq!(provider.messages().len(), 1);
    assert_eq!(mail.letters().len(), letters);
    house.notified(1).await;

    // It died after that was known and before the reservation knew; or after both, before it remembered that it knew.
    house.stop().await;
    house
        .sql("update vault.deliveries set noted = false where state = 'sent'")
        .await;
    house.start().await;
    house.all_noted().await;
    house.notified(1).await;
    let view = house.api.done(&Call::show(&held)).await.json();
    assert_eq!(view["placed"]["notified"], true, "{view}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_slower_says_nothing_about_a_message() {
    let mut house = Telling::open(notices(), 1).await;
    let slot = house.house.screening(&house.api, 1, 4, Sale::Long).await;
    house.place(slot, "A1", "on_site").await;
    house.settled(1, "sent").await;
    house.stop().await;
    let pool = PgPool::connect_with(house.database.sqlx_options())
        .await
        .expect("a pool");
    let deliveries = Deliveries::new(pool.clone());
    house
        .sql("update vault.deliveries set state = 'due', next_at = now()")
        .await;
    let claimed = deliveries.claim(10).await.expect("messages");
    assert!(!claimed.is_empty());
    assert_eq!(deliveries.claim(10).await.expect("none"), []);
    house
        .sql("update vault.deliveries set leased_until = now() - interval '1 second'")
        .await;
    deliveries
        .take_up(&["sms".to_owned(), "email".to_owned()])
        .await
        .expect("taken up");
    let again = deliveries.claim(10).await.expect("messages");
    assert_eq!(again.len(), claimed.len());
    let end =
        async |message: &Claimed, ended| deliveries.end(&[(message.clone(), ended)]).await.expect("an end");
    assert_eq!(end(&claimed[0], Ended::Failed("late")).await, 0);
    let same = again
        .iter()
        .find(|message| message.id == claimed[0].id)
        .expect("the same");
    assert_eq!(end(same, Ended::Failed("in time")).await, 1);
    // The checkpoint is a fence, too.
    let position = deliveries.position().await.expect("a position");
    assert!(deliveries.plan(position, position + 1, &[]).await.expect("yes"));
    assert!(!deliveries.plan(position, position + 1, &[]).await.expect("no"));
    pool.close().await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_forgotten_is_told_nothing() {
    let (provider, mail) = (SmsProvider::start().await, MailServer::start().await);
    provider.always(Answering::Status(503));
    mail.next(Taking::NotNow);
    let house = Telling::open(notices().sms(&provider).mail(&mail), 1).await;
    let slot = house.house.screening(&house.api, 1, 4, Sale::Long).await;
    let customer = house.customer("haneul@example.com", "하늘").await;
    house.place_as(slot, "A1", &customer).await;
    eventually("both ways were tried", || async {
        let waiting = house.listed("?state=due").await;
        (waiting.len() == 2 && waiting.iter().all(|delivery| delivery["attempts"] != 0)).then_some(())
    })
    .await;
    let leave = Call::post(
        "/v1/customer/leave",
        json!({ "password": crate::support::staff::PASSWORD }),
    );
    house.api.ask(&leave.with_token(&customer)).await;
    provider.always(Answering::Take);
    house
        .sql("update vault.deliveries set next_at = now() where state = 'due'")
        .await;
    house.settled(2, "dropped").await;
    for delivery in house.listed("?state=dropped").await {
        assert_eq!(delivery["problem"], "nobody can be reached this way");
    }
    assert!(provider.messages().is_empty() && mail.letters().is_empty());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_to_pay_is_reminded_unless_they_have_paid() {
    let provider = SmsProvider::start().await;
    let house = Telling::open(notices().sms(&provider), 1).await;
    let slot = house.house.screening(&house.api, 1, 8, Sale::Long).await;
    let unpaid = house.place(slot, "A1", "bank_transfer").await;
    let quick = house.place(slot, "A3", "bank_transfer").await;
    house.settled(2, "sent").await;
    let text = &provider.messages()[0].1;
    assert!(
        text.contains("100-200") && text.contains("원을 국민은행"),
        "{text}"
    );
    let paid = format!("/v1/reservations/{}/mark-paid", quick.number);
    house.api.done(&Call::admin(paid, json!({}))).await;
    house.settled(3, "sent").await;
    // Both are still to be reminded: ten minutes before the deadline.
    let due = house.listed("?state=due").await;
    assert_eq!(
        due.iter()
            .filter(|delivery| delivery["notice"] == "payment-due")
            .count(),
        4
    );
    let view = house.api.done(&Call::show(&unpaid)).await.json();
    let pay_by: jiff::Timestamp = view["placed"]["pay_by"].as_str().unwrap().parse().unwrap();
    let own = due
        .iter()
        .find(|delivery| delivery["reservation"] == unpaid.number.as_str());
    let remind_at: jiff::Timestamp = own.expect("one of its own")["due_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(pay_by.duration_since(remind_at).abs().as_mins(), 10);
    house
        .sql("update vault.deliveries set next_at = now() where state = 'due'")
        .await;
    house.settled(4, "sent").await;
    let texts: Vec<String> = provider.messages().into_iter().map(|(_, text)| text).collect();
    let reminders = texts
        .iter()
        .filter(|text| text.contains("입금 기한이 곧 끝납니다"));
    assert_eq!(reminders.count(), 1, "{texts:?}");
    let dropped = house.listed("?state=dropped").await;
    assert!(
        dropped
            .iter()
            .any(|delivery| delivery["problem"] == "it is not so any more")
    );
    let cancel = Call::admin(format!("/v1/reservations/{}/cancel", unpaid.number), json!({}));
    house.api.done(&cancel).await;
    house.settled(5, "sent").await;
    assert!(
        provider
            .messages()
            .iter()
            .any(|(_, text)| text.contains("취소되었습니다"))
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_hold_nothing_about_a_person_and_a_file_no_address() {
    let file = std::env::temp_dir().join(format!("jari-notices-{}", Uuid::now_v7()));
    let house = Telling::open(notices().file(&file).language("en"), 1).await;
    let slot = house.house.session(&house.api, Sale::Long).await;
    let held = house.api.done(&Call::hold_room(slot, 2)).await.hold();
    house.api.done(&Call::place(&held, None)).await;
    house.settled(1, "sent").await;
    let rows = house.rows().await;
    let written = std::fs::read_to_string(&file).expect("a file");
    for said in [&rows, &written] {
        for secret in ["010-", "1234-5678", "김하늘"] {
            assert!(!said.contains(secret), "{secret} in {said}");
        }
    }
    let line: Value = serde_json::from_str(written.lines().next().unwrap()).expect("JSON");
    let body = line["body"].as_str().unwrap();
    assert!(
        body.contains("You have a reservation: 달빛 서고") && body.contains("the whole room"),
        "{body}"
    );
    assert!(line["subject"].as_str().unwrap().starts_with("Reservation "));
    // Nobody was told, so the reservation does not say so.
    house.all_noted().await;
    let view = house.api.done(&Call::show(&held)).await.json();
    assert_eq!(view["placed"]["notified"], false, "{view}");
    std::fs::remove_file(&file).expect("it is there");
    house.close().await;
}

#[test]
fn a_secret_of_a_way_is_never_shown() {
    let settings = notices()
        .sms_header("Authorization: Bearer hunter2")
        .smtp("smtp://u:hunter2@localhost")
        .0;
    assert!(!format!("{settings:?}").contains("hunter2"));
}
