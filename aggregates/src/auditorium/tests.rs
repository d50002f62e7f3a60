//! The rules of an auditorium, one sentence each.

use uuid::Uuid;

use super::{AuditoriumCommand::*, *};
use crate::{decider::testing::given, layout::RowsAndColumns};

const CINEMA: BranchId = BranchId::new(Uuid::from_u128(1));

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn build(cleaning_minutes: u16) -> AuditoriumCommand {
    Build {
        branch: CINEMA,
        name: name("1관"),
        hall: None,
        cleaning_minutes,
    }
}

fn built() -> AuditoriumEvent {
    AuditoriumEvent::Built {
        branch: CINEMA,
        name: name("1관"),
        hall: None,
        cleaning_minutes: 15,
    }
}

fn layout(rows: u16) -> Arc<Layout> {
    let category = "일반".parse().expect("a category");
    let plain = RowsAndColumns {
        name: name("상영관"),
        rows,
        columns: 3,
        category,
        aisles_after: vec![],
    };
    Arc::new(plain.layout().expect("a layout"))
}

fn drawn(version: u32, rows: u16) -> AuditoriumEvent {
    AuditoriumEvent::LayoutDrawn {
        version,
        layout: layout(rows),
    }
}

#[test]
fn an_auditorium_is_built_once() {
    given::<Auditorium>([]).when(build(15)).then([built()]);
    given::<Auditorium>([built()]).when(build(15)).then([]);
    given::<Auditorium>([built()])
        .when(build(20))
        .refused(&AuditoriumError::AlreadyBuilt);
}

#[test]
fn every_change_is_its_own_event_and_a_repeat_is_none() {
    let hall = Some(name("large-624"));
    for (command, event) in [
        (
            Rename { name: name("2관") },
            AuditoriumEvent::Renamed { name: name("2관") },
        ),
        (
            Classify { hall: hall.clone() },
            AuditoriumEvent::Classified { hall },
        ),
        (
            AllowCleaning { cleaning_minutes: 20 },
            AuditoriumEvent::CleaningAllowed { cleaning_minutes: 20 },
        ),
        (DrawLayout { layout: layout(2) }, drawn(1, 2)),
    ] {
        given::<Auditorium>([built()])
            .when(command.clone())
            .then([event.clone()]);
        given::<Auditorium>([built(), event])
            .when(command.clone())
            .then([]);
        given::<Auditorium>([])
            .when(command)
            .refused(&AuditoriumError::NotFound);
    }
}

#[test]
fn another_layout_is_another_version_and_the_old_one_stays() {
    given::<Auditorium>([built(), drawn(1, 2)])
        .when(DrawLayout { layout: layout(3) })
        .then([drawn(2, 3)]);
    let mut auditorium = Auditorium::Unknown;
    for event in [built(), drawn(1, 2), drawn(2, 3)] {
        auditorium.evolve(event);
    }
    assert_eq!(auditorium.layout(1).map(|layout| layout.capacity()), Ok(6));
    assert_eq!(auditorium.layout(2).map(|layout| layout.capacity()), Ok(9));
    for version in [0, 3] {
        assert_eq!(
            auditorium.layout(version),
            Err(AuditoriumError::NoSuchLayout { version })
        );
    }
    assert_eq!(
        auditorium
            .built()
            .ok()
            .and_then(Hall::latest_layout)
            .map(|(version, _)| version),
        Some(2)
    );
}

#[test]
fn cleaning_is_bounded() {
    let command = AllowCleaning {
        cleaning_minutes: CLEANING_MAX + 1,
    };
    given::<Auditorium>([built()])
        .when(command)
        .refused(&AuditoriumError::CleaningOutOfRange);
    given::<Auditorium>([])
        .when(build(CLEANING_MAX + 1))
        .refused(&AuditoriumError::CleaningOutOfRange);
}

#[test]
fn versions_are_bounded() {
    let layouts = [layout(1), layout(2)];
    let event = |n: usize| AuditoriumEvent::LayoutDrawn {
        version: u32::try_from(n).expect("few") + 1,
        layout: Arc::clone(&layouts[n % 2]),
    };
    let history = [built()].into_iter().chain((0..VERSIONS_MAX).map(event));
    given::<Auditorium>(history)
        .when(DrawLayout { layout: layout(3) })
        .refused(&AuditoriumError::TooManyLayouts);
}

#[test]
fn a_name_is_claimed_within_its_cinema() {
    let id = AuditoriumId::new(Uuid::nil());
    let mut auditorium = Auditorium::Unknown;
    let claim = |text: &str| Some(ClaimId::on("auditorium", &format!("{CINEMA}/{text}")));
    let claims = |takes, gives_back| Claims { takes, gives_back };
    assert_eq!(auditorium.claims(&id, &build(15)), claims(claim("1관"), None));
    auditorium.evolve(built());
    assert_eq!(
        auditorium.claims(&id, &Rename { name: name("2관") }),
        claims(claim("2관"), claim("1관"))
    );
    assert_eq!(
        auditorium.claims(&id, &Classify { hall: None }),
        Claims::default()
    );
    assert_eq!(Auditorium::reads(&build(15)), [Reference::Cinema(CINEMA)]);
}

#[test]
fn a_stored_layout_reads_as_it_was_drawn() {
    let text = serde_json::to_string(&drawn(1, 2)).expect("a layout can be written");
    assert_eq!(
        serde_json::from_str::<AuditoriumEvent>(&text).expect("and read"),
        drawn(1, 2)
    );
}
