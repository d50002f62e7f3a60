//! Finds what a catalogue names: the id behind each unique name, or a new one; never changes anything.

use std::{collections::HashMap, convert::Infallible, sync::Mutex};

use aggregates::{
    Event, StreamId,
    claim::{Claim, ClaimEvent},
    ids::{AuditoriumId, BranchId, ClaimId, MovieId, PricePolicyId, ThemeId},
    values::{Name, Title},
};
use uuid::Uuid;

use super::catalogue::{Catalogue, Content};
use crate::store::{Request, Stop, Store, StoreError};

/// Names looked up at once.
const BATCH_MAX: usize = 1_000;

/// Whether a name that was given back still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    Forgotten,
    Remembered,
}

/// The ids behind the names of a catalogue.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<ClaimId, Uuid>);

impl Names {
    /// The ids of everything these catalogues name.
    pub async fn find(store: &Store, catalogues: &[Catalogue]) -> Result<Self, StoreError> {
        Self::looked_up(store, catalogues, Past::Forgotten).await
    }

    /// As [`Names::find`], but a name that names nothing any more is still known by what it named last.
    pub async fn remember(store: &Store, catalogues: &[Catalogue]) -> Result<Self, StoreError> {
        Self::looked_up(store, catalogues, Past::Remembered).await
    }

    /// Whether each of these names was given before, whatever it names now.
    pub async fn were_given(store: &Store, catalogues: &[Catalogue]) -> Result<bool, StoreError> {
        let claims: Vec<ClaimId> = catalogues.iter().flat_map(Catalogue::names).collect();
        for claims in claims.chunks(BATCH_MAX) {
            let owners = owners(store, claims, Past::Remembered).await?;
            if owners.iter().any(Option::is_none) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn looked_up(store: &Store, catalogues: &[Catalogue], past: Past) -> Result<Self, StoreError> {
        let mut names = Self::default();
        names
            .add(
                store,
                catalogues.iter().flat_map(Catalogue::names).collect(),
                past,
            )
            .await?;
        // An auditorium's name is unique in its branch, whose id must be known first.
        let rooms = catalogues
            .iter()
            .flat_map(|catalogue| catalogue.rooms(&names))
            .collect();
        names.add(store, rooms, past).await?;
        Ok(names)
    }

    async fn add(&mut self, store: &Store, claims: Vec<ClaimId>, past: Past) -> Result<(), StoreError> {
        for claims in claims.chunks(BATCH_MAX) {
            let owners = owners(store, claims, past).await?;
            for (claim, owner) in claims.iter().zip(owners) {
                let id = owner.and_then(|owner| Uuid::try_parse(&owner).ok());
                self.0
                    .entry(claim.clone())
                    .or_insert_with(|| id.unwrap_or_else(Uuid::now_v7));
            }
        }
        Ok(())
    }

    fn id(&self, claim: &ClaimId) -> Uuid {
        self.0.get(claim).copied().unwrap_or(Uuid::nil())
    }

    pub fn movie(&self, title: &Title) -> MovieId {
        MovieId::new(self.id(&ClaimId::on("movie", title.as_str())))
    }

    pub fn branch(&self, name: &Name) -> BranchId {
        BranchId::new(self.id(&ClaimId::on("branch", name.as_str())))
    }

    pub fn price_policy(&self, name: &Name) -> PricePolicyId {
        PricePolicyId::new(self.id(&ClaimId::on("price_policy", name.as_str())))
    }

    pub fn theme(&self, name: &Name) -> ThemeId {
        ThemeId::new(self.id(&ClaimId::on("theme", name.as_str())))
    }

    pub fn auditorium(&self, branch: BranchId, name: &Name) -> AuditoriumId {
        AuditoriumId::new(self.id(&aggregates::auditorium::claim(branch, name)))
    }
}

impl Catalogue {
    fn names(&self) -> Vec<ClaimId> {
        let name = |scope, name: &Name| ClaimId::on(scope, name.as_str());
        match &self.content {
            Content::Cinemas(chain) => {
                let movies = chain
                    .movies
                    .iter()
                    .map(|movie| ClaimId::on("movie", movie.value.title.as_str()));
                let branches = chain
                    .cinemas
                    .iter()
                    .map(|cinema| name("branch", &cinema.premises.value.name));
                movies
                    .chain(branches)
                    .chain([name("price_policy", &chain.chain)])
                    .collect()
            }
            Content::EscapeRooms(shops) => {
                let branches = shops.iter().map(|shop| name("branch", &shop.premises.value.name));
                let themes = shops.iter().flat_map(|shop| &shop.themes).flat_map(|theme| {
                    [
                        name("theme", &theme.value.name),
                        name("price_policy", &theme.value.name),
                    ]
                });
                branches.chain(themes).collect()
            }
            Content::Hall(..) => Vec::new(),
        }
    }

    fn rooms(&self, names: &Names) -> Vec<ClaimId> {
        let Content::Cinemas(chain) = &self.content else {
            return Vec::new();
        };
        let rooms = chain.cinemas.iter().flat_map(|cinema| {
            let branch = names.branch(&cinema.premises.value.name);
            cinema
                .auditoriums
                .iter()
                .map(move |room| aggregates::auditorium::claim(branch, &room.value.name))
        });
        rooms.collect()
    }
}

/// Who has each of these names, or had it last.
async fn owners(store: &Store, claims: &[ClaimId], past: Past) -> Result<Vec<Option<String>>, StoreError> {
    let mut owners = present_owners(store, claims).await?;
    if past == Past::Remembered {
        for (claim, owner) in claims.iter().zip(&mut owners) {
            if owner.is_none() {
                *owner = last_owner(store, claim).await?;
            }
        }
    }
    Ok(owners)
}

async fn last_owner(store: &Store, claim: &ClaimId) -> Result<Option<String>, StoreError> {
    let events = store.events_of(&StreamId::of::<Claim>(claim)).await?;
    let taken = events.into_iter().rev().find_map(|recorded| {
        let Event::Claim(ClaimEvent::Taken { by }) = recorded.event else {
            return None;
        };
        Some(by)
    });
    Ok(taken)
}

async fn present_owners(store: &Store, claims: &[ClaimId]) -> Result<Vec<Option<String>>, StoreError> {
    let found = Mutex::new(Vec::new());
    let request = Request::system("import", "FindNames");
    let looked_up = store.run::<Infallible, _>(&request, |mut work| {
        let found = &found;
        async move {
            work.load_all::<Claim>(claims).await?;
            let owner = |claim| work.state::<Claim>(claim).owner().map(str::to_owned);
            let owners = claims.iter().map(owner).collect();
            *found.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = owners;
            Ok(())
        }
    });
    match looked_up.await {
        Ok(_) => Ok(found
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)),
        Err(Stop::Store(error)) => Err(error),
        Err(Stop::Refused(never)) => match never {},
    }
}
