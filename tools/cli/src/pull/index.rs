//! The index of a pulled dataset: its samples, and the progress of the pull.

mod update;
mod writing;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sordino::{Id, Purpose};

use self::writing::Writing;
use super::{
    entry::Entry,
    format::DatasetFormat,
    layout, names,
    unreadable::Unreadable,
    verdicts::{AllReviews, Review},
};
use crate::{error::CliError, files};

/// The content of the index file.
#[derive(Serialize, Deserialize)]
pub(crate) struct Index {
    collector: String,
    format: DatasetFormat,
    #[serde(default)]
    layout: u32,
    /// Whether all files are readable by the owner only; earlier versions wrote some for everyone.
    #[serde(default)]
    private: bool,
    /// The number of times this file was written.
    #[serde(default)]
    generation: u64,
    /// The epoch of the collector's database to which the cursors belong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
    #[serde(default)]
    cursors: BTreeMap<Purpose, Cursors>,
    #[serde(default)]
    samples: BTreeMap<Id, Entry>,
    /// Reviews of the samples, by the purpose for which they were read.
    #[serde(default, skip_serializing_if = "AllReviews::is_empty")]
    reviews: AllReviews,
    /// Whether a pull wrote the table of verdicts in the folder.
    #[serde(default)]
    wrote_verdicts: bool,
    /// Unreadable samples, which are not in the dataset.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unreadable: BTreeMap<Id, Unreadable>,
    #[serde(skip)]
    folder: PathBuf,
    #[serde(skip)]
    writing: Option<Writing>,
}

/// The progress of the pull of a purpose.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Cursors {
    pub(super) samples: Option<String>,
    pub(super) withdrawn: Option<String>,
}

/// Reading.
impl Index {
    /// Whether there is a dataset in `folder`.
    pub(super) fn exists(folder: &Path) -> bool {
        folder.join(names::INDEX).is_file()
    }

    /// The dataset in `folder`, if there is one.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, CliError> {
        let path = folder.join(names::INDEX);
        if !Self::exists(folder) {
            return Ok(None);
        }
        let index: Self =
            serde_json::from_slice(&files::read(&path)?).map_err(CliError::content(&path))?;
        Ok(Some(Self {
            folder: folder.to_owned(),
            ..index
        }))
    }

    /// Every sample, by its id.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.samples.values()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn format(&self) -> DatasetFormat {
        self.format
    }

    /// The reviews of a sample, each with the purpose for which it was read.
    pub(crate) fn reviews(&self, id: Id) -> impl Iterator<Item = (Purpose, &Review)> {
        self.reviews.of(id)
    }

    /// A sample's FLAC.
    pub(crate) fn flac(&self, entry: &Entry) -> Result<Vec<u8>, CliError> {
        layout::flac(&self.folder, self.format, entry)
    }

    /// The file that holds a sample's sound, relative to the dataset's folder.
    pub(crate) fn audio_file(&self, entry: &Entry) -> PathBuf {
        layout::audio_file(self.format, entry)
    }

    /// The index and the tables of all samples: names in the dataset's folder.
    pub(crate) fn own_files(&self) -> Vec<PathBuf> {
        layout::own_files(self.format)
    }

    /// A file in the dataset that no pull wrote and whose content `is_other_own` does not recognize.
    pub(crate) fn foreign_file(
        &self,
        is_other_own: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<PathBuf>, CliError> {
        layout::foreign_file(&self.folder, self.format, is_other_own)
    }

    pub(super) fn review_count(&self) -> usize {
        self.reviews.count()
    }

    pub(crate) fn collector(&self) -> &str {
        &self.collector
    }

    /// The number of samples that could not be read so far.
    pub(crate) fn unreadable_count(&self) -> usize {
        self.unreadable.len()
    }

    pub(super) fn contains(&self, id: Id) -> bool {
        self.samples.contains_key(&id)
    }

    /// The samples that were pulled for `purpose`.
    pub(super) fn pulled_for(&self, purpose: Purpose) -> impl Iterator<Item = Id> {
        self.samples
            .iter()
            .filter(move |(_, entry)| entry.pulled_for.contains(purpose))
            .map(|(&id, _)| id)
    }

    /// Unreadable samples that were fetched for `purpose`.
    pub(super) fn unreadable_for(
        &self,
        purpose: Purpose,
    ) -> impl Iterator<Item = (Id, &Unreadable)> {
        self.unreadable
            .iter()
            .filter(move |(_, found)| found.purposes.contains(purpose))
            .map(|(&id, found)| (id, found))
    }

    pub(super) fn cursors(&self, purpose: Purpose) -> Option<&Cursors> {
        self.cursors.get(&purpose)
    }
}
