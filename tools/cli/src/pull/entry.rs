//! A sample of a pulled dataset.

use serde::{Deserialize, Serialize};
use sordino::{Purposes, seal::Manifest};

use super::split::Split;

/// One sample of the dataset.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The purposes for which it was pulled and may still be used.
    pub(crate) pulled_for: Purposes,
    /// The manifest; its `purposes` are those that are granted now.
    pub(crate) manifest: Manifest,
    /// The shard that contains it, if the dataset has shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shard: Option<u32>,
    /// Samples of the stored sound, mono; `None` if an earlier version pulled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) frames: Option<u64>,
}

impl Entry {
    /// The split that the sample is in.
    pub(crate) fn split(&self) -> Split {
        Split::of(self.manifest.consent)
    }

    /// The number of moments that the sample represents, among those with its trigger.
    pub(crate) fn weight(&self) -> f64 {
        self.manifest.selection.probability.recip()
    }

    /// Length of the stored sound.
    pub(crate) fn seconds(&self) -> f64 {
        match self.frames {
            Some(frames) => frames as f64 / f64::from(self.manifest.rate),
            // Accurate to 0.1 %. `fold` instead of `sum`, which returns -0 for no spans.
            None => self
                .manifest
                .kept
                .iter()
                .fold(0.0, |sum, span| sum + span.1 - span.0),
        }
    }
}
