//! Makes what the catalogues say so: first all of it on trial, then in bounded units; never half of a file because the rest
//! is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use aggregates::{fault::Fault, values::folded};

use super::{
    FileFault, ImportError, OnProgress, Progress,
    catalogue::{Catalogue, Content},
    compare::{Known, Left, Thing, add_halls, things},
    left_out,
    names::{Former, Names},
};
use crate::store::{Request, Stop, Store};

/// Things in one import at most: the trial is one unit of work.
pub const THINGS_MAX: usize = 1_500;
/// The weight of one unit; a large layout alone may be more.
const WEIGHT_MAX: usize = 64;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// How many things the files describe.
    pub things: usize,
    /// The events that made it so, counted by their names; none when all of it was so already.
    pub events: BTreeMap<String, usize>,
    /// Things that were closed for good or withdrawn, or belong to one that was: they stay so.
    pub closed: usize,
    /// Files of halls no auditorium is built like, in the files or in the database.
    pub unused: Vec<String>,
    /// What the files could have but leave out: it stays as it is.
    pub left_out: Vec<String>,
    /// The position up to which the log holds all of it.
    pub position: i64,
}

/// Appends what the catalogues say and the log does not. What they leave out stays as it is; what is `known` follows them or
/// stays as well.
pub async fn import(
    store: &Store,
    catalogues: &[Catalogue],
    known: Known,
    on_progress: OnProgress<'_>,
) -> Result<Imported, ImportError> {
    check_files(catalogues)?;
    let former = match known {
        Known::Follows => Former::Closed,
        Known::Stays => Former::Anything,
    };
    let names = Names::find(store, catalogues, former).await?;
    let mut things = things(catalogues, &names);
    let unused = add_halls(store, catalogues, &mut things).await?;
    check_use(&things, &unused)?;
    let closed = try_out(store, &things, known).await?;
    let units = units(&things);
    let mut imported = Imported {
        things: things.len(),
        closed,
        unused,
        ..Imported::default()
    };
    for (done, unit) in units.iter().enumerate() {
        on_progress(Progress {
            done,
            total: units.len(),
        });
        let committed = store
            .run(
                &Request::system("import", "catalogue/import"),
                |mut work| async move {
                    for thing in *unit {
                        thing.what.carry_out(&mut work, known).await?;
                    }
                    Ok::<(), Stop<String>>(())
                },
            )
            .await?;
        imported.position = imported.position.max(committed.position);
        for recorded in &committed.events {
            *imported
                .events
                .entry(recorded.event.name().to_owned())
                .or_default() += 1;
        }
    }
    on_progress(Progress {
        done: units.len(),
        total: units.len(),
    });
    imported.left_out = left_out::find(store, catalogues, &things).await?;
    Ok(imported)
}

/// What only shows when all files are seen together: names two of them use.
fn check_files(catalogues: &[Catalogue]) -> Result<(), ImportError> {
    let mut faults = Vec::new();
    let mut branches = BTreeSet::new();
    let mut halls = BTreeSet::new();
    for Catalogue { file, content } in catalogues {
        let mut fault = |pointer: &str, problem: String| {
            faults.push(FileFault {
                file: file.clone(),
                fault: Fault::at(pointer, problem),
            });
        };
        let premises: Vec<_> = match content {
            Content::Cinemas(chain) => chain.cinemas.iter().map(|cinema| &cinema.premises).collect(),
            Content::EscapeRooms(shops) => shops.iter().map(|shop| &shop.premises).collect(),
            Content::Hall(hall, _) => {
                if !halls.insert(hall) {
                    fault("", format!("the hall {hall} is also in another file"));
                }
                Vec::new()
            }
        };
        for at in premises {
            let name = &at.value.name;
            if !branches.insert(folded(name.as_str())) {
                fault(&at.pointer, format!("the branch {name} is also in another file"));
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(ImportError::Faults(faults))
    }
}

/// Files with nothing but halls that no auditorium is built like would do nothing at all.
fn check_use(things: &[Thing], unused: &[String]) -> Result<(), ImportError> {
    if !things.is_empty() || unused.is_empty() {
        return Ok(());
    }
    let fault = |file: &String| FileFault {
        file: file.clone(),
        fault: Fault::at(
            "",
            "no auditorium is built like this hall, known by the file's name; import it beside the cinemas that have it",
        ),
    };
    Err(ImportError::Faults(unused.iter().map(fault).collect()))
}

/// Does all of it in one unit that is never appended, to find everything that stands in the way.
async fn try_out(store: &Store, things: &[Thing], known: Known) -> Result<usize, ImportError> {
    if things.len() > THINGS_MAX {
        let problem = format!(
            "{} things are too many for one import, at most {THINGS_MAX}",
            things.len()
        );
        let file = things.last().map(|thing| thing.file.clone()).unwrap_or_default();
        return Err(ImportError::Faults(vec![FileFault {
            file,
            fault: Fault::at("", problem),
        }]));
    }
    let found = Mutex::new((Vec::new(), 0));
    let outcome = store
        .run(&Request::system("import", "catalogue/try-import"), |mut work| {
            let found = &found;
            async move {
                let (mut faults, mut closed) = (Vec::new(), 0);
                for Thing { file, pointer, what } in things {
                    match what.carry_out(&mut work, known).await {
                        Ok(Left::Nothing) => {}
                        Ok(Left::Closed) => closed += 1,
                        Err(Stop::Refused(problem)) => {
                            faults.push(FileFault {
                                file: file.clone(),
                                fault: Fault::at(pointer.clone(), problem),
                            });
                        }
                        Err(Stop::Store(error)) => return Err(Stop::Store(error)),
                    }
                }
                *found.lock().unwrap_or_else(PoisonError::into_inner) = (faults, closed);
                Err(Stop::Refused(OnTrial))
            }
        })
        .await;
    match outcome {
        Err(Stop::Store(error)) => Err(error.into()),
        Ok(_) | Err(Stop::Refused(OnTrial)) => {
            let (faults, closed) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
            if faults.is_empty() {
                Ok(closed)
            } else {
                Err(ImportError::Faults(faults))
            }
        }
    }
}

/// It was only a trial.
struct OnTrial;

/// Cuts the things into units of bounded weight, in their order.
fn units(things: &[Thing]) -> Vec<&[Thing]> {
    let mut units = Vec::new();
    let (mut start, mut weight) = (0, 0);
    for (index, thing) in things.iter().enumerate() {
        let more = thing.what.weight();
        if index > start && weight + more > WEIGHT_MAX {
            units.push(&things[start..index]);
            (start, weight) = (index, 0);
        }
        weight += more;
    }
    if start < things.len() {
        units.push(&things[start..]);
    }
    units
}
