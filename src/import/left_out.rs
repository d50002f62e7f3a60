//! Names what the database has and files of the same kind leave out; never changes it.

use std::collections::{HashMap, HashSet};

use aggregates::{
    auditorium::Auditorium,
    branch::{Branch, BranchKind},
    ids::{AuditoriumId, BranchId, MovieId, ThemeId},
    movie::Movie,
    theme::Theme,
    values::Name,
};

use super::{
    catalogue::{Catalogue, Content},
    compare::{Thing, What},
};
use crate::store::{Store, StoreError};

/// What the files describe.
#[derive(Default)]
struct Described {
    movies: HashSet<MovieId>,
    branches: HashSet<BranchId>,
    auditoriums: HashSet<AuditoriumId>,
    themes: HashSet<ThemeId>,
}

/// What the files could have: movies and cinemas where one of them is a chain of cinemas, shops where one is a chain of
/// shops, and what belongs to the branches they have. What is closed for good or withdrawn is not among them.
pub(super) async fn find(
    store: &Store,
    catalogues: &[Catalogue],
    things: &[Thing],
) -> Result<Vec<String>, StoreError> {
    let described = Described::by(things);
    let has = |kind: BranchKind| {
        catalogues.iter().any(|catalogue| match catalogue.content {
            Content::Cinemas(_) => kind == BranchKind::Cinema,
            Content::EscapeRooms(_) => kind == BranchKind::EscapeRoom,
            Content::Hall(..) => false,
        })
    };
    let (cinemas, shops) = (has(BranchKind::Cinema), has(BranchKind::EscapeRoom));
    let mut left = Vec::new();
    let mut names: HashMap<BranchId, Name> = HashMap::new();
    if cinemas || shops {
        for (id, branch) in store.all::<Branch>().await? {
            let Ok(site) = branch.open() else { continue };
            let name = &site.premises.name;
            if described.branches.contains(&id) {
                names.insert(id, name.clone());
            } else if has(site.premises.kind) {
                left.push(format!("branch {name}"));
            }
        }
    }
    if cinemas {
        for (id, movie) in store.all::<Movie>().await? {
            if let (Ok(film), false) = (movie.film(), described.movies.contains(&id)) {
                left.push(format!("movie {}", film.title));
            }
        }
        for (id, auditorium) in store.all::<Auditorium>().await? {
            let Ok(hall) = auditorium.built() else { continue };
            if let (Some(branch), false) = (names.get(&hall.branch), described.auditoriums.contains(&id)) {
                left.push(format!("auditorium {branch} {}", hall.name));
            }
        }
    }
    if shops {
        for (id, theme) in store.all::<Theme>().await? {
            let Ok(game) = theme.game() else { continue };
            if names.contains_key(&game.branch) && !described.themes.contains(&id) {
                left.push(format!("theme {}", game.name));
            }
        }
    }
    left.sort();
    Ok(left)
}

impl Described {
    fn by(things: &[Thing]) -> Self {
        let mut described = Self::default();
        for thing in things {
            match &thing.what {
                What::Movie(id, _) => drop(described.movies.insert(*id)),
                What::Branch(id, _) => drop(described.branches.insert(*id)),
                What::Auditorium(id, ..) | What::Hall(id, ..) => drop(described.auditoriums.insert(*id)),
                What::Theme(id, ..) => drop(described.themes.insert(*id)),
                What::PricePolicy(..) => {}
            }
        }
        described
    }
}
