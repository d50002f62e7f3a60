//! A changed timetable: its time slots follow it where nobody has a place in them, and nothing differs silently.

use std::collections::BTreeMap;

use aggregates::{
    ids::{ReservationId, SeatId, TimeSlotId},
    rights::Authority,
    seat::{Seat, SeatCommand},
    time_slot::{TimeSlot, TimeSlotCommand},
    values::SeatLabel,
};
use jari::{
    admin_commands::Administrable,
    import::{Followed, Why, follow_timetable},
    store::Stop,
};
use jiff::Timestamp;

use super::*;

/// The shop with these starts every day.
fn starting(slots: &[&str]) -> Vec<Catalogue> {
    let mut file = shop();
    file["branches"][0]["themes"][0]["slots"] = json!(slots);
    catalogue(&file)
}

/// The cinema with these screenings every day.
fn showing(screenings: &[(&str, &str)]) -> Vec<Catalogue> {
    let mut file = chain();
    file["movies"] = json!([film("새벽"), film("정오")]);
    let schedule = screenings.iter().map(|(starts, movie)| {
        json!({ "auditorium": "1관", "movie": movie, "starts": starts, "weekdays": "daily" })
    });
    file["cinemas"][0]["schedule"] = schedule.collect();
    cinemas(&file, &hall(2))
}

impl Log {
    /// What `jari import --open-sales DAYS` does after the catalogue, and at last.
    async fn follow(&self, catalogues: &[Catalogue], days: u16) -> (Followed, Opened) {
        self.import(catalogues).await.expect("imported");
        let followed = follow_timetable(&self.store, catalogues, days, &|_| {})
            .await
            .expect("followed");
        (followed, self.open(catalogues, days).await)
    }

    /// The slots on the programme tomorrow or later: when, and which.
    async fn standing(&self) -> BTreeMap<Timestamp, (TimeSlotId, Plan)> {
        let slots = self.store.all::<TimeSlot>().await.expect("readable");
        let standing = slots.into_iter().filter_map(|(id, slot)| match slot {
            TimeSlot::OnSale(plan) => Some((plan.starts_at, (id, plan))),
            TimeSlot::Unknown | TimeSlot::Closed(_) | TimeSlot::Withdrawn(_) => None,
        });
        standing.collect()
    }

    /// The times of day at which something starts, in Seoul.
    async fn times(&self) -> Vec<String> {
        let zone = jiff::tz::TimeZone::get("Asia/Seoul").expect("a bundled zone");
        let standing = self.standing().await;
        let time = |at: &Timestamp| on_the_wall(&zone, *at).1.to_string();
        let mut times: Vec<String> = standing.keys().map(time).collect();
        times.sort();
        times.dedup();
        times
    }

    /// Somebody takes the room of a slot.
    async fn take(&self, time_slot: TimeSlotId) {
        let seat = SeatId {
            time_slot,
            label: SeatLabel::room(),
        };
        let by: ReservationId = "1".parse().expect("a number");
        let request = Request::system("test", "Hold");
        let held = self.store.run(&request, |mut work| {
            let seat = &seat;
            async move {
                work.load::<Seat>(seat).await?;
                work.execute::<Seat>(seat, SeatCommand::Hold { by })
                    .map_err(Stop::Refused)
            }
        });
        held.await.expect("it is free");
    }
}

#[tokio::test]
async fn a_moved_slot_follows_the_file_where_nobody_has_a_place() {
    let log = log().await;
    log.follow(&starting(&["09:00", "10:25"]), 3).await;
    let (followed, opened) = log.follow(&starting(&["09:00", "10:35"]), 3).await;
    assert!(
        followed.withdrawn >= 2 && opened.scheduled >= 2,
        "{followed:?} {opened:?}"
    );
    assert_eq!((followed.unsettled, opened.unsettled), (vec![], vec![]));
    assert_eq!(log.times().await, ["09:00", "10:35"]);

    // Once more: nothing; and back again.
    let before = log.events().await.len();
    let (followed, opened) = log.follow(&starting(&["09:00", "10:35"]), 3).await;
    assert_eq!((followed.withdrawn, opened.scheduled), (0, 0));
    assert_eq!(log.events().await.len(), before);
    log.follow(&starting(&["09:00", "10:25"]), 3).await;
    assert_eq!(log.times().await, ["09:00", "10:25"]);
}

