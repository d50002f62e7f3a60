//! What a catalogue says about one thing, as the commands that make it so; never whether they change anything: a repeated
//! command is no event.

use std::sync::Arc;

use aggregates::{
    administered::Administered,
    auditorium::{Auditorium, AuditoriumCommand},
    branch::{Branch, BranchCommand, Premises},
    ids::{AuditoriumId, BranchId, MovieId, PricePolicyId, ThemeId},
    layout::Layout,
    movie::{Film, Movie, MovieCommand},
    price_policy::{PricePolicy, PricePolicyCommand},
    pricing::Tariff,
    theme::{Game, Theme, ThemeCommand},
    values::Name,
};

use super::{
    catalogue::{Catalogue, CinemaChain, Content, Room, Shop},
    names::Names,
};
use crate::{
    administration::administer,
    store::{Stop, Store, StoreError, UnitOfWork},
};

/// What becomes of a thing that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It is made as the file says.
    Follows,
    /// It stays as it is, whatever was changed since.
    Stays,
}

/// One thing a file describes.
#[derive(Debug)]
pub(super) struct Thing {
    pub file: String,
    pub pointer: String,
    pub what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Movie(MovieId, Film),
    PricePolicy(PricePolicyId, Name, Arc<Tariff>),
    Branch(BranchId, Premises),
    Auditorium(AuditoriumId, BranchId, Room),
    Theme(ThemeId, Game, bool),
    /// An auditorium that only the database knows, built like a hall whose file is given.
    Hall(AuditoriumId, BranchId, Arc<Layout>),
}

/// Everything the catalogues describe, each thing after those it names.
pub(super) fn things(catalogues: &[Catalogue], names: &Names) -> Vec<Thing> {
    let halls: Vec<_> = catalogues
        .iter()
        .filter_map(|catalogue| match &catalogue.content {
            Content::Hall(hall, layout) => Some((hall, layout)),
            Content::Cinemas(_) | Content::EscapeRooms(_) => None,
        })
        .collect();
    let mut things = Vec::new();
    for Catalogue { file, content } in catalogues {
        let mut add = |pointer: &str, what| {
            things.push(Thing {
                file: file.clone(),
                pointer: pointer.to_owned(),
                what,
            });
        };
        match content {
            Content::Cinemas(chain) => cinemas(chain, names, &mut add),
            Content::EscapeRooms(shops) => shops.iter().for_each(|shop| themes(shop, names, &mut add)),
            Content::Hall(..) => {}
        }
    }
    for thing in &mut things {
        if let What::Auditorium(_, _, room) = &mut thing.what
            && let Some((_, layout)) = halls.iter().find(|(hall, _)| **hall == room.hall)
        {
            room.layout = Arc::clone(layout);
        }
    }
    things
}

/// Adds the auditoriums no file describes that are built like a hall among the files; answers the halls nothing is built
/// like.
pub(super) async fn add_halls(
    store: &Store,
    catalogues: &[Catalogue],
    things: &mut Vec<Thing>,
) -> Result<Vec<String>, StoreError> {
    let halls: Vec<_> = catalogues
        .iter()
        .filter_map(|Catalogue { file, content }| match content {
            Content::Hall(hall, layout) => Some((file, hall, layout)),
            Content::Cinemas(_) | Content::EscapeRooms(_) => None,
        })
        .collect();
    if halls.is_empty() {
        return Ok(Vec::new());
    }
    let described = |things: &[Thing], id: AuditoriumId| {
        things
            .iter()
            .any(|thing| matches!(thing.what, What::Auditorium(known, ..) if known == id))
    };
    let built = store.all::<Auditorium>().await?;
    let mut unused = Vec::new();
    for (file, hall, layout) in halls {
        let alike = |thing: &Thing| matches!(&thing.what, What::Auditorium(_, _, room) if room.hall == *hall);
        let mut used = things.iter().any(alike);
        for (id, auditorium) in &built {
            let Ok(known) = auditorium.built() else { continue };
            if known.hall.as_ref() == Some(hall) && !described(things, *id) {
                used = true;
                things.push(Thing {
                    file: file.clone(),
                    pointer: String::new(),
                    what: What::Hall(*id, known.branch, Arc::clone(layout)),
                });
            }
        }
        if !used {
            unused.push(file.clone());
        }
    }
    Ok(unused)
}

