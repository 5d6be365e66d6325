//! Prepares the start of a collector: opens the storage and loads the plan.

use std::{fs, io, path::PathBuf};

use sordino::plan::{PlanError, SignedPlan};

use crate::{
    config::Config,
    database::{Database, DatabaseError, DeletedSamples, PlanRefusal},
    dates::today,
    storage::{Storage, error::StorageError},
};

/// An error at the start of a collector.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The object storage cannot be created or read.
    #[error("cannot use `{objects}` as object storage: {reason}")]
    Objects {
        /// The folder or bucket.
        objects: String,
        /// The cause.
        reason: String,
    },
    /// The database cannot be opened or migrated.
    #[error("cannot use the database `{database}`: {reason}")]
    Database {
        /// The database, without user and password.
        database: String,
        /// The cause.
        reason: String,
    },
    /// The plan is invalid.
    #[error("cannot use the plan `{path}`: {reason}")]
    Plan {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// The address is in use or not available on this machine.
    #[error("cannot listen on `{listen}`: {reason}")]
    Listen {
        /// The address.
        listen: String,
        /// The system's error.
        reason: io::Error,
    },
    /// The certificate is invalid.
    #[error("{0}; specify a certificate and its key in PEM format")]
    Tls(String),
    /// The system could not create threads.
    #[error("cannot start threads: {0}")]
    Threads(io::Error),
}

/// Opens the storage and checks that it can be used.
pub(crate) async fn open_storage(config: &Config) -> Result<Storage, StartError> {
    let opened = async {
        let storage = Storage::open(config).await?;
        storage.blob_store.probe().await?;
        storage.remove_deleted(DeletedSamples::All).await?;
        Ok(storage)
    };
    opened.await.map_err(|error: StorageError| match error {
        StorageError::Database(error) => StartError::Database {
            database: config.database_url().to_string(),
            reason: error.to_string(),
        },
        error => StartError::Objects {
            objects: config.objects_url().to_string(),
            reason: error.to_string(),
        },
    })
}

/// Logs a warning if the plan's freshness has expired, because devices then stop sampling without a visible reason.
pub(crate) async fn warn_of_stale_plan(database: &Database) {
    let last = match database.plan_in_force().await {
        Ok(plan) => plan.map(|plan| plan.fresh_through()).transpose(),
        Err(error) => Err(error),
    };
    match last.map(Option::flatten) {
        Ok(Some(last)) if last < today() => tracing::warn!(
            "devices stopped sampling after {last} because the plan is stale: sign a freshness statement with `sordino plan \
             refresh` and load it with `sordino-collector plan refresh`"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!("cannot determine the freshness of the plan: {error}"),
    }
}

/// Loads the configured plan. The collector does not have the organization's key, which devices have; it checks only
/// integrity and bounds, so that it does not serve a plan that every device would reject.
pub(crate) async fn load_plan(config: &Config, database: &Database) -> Result<(), StartError> {
    let Some(path) = &config.plan else {
        return Ok(());
    };
    let wrong = |reason: String| StartError::Plan {
        path: path.clone(),
        reason,
    };
    let bytes = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    // The plan is served without a byte order mark.
    let text = sordino::text::decode(&bytes).map_err(|error| wrong(error.to_string()))?;
    let plan = SignedPlan::verify_any(text.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    plan.content()
        .check_bounds()
        .map_err(|error| wrong(error.to_string()))?;
    let offered = plan.content().version;
    if plan.content().expires <= today() {
        // The service must start nevertheless, to accept withdrawals.
        tracing::warn!("{}", PlanError::Expired(plan.content().expires));
    }
    let failed = |error: DatabaseError| wrong(error.to_string());
    let mut session = database.write().await.map_err(failed)?;
    match session.load_plan(&plan, text).await.map_err(failed)? {
        Ok(()) => session.commit().await.map_err(failed),
        Err(PlanRefusal::Older(in_force)) => {
            Err(wrong(PlanError::Older { offered, in_force }.to_string()))
        }
        Err(PlanRefusal::SameVersion) => Err(wrong(PlanError::SameVersion(offered).to_string())),
    }
}