#[tokio::test]
async fn a_slot_somebody_has_stays_and_is_named() {
    let log = log().await;
    log.follow(&starting(&["09:00", "10:25"]), 3).await;
    let (last, (taken, _)) = log.standing().await.pop_last().expect("a slot");
    log.take(taken).await;
    let (followed, opened) = log.follow(&starting(&["09:00", "10:35"]), 3).await;
    let zone = jiff::tz::TimeZone::get("Asia/Seoul").expect("a bundled zone");
    let (date, _) = on_the_wall(&zone, last);
    assert_eq!(followed.unsettled.len(), 1, "{followed:?}");
    let stays = &followed.unsettled[0];
    assert_eq!(
        (
            stays.place.as_str(),
            stays.starts.as_str(),
            stays.time_slot,
            &stays.why
        ),
        (
            "강남점 달빛 서고",
            format!("{date} 10:25").as_str(),
            taken,
            &Why::Taken
        )
    );
    assert_eq!(opened.in_the_way, 1, "{opened:?}");
    let missing = &opened.unsettled[0];
    let starts = format!("{date} 10:25");
    assert_eq!(
        (missing.starts.as_str(), missing.time_slot, &missing.why),
        (format!("{date} 10:35").as_str(), taken, &Why::InTheWay { starts })
    );
}

#[tokio::test]
async fn a_slot_the_file_has_no_more_is_taken_off_only_on_the_days_that_are_opened() {
    let log = log().await;
    log.follow(&starting(&["09:00", "10:25"]), 3).await;
    let standing = log.standing().await.len();
    // Nobody asked for time slots: all that differ are named.
    let (followed, _) = log.follow(&starting(&["09:00"]), 0).await;
    assert_eq!(followed.withdrawn, 0);
    assert!(followed.unsettled.len() >= 2, "{followed:?}");
    assert!(followed.unsettled.iter().all(|slot| slot.why == Why::NotAsked));
    assert_eq!(log.standing().await.len(), standing);

    let (followed, _) = log.follow(&starting(&["09:00"]), 2).await;
    assert_eq!(followed.unsettled.len(), 1, "{followed:?}");
    let (followed, _) = log.follow(&starting(&["09:00"]), 3).await;
    assert_eq!((followed.withdrawn, followed.unsettled.len()), (1, 0));
    assert_eq!(log.times().await, ["09:00"]);
}

#[tokio::test]
async fn another_movie_at_the_same_time_is_another_slot() {
    let log = log().await;
    log.follow(&showing(&[("09:00", "새벽"), ("12:00", "정오")]), 3)
        .await;
    let before = log.standing().await;
    let (followed, opened) = log
        .follow(&showing(&[("09:00", "정오"), ("12:00", "정오")]), 3)
        .await;
    assert_eq!(followed.withdrawn, opened.scheduled, "{followed:?} {opened:?}");
    assert!(followed.withdrawn >= 2);
    let after = log.standing().await;
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    let movies: Vec<_> = after.values().map(|(_, plan)| &plan.show).collect();
    assert!(movies.windows(2).all(|pair| pair[0] == pair[1]), "{movies:?}");

    // An auditorium in which nothing is shown any more has no slots either.
    let (followed, _) = log.follow(&showing(&[]), 3).await;
    assert_eq!(followed.withdrawn, after.len());
    assert!(log.standing().await.is_empty());
}

#[tokio::test]
async fn what_an_admin_scheduled_or_withdrew_is_nothing_a_file_decides() {
    let log = log().await;
    log.follow(&starting(&["09:00", "10:25"]), 3).await;
    let (_, (withdrawn, plan)) = log.standing().await.pop_last().expect("a slot");
    let extra = TimeSlotId::new(uuid::Uuid::now_v7());
    let hours = jiff::SignedDuration::from_hours(3);
    let moved = Plan {
        starts_at: plan.starts_at + hours,
        ends_at: plan.ends_at + hours,
        sales_close_at: plan.sales_close_at + hours,
        ..plan
    };
    for (id, command) in [
        (withdrawn, TimeSlotCommand::Withdraw { reason: None }),
        (extra, TimeSlotCommand::Schedule { plan: moved }),
    ] {
        let request = Request::system("test", "Admin");
        let done = log.store.run(&request, |mut work| {
            let command = command.clone();
            async move { TimeSlot::carry_out(&mut work, &id, command, &Authority::whole()).await }
        });
        done.await.expect("it is done");
    }
    let before = log.events().await.len();
    let (followed, opened) = log.follow(&starting(&["09:00", "10:25"]), 3).await;
    assert_eq!((followed.withdrawn, followed.unsettled.len()), (0, 0));
    assert_eq!((opened.scheduled, opened.in_the_way), (0, 0));
    assert_eq!(log.events().await.len(), before);
}
