//! The names of the files in a pulled dataset.

use std::path::{Path, PathBuf};

use sordino::Id;

use super::{entry::Entry, format::DatasetFormat};

/// The index of the dataset.
pub(super) const INDEX: &str = ".sordino-pull.json";
/// The prefix of the files with a pull's state.
pub(super) const STATE: &str = ".sordino-pull";
pub(super) const METADATA: &str = "metadata.jsonl";
pub(super) const PARQUET: &str = "index.parquet";
pub(super) const CARD: &str = "README.md";
/// The reviews of the samples.
pub(super) const VERDICTS: &str = "verdicts.csv";
pub(super) const AUDIO: &str = "audio";
pub(super) const JAMS: &str = "jams";
pub(super) const BUNDLE_AUDIO: &str = "audio.flac";
pub(super) const BUNDLE_JAMS: &str = "annotation.jams";
pub(super) const BUNDLE_MANIFEST: &str = "manifest.json";

/// The path of a sample's sound in the dataset's folder; in a shard, the member's name.
pub(super) fn file_name(entry: &Entry, format: DatasetFormat) -> String {
    let id = entry.manifest.sample;
    match format {
        DatasetFormat::AudioFolder => format!("{AUDIO}/{id}.flac"),
        DatasetFormat::Bundle => format!("{id}/{BUNDLE_AUDIO}"),
        DatasetFormat::WebDataset => format!("{id}.flac"),
    }
}

pub(super) fn audio_path(folder: &Path, id: Id) -> PathBuf {
    folder.join(AUDIO).join(format!("{id}.flac"))
}

pub(super) fn jams_path(folder: &Path, id: Id) -> PathBuf {
    folder.join(JAMS).join(format!("{id}.jams"))
}

pub(super) fn shard_name(shard: u32) -> String {
    format!("shard-{shard:06}.tar")
}
