//! Programmes become time slots, once each.

use super::*;

#[tokio::test]
async fn a_week_of_the_sample_chains_goes_on_sale_once() {
    let log = log().await;
    let catalogues = sample_catalogues();
    log.import(&catalogues).await.expect("imported");
    let opened = log.open(&catalogues, 7).await;
    let plans = log.plans().await;
    assert_eq!(plans.len(), opened.scheduled);
    // Inactive themes have no slots; of today only what has not started.
    assert!(opened.scheduled > 6 * (43 + 9 * 40), "{opened:?}");
    assert_eq!((opened.in_the_way, opened.never_on_sale), (0, 0));
    let now = log.store.now();
    assert!(
        plans
            .iter()
            .all(|plan| plan.starts_at < plan.ends_at && plan.sales_open_at < plan.sales_close_at)
    );
    let cinema = plans
        .iter()
        .filter(|plan| matches!(plan.show, Show::Movie { .. }));
    assert!(
        cinema
            .clone()
            .all(|plan| plan.sales_open_at <= now && plan.seats_per_customer_max == 8)
    );

    let again = log.open(&catalogues, 7).await;
    assert_eq!(
        (again.scheduled, again.present >= opened.scheduled - 30),
        (0, true),
        "{again:?}"
    );
}

#[tokio::test]
async fn the_slots_of_a_place_never_overlap_turnover_included() {
    let log = log().await;
    log.import(&catalogue(&shop())).await.expect("imported");
    log.open(&catalogue(&shop()), 3).await;
    let mut file = shop();
    // The theme now starts earlier: the old slots are in the way of some of the new ones.
    file["branches"][0]["themes"][0]["slots"] = json!(["08:30", "10:25", "12:00"]);
    log.import(&catalogue(&file)).await.expect("imported");
    let opened = log.open(&catalogue(&file), 3).await;
    assert!(
        opened.in_the_way >= 2 && opened.present >= 2 && opened.scheduled >= 2,
        "{opened:?}"
    );
    let mut spans: Vec<_> = log
        .events()
        .await
        .into_iter()
        .filter_map(|event| {
            let Event::Schedule(ScheduleEvent::Entered {
                starts_at, ends_at, ..
            }) = event
            else {
                return None;
            };
            Some((starts_at, ends_at))
        })
        .collect();
    spans.sort();
    assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
}

#[tokio::test]
async fn closing_days_and_inactive_themes_have_no_slots() {
    let log = log().await;
    let catalogues = catalogue(&shop());
    log.import(&catalogues).await.expect("imported");
    let branch: BranchId = log.first::<Branch>().await;
    let zone = jiff::tz::TimeZone::get("Asia/Seoul").expect("a bundled zone");
    let (today, _) = on_the_wall(&zone, log.store.now());
    let tomorrow = today.tomorrow().expect("there is one");
    let closing = BranchCommand::CloseOn {
        date: tomorrow,
        reason: None,
    };
    let request = Request::system("test", "CloseOn");
    log.store
        .run(&request, |mut work| {
            let closing = closing.clone();
            async move { administer::<Branch>(&mut work, &branch, closing).await }
        })
        .await
        .expect("the branch is closed tomorrow");
    log.open(&catalogues, 3).await;
    let theme = log.first::<Theme>().await;
    let day = ScheduleId {
        place: theme.uuid(),
        date: tomorrow,
    };
    assert!(
        log.store
            .read::<Schedule>(&day)
            .await
            .expect("readable")
            .entries()
            .is_empty()
    );
    let after = ScheduleId {
        date: tomorrow.tomorrow().expect("there is one"),
        ..day
    };
    assert_eq!(
        log.store
            .read::<Schedule>(&after)
            .await
            .expect("readable")
            .entries()
            .len(),
        2
    );

    let mut file = shop();
    file["branches"][0]["themes"][0]["active"] = json!(false);
    log.import(&catalogue(&file)).await.expect("imported");
    assert_eq!(log.open(&catalogue(&file), 7).await.scheduled, 0);
}