fn cinemas(chain: &CinemaChain, names: &Names, add: &mut impl FnMut(&str, What)) {
    for movie in &chain.movies {
        add(
            &movie.pointer,
            What::Movie(names.movie(&movie.value.title), movie.value.clone()),
        );
    }
    let policy = names.price_policy(&chain.chain);
    let tariff = Arc::clone(&chain.tariff.value);
    add(
        &chain.tariff.pointer,
        What::PricePolicy(policy, chain.chain.clone(), tariff),
    );
    for cinema in &chain.cinemas {
        let premises = &cinema.premises;
        let branch = names.branch(&premises.value.name);
        add(&premises.pointer, What::Branch(branch, premises.value.clone()));
        for room in &cinema.auditoriums {
            let id = names.auditorium(branch, &room.value.name);
            add(&room.pointer, What::Auditorium(id, branch, room.value.clone()));
        }
    }
}

fn themes(shop: &Shop, names: &Names, add: &mut impl FnMut(&str, What)) {
    let branch = names.branch(&shop.premises.value.name);
    add(
        &shop.premises.pointer,
        What::Branch(branch, shop.premises.value.clone()),
    );
    for theme in &shop.themes {
        let name = &theme.value.name;
        let policy = names.price_policy(name);
        add(
            &theme.pointer,
            What::PricePolicy(policy, name.clone(), Arc::clone(&theme.value.tariff)),
        );
        let game = theme.value.game(branch, policy);
        add(
            &theme.pointer,
            What::Theme(names.theme(name), game, theme.value.active),
        );
    }
}

impl What {
    /// A measure of the work: a layout is as much as hundreds of names.
    pub fn weight(&self) -> usize {
        match self {
            Self::Auditorium(_, _, Room { layout, .. }) | Self::Hall(_, _, layout) => {
                1 + layout.capacity() / 20
            }
            Self::Movie(..) | Self::PricePolicy(..) | Self::Branch(..) | Self::Theme(..) => 1,
        }
    }

    /// Makes it so in a unit of work, or leaves it closed, which is told; the sentence of whatever stands in the way.
    pub async fn carry_out(&self, work: &mut UnitOfWork, known: Known) -> Result<Left, Stop<String>> {
        if self.is_closed(work).await? {
            return Ok(Left::Closed);
        }
        if known == Known::Stays && self.exists(work).await? {
            return Ok(Left::Nothing);
        }
        self.bring(work).await?;
        Ok(Left::Nothing)
    }

    /// Whether an admin closed it for good, or what it belongs to.
    async fn is_closed(&self, work: &mut UnitOfWork) -> Result<bool, StoreError> {
        let branch = match self {
            Self::Movie(id, _) => {
                return Ok(matches!(work.load::<Movie>(id).await?, Movie::Withdrawn(_)));
            }
            Self::PricePolicy(..) => return Ok(false),
            Self::Branch(id, _) => id,
            Self::Auditorium(_, branch, _) | Self::Hall(_, branch, _) => branch,
            Self::Theme(_, game, _) => &game.branch,
        };
        Ok(matches!(work.load::<Branch>(branch).await?, Branch::Closed(_)))
    }

    async fn exists(&self, work: &mut UnitOfWork) -> Result<bool, StoreError> {
        Ok(match self {
            Self::Movie(id, _) => work.load::<Movie>(id).await?.exists(),
            Self::PricePolicy(id, ..) => work.load::<PricePolicy>(id).await?.exists(),
            Self::Branch(id, _) => work.load::<Branch>(id).await?.exists(),
            Self::Auditorium(id, ..) | Self::Hall(id, ..) => work.load::<Auditorium>(id).await?.exists(),
            Self::Theme(id, ..) => work.load::<Theme>(id).await?.exists(),
        })
    }

    async fn bring(&self, work: &mut UnitOfWork) -> Result<(), Stop<String>> {
        match self {
            Self::Movie(id, film) => bring::<Movie>(work, id, |known| Ok(movie(known, film))).await,
            Self::PricePolicy(id, name, tariff) => {
                bring::<PricePolicy>(work, id, |known| Ok(price_policy(known, name, tariff))).await
            }
            Self::Branch(id, premises) => bring::<Branch>(work, id, |known| branch(known, premises)).await,
            Self::Auditorium(id, cinema, room) => {
                bring::<Auditorium>(work, id, |known| Ok(auditorium(known, *cinema, room))).await
            }
            Self::Hall(id, _, layout) => {
                let draw = || AuditoriumCommand::DrawLayout {
                    layout: Arc::clone(layout),
                };
                bring::<Auditorium>(work, id, |_| Ok(vec![draw()])).await
            }
            Self::Theme(id, game, active) => {
                bring::<Theme>(work, id, |known| theme(known, game, *active)).await
            }
        }
    }
}

/// What was left undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// All of it is so.
    Nothing,
    /// It is closed for good, and stays so.
    Closed,
}

