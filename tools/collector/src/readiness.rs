//! Checks for load balancers whether the collector is ready.

use std::time::Duration;

use tokio::{
    sync::{Mutex, watch},
    time::timeout,
};

use crate::{
    clock::Clock,
    errors::{Problem, ProblemType},
    storage::Storage,
};

/// The cache time of a result, so that frequent checks do not load the database and the object storage.
const CACHE_TTL: Duration = Duration::from_secs(1);
/// The timeout of the checks.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The cached result of the last check.
#[derive(Debug)]
pub(crate) struct Readiness {
    stopping: watch::Receiver<bool>,
    clock: Clock,
    last: Mutex<Option<(Duration, Option<&'static str>)>>,
}

impl Readiness {
    /// Ready until `stopping` is set.
    pub(crate) fn new(stopping: watch::Receiver<bool>, clock: Clock) -> Self {
        Self {
            stopping,
            clock,
            last: Mutex::default(),
        }
    }

    /// # Errors
    /// `not-ready`, with the unavailable part.
    pub(crate) async fn check(&self, storage: &Storage) -> Result<(), Problem> {
        if *self.stopping.borrow() {
            return Err(ProblemType::NotReady
                .with_detail("the collector is shutting down; use another one"));
        }
        // Concurrent requests wait for the first one.
        let mut last = self.last.lock().await;
        let unavailable = match *last {
            Some((at, unavailable)) if self.clock.now().saturating_sub(at) < CACHE_TTL => {
                unavailable
            }
            _ => {
                let unavailable = probe(storage).await;
                *last = Some((self.clock.now(), unavailable));
                unavailable
            }
        };
        match unavailable {
            None => Ok(()),
            Some(unavailable) => Err(ProblemType::NotReady.with_detail(unavailable)),
        }
    }
}

/// Returns the part that is unavailable.
async fn probe(storage: &Storage) -> Option<&'static str> {
    let (database, objects) = tokio::join!(
        timeout(TIMEOUT, storage.database.check_available()),
        timeout(TIMEOUT, storage.blob_store.check_available()),
    );
    if let Ok(Err(error)) = &database {
        tracing::warn!("the database is not available: {error}");
    }
    if let Ok(Err(error)) = &objects {
        tracing::warn!("the object storage is not available: {error}");
    }
    // A standby may have been promoted in the meantime.
    if let Ok(Ok(())) = &database
        && let Err(error) = storage.epoch.refresh(&storage.database).await
    {
        tracing::warn!("cannot check whether the database was restored: {error}");
    }
    match (database, objects) {
        (Ok(Ok(())), Ok(Ok(()))) => None,
        (Ok(Ok(())), _) => Some("the object storage does not respond"),
        _ => Some("the database does not respond"),
    }
}
