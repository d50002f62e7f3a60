//! What admins closed or changed, and the files say otherwise.

use super::*;

#[tokio::test]
async fn what_an_admin_closed_stays_closed() {
    let log = log().await;
    let catalogues = catalogue(&shop());
    log.import(&catalogues).await.expect("imported");
    log.admin::<Branch>(|| BranchCommand::Close { reason: None })
        .await;
    let before = log.names().await;
    for known in [Known::Follows, Known::Stays] {
        let again = import(&log.store, &catalogues, known, &|_| {})
            .await
            .expect("imported");
        // The branch and its theme; the prices are nobody's.
        assert_eq!((again.closed, again.events.len()), (2, 0), "{known:?}");
        assert_eq!(log.open(&catalogues, 3).await.scheduled, 0);
    }
    assert_eq!(log.names().await, before);
}

#[tokio::test]
async fn a_withdrawn_movie_is_not_announced_again() {
    let log = log().await;
    let catalogues = sample_catalogues();
    log.import(&catalogues).await.expect("imported");
    log.admin::<Movie>(|| MovieCommand::Withdraw {}).await;
    let again = log.import(&catalogues).await.expect("imported again");
    assert_eq!((again.closed, again.events.len()), (1, 0));
    let movie = log.first::<Movie>().await;
    log.open(&catalogues, 3).await;
    let plans = log.plans().await;
    assert!(!plans.is_empty());
    assert!(
        plans
            .iter()
            .all(|plan| !matches!(plan.show, Show::Movie { movie: shown, .. } if shown == movie))
    );
}

#[tokio::test]
async fn a_demo_started_again_leaves_what_was_changed() {
    let log = log().await;
    let catalogues = catalogue(&shop());
    log.import(&catalogues).await.expect("imported");
    let name = || "강남 본점".parse().expect("a name");
    log.admin::<Branch>(|| BranchCommand::Rename { name: name() })
        .await;
    log.admin::<Theme>(|| ThemeCommand::Deactivate {}).await;
    let before = log.names().await;
    let again = import(&log.store, &catalogues, Known::Stays, &|_| {})
        .await
        .expect("imported again");
    assert_eq!((again.closed, again.events.len()), (0, 0));
    assert_eq!(log.open(&catalogues, 3).await.scheduled, 0);
    assert_eq!(log.names().await, before);
}
