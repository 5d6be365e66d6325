//! The dataset of a demo: its collector ends with the demo, so the next one makes room for its own. Only what a demo
//! pulled is removed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sordino::{Id, upload::Endpoint};

use crate::{
    failure::Failure,
    files,
    output::Overwrite,
    pull::{self, Index},
    report::is_report,
};

const DATASET: &str = "dataset";
/// Beside the dataset: which collector a demo pulled it from.
const MARK: &str = ".sordino-demo.json";

#[derive(Serialize, Deserialize)]
struct Mark {
    collector: String,
}

/// Where the dataset goes. An earlier demo's is removed.
///
/// # Errors
/// Something else is there, such as a dataset that was pulled from a collector that people use.
pub(super) fn make_room(out: &Path, overwrite: Overwrite) -> Result<PathBuf, Failure> {
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
    let foreign = match (&index, overwrite.force) {
        (Some(index), false) if is_own => foreign(index, &dataset)?,
        _ => None,
    };
    if let Some(foreign) = foreign {
        return Err(Failure::content(&foreign)(
            "the demo did not make it, and removes the dataset that it is in; move it away, or give --force",
        ));
    }
    match (is_own, index.is_some() && overwrite.force) {
        (false, false) if index.is_some() => Err(Failure::content(&dataset)(
            "no demo pulled this dataset; name another --out, or give --force to remove it",
        )),
        (false, false) => Err(Failure::content(&dataset)(
            "it is in the way and no dataset of a demo; name another --out",
        )),
        _ => fs::remove_dir_all(&dataset)
            .map_err(Failure::file("remove", &dataset))
            .map(|()| dataset),
    }
}

/// A file in the dataset that no pull wrote, nor `report`.
fn foreign(index: &Index, dataset: &Path) -> Result<Option<PathBuf>, Failure> {
    let tables = pull::own_files(index);
    let mut folders = vec![dataset.to_owned()];
    while let Some(folder) = folders.pop() {
        let listing = fs::read_dir(&folder).map_err(Failure::file("read", &folder))?;
        for file in listing {
            let path = file.map_err(Failure::file("read", &folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.unwrap_or_default();
            let sample = name.split('.').next().unwrap_or_default();
            let is_own = tables.iter().any(|table| dataset.join(table) == path)
                || [".sordino-pull", ".tmp"]
                    .iter()
                    .any(|begin| name.starts_with(begin))
                || sample.parse::<Id>().is_ok()
                || fs::read(&path).is_ok_and(|bytes| is_report(&bytes));
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if !is_own {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

/// Notes that the dataset in `out` is a demo's, before it is pulled from `collector`.
pub(super) fn mark(out: &Path, collector: &Endpoint) -> Result<(), Failure> {
    let mark = Mark {
        collector: collector.to_string(),
    };
    let json = serde_json::to_vec(&mark).map_err(Failure::said)?;
    files::write_private(&out.join(MARK), &json)
}
