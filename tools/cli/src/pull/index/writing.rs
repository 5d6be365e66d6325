//! The state of a running pull.

use std::fs::File;

use crate::pull::{journal::Journal, layout::Shards};

/// The state of a pull while it changes a dataset.
pub(super) struct Writing {
    /// The lock, held until the pull ends.
    pub(super) _lock: File,
    pub(super) journal: Option<Journal>,
    pub(super) shards: Shards,
    /// Whether the tables differ from the index.
    pub(super) tables_are_stale: bool,
    /// Whether the table of verdicts differs from the index.
    pub(super) reviews_are_stale: bool,
    pub(super) is_changed: bool,
}
