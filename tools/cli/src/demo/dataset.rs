//! The dataset of a demo. Its collector ends with the demo, so the next demo replaces it. Only a demo's dataset is
//! removed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sordino::upload::Endpoint;

use crate::{error::CliError, files, output_files::Overwrite, pull::Index, report::is_report};

const DATASET: &str = "dataset";
/// A file next to the dataset that names the collector from which a demo pulled it.
const MARK: &str = ".sordino-demo.json";

#[derive(Serialize, Deserialize)]
struct Mark {
    collector: String,
}

/// The folder for the dataset. A dataset of an earlier demo is removed.
///
/// # Errors
/// The folder has other content, such as a dataset from a real collector.
pub(super) fn make_room(out: &Path, overwrite: Overwrite) -> Result<PathBuf, CliError> {
    let dataset = out.join(DATASET);
    if fs::symlink_metadata(&dataset).is_err() {
        return Ok(dataset);
    }
    let index = Index::read(&dataset)?;
    let mark = fs::read(out.join(MARK)).ok();
    let mark = mark.and_then(|mark| serde_json::from_slice::<Mark>(&mark).ok());
    let is_own = match (&index, &mark) {
        (Some(index), Some(mark)) => index.collector() == mark.collector,
        _ => false,
    };
    if let (Some(index), true, false) = (&index, is_own, overwrite.force)
        && let Some(foreign) = index.foreign_file(is_report)?
    {
        return Err(CliError::content(&foreign)(
            "the demo did not make it, and removes the dataset that it is in; move it away, or give --force",
        ));
    }
    match (is_own, index.is_some() && overwrite.force) {
        (false, false) if index.is_some() => Err(CliError::content(&dataset)(
            "no demo pulled this dataset; name another --out, or give --force to remove it",
        )),
        (false, false) => Err(CliError::content(&dataset)(
            "it is in the way and no dataset of a demo; name another --out",
        )),
        _ => fs::remove_dir_all(&dataset)
            .map_err(CliError::file("remove", &dataset))
            .map(|()| dataset),
    }
}

/// Marks the dataset in `out` as a demo's, before it is pulled from `collector`.
pub(super) fn mark(out: &Path, collector: &Endpoint) -> Result<(), CliError> {
    let mark = Mark {
        collector: collector.to_string(),
    };
    let json = serde_json::to_vec(&mark).map_err(CliError::message)?;
    files::write_private(&out.join(MARK), &json)
}
