//! Reads a pulled dataset, for `query`, `evaluate` and `report`.
//!
//! * **In**: a folder that `sordino pull` wrote.
//! * **Out**: its [`Sample`]s: consent record, weight, expected and
//!   recognized notes, and sound.
//! * **Promises**: only `pull` and this module know the layout of a dataset on disk.

use std::path::{Path, PathBuf};

use sordino::{
    Id, open,
    sampler::{Annotation, Trigger},
};
use sordino_scoring::Note;

use crate::{
    error::CliError,
    notes,
    pull::{Entry, Index, Review, stored},
};

/// A pulled dataset.
pub(crate) struct Dataset {
    index: Index,
}

impl Dataset {
    /// Reads the dataset in `folder`.
    ///
    /// # Errors
    /// There is no dataset.
    pub(crate) fn read(folder: &Path) -> Result<Self, CliError> {
        let index = Index::read(folder)?.ok_or_else(|| {
            CliError::content(folder)("not a dataset; make one with `sordino pull`")
        })?;
        Ok(Self { index })
    }

    /// Like [`Self::read`], but an error if the dataset has no samples.
    pub(crate) fn read_non_empty(folder: &Path) -> Result<Self, CliError> {
        let dataset = Self::read(folder)?;
        if dataset.samples().next().is_none() {
            let reason = match dataset.index.unreadable_count() {
                0 => "the dataset holds no sample; pull again once there are some".to_owned(),
                count => format!(
                    "the dataset holds no sample: the last pull could not open {count}; pull again with the identity \
                     that they are sealed to, and see what it says of the first"
                ),
            };
            return Err(CliError::content(folder)(reason));
        }
        Ok(dataset)
    }

    /// Every sample, by its id.
    pub(crate) fn samples(&self) -> impl Iterator<Item = Sample<'_>> {
        let index = &self.index;
        self.index
            .entries()
            .map(move |entry| Sample { index, entry })
    }

    /// All files of the dataset that are read.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let sounds = self.samples().map(|sample| sample.file());
        let own = self.index.own_files().into_iter().chain(sounds);
        own.map(|name| self.folder().join(name)).collect()
    }

    /// The dataset's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.index.folder()
    }
}

/// A sample of a dataset.
#[derive(Clone, Copy)]
pub(crate) struct Sample<'a> {
    index: &'a Index,
    entry: &'a Entry,
}

impl<'a> Sample<'a> {
    pub(crate) fn id(&self) -> Id {
        self.entry.manifest.sample
    }

    /// The consent record, the closest known identifier of a person.
    pub(crate) fn record(&self) -> Id {
        self.entry.manifest.consent
    }

    /// The split of the sample, the same for all samples of its record: `train`, `validation`, `test`.
    pub(crate) fn split(&self) -> &'static str {
        self.entry.split().as_str()
    }

    pub(crate) fn trigger(&self) -> Trigger {
        self.entry.manifest.selection.trigger
    }

    /// The number of moments that the sample represents: 1 / probability of its selection.
    pub(crate) fn weight(&self) -> f64 {
        self.entry.weight()
    }

    /// The exercise, or [`NO_EXERCISE`].
    pub(crate) fn exercise(&self) -> &'a str {
        self.annotation().tag.as_deref().unwrap_or(NO_EXERCISE)
    }

    /// The app's annotation, in the time of the original clip.
    pub(crate) fn annotation(&self) -> &'a Annotation {
        &self.entry.manifest.annotation
    }

    /// The notes of the annotation.
    pub(crate) fn annotated_notes(&self) -> AnnotatedNotes {
        let annotation = self.annotation();
        AnnotatedNotes {
            expected: notes::for_scoring(&annotation.expected),
            recognized: notes::for_scoring(&annotation.recognized),
        }
    }

    /// The entry in the index.
    pub(crate) fn entry(&self) -> &'a Entry {
        self.entry
    }

    /// The reviews of the sample.
    pub(crate) fn reviews(&self) -> impl Iterator<Item = &'a Review> {
        self.index.reviews(self.id()).map(|(_, review)| review)
    }

    /// The stored sound as FLAC.
    pub(crate) fn flac(&self) -> Result<Vec<u8>, CliError> {
        self.index.flac(self.entry)
    }

    /// The stored sound, mono, and its rate in Hz.
    pub(crate) fn sound(&self) -> Result<(Vec<i16>, u32), CliError> {
        open::decode_flac(&self.flac()?)
            .map_err(|error| CliError::Message(format!("sample {}: {error}", self.id())))
    }

    /// The file with its sound, relative to the dataset's folder.
    pub(crate) fn file(&self) -> PathBuf {
        self.index.audio_file(self.entry)
    }

    /// The notes that the app expected, in the time of the stored sound.
    pub(crate) fn expected(&self) -> stored::Notes {
        stored::notes(self.entry, &self.annotation().expected)
    }

    /// The notes that the app's recognizer reported, in the time of the stored sound.
    pub(crate) fn recognized(&self) -> stored::Notes {
        stored::notes(self.entry, &self.annotation().recognized)
    }
}

/// The expected and recognized notes, in the time of the original clip.
pub(crate) struct AnnotatedNotes {
    pub(crate) expected: Vec<Note>,
    pub(crate) recognized: Vec<Note>,
}

/// The exercise of samples without a tag.
pub(crate) const NO_EXERCISE: &str = "(no tag)";

/// The name of a trigger, as manifests spell it.
pub(crate) fn trigger_name(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Mark => "mark",
        Trigger::Random => "random",
    }
}
