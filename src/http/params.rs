//! Ids from the path and filters from the query, typed and bounded; never passes an unchecked text on.
//!
//! What a column cannot hold must not get as far as a query: NUL and its like, endless texts, and moments and days
//! beyond any programme, which PostgreSQL's own types end before.

use std::{collections::BTreeSet, fmt::Display, str::FromStr, sync::Arc};

use axum::{
    extract::{FromRequestParts, MatchedPath, Query, RawPathParams, Request, State},
    http::{Method, request::Parts},
    middleware::Next,
    response::Response,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, de, de::DeserializeOwned};
use utoipa::openapi::{OpenApi, PathItem, RefOr, path::ParameterIn};

use super::{problem::Problem, problems, query};
use crate::moments;

/// Bytes of one text of a path or query, a cursor being the longest.
pub const TEXT_LENGTH_MAX: usize = 512;
/// The years a moment or day may be asked for.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// What stands in the path.
pub struct PathTexts(Vec<(String, String)>);

impl PathTexts {
    /// The part with this name as a `T`.
    pub fn get<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, Problem> {
        self.text(name)?
            .parse()
            .map_err(|error: T::Err| Problem::new(&problems::MALFORMED_PATH, error.to_string()))
    }

    /// The part with this name.
    pub fn text(&self, name: &str) -> Result<&str, Problem> {
        let found = self.0.iter().find(|(known, _)| known == name);
        let missing = || Problem::new(&problems::MALFORMED_PATH, format!("the path has no {name}"));
        found.map(|(_, text)| text.as_str()).ok_or_else(missing)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathTexts {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| Problem::new(&problems::MALFORMED_PATH, "the path is not UTF-8"))?;
        let malformed = |why| Problem::new(&problems::MALFORMED_PATH, why);
        let texts = params.iter().map(|(name, text)| {
            checked(name, text)
                .map(|()| (name.to_owned(), text.to_owned()))
                .map_err(malformed)
        });
        texts.collect::<Result<_, _>>().map(Self)
    }
}

/// The `{id}` of the path.
pub struct Id<T>(pub T);

impl<S: Send + Sync, T: FromStr<Err: Display>> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        PathTexts::from_request_parts(parts, state)
            .await?
            .get("id")
            .map(Self)
    }
}

/// The parameters of the query; their types refuse unknown ones.
pub struct Asked<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let malformed = |why: String| Problem::new(&problems::MALFORMED_QUERY, why);
        let query = Query::try_from_uri(&parts.uri);
        let Query::<Vec<(String, String)>>(texts) =
            query.map_err(|_| malformed("the query is not UTF-8 in pairs like name=value".to_owned()))?;
        for (name, text) in &texts {
            checked("a parameter", name)
                .and_then(|()| checked(name, text))
                .map_err(malformed)?;
        }
        query::read(&texts)
            .map(Self)
            .map_err(|faults| malformed(faults.join("; ")))
    }
}

/// Why a text of a path or query is none we take.
fn checked(name: &str, text: &str) -> Result<(), String> {
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        let code = u32::from(c);
        return Err(format!(
            "{name} must not contain control characters (found U+{code:04X})"
        ));
    }
    if text.len() > TEXT_LENGTH_MAX {
        return Err(format!("{name} must have at most {TEXT_LENGTH_MAX} bytes"));
    }
    Ok(())
}

/// A moment that is asked for, within [`YEARS`]; a day is its first moment in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let moment = moments::read(&String::deserialize(deserializer)?).map_err(de::Error::custom)?;
        bounded(TimeZone::UTC.to_datetime(moment).year()).map_err(de::Error::custom)?;
        Ok(Self(moment))
    }
}

/// A day that is asked for, within [`YEARS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let day = Date::strptime("%Y-%m-%d", &text).ok();
        let day = day.filter(|day| day.to_string() == text);
        let day = day.ok_or_else(|| de::Error::custom("must be a day like 2026-12-24"))?;
        bounded(day.year()).map_err(de::Error::custom)?;
        Ok(Self(day))
    }
}

fn bounded(year: i16) -> Result<(), String> {
    if YEARS.contains(&year) {
        return Ok(());
    }
    Err(format!(
        "must be in a year from {} to {}",
        YEARS.start(),
        YEARS.end()
    ))
}

/// The routes whose documentation names parameters of the query.
#[derive(Debug, Clone)]
pub struct Queried(Arc<BTreeSet<String>>);

impl Queried {
    /// As the documentation says.
    pub fn of(document: &OpenApi) -> Self {
        let asks = |item: &PathItem| {
            let parameters = item.get.iter().flat_map(|get| get.parameters.iter().flatten());
            parameters.into_iter().any(|parameter| {
                matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query)
            })
        };
        let paths = document.paths.paths.iter();
        Self(Arc::new(
            paths
                .filter(|(_, item)| asks(item))
                .map(|(path, _)| path.clone())
                .collect(),
        ))
    }
}

/// Refuses a query where none is read: whoever wrote it expects it to count. The others are read by [`Asked`].
pub async fn no_stray_query(
    State(Queried(queried)): State<Queried>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let asked = request.uri().query().is_some_and(|query| !query.is_empty());
    let read = matches!(*request.method(), Method::GET | Method::HEAD) && queried.contains(path.as_str());
    if asked && !read && path.as_str().starts_with("/v1/") {
        let detail = "nothing can be asked here by a query";
        return Err(Problem::new(&problems::MALFORMED_QUERY, detail));
    }
    Ok(next.run(request).await)
}
