//! The promises of the demo, and whether they hold.

use std::{collections::BTreeSet, path::Path};

use sordino::Id;

use super::scenarios::Device;
use crate::{
    error::CliError,
    pull::{Index, Summary},
};

/// A promise that the demo checks.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Check {
    pub(super) what: &'static str,
    pub(super) holds: bool,
}

pub(super) fn run(
    devices: &[Device; 4],
    first: &Summary,
    second: &Summary,
    objects: usize,
    dataset: &Path,
) -> Result<Vec<Check>, CliError> {
    let [adult, unasked, child, offline] = devices;
    let speech = |device: &Device| {
        device
            .heard
            .iter()
            .any(|heard| heard.name == "speech-alone" && !heard.queued.is_empty())
    };
    let left = ids(dataset)?;
    let withdrawn = child
        .heard
        .iter()
        .flat_map(|heard| &heard.queued)
        .all(|id| !left.contains(id));
    let check = |what, holds| Check { what, holds };
    Ok(vec![
        check(
            "every device's recognizer got every frame",
            devices.iter().all(Device::received_all_frames),
        ),
        check(
            "what the adult's device sent was pulled",
            adult.sent > 0 && first.pulled >= adult.sent,
        ),
        check(
            "speech alone never became a sample",
            !speech(adult) && !speech(offline),
        ),
        check(
            "without consent no connection was made",
            unasked.connections == 0 && unasked.bytes_up == 0,
        ),
        check(
            "before the guardian's consent no byte left",
            child.before_approval == Some((0, 0)),
        ),
        check(
            "after SIGKILL no half-written file was left",
            offline.whole_after_kill == Some(true),
        ),
        check(
            "offline, nothing was lost",
            offline.sent > 0 && offline.pending == 0,
        ),
        check(
            "the withdrawal reached every copy",
            second.removed == child.withdrawn
                && child.withdrawn > 0
                && withdrawn
                && objects == adult.sent + offline.sent,
        ),
    ])
}

/// The ids of a pulled dataset.
fn ids(dataset: &Path) -> Result<BTreeSet<Id>, CliError> {
    let index = Index::read(dataset)?;
    Ok(index
        .iter()
        .flat_map(Index::entries)
        .map(|entry| entry.manifest.sample)
        .collect())
}
