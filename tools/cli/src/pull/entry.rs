//! A sample of a pulled dataset.

use serde::{Deserialize, Serialize};
use sordino::{Purposes, seal::Manifest};

use super::split::Split;

/// One sample of the dataset.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The purposes for which it was pulled and may still be used.
    pub(crate) pulled_for: Purposes,
    /// Its manifest; `purposes` there are those that are granted now.
    pub(crate) manifest: Manifest,
    /// The shard that contains it, if the dataset has shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shard: Option<u32>,
    /// Samples of the stored sound, mono; not known of what an earlier version pulled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) frames: Option<u64>,
}

impl Entry {
    /// Which part of a dataset it is in.
    pub(crate) fn split(&self) -> Split {
        Split::of(self.manifest.consent)
    }

    /// How many moments it stands for, among those of its trigger.
    pub(crate) fn weight(&self) -> f64 {
        self.manifest.selection.probability.recip()
    }

    /// Length of the stored sound.
    pub(crate) fn seconds(&self) -> f64 {
        match self.frames {
            Some(frames) => frames as f64 / f64::from(self.manifest.rate),
            // Within 0.1 %. Not `sum`: that of nothing is -0.
            None => self
                .manifest
                .kept
                .iter()
                .fold(0.0, |sum, span| sum + span.1 - span.0),
        }
    }
}
