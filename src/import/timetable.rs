//! The weekly timetables the catalogues describe, put on sale for the coming days; never makes a slot by itself.

use std::{collections::BTreeMap, sync::Arc};

use aggregates::values::Name;
use futures_util::{StreamExt as _, stream};

use super::{
    ImportError, OnProgress, Progress,
    catalogue::{Catalogue, CinemaChain, Content},
    names::{Former, Names},
};
use crate::{
    store::Store,
    timetable::{self, Followed, Opened, Screening, Screenings, Shows, Timetable, UNIT_DAYS},
};

/// Days that can be opened at once.
pub const SALES_DAYS_MAX: u16 = 92;
/// Places whose slots are made at the same time.
const AT_ONCE: usize = 8;

/// Makes the time slots of the next `days` business days, today's first: of every screening of the catalogues' cinemas and
/// of every active theme. What was renamed since the import is found by the name it had.
pub async fn open_sales(
    store: &Store,
    catalogues: &[Catalogue],
    days: u16,
    on_progress: OnProgress<'_>,
) -> Result<Opened, ImportError> {
    let names = Names::find(store, catalogues, Former::Anything).await?;
    let days = days.min(SALES_DAYS_MAX);
    let timetables = timetables(catalogues, &names);
    let parts: Vec<(&Timetable, u16)> = timetables
        .iter()
        .flat_map(|timetable| {
            (0..days)
                .step_by(UNIT_DAYS.into())
                .map(move |from| (timetable, from))
        })
        .collect();
    let total = parts.len();
    let open = |(timetable, from): (&Timetable, u16)| {
        let timetable = timetable.clone();
        async move { timetable::open(store, "import", &timetable, from..days.min(from + UNIT_DAYS)).await }
    };
    let mut results = stream::iter(parts.into_iter().map(open)).buffer_unordered(AT_ONCE);
    let mut opened = Opened::default();
    let mut done = 0;
    on_progress(Progress { done, total });
    while let Some(part) = results.next().await {
        opened += part?;
        done += 1;
        on_progress(Progress { done, total });
    }
    Ok(opened)
}

/// Takes the time slots of the next `days` off the programme that the catalogues have no more, unless somebody has a place
/// in them; names those, and all that differ on later days. To be asked before [`open_sales`], which needs their places.
pub async fn follow_timetable(
    store: &Store,
    catalogues: &[Catalogue],
    days: u16,
    on_progress: OnProgress<'_>,
) -> Result<Followed, ImportError> {
    let names = Names::find(store, catalogues, Former::Anything).await?;
    let timetables = timetables(catalogues, &names);
    let total = timetables.len();
    let follow = |timetable: Timetable| async move {
        timetable::follow(store, "import", &timetable, days, SALES_DAYS_MAX).await
    };
    let mut results = stream::iter(timetables.into_iter().map(follow)).buffered(AT_ONCE);
    let mut followed = Followed::default();
    let mut done = 0;
    on_progress(Progress { done, total });
    while let Some(part) = results.next().await {
        followed += part?;
        done += 1;
        on_progress(Progress { done, total });
    }
    Ok(followed)
}

fn timetables(catalogues: &[Catalogue], names: &Names) -> Vec<Timetable> {
    let of = |catalogue: &Catalogue| match &catalogue.content {
        Content::Cinemas(chain) => screenings(chain, names),
        Content::EscapeRooms(shops) => {
            let themes = shops.iter().flat_map(|shop| {
                let branch = names.branch(&shop.premises.value.name);
                let theme = move |name| Timetable {
                    branch,
                    shows: Shows::Sessions(names.theme(name)),
                };
                shop.themes.iter().map(move |play| theme(&play.value.name))
            });
            themes.collect()
        }
        Content::Hall(..) => Vec::new(),
    };
    catalogues.iter().flat_map(of).collect()
}

fn screenings(chain: &CinemaChain, names: &Names) -> Vec<Timetable> {
    let mut timetables = Vec::new();
    for cinema in &chain.cinemas {
        let branch = names.branch(&cinema.premises.value.name);
        // Also those in which nothing is shown any more.
        let all = cinema
            .auditoriums
            .iter()
            .map(|room| (&room.value.name, Vec::new()));
        let mut rooms: BTreeMap<_, Vec<_>> = all.collect();
        for screening in &cinema.screenings {
            let movie = names.movie(&screening.movie);
            rooms.entry(&screening.auditorium).or_default().push(Screening {
                movie,
                starts: screening.starts,
                days: screening.days.clone(),
            });
        }
        let seating = |name: &Name| {
            let mut rooms = cinema.auditoriums.iter().map(|room| &room.value);
            let own = rooms
                .find(|room| room.name == *name)
                .and_then(|room| room.seating);
            own.unwrap_or(chain.seating)
        };
        timetables.extend(rooms.into_iter().map(|(room, screenings)| Timetable {
            branch,
            shows: Shows::Screenings(Screenings {
                auditorium: names.auditorium(branch, room),
                price_policy: names.price_policy(&chain.chain),
                cancel_minutes: chain.cancel_minutes,
                seating: seating(room),
                screenings: Arc::new(screenings),
            }),
        }));
    }
    timetables
}
