//! A whole chain at once: how long the sample data takes from nothing to a week on sale.

use std::time::{Duration, Instant};

use super::*;

/// Loose: it takes a few seconds on two idle cores, and the build of tests is not the fast one.
const BULK_MAX: Duration = Duration::from_secs(90);

#[tokio::test]
async fn the_sample_chains_are_imported_and_on_sale_for_a_week_in_seconds() {
    let log = log().await;
    let begun = Instant::now();
    let catalogues = sample_catalogues();
    let imported = log.import(&catalogues).await.expect("imported");
    let opened = log.open(&catalogues, 7).await;
    let took = begun.elapsed();
    println!("imported and on sale within {took:?}: {imported:?}, {opened:?}");
    let events = log.events().await;
    let is_branch = |event: &&Event| matches!(event, Event::Branch(_));
    let is_theme = |event: &&Event| matches!(event, Event::Theme(ThemeEvent::Introduced { .. }));
    let themes = events.iter().filter(is_theme).count();
    assert_eq!(
        (events.iter().filter(is_branch).count() >= 13 + 4, themes),
        (true, 51)
    );
    assert_eq!(log.plans().await.len(), opened.scheduled);
    assert!(took < BULK_MAX, "{took:?}");
}
