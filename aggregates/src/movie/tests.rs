//! The rules of a movie, one sentence each.

use super::{MovieCommand::*, *};
use crate::decider::testing::given;

fn film() -> Film {
    Film {
        title: "한강의 밤".parse().expect("a title"),
        director: None,
        description: None,
        poster_url: None,
        running_time_minutes: 118,
        rating: Rating::From15,
    }
}

fn announced() -> MovieEvent {
    MovieEvent::Announced(film())
}

fn title(text: &str) -> Title {
    text.parse().expect("a title")
}

#[test]
fn a_movie_is_announced_once() {
    given::<Movie>([]).when(Announce(film())).then([announced()]);
    given::<Movie>([announced()]).when(Announce(film())).then([]);
    let other = Film {
        rating: Rating::All,
        ..film()
    };
    given::<Movie>([announced()])
        .when(Announce(other))
        .refused(&MovieError::AlreadyAnnounced);
}

#[test]
fn a_running_time_is_within_reason() {
    for running_time_minutes in [0, RUNNING_TIME_MAX + 1] {
        given::<Movie>([])
            .when(Announce(Film {
                running_time_minutes,
                ..film()
            }))
            .refused(&MovieError::RunningTimeOutOfRange);
        given::<Movie>([announced()])
            .when(Recut { running_time_minutes })
            .refused(&MovieError::RunningTimeOutOfRange);
    }
}

#[test]
fn every_change_is_its_own_event_and_a_repeat_is_none() {
    let director: Name = "이서윤".parse().expect("a name");
    let changes = [
        (
            Retitle {
                title: title("새벽")
            },
            MovieEvent::Retitled {
                title: title("새벽")
            },
        ),
        (
            Describe {
                director: Some(director.clone()),
                description: None,
                poster_url: None,
            },
            MovieEvent::Described {
                director: Some(director),
                description: None,
                poster_url: None,
            },
        ),
        (
            Recut {
                running_time_minutes: 131,
            },
            MovieEvent::Recut {
                running_time_minutes: 131,
            },
        ),
        (
            Rate {
                rating: Rating::From19,
            },
            MovieEvent::Rated {
                rating: Rating::From19,
            },
        ),
        (Withdraw {}, MovieEvent::Withdrawn),
    ];
    for (command, event) in changes {
        given::<Movie>([announced()])
            .when(command.clone())
            .then([event.clone()]);
        given::<Movie>([announced(), event]).when(command).then([]);
    }
}

#[test]
fn a_movie_nobody_announced_is_not_found() {
    for command in [
        Retitle {
            title: title("새벽")
        },
        Describe {
            director: None,
            description: None,
            poster_url: None,
        },
        Recut {
            running_time_minutes: 1,
        },
        Rate { rating: Rating::All },
        Withdraw {},
    ] {
        given::<Movie>([]).when(command).refused(&MovieError::NotFound);
    }
}

#[test]
fn a_withdrawn_movie_stays_withdrawn() {
    for command in [
        Announce(film()),
        Retitle {
            title: title("새벽")
        },
        Describe {
            director: None,
            description: None,
            poster_url: None,
        },
        Recut {
            running_time_minutes: 1,
        },
        Rate { rating: Rating::All },
    ] {
        given::<Movie>([announced(), MovieEvent::Withdrawn])
            .when(command)
            .refused(&MovieError::Withdrawn);
    }
}

#[test]
fn a_title_is_claimed_moved_and_given_back() {
    let id = MovieId::new(uuid::Uuid::nil());
    let old = ClaimId::on("movie", "한강의 밤");
    let new = ClaimId::on("movie", "새벽");
    let movie = Movie::Announced(film());
    let claims = |takes, gives_back| Claims { takes, gives_back };
    assert_eq!(
        Movie::Unknown.claims(&id, &Announce(film())),
        claims(Some(old.clone()), None)
    );
    assert_eq!(
        movie.claims(&id, &Announce(film())),
        claims(Some(old.clone()), None)
    );
    assert_eq!(
        movie.claims(
            &id,
            &Retitle {
                title: title("새벽")
            }
        ),
        claims(Some(new), Some(old.clone()))
    );
    assert_eq!(movie.claims(&id, &Withdraw {}), claims(None, Some(old)));
    assert_eq!(
        movie.claims(&id, &Rate { rating: Rating::All }),
        Claims::default()
    );
}
