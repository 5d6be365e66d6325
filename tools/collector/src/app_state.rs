//! What every route stands on.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use jiff::{Timestamp, civil::Date, tz::Offset};
use serde::de::DeserializeOwned;
use sordino::{Id, Week};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    limited_body::LimitedBody,
    budgets::Budgets,
    client_ip::Proxies,
    config::{Limits, Verdicts},
    metrics::Metrics,
    errors::{ProblemType, Problem},
    rate_limit::RateLimiter,
    readiness::Readiness,
    signature::ServerNames,
    storage::Storage,
};

/// The service's state: storage, and what is in memory only and may be lost.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) storage: Storage,
    pub(crate) limits: Limits,
    pub(crate) verdicts: Verdicts,
    pub(crate) proxies: Proxies,
    pub(crate) limiter: Arc<RateLimiter>,
    pub(crate) metrics: Metrics,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) budgets: Budgets,
    pub(crate) names: ServerNames,
    /// Kibibytes of samples that may still begin to come in.
    pub(crate) upload_budget: Arc<Semaphore>,
}

impl AppState {
    /// The body of a request that holds JSON.
    pub(crate) fn json_body(&self, parts: &Parts, body: Body) -> LimitedBody {
        LimitedBody::new(&parts.headers, body, self.limits.json_bytes, &self.limits)
    }

    /// Room for an upload of so many bytes, once there is some; it is free again when this is dropped. It is taken as a
    /// whole, so that uploads that have some of theirs never wait for each other.
    ///
    /// # Errors
    /// `busy`.
    pub(crate) async fn reserve_upload(&self, bytes: u64) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = || ProblemType::Busy.with_detail("too much is being sent at once; send it again later");
        let kibibytes = bytes.div_ceil(1024).min(upload_budget_kibibytes(&self.limits).into());
        let room = self.upload_budget.clone();
        let room = room.acquire_many_owned(u32::try_from(kibibytes).map_err(|_| busy())?);
        match timeout(self.limits.idle, room).await {
            Ok(Ok(room)) => Ok(room),
            _ => Err(busy()),
        }
    }

    /// The body of a request that holds a sample.
    pub(crate) fn sample_body(&self, parts: &Parts, body: Body) -> LimitedBody {
        LimitedBody::new(&parts.headers, body, self.limits.sample_bytes, &self.limits)
    }
}

/// How many kibibytes of samples may be on their way in at a time.
pub(crate) fn upload_budget_kibibytes(limits: &Limits) -> u32 {
    limits.upload_bytes.div_ceil(1024)
}

/// This week: the finest time that is kept.
pub(crate) fn this_week() -> Week {
    Week::from_timestamp(Timestamp::now())
}

/// Today in UTC, to tell whether a plan has expired.
pub(crate) fn today() -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date()
}

/// The id that a path names.
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

/// An id in a path, and behind it how many entries of the access log a device knows.
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
            ProblemType::Malformed.with_detail(format!(
                "`{seen}` is no number of entries of the access log"
            ))
        })?;
        Ok(Self(id, seen))
    }
}

/// What a query says.
///
/// # Errors
/// `malformed`.
pub(crate) fn query<T: DeserializeOwned>(parts: &Parts) -> Result<T, Problem> {
    Query::try_from_uri(&parts.uri)
        .map(|Query(query)| query)
        .map_err(|rejection| ProblemType::Malformed.with_detail(rejection.body_text()))
}
