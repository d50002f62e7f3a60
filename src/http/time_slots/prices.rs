//! `GET /v1/time-slots/{id}/prices`: what places cost before anything is held (DOMAIN C10, C11, E2); never promises
//! that they are free.

use aggregates::{
    ids::TimeSlotId,
    pricing::{Party, PersonKind, Persons, Quote},
    values::{Category, Money, SeatLabel, WallTime},
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::super::{
    App,
    answer::Json,
    params::{Asked, Id},
    problem::{Problem, ProblemBody},
    problems,
};
use crate::booking;

/// For whom and what the price is asked; for nobody, the table alone is answered.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// 성인, in a cinema.
    adult: Option<u8>,
    /// 청소년.
    teen: Option<u8>,
    /// 경로.
    senior: Option<u8>,
    /// 우대.
    preferential: Option<u8>,
    /// How many people, in an escape room.
    party_size: Option<u8>,
    /// In these seats, with commas between them: `C6,C7`.
    seats: Option<String>,
    /// In seats of this category, where no seats are named; else in the cheapest.
    category: Option<String>,
}

/// What a time slot costs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Prices")]
pub struct PricesView {
    /// Which one.
    time_slot: TimeSlotId,
    /// The business day whose prices these are.
    #[schema(value_type = String, format = Date)]
    business_date: Date,
    /// When it begins, on the wall of that day.
    starts: WallTime,
    /// The lowest price there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Money>,
    /// Each price: of one person of each kind in a seat of each category, or of a room for a group of each size.
    prices: Vec<PriceView>,
    /// The whole price for who was asked about. Only a hold keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<Quote>,
}

/// One price.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Price")]
pub struct PriceView {
    /// In a seat of this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<Category>,
    /// For a person of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonKind>,
    /// For a group of so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    party_size: Option<u8>,
    /// What it costs and why.
    quote: Quote,
}

impl Which {
    fn read(self) -> Result<booking::Asked, Problem> {
        let Self {
            adult,
            teen,
            senior,
            preferential,
            party_size,
            seats,
            category,
        } = self;
        let malformed = |why: String| Problem::new(&problems::MALFORMED_QUERY, why);
        let kinds = [adult, teen, senior, preferential];
        let party = match (party_size, kinds.iter().any(Option::is_some)) {
            (Some(_), true) => {
                let why = "party_size goes with an escape room, adult and the others with a cinema";
                return Err(malformed(why.to_owned()));
            }
            (Some(size), false) => Some(Party::Group { size }),
            (None, true) => Some(Party::Persons(Persons {
                adult: adult.unwrap_or(0),
                teen: teen.unwrap_or(0),
                senior: senior.unwrap_or(0),
                preferential: preferential.unwrap_or(0),
            })),
            (None, false) => None,
        };
        let labels = seats.iter().flat_map(|seats| seats.split(','));
        let seats = labels.map(|label| {
            let label: Result<SeatLabel, _> = label.parse();
            label.map_err(|error| malformed(format!("seats: {error}")))
        });
        let category = category.map(|name| name.parse::<Category>()).transpose();
        Ok(booking::Asked {
            party,
            seats: seats.collect::<Result<_, _>>()?,
            category: category.map_err(|error| malformed(format!("category: {error}")))?,
        })
    }
}

/// What places of a time slot cost, without holding any.
#[utoipa::path(get, path = "/v1/time-slots/{id}/prices", tag = "catalogue", operation_id = "getPrices",
    params(("id" = TimeSlotId, Path), Which),
    responses((status = OK, description = "What it costs", body = PricesView),
              (status = NOT_FOUND, description = "time-slot/not-found", body = ProblemBody),
              (status = CONFLICT, description = "price/unknown-category", body = ProblemBody),
              (status = GONE, description = "branch/closed", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "price/wrong-party, price/seats-differ and others", body = ProblemBody)))]
pub(in super::super) async fn prices(
    State(app): State<App>,
    Id(id): Id<TimeSlotId>,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let table = app.bookings.prices(id, &which.read()?).await?;
    let cheapest = table.prices.iter().min_by_key(|price| price.quote.total);
    let from = cheapest.map(|price| Money {
        amount: price.quote.total,
        currency: price.quote.currency,
    });
    let prices = table.prices.into_iter().map(|price| PriceView {
        category: price.category,
        person: price.person,
        party_size: price.party_size,
        quote: price.quote,
    });
    Ok(Json(PricesView {
        time_slot: id,
        business_date: table.business_date,
        starts: table.starts,
        from,
        prices: prices.collect(),
        quote: table.quote,
    })
    .into_response())
}
