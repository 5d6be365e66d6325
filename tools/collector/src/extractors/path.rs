//! Ids in a path.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use sordino::Id;

use crate::errors::{Problem, ProblemType};

/// The id in a path.
pub(crate) struct PathId(pub(crate) Id);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| ProblemType::Malformed.with_detail(rejection.body_text()))?;
        let id = text
            .parse()
            .map_err(|error| ProblemType::Malformed.with_detail(format!("{error}")))?;
        Ok(Self(id))
    }
}

/// An id in a path, followed by the number of access log entries that a device has seen.
pub(crate) struct PathIdAndSeen(pub(crate) Id, pub(crate) u64);

impl<S: Send + Sync> FromRequestParts<S> for PathIdAndSeen {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((id, seen)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| ProblemType::Malformed.with_detail(rejection.body_text()))?;
        let id = id
            .parse()
            .map_err(|error| ProblemType::Malformed.with_detail(format!("{error}")))?;
        let number = seen.parse().ok();
        let number = number.filter(|number: &u64| number.to_string() == seen);
        let seen = number.ok_or_else(|| {
            ProblemType::Malformed
                .with_detail(format!("invalid number of access log entries `{seen}`"))
        })?;
        Ok(Self(id, seen))
    }
}
