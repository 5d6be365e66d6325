//! Parameters in a query string.

use axum::{extract::Query, http::request::Parts};
use serde::de::DeserializeOwned;

use crate::errors::{Problem, ProblemType};

/// Parses the query string.
///
/// # Errors
/// `malformed`.
pub(crate) fn query<T: DeserializeOwned>(parts: &Parts) -> Result<T, Problem> {
    Query::try_from_uri(&parts.uri)
        .map(|Query(query)| query)
        .map_err(|rejection| ProblemType::Malformed.with_detail(rejection.body_text()))
}
