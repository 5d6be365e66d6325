//! The changes that a pull makes to a dataset.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, TryLockError},
    path::Path,
};

use sordino::{Id, Purpose, Purposes, upload::Endpoint};

use super::{Cursors, Index, writing::Writing};
use crate::{
    error::CliError,
    files,
    pull::{
        entry::Entry,
        format::DatasetFormat,
        journal::{Journal, JournalEntry},
        layout::{self, Shards, Tables},
        names,
        unreadable::Unreadable,
        verdicts::{self, AllReviews, Reviews},
    },
};

const LOCK: &str = ".sordino-pull.lock";
/// The version of the layouts. Since 2 a shard has one split; since 3 all rows in shards have one schema, and the card
/// declares what `datasets` loads.
const LAYOUT: u32 = 3;
/// The first version whose shards have one split each.
const LAYOUT_OF_SPLIT_SHARDS: u32 = 2;

impl Index {
    /// Opens the dataset in `folder` for a pull, or begins one. Leftovers of a killed pull are imported or
    /// removed.
    pub(in crate::pull) fn open(
        folder: &Path,
        collector: &Endpoint,
        format: DatasetFormat,
    ) -> Result<Self, CliError> {
        let refuse = |reason: String| Err(CliError::content(folder)(reason));
        let is_new = !Self::exists(folder);
        // A pull that was killed right after its start left its lock.
        if is_new && !folder.join(LOCK).exists() && has_files(folder)? {
            return refuse(
                "it is neither empty nor a pulled dataset; name another folder".to_owned(),
            );
        }
        let lock = lock(folder)?;
        let mut index = Self::read(folder)?.unwrap_or_else(|| Self {
            collector: collector.to_string(),
            format,
            layout: LAYOUT,
            private: true,
            generation: 0,
            epoch: None,
            cursors: BTreeMap::new(),
            samples: BTreeMap::new(),
            reviews: AllReviews::default(),
            wrote_verdicts: false,
            unreadable: BTreeMap::new(),
            folder: folder.to_owned(),
            writing: None,
        });
        if index.collector != collector.to_string() {
            return refuse(format!(
                "it was pulled from {}; use another folder for another collector",
                index.collector
            ));
        }
        if index.format != format {
            return refuse("it has another format; use another folder for it".to_owned());
        }
        if index.layout > LAYOUT {
            return refuse("a later version of sordino pulled it; use that one".to_owned());
        }
        index.writing = Some(Writing {
            _lock: lock,
            journal: None,
            shards: Shards::of(folder.to_owned(), index.samples.values()),
            tables_are_stale: index.layout < LAYOUT || !folder.join(names::PARQUET).is_file(),
            reviews_are_stale: false,
            is_changed: index.generation == 0,
        });
        if is_new {
            layout::sweep(folder, format, |id| index.contains(id))?;
        }
        index.recover()?;
        if index.layout < LAYOUT {
            index.migrate_layout();
        }
        if !index.private {
            layout::make_private(folder)?;
            index.private = true;
            index.mark_changed();
        }
        // Before any sample, so that an interrupted pull can continue.
        index.save()?;
        Ok(index)
    }

    /// Notes that the collector's database has this `epoch`. If it differs from the last one, the database was restored
    /// from a backup and may reuse sequence numbers: both lists are read from the start.
    pub(in crate::pull) fn set_epoch(&mut self, epoch: Option<String>) {
        if self.epoch == epoch {
            return;
        }
        self.epoch = epoch;
        self.cursors.clear();
        self.mark_changed();
    }

    /// Notes that the index file differs from this state.
    fn mark_changed(&mut self) {
        if let Some(writing) = &mut self.writing {
            writing.is_changed = true;
        }
    }

    /// Imports a sample whose own files are written, if it has any.
    pub(in crate::pull) fn add(&mut self, mut entry: Entry, flac: &[u8]) -> Result<(), CliError> {
        let id = entry.manifest.sample;
        let is_sharded = self.format == DatasetFormat::WebDataset;
        let Some(writing) = &mut self.writing else {
            return Ok(());
        };
        let bytes = match is_sharded {
            true => writing.shards.add(&mut entry, flac)?,
            false => flac.len() as u64,
        };
        writing.tables_are_stale = true;
        writing.is_changed = true;
        let taken = JournalEntry { entry, bytes };
        if let Some(journal) = &mut writing.journal {
            journal.append(&taken)?;
        }
        self.samples.insert(id, taken.entry);
        Ok(())
    }

