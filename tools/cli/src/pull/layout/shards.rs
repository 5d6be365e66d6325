//! All shards of a WebDataset: the choice of a shard for the next sample, and the rewriting of outdated
//! ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde::Serialize;

use super::shard::{self, GrowingShard, shard_path, unfinished_path};
use crate::{
    error::CliError,
    files,
    pull::{entry::Entry, names::shard_name, split::Split},
};

/// The file with the split of each shard.
pub(super) const LIST: &str = "shards.json";
/// A new shard begins after this many samples …
const SAMPLES_A_SHARD: usize = 500;
/// … or beyond this many bytes, which limits what a deletion copies.
const BYTES_A_SHARD: u64 = 100_000_000;

/// The shards of a dataset.
pub(in crate::pull) struct Shards {
    folder: PathBuf,
    growing: BTreeMap<Split, GrowingShard>,
    /// The content of each complete shard: its split and its number of samples.
    there: BTreeMap<u32, (Split, usize)>,
    /// Shards with outdated content.
    stale: BTreeSet<u32>,
}

impl Shards {
    pub(in crate::pull) fn of<'a>(
        folder: PathBuf,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Self {
        let mut there: BTreeMap<u32, (Split, usize)> = BTreeMap::new();
        for entry in entries {
            if let Some(number) = entry.shard {
                there.entry(number).or_insert((entry.split(), 0)).1 += 1;
            }
        }
        Self {
            folder,
            growing: BTreeMap::new(),
            there,
            stale: BTreeSet::new(),
        }
    }

    /// Appends a sample to a shard of its split, which is recorded in `entry`. Returns the length of the
    /// shard in bytes.
    pub(in crate::pull) fn add(&mut self, entry: &mut Entry, flac: &[u8]) -> Result<u64, CliError> {
        let split = entry.split();
        if !self.growing.contains_key(&split) {
            let (number, samples) = self.open(split);
            let shard = GrowingShard::begin(&self.folder, number, samples)?;
            self.growing.insert(split, shard);
        }
        let Some(shard) = self.growing.get_mut(&split) else {
            return Ok(0);
        };
        entry.shard = Some(shard.number());
        let end = shard.add(entry, flac)?;
        self.there.insert(shard.number(), (split, shard.samples));
        if shard.samples >= SAMPLES_A_SHARD || end >= BYTES_A_SHARD {
            self.finish(split)?;
        }
        Ok(end)
    }

    /// Marks a shard as stale; [`Self::save`] rewrites it.
    pub(in crate::pull) fn mark(&mut self, number: u32) {
        self.stale.insert(number);
    }

    /// Completes a shard of a killed pull, of which `length` bytes are valid.
    pub(in crate::pull) fn finish_cut(&self, number: u32, length: u64) -> Result<(), CliError> {
        shard::finish_cut(&self.folder, number, length)
    }

    /// The length of a shard that a killed pull left, in bytes.
    pub(in crate::pull) fn cut_length(&self, number: u32) -> Option<u64> {
        let path = unfinished_path(&self.folder, number);
        fs::metadata(path).ok().map(|found| found.len())
    }

    /// Renames the shards that were written to their final names.
    pub(in crate::pull) fn finish_all(&mut self) -> Result<(), CliError> {
        Split::ALL
            .into_iter()
            .try_for_each(|split| self.finish(split))
    }

    /// Rewrites stale shards and the list of shards with their splits.
    pub(in crate::pull) fn save<'a>(
        &mut self,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Result<(), CliError> {
        self.finish_all()?;
        let mut by_shard: BTreeMap<u32, BTreeMap<String, &Entry>> = BTreeMap::new();
        for entry in entries {
            if let Some(number) = entry.shard {
                by_shard
                    .entry(number)
                    .or_default()
                    .insert(entry.manifest.sample.to_string(), entry);
            }
        }
        let nothing = BTreeMap::new();
        while let Some(&number) = self.stale.first() {
            let entries = by_shard.get(&number).unwrap_or(&nothing);
            shard::rewrite(&self.folder, number, entries)?;
            match entries.is_empty() {
                true => self.there.remove(&number),
                false => self
                    .there
                    .get_mut(&number)
                    .map(|there| std::mem::replace(there, (there.0, entries.len()))),
            };
            self.stale.remove(&number);
        }
        self.write_list()
    }

    fn write_list(&self) -> Result<(), CliError> {
        #[derive(Default, Serialize)]
        struct List {
            train: Vec<String>,
            validation: Vec<String>,
            test: Vec<String>,
        }
        let mut list = List::default();
        for (&number, (split, _)) in &self.there {
            let shards = match split {
                Split::Train => &mut list.train,
                Split::Validation => &mut list.validation,
                Split::Test => &mut list.test,
            };
            shards.push(shard_name(number));
        }
        let json = serde_json::to_vec_pretty(&list).map_err(CliError::message)?;
        files::write_private(&self.folder.join(LIST), &json)
    }

    fn finish(&mut self, split: Split) -> Result<(), CliError> {
        match self.growing.remove(&split) {
            Some(shard) => shard.finish(),
            None => Ok(()),
        }
    }

    /// The shard for the next sample of `split`, and its number of samples.
    fn open(&self, split: Split) -> (u32, usize) {
        let last = self
            .there
            .iter()
            .rfind(|(number, (of, samples))| {
                let path = shard_path(&self.folder, **number);
                let bytes = || fs::metadata(path).map_or(u64::MAX, |found| found.len());
                *of == split && *samples < SAMPLES_A_SHARD && bytes() < BYTES_A_SHARD
            })
            .map(|(&number, &(_, samples))| (number, samples));
        let next = self.there.keys().next_back().map_or(0, |last| last + 1);
        last.unwrap_or((next, 0))
    }
}

/// Whether `name` is that of a shard that was never finished.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.starts_with(".shard-") && name.ends_with(".unfinished")
}
