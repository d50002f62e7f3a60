//! A hall by itself, and beside the cinemas that have it.

use super::*;

#[tokio::test]
async fn a_hall_drawn_anew_is_one_more_version() {
    let log = log().await;
    log.import(&cinema(&hall(2), None)).await.expect("imported");
    // A hall named beside the catalogue is the layout of all auditoriums built like it.
    let imported = log
        .import(&cinema(&hall(2), Some(&hall(3))))
        .await
        .expect("imported");
    assert_eq!(
        imported.events.keys().collect::<Vec<_>>(),
        ["AuditoriumLayoutDrawn"]
    );
    let auditorium = log
        .store
        .read::<Auditorium>(&log.first::<Auditorium>().await)
        .await
        .expect("readable");
    let capacity = |version| auditorium.layout(version).map(|layout| layout.capacity()).ok();
    assert_eq!([capacity(1), capacity(2), capacity(3)], [Some(8), Some(12), None]);
}

#[tokio::test]
async fn a_hall_alone_is_the_next_layout_of_what_was_built_like_it() {
    let log = log().await;
    log.import(&cinema(&hall(2), None)).await.expect("imported");
    let same = log.import(&hall_alone(&hall(2))).await.expect("imported");
    assert_eq!((same.things, same.events.len()), (1, 0));
    let drawn = log.import(&hall_alone(&hall(3))).await.expect("imported");
    assert_eq!(
        (count(&drawn, "AuditoriumLayoutDrawn"), drawn.events.len()),
        (1, 1)
    );
    assert_eq!((drawn.unused.len(), drawn.left_out.len()), (0, 0));
    let again = log.import(&hall_alone(&hall(3))).await.expect("imported");
    assert!(again.events.is_empty());
    let auditorium = log
        .store
        .read::<Auditorium>(&log.first::<Auditorium>().await)
        .await
        .expect("readable");
    assert_eq!(auditorium.layout(2).expect("drawn").capacity(), 12);
}

#[tokio::test]
async fn a_hall_that_no_auditorium_is_built_like_is_named() {
    let big = read(
        Source::Embedded(&[("big.json", &hall(1))]),
        &[Path::new("big.json")],
    )
    .expect("sound");
    let log = log().await;
    let Err(ImportError::Faults(faults)) = log.import(&big).await else {
        panic!("it would do nothing")
    };
    assert!(
        faults[0]
            .to_string()
            .starts_with("big.json: no auditorium is built like this hall"),
        "{}",
        faults[0]
    );
    // Beside files that are of use it is only named.
    let imported = log
        .import(&[cinema(&hall(2), None), big].concat())
        .await
        .expect("imported");
    assert_eq!(imported.unused, ["big.json"]);
}