    /// Records an unreadable sample.
    pub(in crate::pull) fn add_unreadable(&mut self, id: Id, mut found: Unreadable) {
        if let Some(before) = self.unreadable.get(&id) {
            found.purposes = found.purposes.union(&before.purposes);
        }
        self.unreadable.insert(id, found);
        self.mark_changed();
    }

    /// Forgets the unreadable samples that `which` selects; they are listed and fetched again.
    pub(in crate::pull) fn retry_unreadable(&mut self, which: impl Fn(&Unreadable) -> bool) {
        let (retried, kept) = std::mem::take(&mut self.unreadable)
            .into_iter()
            .partition(|(_, found)| which(found));
        self.unreadable = kept;
        let retried: BTreeMap<Id, Unreadable> = retried;
        for purpose in retried.values().flat_map(|found| found.purposes.iter()) {
            self.set_cursor(purpose, |cursors| cursors.samples = None);
        }
    }

    /// Records that a sample of the dataset may also be used for `purpose`.
    pub(in crate::pull) fn add_purpose(
        &mut self,
        id: Id,
        purpose: Purpose,
        granted: &Purposes,
    ) -> Result<(), CliError> {
        let Some(entry) = self.samples.get(&id) else {
            return Ok(());
        };
        let mut entry = entry.clone();
        let before = (entry.pulled_for.clone(), entry.manifest.purposes.clone());
        entry.pulled_for = entry.pulled_for.union(&purpose.into());
        entry.manifest.purposes = entry.manifest.purposes.intersection(granted);
        if before == (entry.pulled_for.clone(), entry.manifest.purposes.clone()) {
            return Ok(());
        }
        self.replace(entry)
    }

    /// Records that a sample may no longer be used for `purpose`. Returns whether its copy was removed.
    pub(in crate::pull) fn withdraw(&mut self, id: Id, purpose: Purpose) -> Result<bool, CliError> {
        self.forget_unreadable(id, purpose);
        let Some(entry) = self.samples.get(&id) else {
            // A killed pull may have left a file of the sample.
            layout::remove(&self.folder, self.format, id)?;
            return Ok(false);
        };
        let mut entry = entry.clone();
        entry.pulled_for = entry.pulled_for.difference(&purpose.into());
        entry.manifest.purposes = entry.manifest.purposes.difference(&purpose.into());
        if !entry.pulled_for.is_empty() {
            self.replace(entry)?;
            return Ok(false);
        }
        layout::remove(&self.folder, self.format, id)?;
        self.mark(&entry);
        self.samples.remove(&id);
        Ok(true)
    }

    /// Replaces the reviews for `purpose`.
    pub(in crate::pull) fn set_reviews(&mut self, purpose: Purpose, mut reviews: Reviews) {
        reviews.retain(|id, _| is_here(&self.samples, *id, purpose));
        let is_changed = self.reviews.set(purpose, reviews);
        if let Some(writing) = &mut self.writing {
            writing.is_changed |= is_changed;
            writing.reviews_are_stale |= is_changed;
        }
    }

    fn forget_unreadable(&mut self, id: Id, purpose: Purpose) {
        let Some(found) = self.unreadable.get_mut(&id) else {
            return;
        };
        found.purposes = found.purposes.difference(&purpose.into());
        if found.purposes.is_empty() {
            self.unreadable.remove(&id);
        }
        self.mark_changed();
    }

    pub(in crate::pull) fn set_cursor(&mut self, purpose: Purpose, set: impl FnOnce(&mut Cursors)) {
        set(self.cursors.entry(purpose).or_default());
        self.mark_changed();
    }

    /// Writes the remaining files of the dataset, then the index.
    pub(in crate::pull) fn save(&mut self) -> Result<(), CliError> {
        let Some(mut writing) = self.writing.take() else {
            return Ok(());
        };
        let saved = self.save_with(&mut writing);
        self.writing = Some(writing);
        saved
    }

