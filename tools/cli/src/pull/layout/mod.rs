//! The layout of a dataset in its folder.
//!
//! * AudioFolder (Hugging Face `datasets`): `audio/ID.flac`, `jams/ID.jams`, `metadata.jsonl` with one
//!   line per file.
//! * WebDataset: `shard-000000.tar` …, with consecutive `ID.flac`, `ID.jams` and `ID.json`;
//!   `shards.json` states the split of each shard.
//! * Bundle: `ID/audio.flac`, `ID/annotation.jams`, and `ID/manifest.json` as it was sealed.
//!
//! Each also has `index.parquet`, `README.md`, and `verdicts.csv` if there are verdicts.

mod shard;
mod shards;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use sordino::Id;

use super::{
    dataset,
    entry::Entry,
    format::DatasetFormat,
    names::{
        AUDIO, BUNDLE_AUDIO, BUNDLE_JAMS, BUNDLE_MANIFEST, CARD, INDEX, JAMS, METADATA, PARQUET,
        STATE, VERDICTS, audio_path, file_name, jams_path, shard_name,
    },
};
use crate::{
    error::CliError,
    files::{self, remove_if_exists as remove_file},
};
pub(super) use shards::Shards;

/// Writes the files of a sample that has its own files, the sound last. The sample is complete when its entry is
/// recorded, and removed if the pull ends before.
pub(super) fn write(
    folder: &Path,
    format: DatasetFormat,
    entry: &Entry,
    flac: &[u8],
) -> Result<(), CliError> {
    let id = entry.manifest.sample;
    let jams = dataset::jams(entry)?;
    match format {
        DatasetFormat::AudioFolder => {
            files::make_private_folder(&folder.join(AUDIO))?;
            files::make_private_folder(&folder.join(JAMS))?;
            files::write_unnamed(&jams_path(folder, id), &jams)?;
            files::write_unnamed(&audio_path(folder, id), flac)
        }
        DatasetFormat::Bundle => {
            let own = folder.join(id.to_string());
            files::make_private_folder(&own)?;
            files::write_unnamed(&own.join(BUNDLE_JAMS), &jams)?;
            files::write_unnamed(&own.join(BUNDLE_MANIFEST), &manifest_json(entry)?)?;
            files::write_unnamed(&own.join(BUNDLE_AUDIO), flac)
        }
        DatasetFormat::WebDataset => Ok(()),
    }
}

/// Whether a sample's sound is complete.
pub(super) fn is_whole(folder: &Path, format: DatasetFormat, entry: &Entry, bytes: u64) -> bool {
    let path = match format {
        DatasetFormat::AudioFolder => audio_path(folder, entry.manifest.sample),
        DatasetFormat::Bundle => folder
            .join(entry.manifest.sample.to_string())
            .join(BUNDLE_AUDIO),
        DatasetFormat::WebDataset => return true,
    };
    fs::metadata(path).is_ok_and(|found| found.len() == bytes)
}

/// Rewrites the purposes in a sample's own files.
pub(super) fn rewrite_manifest(
    folder: &Path,
    format: DatasetFormat,
    entry: &Entry,
) -> Result<(), CliError> {
    match format {
        DatasetFormat::Bundle => {
            let own = folder.join(entry.manifest.sample.to_string());
            files::write_private(&own.join(BUNDLE_MANIFEST), &manifest_json(entry)?)
        }
        // The tables and shards contain the purposes, and are written with the index.
        DatasetFormat::AudioFolder | DatasetFormat::WebDataset => Ok(()),
    }
}

/// Removes a sample's own files, including leftovers of a killed pull.
pub(super) fn remove(folder: &Path, format: DatasetFormat, id: Id) -> Result<(), CliError> {
    match format {
        DatasetFormat::AudioFolder => {
            remove_file(&audio_path(folder, id))?;
            remove_file(&jams_path(folder, id))
        }
        DatasetFormat::Bundle => remove_folder(&folder.join(id.to_string())),
        DatasetFormat::WebDataset => Ok(()),
    }
}

/// Removes unfinished files of a killed pull: temporary files, and samples that are not in the index,
/// which no withdrawal would reach.
pub(super) fn sweep(
    folder: &Path,
    format: DatasetFormat,
    is_in_index: impl Fn(Id) -> bool,
) -> Result<(), CliError> {
    let is_known = |name: &str| name.parse().is_ok_and(&is_in_index);
    for path in files_in(folder)? {
        let name = name_of(&path);
        if is_temporary(name) || shards::is_unfinished(name) {
            remove_file(&path)?;
        } else if format == DatasetFormat::Bundle && path.is_dir() {
            for path in files_in(&path)? {
                if is_temporary(name_of(&path)) {
                    remove_file(&path)?;
                }
            }
            if name.parse::<Id>().is_ok() && !is_known(name) {
                remove_folder(&path)?;
            }
        }
    }
    if format == DatasetFormat::AudioFolder {
        for own in [AUDIO, JAMS].map(|name| folder.join(name)) {
            for path in files_in(&own)? {
                let name = name_of(&path);
                let sample = name.split('.').next().unwrap_or_default();
                if is_temporary(name) || (sample.parse::<Id>().is_ok() && !is_known(sample)) {
                    remove_file(&path)?;
                }
            }
        }
    }
    Ok(())
}

