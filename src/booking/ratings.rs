//! The rating of a movie against whoever books it: looked at when a hold is taken, and once more when it is placed, in the
//! same unit of work (DOMAIN C9). Never judges by itself: [`aggregates::ratings`] does.

use aggregates::{
    branch::{Branch, BranchError},
    customer::Customer,
    ids::CustomerId,
    movie::{Movie, Rating},
    personal::Personal,
    ratings::{self, Admitted, RatingError, Statement, Viewer},
    time_slot::{Plan, Show},
};
use jiff::civil::Date;

use super::refused::Refused;
use crate::store::{Actor, Stop, UnitOfWork};

/// Refuses a hold that could never be placed, as far as that is known already.
pub(super) async fn foresee(
    work: &mut UnitOfWork,
    plan: &Plan,
    customer: Option<CustomerId>,
    said: Statement,
) -> Result<(), Stop<Refused>> {
    let Some(film) = Rated::of(work, plan, customer).await? else {
        return Ok(());
    };
    let judged = ratings::foresee(film.rating, film.day, film.viewer, said);
    judged.map_err(|error| blamed(work, plan, error))
}

/// On what ground whoever places a reservation may see its movie; none where it is open to everyone.
pub(super) async fn admit(
    work: &mut UnitOfWork,
    plan: &Plan,
    customer: Option<CustomerId>,
    said: Statement,
) -> Result<Option<Admitted>, Stop<Refused>> {
    let Some(film) = Rated::of(work, plan, customer).await? else {
        return Ok(None);
    };
    let judged = ratings::admit(film.rating, film.day, film.viewer, said);
    judged.map_err(|error| blamed(work, plan, error))
}

/// What is said, if whoever says it may: that an identity card was looked at, only staff say.
pub(super) fn credible(said: Statement, by: &Actor) -> Result<Statement, RatingError> {
    match by {
        Actor::Admin(_) => Ok(said),
        Actor::Guest(_) | Actor::Customer(_) | Actor::System(_) if said.id_checked => {
            Err(RatingError::OnlyStaffCheck)
        }
        Actor::Guest(_) | Actor::Customer(_) | Actor::System(_) => Ok(said),
    }
}

/// A movie that is not for everyone, and who wants to see it when.
struct Rated {
    rating: Rating,
    day: Date,
    viewer: Viewer,
}

impl Rated {
    /// None where the slot is open to everyone: then nobody's age is looked at.
    async fn of(
        work: &mut UnitOfWork,
        plan: &Plan,
        customer: Option<CustomerId>,
    ) -> Result<Option<Self>, Stop<Refused>> {
        let Show::Movie { movie, .. } = plan.show else {
            return Ok(None);
        };
        let rating = work.load::<Movie>(&movie).await?.film()?.rating;
        if rating == Rating::All {
            return Ok(None);
        }
        let zone = work
            .load::<Branch>(&plan.branch)
            .await?
            .zone()
            .ok_or(BranchError::NotFound)?;
        let day = zone.to_datetime(plan.starts_at).date();
        let viewer = match customer {
            None => Viewer::Guest,
            Some(id) => match work.load::<Customer>(&id).await?.known() {
                Ok(known) => Viewer::Customer {
                    birth_date: known.birth_date.as_ref().and_then(Personal::plain).copied(),
                },
                // Who has left meanwhile is nobody we know.
                Err(_) => Viewer::Guest,
            },
        };
        Ok(Some(Self { rating, day, viewer }))
    }
}

/// The movie stands in the way: it has the rating.
fn blamed(work: &mut UnitOfWork, plan: &Plan, error: RatingError) -> Stop<Refused> {
    if let Show::Movie { movie, .. } = plan.show {
        work.blame::<Movie, _>(&movie, error).into()
    } else {
        error.into()
    }
}