    fn save_with(&mut self, writing: &mut Writing) -> Result<(), CliError> {
        if writing.tables_are_stale {
            if self.format == DatasetFormat::WebDataset {
                writing.shards.save(self.samples.values())?;
            }
            layout::write_tables(&Tables {
                folder: &self.folder,
                format: self.format,
                collector: &self.collector,
                entries: &self.samples,
            })?;
        }
        if writing.tables_are_stale || writing.reviews_are_stale {
            let samples = &self.samples;
            self.reviews
                .retain(|id, purpose| is_here(samples, id, purpose));
            let (csv, before) = (
                verdicts::csv(self.samples.values(), &self.reviews),
                self.wrote_verdicts,
            );
            self.wrote_verdicts = layout::write_verdicts(&self.folder, csv.as_deref(), before)?;
            writing.is_changed |= self.wrote_verdicts != before;
            (writing.tables_are_stale, writing.reviews_are_stale) = (false, false);
        }
        if writing.is_changed {
            self.generation += 1;
            let json = serde_json::to_vec(self).map_err(CliError::message)?;
            files::write_private(&self.folder.join(names::INDEX), &json)?;
            writing.is_changed = false;
        }
        // Samples that are imported from here on are added to this state of the index.
        writing.journal = Some(Journal::begin(&self.folder, self.generation)?);
        Ok(())
    }

    /// Ends the pull, after [`Self::save`].
    pub(in crate::pull) fn close(mut self) -> Result<(), CliError> {
        match self.writing.take().and_then(|writing| writing.journal) {
            Some(journal) => journal.remove(),
            None => Ok(()),
        }
    }

    /// Imports the complete samples in the journal of a killed pull, and removes the rest.
    fn recover(&mut self) -> Result<(), CliError> {
        let Some(left) = Journal::read_entries(&self.folder, self.generation)? else {
            return Ok(());
        };
        let mut cut: BTreeMap<u32, u64> = BTreeMap::new();
        for JournalEntry { entry, bytes } in left {
            match (entry.shard, &self.writing) {
                (Some(shard), Some(writing)) => match writing.shards.cut_length(shard) {
                    Some(length) if bytes > length => continue,
                    Some(_) => {
                        let end = cut.entry(shard).or_default();
                        *end = bytes.max(*end);
                    }
                    // The file has its final name already.
                    None => {}
                },
                _ if layout::is_whole(&self.folder, self.format, &entry, bytes) => {}
                _ => continue,
            }
            self.samples.insert(entry.manifest.sample, entry);
        }
        let samples = self.samples.values();
        if let Some(writing) = &mut self.writing {
            for (shard, length) in cut {
                writing.shards.finish_cut(shard, length)?;
            }
            writing.shards = Shards::of(self.folder.clone(), samples);
            writing.tables_are_stale = true;
            writing.is_changed = true;
        }
        layout::sweep(&self.folder, self.format, |id| self.contains(id))?;
        self.save()
    }

    /// Rewrites shards of an earlier layout. Those of the first layout mix the splits; their samples are pulled again.
    fn migrate_layout(&mut self) {
        let mixes_splits = self.layout < LAYOUT_OF_SPLIT_SHARDS;
        self.layout = LAYOUT;
        if self.format == DatasetFormat::WebDataset {
            let shards: BTreeSet<u32> = self
                .samples
                .values()
                .filter_map(|entry| entry.shard)
                .collect();
            if mixes_splits {
                self.samples.clear();
                self.cursors.clear();
            }
            if let Some(writing) = &mut self.writing {
                shards
                    .into_iter()
                    .for_each(|shard| writing.shards.mark(shard));
            }
        }
        self.mark_changed();
    }

    fn replace(&mut self, entry: Entry) -> Result<(), CliError> {
        layout::rewrite_manifest(&self.folder, self.format, &entry)?;
        self.mark(&entry);
        self.samples.insert(entry.manifest.sample, entry);
        Ok(())
    }

    /// Marks the tables and shards of a sample as outdated.
    fn mark(&mut self, entry: &Entry) {
        if let Some(writing) = &mut self.writing {
            writing.tables_are_stale = true;
            writing.is_changed = true;
            if let Some(shard) = entry.shard {
                writing.shards.mark(shard);
            }
        }
    }
}

/// Whether a sample is in the dataset for `purpose`.
fn is_here(samples: &BTreeMap<Id, Entry>, id: Id, purpose: Purpose) -> bool {
    samples
        .get(&id)
        .is_some_and(|entry| entry.pulled_for.contains(purpose))
}

fn has_files(folder: &Path) -> Result<bool, CliError> {
    let mut listing = fs::read_dir(folder).map_err(CliError::file("read", folder))?;
    Ok(listing.next().is_some())
}

/// Locks the folder: two concurrent pulls would overwrite each other's tables.
fn lock(folder: &Path) -> Result<File, CliError> {
    let path = folder.join(LOCK);
    let file = files::create_private(&path).map_err(CliError::file("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CliError::content(folder)(
            "another pull into it is under way; wait until it has ended",
        )),
        Err(TryLockError::Error(error)) => Err(CliError::file("lock", &path)(error)),
    }
}