/// The data for the tables of all samples.
pub(super) struct Tables<'a> {
    pub(super) folder: &'a Path,
    pub(super) format: DatasetFormat,
    /// The collector's URL.
    pub(super) collector: &'a str,
    pub(super) entries: &'a BTreeMap<Id, Entry>,
}

/// Writes the tables and the card of all samples.
pub(super) fn write_tables(tables: &Tables<'_>) -> Result<(), CliError> {
    let &Tables {
        folder,
        format,
        collector,
        entries,
    } = tables;
    if format == DatasetFormat::AudioFolder {
        let mut lines = Vec::new();
        for entry in dataset::in_showing_order(entries.values()) {
            serde_json::to_writer(&mut lines, &dataset::Row::new(entry, format))
                .map_err(CliError::message)?;
            lines.push(b'\n');
        }
        files::write_private(&folder.join(METADATA), &lines)?;
    }
    let parquet = dataset::index_parquet(entries.values(), format)?;
    files::write_private(&folder.join(PARQUET), &parquet)?;
    let card = dataset::card(entries.values(), format, collector);
    files::write_private(&folder.join(CARD), card.as_bytes())
}

/// Restricts files of earlier versions, which were readable by all, to the owner.
pub(super) fn make_private(folder: &Path) -> Result<(), CliError> {
    let private = |path: &Path| files::make_private(path).map_err(CliError::file("protect", path));
    private(folder)?;
    for path in files_in(folder)? {
        private(&path)?;
        if path.is_dir() {
            for path in files_in(&path)? {
                private(&path)?;
            }
        }
    }
    Ok(())
}

/// Names of the files about all samples together, and of the index.
pub(super) fn own_files(format: DatasetFormat) -> Vec<PathBuf> {
    let mut names = vec![INDEX, PARQUET, CARD, VERDICTS];
    match format {
        DatasetFormat::AudioFolder => names.push(METADATA),
        DatasetFormat::WebDataset => names.push(shards::LIST),
        DatasetFormat::Bundle => {}
    }
    names.into_iter().map(PathBuf::from).collect()
}

/// A file in the dataset that no pull wrote and whose content `is_other_own` does not recognize.
pub(super) fn foreign_file(
    folder: &Path,
    format: DatasetFormat,
    is_other_own: impl Fn(&[u8]) -> bool,
) -> Result<Option<PathBuf>, CliError> {
    let tables: Vec<PathBuf> = own_files(format)
        .into_iter()
        .map(|name| folder.join(name))
        .collect();
    let is_own = |path: &Path| {
        let name = name_of(path);
        let sample = name.split('.').next().unwrap_or_default();
        tables.iter().any(|table| table == path)
            || name.starts_with(STATE)
            || is_temporary(name)
            || sample.parse::<Id>().is_ok()
            || fs::read(path).is_ok_and(|bytes| is_other_own(&bytes))
    };
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in files_in(&folder)? {
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if !is_own(&path) {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

/// Writes the table of verdicts, or removes it if there are none. Returns whether there is one. A file of that name
/// that no pull wrote (`is_own`) is kept.
///
/// # Errors
/// There is such a file, or it cannot be written.
pub(super) fn write_verdicts(
    folder: &Path,
    csv: Option<&[u8]>,
    is_own: bool,
) -> Result<bool, CliError> {
    let path = folder.join(VERDICTS);
    match csv {
        Some(_) if !is_own && fs::symlink_metadata(&path).is_ok() => Err(CliError::content(&path)(
            "no pull wrote it, and the verdicts on these samples belong there; move it away",
        )),
        Some(csv) => files::write_private(&path, csv).map(|()| true),
        None if is_own => remove_file(&path).map(|()| false),
        None => Ok(false),
    }
}

/// A sample's FLAC.
pub(super) fn flac(
    folder: &Path,
    format: DatasetFormat,
    entry: &Entry,
) -> Result<Vec<u8>, CliError> {
    match (format, entry.shard) {
        (DatasetFormat::WebDataset, shard) => {
            shard::read(folder, shard.unwrap_or_default(), entry.manifest.sample)
        }
        _ => files::read(&folder.join(file_name(entry, format))),
    }
}

/// The file with a sample's sound, relative to the dataset's folder.
pub(super) fn audio_file(format: DatasetFormat, entry: &Entry) -> PathBuf {
    match (format, entry.shard) {
        (DatasetFormat::WebDataset, shard) => shard_name(shard.unwrap_or_default()).into(),
        (format, _) => file_name(entry, format).into(),
    }
}

fn manifest_json(entry: &Entry) -> Result<Vec<u8>, CliError> {
    serde_json::to_vec_pretty(&entry.manifest).map_err(CliError::message)
}

/// Whether `name` is that of a temporary file of [`files::write_private`].
fn is_temporary(name: &str) -> bool {
    name.starts_with(".tmp")
}

fn name_of(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

/// The files in a folder; none if it does not exist.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing.map_err(CliError::file("read", folder))?,
    };
    listing
        .map(|file| Ok(file.map_err(CliError::file("read", folder))?.path()))
        .collect()
}

fn remove_folder(path: &Path) -> Result<(), CliError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CliError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}
