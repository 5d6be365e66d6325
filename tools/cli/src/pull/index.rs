//! What lies in a pulled dataset, and how far the pull has come.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sordino::{Id, Purpose, Purposes, seal::Manifest, upload::Endpoint};

use super::layout;
use crate::{args::FormatArgument, failure::Failure, files, open::Opened};

const FILE: &str = ".sordino-pull.json";

/// The dataset's own record of itself.
#[derive(Serialize, Deserialize)]
pub(crate) struct Index {
    collector: String,
    format: FormatArgument,
    #[serde(default)]
    cursors: BTreeMap<Purpose, Cursors>,
    #[serde(default)]
    samples: BTreeMap<Id, Entry>,
    #[serde(skip)]
    folder: PathBuf,
    /// Shards that are changed and not written yet.
    #[serde(skip)]
    pub(super) staged: BTreeMap<u32, layout::Members>,
}

/// One sample of the dataset.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The purposes for which it was pulled and may still be used.
    pub(crate) pulled_for: Purposes,
    /// Its manifest; `purposes` there are those that are granted now.
    pub(crate) manifest: Manifest,
    /// Which shard it lies in, where the dataset has shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shard: Option<u32>,
}

/// How far the pull of a purpose has come.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Cursors {
    pub(super) samples: Option<String>,
    pub(super) withdrawn: Option<String>,
}

impl Index {
    /// Opens the dataset in `folder`, or begins one.
    pub(super) fn open(
        folder: &Path,
        collector: &Endpoint,
        format: FormatArgument,
    ) -> Result<Self, Failure> {
        let Some(index) = Self::read(folder)? else {
            let mut listing = fs::read_dir(folder).map_err(Failure::file("read", folder))?;
            if listing.next().is_some() {
                return Err(Failure::content(folder)(
                    "it is neither empty nor a pulled dataset; name another folder",
                ));
            }
            let mut index = Self {
                collector: collector.to_string(),
                format,
                cursors: BTreeMap::new(),
                samples: BTreeMap::new(),
                folder: folder.to_owned(),
                staged: BTreeMap::new(),
            };
            // Before any sample, so that a pull that is cut short can go on.
            index.save()?;
            return Ok(index);
        };
        let refuse = |reason: String| Err(Failure::content(folder)(reason));
        if index.collector != collector.to_string() {
            return refuse(format!(
                "it was pulled from {}; use another folder for another collector",
                index.collector
            ));
        }
        if index.format != format {
            return refuse("it has another format; use another folder for it".to_owned());
        }
        Ok(index)
    }

    /// The dataset in `folder`, where there is one.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Ok(None);
        }
        let index: Self =
            serde_json::from_slice(&files::read(&path)?).map_err(Failure::content(&path))?;
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

    pub(crate) fn format(&self) -> FormatArgument {
        self.format
    }

    pub(super) fn knows(&self, id: Id) -> bool {
        self.samples.contains_key(&id)
    }

    pub(super) fn cursors(&mut self, purpose: Purpose) -> &Cursors {
        self.cursors.entry(purpose).or_default()
    }

    pub(super) fn cursors_mut(&mut self, purpose: Purpose) -> &mut Cursors {
        self.cursors.entry(purpose).or_default()
    }

    /// Takes in a sample: its files first, then its entry.
    pub(super) fn add(
        &mut self,
        opened: &Opened,
        purpose: Purpose,
        granted: &Purposes,
    ) -> Result<(), Failure> {
        let mut manifest = opened.manifest.clone();
        manifest.purposes = manifest.purposes.intersection(granted);
        let shard = layout::write(self, &manifest, &opened.flac)?;
        let entry = Entry {
            pulled_for: purpose.into(),
            manifest,
            shard,
        };
        self.samples.insert(entry.manifest.sample, entry);
        Ok(())
    }

    /// A sample that is here already may be used for `purpose` too.
    pub(super) fn add_purpose(
        &mut self,
        id: Id,
        purpose: Purpose,
        granted: &Purposes,
    ) -> Result<(), Failure> {
        let Some(entry) = self.samples.get_mut(&id) else {
            return Ok(());
        };
        let pulled_for = entry.pulled_for.union(&purpose.into());
        let purposes = entry.manifest.purposes.intersection(granted);
        if pulled_for == entry.pulled_for && purposes == entry.manifest.purposes {
            return Ok(());
        }
        entry.pulled_for = pulled_for;
        entry.manifest.purposes = purposes;
        let entry = entry.clone();
        layout::rewrite_manifest(self, &entry)
    }

    /// A sample may no longer be used for `purpose`. Whether its copy was removed.
    pub(super) fn withdraw(&mut self, id: Id, purpose: Purpose) -> Result<bool, Failure> {
        let Some(entry) = self.samples.get_mut(&id) else {
            return Ok(false);
        };
        entry.pulled_for = entry.pulled_for.difference(&purpose.into());
        entry.manifest.purposes = entry.manifest.purposes.difference(&purpose.into());
        let entry = entry.clone();
        if !entry.pulled_for.is_empty() {
            layout::rewrite_manifest(self, &entry)?;
            return Ok(false);
        }
        layout::remove(self, &entry)?;
        self.samples.remove(&id);
        Ok(true)
    }

    /// Writes the dataset's files that are not written yet, then the index.
    pub(super) fn save(&mut self) -> Result<(), Failure> {
        layout::save(self)?;
        let json = serde_json::to_vec_pretty(self).map_err(Failure::said)?;
        files::write(&self.folder.join(FILE), &json)
    }
}
