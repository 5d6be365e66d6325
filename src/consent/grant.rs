//! What lets a sample be sealed and uploaded.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{id::Id, purpose::Purposes};

/// The purposes that a person has granted, alive until they withdraw.
#[derive(Debug)]
pub struct Grants {
    record: Id,
    purposes: Purposes,
    notice_version: u32,
    live: Arc<AtomicBool>,
}

impl Grants {
    /// The consent record that they stand in.
    pub fn record(&self) -> Id {
        self.record
    }

    /// What was granted; never empty.
    pub fn purposes(&self) -> Purposes {
        self.purposes.clone()
    }

    /// The notice that was agreed to.
    pub fn notice_version(&self) -> u32 {
        self.notice_version
    }

    /// Whether nothing was withdrawn since.
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    #[cfg(test)]
    pub(crate) fn for_test(record: Id, purposes: Purposes, live: Arc<AtomicBool>) -> Self {
        Self {
            record,
            purposes,
            notice_version: 3,
            live,
        }
    }
}
