//! What files say comes to be, once, and nothing else.

use super::*;

#[tokio::test]
async fn the_sample_chains_are_imported_once() {
    let log = log().await;
    let seen = Mutex::new(Vec::new());
    let on_progress = |progress: Progress| seen.lock().expect("not poisoned").push(progress);
    let imported = import(&log.store, &sample_catalogues(), Known::Follows, &on_progress)
        .await
        .expect("they are imported");
    assert_eq!(count(&imported, "MovieAnnounced"), 5);
    assert_eq!(count(&imported, "BranchOpened"), 4 + 13);
    assert_eq!(count(&imported, "AuditoriumBuilt"), 8);
    assert_eq!(count(&imported, "AuditoriumLayoutDrawn"), 8);
    assert_eq!(count(&imported, "ThemeIntroduced"), 51);
    assert_eq!(count(&imported, "PricePolicyAdopted"), 52);
    let seen = seen.into_inner().expect("not poisoned");
    assert_eq!(
        seen.last().map(|progress| progress.done),
        seen.last().map(|progress| progress.total)
    );

    let before = log.events().await.len();
    let again = log
        .import(&sample_catalogues())
        .await
        .expect("they are imported again");
    assert!(again.events.is_empty(), "{again:?}");
    assert_eq!(log.events().await.len(), before);
}

#[tokio::test]
async fn a_changed_file_appends_only_the_differences() {
    let log = log().await;
    log.import(&catalogue(&shop())).await.expect("imported");
    let mut file = shop();
    file["branches"][0]["address"] = json!("예시로 2");
    let theme = &mut file["branches"][0]["themes"][0];
    theme["price"]["amount"] = json!(70000);
    theme["slots"] = json!(["09:00", "10:30"]);
    theme["active"] = json!(false);
    let imported = log.import(&catalogue(&file)).await.expect("imported");
    let names: Vec<&str> = imported.events.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "BranchRelocated",
            "PricePolicyRevised",
            "ThemeDeactivated",
            "ThemeRetimed"
        ]
    );
    assert!(imported.events.values().all(|count| *count == 1));
}

#[tokio::test]
async fn what_a_file_leaves_out_stays_as_it_is() {
    let log = log().await;
    log.import(&catalogue(&shop())).await.expect("imported");
    let mut file = shop();
    file["branches"][0]["themes"] = json!([]);
    let imported = log.import(&catalogue(&file)).await.expect("imported");
    assert_eq!(
        (imported.events.len(), &imported.left_out[..]),
        (0, &["theme 달빛 서고".to_owned()][..])
    );
    let theme = log
        .store
        .read::<Theme>(&log.first::<Theme>().await)
        .await
        .expect("readable");
    assert!(theme.active().is_ok());
}

#[tokio::test]
async fn a_file_that_contradicts_what_is_so_is_refused_whole() {
    let log = log().await;
    log.import(&catalogue(&shop())).await.expect("imported");
    let before = log.events().await.len();
    let mut file = shop();
    file["branches"][0]["time_zone"] = json!("Europe/Berlin");
    file["branches"][0]["themes"][0]["currency"] = json!("EUR");
    let mut new = file["branches"][0].clone();
    new["name"] = json!("홍대점");
    new["themes"] = json!([]);
    file["branches"].as_array_mut().expect("a list").insert(0, new);
    let Err(ImportError::Faults(faults)) = log.import(&catalogue(&file)).await else {
        panic!("it is refused")
    };
    let places: Vec<&str> = faults.iter().map(|found| found.fault.pointer.as_str()).collect();
    assert_eq!(places, ["/branches/1", "/branches/1/themes/0"]);
    assert_eq!(log.events().await.len(), before);
}

#[tokio::test]
async fn two_imports_at_once_make_each_thing_once() {
    let log = log().await;
    let catalogues = catalogue(&shop());
    let (one, two) = tokio::join!(log.import(&catalogues), log.import(&catalogues));
    // The one that was overtaken says so; importing again finds nothing to do.
    assert!(one.is_ok() || two.is_ok());
    assert!(log.import(&catalogues).await.expect("imported").events.is_empty());
    let introduced = |event: &Event| matches!(event, Event::Theme(ThemeEvent::Introduced(_)));
    assert_eq!(
        log.events()
            .await
            .iter()
            .filter(|event| introduced(event))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_name_given_twice_over_two_files_is_refused() {
    let text = shop().to_string();
    let source = Source::Embedded(&[("a.json", &text), ("b.json", &text)]);
    let catalogues = read(source, &["a.json", "b.json"].map(Path::new)).expect("each is sound");
    let log = log().await;
    let Err(ImportError::Faults(faults)) = log.import(&catalogues).await else {
        panic!("it is refused")
    };
    assert_eq!(
        faults[0].to_string(),
        "b.json /branches/0: the branch 강남점 is also in another file"
    );
    assert!(log.events().await.is_empty());
}

#[tokio::test]
async fn what_the_files_leave_out_is_named() {
    let hall = hall(2);
    let log = log().await;
    let mut chain = chain();
    chain["movies"] = json!([film("새벽"), film("정오")]);
    log.import(&cinemas(&chain, &hall)).await.expect("imported");
    log.import(&catalogue(&shop())).await.expect("imported");
    chain["movies"] = json!([film("새벽")]);
    let imported = log.import(&cinemas(&chain, &hall)).await.expect("imported");
    assert_eq!(imported.left_out, ["movie 정오"]);
    chain["cinemas"][0]["auditoriums"] = json!([]);
    let imported = log.import(&cinemas(&chain, &hall)).await.expect("imported");
    assert_eq!(imported.left_out, ["auditorium 시네마 1관", "movie 정오"]);
    chain["cinemas"] = json!([]);
    let imported = log.import(&cinemas(&chain, &hall)).await.expect("imported");
    assert_eq!(imported.left_out, ["branch 시네마", "movie 정오"]);
    assert!(imported.events.is_empty());
}

#[tokio::test]
async fn a_theme_that_does_not_say_is_for_any_group_and_on_sale_six_days_ahead() {
    let log = log().await;
    let mut file = shop();
    let theme = file["branches"][0]["themes"][0]
        .as_object_mut()
        .expect("an object");
    theme.remove("party");
    theme.remove("opens");
    theme.insert(
        "slots".to_owned(),
        json!({ "sunday": ["25:10", "10:30"], "monday": ["11:00"] }),
    );
    log.import(&catalogue(&file)).await.expect("imported");
    let theme = log
        .store
        .read::<Theme>(&log.first::<Theme>().await)
        .await
        .expect("readable");
    let game = theme.game().expect("introduced");
    assert_eq!((game.party.min, game.party.max, game.party.default), (1, 6, 2));
    assert_eq!(
        (game.opens.days_ahead, game.opens.time.to_string().as_str()),
        (6, "10:30")
    );
}

#[tokio::test]
async fn a_byte_order_mark_says_nothing() {
    let text = format!("\u{feff}{}", shop());
    let source = Source::Embedded(&[("shop.json", &text)]);
    let catalogues = read(source, &[Path::new("shop.json")]).expect("a sound file");
    let log = log().await;
    assert!(!log.import(&catalogues).await.expect("imported").events.is_empty());
}
