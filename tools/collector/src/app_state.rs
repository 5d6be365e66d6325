//! The state that all handlers share.

use std::sync::Arc;

use sordino::{Id, signed::PublicKey};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    budgets::Budgets,
    config::{Limits, Proxies, Verdicts},
    errors::{Problem, ProblemType},
    extractors::signature::ServerNames,
    metrics::Metrics,
    middleware::rate_limit::RateLimiter,
    readiness::Readiness,
    storage::Storage,
};

/// Storage, configuration, and volatile state.
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
    /// Kibibytes of concurrent uploads that are still available.
    pub(crate) upload_budget: Arc<Semaphore>,
}

impl AppState {
    /// Reserves `bytes` of the memory for concurrent uploads until the permit is dropped. The whole amount is acquired
    /// at once, so that uploads cannot deadlock.
    ///
    /// # Errors
    /// `busy`.
    pub(crate) async fn reserve_upload(&self, bytes: u64) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = || ProblemType::Busy.with_detail("too many concurrent uploads; retry later");
        let kibibytes = bytes
            .div_ceil(1024)
            .min(upload_budget_kibibytes(&self.limits).into());
        let permit = self.upload_budget.clone();
        let permit = permit.acquire_many_owned(u32::try_from(kibibytes).map_err(|_| busy())?);
        match timeout(self.limits.idle, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(busy()),
        }
    }

    /// The key of a registered record.
    ///
    /// # Errors
    /// `unknown-record`.
    pub(crate) async fn key(&self, record: Id) -> Result<PublicKey, Problem> {
        self.storage
            .database
            .key(record)
            .await?
            .ok_or_else(Problem::unknown_record)
    }

    /// Counts a request with a valid signature against its record.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub(crate) fn check_record_limit(&self, record: Id) -> Result<(), Problem> {
        self.limiter
            .check_record(record)
            .inspect_err(|_| self.metrics.rate_limited("record"))
    }
}

/// The size of [`AppState::upload_budget`].
pub(crate) fn upload_budget_kibibytes(limits: &Limits) -> u32 {
    limits.upload_bytes.div_ceil(1024)
}
