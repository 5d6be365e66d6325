//! The engine's configuration.

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    endpoint::Endpoint,
    outbox::Quota,
    plan::Review,
    signed::PublicKey,
    state::{Clock, SystemClock},
};

/// The configuration with which the host opens an engine.
#[derive(Clone)]
pub struct Config {
    /// The state folder; only the engine writes there.
    pub folder: PathBuf,
    /// The organization's public key, pinned in the app; only plans signed by it are accepted.
    pub organization: PublicKey,
    /// The collector that samples are sent to.
    pub collector: Endpoint,
    /// The limits of the queue.
    pub quota: Quota,
    /// Whether the person reviews each sample before it is sealed; the plan can require it too.
    pub review: Review,
    /// The system clock, or a test's.
    pub clock: Arc<dyn Clock>,
}

impl Config {
    /// A configuration with the default [`Quota`], no review, and the system's clock.
    pub fn new(folder: impl Into<PathBuf>, organization: PublicKey, collector: Endpoint) -> Self {
        Self {
            folder: folder.into(),
            organization,
            collector,
            quota: Quota::default(),
            review: Review::None,
            clock: Arc::new(SystemClock),
        }
    }
}

pub(super) const SETTINGS: &str = "host";

/// The part of [`Config`] that is stored, for [`crate::Sordino::open_existing`].
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct DeviceSettings {
    #[serde(alias = "organisation")] // words: ignore
    pub(super) organization: PublicKey,
    pub(super) collector: Endpoint,
}