/// Loads the aggregate and executes the commands that its state calls for.
async fn bring<A: Administered>(
    work: &mut UnitOfWork,
    id: &A::Id,
    wanted: impl Fn(&A) -> Result<Vec<A::Command>, &'static str>,
) -> Result<(), Stop<String>> {
    let commands = wanted(work.load::<A>(id).await?).map_err(|problem| Stop::Refused(problem.to_owned()))?;
    for command in commands {
        administer::<A>(work, id, command)
            .await
            .map_err(|stop| match stop {
                Stop::Refused(denied) => Stop::Refused(denied.to_string()),
                Stop::Store(error) => Stop::Store(error),
            })?;
    }
    Ok(())
}

fn movie(known: &Movie, film: &Film) -> Vec<MovieCommand> {
    let Film {
        title,
        director,
        description,
        poster_url,
        running_time_minutes,
        rating,
    } = film.clone();
    match known {
        Movie::Unknown => vec![MovieCommand::Announce(film.clone())],
        Movie::Announced(_) | Movie::Withdrawn(_) => vec![
            MovieCommand::Retitle { title },
            MovieCommand::Describe {
                director,
                description,
                poster_url,
            },
            MovieCommand::Recut { running_time_minutes },
            MovieCommand::Rate { rating },
        ],
    }
}

fn price_policy(known: &PricePolicy, name: &Name, tariff: &Arc<Tariff>) -> Vec<PricePolicyCommand> {
    let (name, tariff) = (name.clone(), Arc::clone(tariff));
    match known.versions().last() {
        None => vec![PricePolicyCommand::Adopt {
            name,
            tariff,
            effective_from: None,
        }],
        // The file does not say from when on: a version with these amounts is the one, whenever it takes effect.
        Some(latest) if latest.tariff == tariff => vec![PricePolicyCommand::Rename { name }],
        Some(_) => vec![
            PricePolicyCommand::Rename { name },
            PricePolicyCommand::Revise {
                tariff,
                effective_from: None,
            },
        ],
    }
}

fn branch(known: &Branch, premises: &Premises) -> Result<Vec<BranchCommand>, &'static str> {
    let Premises {
        kind,
        name,
        address,
        detail_address,
        image_url,
        time_zone,
        accounts,
        notices,
        welcome,
    } = premises.clone();
    match known {
        Branch::Unknown => Ok(vec![BranchCommand::Open(premises.clone())]),
        Branch::Open(site) | Branch::Closed(site) if site.premises.kind != kind => {
            Err("a branch of this name sells something else; a branch keeps its kind")
        }
        Branch::Open(site) | Branch::Closed(site) if site.premises.time_zone != time_zone => {
            Err("the branch is in another time zone; a branch keeps its time zone")
        }
        Branch::Open(_) | Branch::Closed(_) => Ok(vec![
            BranchCommand::Rename { name },
            BranchCommand::Relocate {
                address,
                detail_address,
            },
            BranchCommand::Depict { image_url },
            BranchCommand::ListAccounts { accounts },
            BranchCommand::Announce { welcome, notices },
        ]),
    }
}

fn auditorium(known: &Auditorium, branch: BranchId, room: &Room) -> Vec<AuditoriumCommand> {
    let Room {
        name,
        hall,
        layout,
        cleaning_minutes,
        // Of the slots to come, not of the auditorium.
        seating: _,
    } = room.clone();
    let hall = Some(hall);
    let draw = AuditoriumCommand::DrawLayout { layout };
    match known {
        Auditorium::Unknown => vec![
            AuditoriumCommand::Build {
                branch,
                name,
                hall,
                cleaning_minutes,
            },
            draw,
        ],
        Auditorium::Built(_) => vec![
            AuditoriumCommand::Rename { name },
            AuditoriumCommand::Classify { hall },
            AuditoriumCommand::AllowCleaning { cleaning_minutes },
            draw,
        ],
    }
}

fn theme(known: &Theme, game: &Game, active: bool) -> Result<Vec<ThemeCommand>, &'static str> {
    let Game {
        branch,
        name,
        price_policy,
        party,
        duration_minutes,
        turnover_minutes,
        opens,
        slots,
    } = game.clone();
    let mut commands = match known {
        Theme::Unknown => vec![ThemeCommand::Introduce(game.clone())],
        Theme::Inactive(other) | Theme::Active(other) if other.branch != branch => {
            return Err("a theme of this name is played at another branch");
        }
        Theme::Inactive(_) | Theme::Active(_) => vec![
            ThemeCommand::Rename { name },
            ThemeCommand::Reprice { price_policy },
            ThemeCommand::Regroup { party },
            ThemeCommand::Retime {
                duration_minutes,
                turnover_minutes,
                slots,
            },
            ThemeCommand::MoveOpening { opens },
        ],
    };
    commands.push(if active {
        ThemeCommand::Activate {}
    } else {
        ThemeCommand::Deactivate {}
    });
    Ok(commands)
}
