//! Ids from the path and filters from the query, typed; never passes an unchecked text on.

use std::{fmt::Display, str::FromStr};

use axum::{
    extract::{FromRequestParts, Query, RawPathParams},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use super::{problem::Problem, problems};

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
        Ok(Self(
            params
                .iter()
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect(),
        ))
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
        let query = Query::try_from_uri(&parts.uri);
        let Query(query) = query.map_err(|rejection| {
            use std::error::Error as _;
            let why = rejection
                .source()
                .map_or_else(|| rejection.to_string(), ToString::to_string);
            Problem::new(&problems::MALFORMED_QUERY, why)
        })?;
        Ok(Self(query))
    }
}
