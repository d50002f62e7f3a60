//! Finds what a catalogue names: the id behind each unique name, or a new one; never changes anything. A name that was
//! given back can still mean the thing that had it, so that nothing closed is made a second time.

use std::{collections::HashMap, convert::Infallible, sync::Mutex};

use aggregates::{
    branch::Branch,
    claim::Claim,
    ids::{AuditoriumId, BranchId, ClaimId, MovieId, PricePolicyId, ThemeId},
    movie::Movie,
    values::{Name, Title},
};
use uuid::Uuid;

use super::catalogue::{Catalogue, Content};
use crate::store::{Request, Stop, Store, StoreError, UnitOfWork};

/// Names looked up at once.
const BATCH_MAX: usize = 1_000;

/// What a name still means that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Former {
    /// Whatever had it last, under whichever name it is known now.
    Anything,
    /// What had it last, if that is closed for good or withdrawn; a thing that was only renamed has nothing to do with it.
    Closed,
}

/// The ids behind the names of a catalogue.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<ClaimId, Uuid>);

impl Names {
    /// The ids of everything these catalogues name.
    pub async fn find(store: &Store, catalogues: &[Catalogue], former: Former) -> Result<Self, StoreError> {
        let mut names = Self::default();
        names
            .add(
                store,
                catalogues.iter().flat_map(Catalogue::names).collect(),
                former,
            )
            .await?;
        // An auditorium's name is unique in its branch, whose id must be known first.
        let rooms = catalogues
            .iter()
            .flat_map(|catalogue| catalogue.rooms(&names))
            .collect();
        names.add(store, rooms, former).await?;
        Ok(names)
    }

    async fn add(&mut self, store: &Store, claims: Vec<ClaimId>, former: Former) -> Result<(), StoreError> {
        for claims in claims.chunks(BATCH_MAX) {
            let owners = owners(store, claims, former).await?;
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

/// Who has each of these names, or had it.
async fn owners(
    store: &Store,
    claims: &[ClaimId],
    former: Former,
) -> Result<Vec<Option<String>>, StoreError> {
    let found = Mutex::new(Vec::new());
    let request = Request::system("import", "catalogue/find-names");
    let looked_up = store.run::<Infallible, _>(&request, |mut work| {
        let found = &found;
        async move {
            work.load_all::<Claim>(claims).await?;
            let mut owners = Vec::with_capacity(claims.len());
            for claim in claims {
                let known = work.state::<Claim>(claim)?;
                let (owner, last) = (
                    known.owner().map(str::to_owned),
                    known.last_owner().map(str::to_owned),
                );
                owners.push(match (owner, last) {
                    (Some(owner), _) => Some(owner),
                    (None, Some(last)) => match former {
                        Former::Anything => Some(last),
                        Former::Closed => is_closed(&mut work, &last).await?.then_some(last),
                    },
                    (None, None) => None,
                });
            }
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

/// Whether this id is that of a branch closed for good, or of a movie that was withdrawn.
async fn is_closed(work: &mut UnitOfWork, id: &str) -> Result<bool, StoreError> {
    let Ok(id) = Uuid::try_parse(id) else {
        return Ok(false);
    };
    let branch = matches!(work.load::<Branch>(&BranchId::new(id)).await?, Branch::Closed(_));
    let movie = matches!(work.load::<Movie>(&MovieId::new(id)).await?, Movie::Withdrawn(_));
    Ok(branch || movie)
}
