//! Whether the collector can serve: asked by whoever spreads requests over several.

use std::time::Duration;

use tokio::{
    sync::{Mutex, watch},
    time::timeout,
};

use crate::{
    clock::Clock,
    errors::{ProblemType, Problem},
    storage::Storage,
};

/// How long an answer is given again, so that asking often costs database and objects nothing.
const CACHE_TTL: Duration = Duration::from_secs(1);
/// How long database and objects may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// What was found when it was last looked.
#[derive(Debug)]
pub(crate) struct Readiness {
    stopping: watch::Receiver<bool>,
    clock: Clock,
    last: Mutex<Option<(Duration, Option<&'static str>)>>,
}

impl Readiness {
    /// Ready until `stopping` says otherwise.
    pub(crate) fn new(stopping: watch::Receiver<bool>, clock: Clock) -> Self {
        Self {
            stopping,
            clock,
            last: Mutex::default(),
        }
    }

    /// # Errors
    /// `not-ready`, with what does not answer.
    pub(crate) async fn check(&self, storage: &Storage) -> Result<(), Problem> {
        if *self.stopping.borrow() {
            return Err(ProblemType::NotReady.with_detail("the collector is stopping; go to another one"));
        }
        // One looks, the others wait for it.
        let mut last = self.last.lock().await;
        let lacks = match *last {
            Some((at, lacks)) if self.clock.now().saturating_sub(at) < CACHE_TTL => lacks,
            _ => {
                let lacks = probe(storage).await;
                *last = Some((self.clock.now(), lacks));
                lacks
            }
        };
        match lacks {
            None => Ok(()),
            Some(lacks) => Err(ProblemType::NotReady.with_detail(lacks)),
        }
    }
}

/// What does not answer.
async fn probe(storage: &Storage) -> Option<&'static str> {
    let (database, objects) = tokio::join!(
        timeout(TIMEOUT, storage.database.check_available()),
        timeout(TIMEOUT, storage.blob_store.check_available()),
    );
    if let Ok(Err(error)) = &database {
        tracing::warn!("the database does not answer: {error}");
    }
    if let Ok(Err(error)) = &objects {
        tracing::warn!("the objects do not answer: {error}");
    }
    // A standby may have been promoted meanwhile.
    if let Ok(Ok(())) = &database
        && let Err(error) = storage.epoch.refresh(&storage.database).await
    {
        tracing::warn!("whether the database was put back is not known: {error}");
    }
    match (database, objects) {
        (Ok(Ok(())), Ok(Ok(()))) => None,
        (Ok(Ok(())), _) => Some("the place of the objects does not answer"),
        _ => Some("the database does not answer"),
    }
}
