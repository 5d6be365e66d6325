//! `sordino pull`: downloads a purpose's samples, and removes those whose consent was withdrawn.
//!
//! A repeated pull continues where the last one stopped. A copy stays only as long as a purpose for which it was pulled
//! is granted, so run `pull` before each use of the dataset.
//!
//! Withdrawn samples of all purposes are removed first, before new samples are requested, and again at the end. A
//! token that expired, was revoked, or is for another purpose removes copies too.

mod args;
mod dataset;
mod entry;
mod fetch;
mod format;
mod index;
mod journal;
mod layout;
mod names;
mod progress;
mod split;
mod unreadable;
mod verdicts;

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use sordino::{
    Id, Purpose,
    open::{self, Identity},
    upload::NetworkSettings,
};

use self::{
    fetch::{CursorTracker, Fetch, FetchResult},
    progress::Progress,
    unreadable::{ReaderVersion, Unreadable},
};
use crate::{api::Api, command_output::CommandOutput, error::CliError, files};
pub(crate) use args::PullArgs;
pub(crate) use dataset::stored;
pub(crate) use entry::Entry;
pub(crate) use format::DatasetFormat;
pub(crate) use index::Index;
pub(crate) use verdicts::{Review, Verdict};

/// The summary of a pull.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// New samples.
    pub(crate) pulled: usize,
    /// Local copies that were removed, because they were withdrawn, deleted, past their retention, or quarantined.
    pub(crate) removed: usize,
    /// The number of removed samples that are quarantined at the collector.
    #[serde(skip_serializing_if = "is_zero")]
    quarantined: usize,
    /// Samples in the dataset.
    total: usize,
    /// Verdicts of the review page on samples in the dataset.
    #[serde(skip_serializing_if = "is_zero")]
    verdicts: usize,
    /// Samples that no key in the identity file opens, or whose content is invalid.
    unreadable: usize,
    /// The number of unreadable samples that an earlier pull found, and that were not fetched again.
    #[serde(skip_serializing_if = "is_zero")]
    unreadable_before: usize,
    /// The reason for the first unreadable sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_unreadable: Option<String>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

pub(crate) fn run(arguments: &PullArgs, json: bool) -> Result<CommandOutput, CliError> {
    let summary = pull(arguments, &arguments.network.settings()?, json)?;
    let text = format!(
        "{} pulled, {}, {} unreadable{}; {} in {}",
        summary.pulled,
        summary.removals(),
        summary.unreadable,
        match summary.unreadable_before {
            0 => String::new(),
            before => format!(" ({before} not fetched again; --retry-unreadable does)"),
        },
        summary.total,
        arguments.out.display()
    );
    let problem = summary.first_unreadable.clone();
    Ok(CommandOutput::new(text, summary)?.with_problem(problem))
}

impl Summary {
    /// The number of removed local copies, with reasons.
    fn removals(&self) -> String {
        let removed = format!("{} local copies removed", self.removed);
        match (self.removed - self.quarantined, self.quarantined) {
            (0, 0) => removed,
            (_, 0) => format!("{removed} (withdrawn, deleted or past their retention)"),
            (0, _) => format!("{removed} (in quarantine: a voice was heard)"),
            (withdrawn, quarantined) => format!(
                "{removed} ({withdrawn} withdrawn, deleted or past their retention; {quarantined} in quarantine: a \
                 voice was heard)"
            ),
        }
    }
}

/// Pulls and returns the summary. Shows progress on a terminal, unless `quiet`.
pub(crate) fn pull(
    arguments: &PullArgs,
    network: &NetworkSettings,
    quiet: bool,
) -> Result<Summary, CliError> {
    let (collector, jobs) = (&arguments.collector, arguments.jobs.into());
    let api = Api::new(collector, network, &arguments.token_file, jobs)?;
    let begin = || -> Result<Pull<'_>, CliError> {
        Ok(Pull {
            api: &api,
            index: Index::open(&arguments.out, &arguments.collector, arguments.format)?,
            jobs: arguments.jobs.into(),
            quiet,
            summary: Summary::default(),
            unreadable_now: HashSet::new(),
        })
    };
    // Withdrawn samples are removed even if the rest fails.
    let cleaned = match Index::exists(&arguments.out) {
        true => {
            let mut pull = begin()?;
            pull.save_after(Pull::remove_all_withdrawn)?;
            Some(pull)
        }
        false => None,
    };
    let removals = cleaned.as_ref().map(|pull| &pull.summary);
    let removals = removals
        .filter(|summary| summary.removed > 0)
        .map(Summary::removals);
    let finished = finish(arguments, &api, cleaned, begin);
    finished.map_err(|failure| match removals {
        None => failure,
        Some(removals) => CliError::Message(format!("{failure}; before that, {removals}")),
    })
}

/// Pulls new samples. `cleaned` is the result of the removal from an existing dataset.
fn finish<'a>(
    arguments: &PullArgs,
    api: &Api,
    cleaned: Option<Pull<'a>>,
    begin: impl FnOnce() -> Result<Pull<'a>, CliError>,
) -> Result<Summary, CliError> {
    let identities = open::read_identity_file(&arguments.identity).map_err(CliError::message)?;
    let wanted = match arguments.purpose {
        Some(purpose) => vec![purpose],
        None => api.purposes()?,
    };
    let mut pull = match cleaned {
        Some(pull) => pull,
        None => {
            files::make_private_folder(&arguments.out)?;
            begin()?
        }
    };
    let reader = ReaderVersion::new(&identities);
    if arguments.retry_unreadable {
        pull.index.retry_unreadable(|_| true);
    } else {
        pull.index.retry_unreadable(|found| !found.is_by(&reader));
    }
    pull.save_after(|pull| pull.fetch_samples(&wanted, &identities, &reader))?;
    pull.count_unreadable(&wanted);
    let mut summary = pull.summary;
    summary.total = pull.index.entries().count();
    summary.verdicts = pull.index.review_count();
    pull.index.close()?;
    Ok(summary)
}

/// A running pull.
struct Pull<'a> {
    api: &'a Api,
    index: Index,
    jobs: usize,
    quiet: bool,
    summary: Summary,
    /// Samples that this pull could not read.
    unreadable_now: HashSet<Id>,
}

impl Pull<'_> {
    /// Counts the samples that this pull or earlier ones could not read.
    fn count_unreadable(&mut self, wanted: &[Purpose]) {
        let known = wanted
            .iter()
            .flat_map(|&purpose| self.index.unreadable_for(purpose));
        let before: BTreeMap<Id, &Unreadable> = known
            .filter(|(id, _)| !self.unreadable_now.contains(id))
            .collect();
        self.summary.unreadable_before = before.len();
        self.summary.unreadable = self.unreadable_now.len() + before.len();
        if let Some((id, found)) = before.first_key_value() {
            let reason = &found.reason;
            self.summary
                .first_unreadable
                .get_or_insert_with(|| format!("sample {id}: {reason}"));
        }
    }

    /// Does `work`. Imports and removals are saved even if it fails.
    fn save_after(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let done = work(self);
        let saved = self.index.save();
        done.and(saved)
    }

    fn fetch_samples(
        &mut self,
        wanted: &[Purpose],
        identities: &[Identity],
        reader: &ReaderVersion,
    ) -> Result<(), CliError> {
        self.continue_in_epoch()?;
        let fetched = wanted
            .iter()
            .try_for_each(|&purpose| self.fetch_new(purpose, identities, reader))
            .and_then(|()| self.fetch_verdicts(wanted, identities));
        fetched.and(self.remove_all_withdrawn())
    }

    fn continue_in_epoch(&mut self) -> Result<(), CliError> {
        self.index.set_epoch(self.api.epoch()?);
        Ok(())
    }

    fn remove_all_withdrawn(&mut self) -> Result<(), CliError> {
        self.continue_in_epoch()?;
        Purpose::ALL
            .into_iter()
            .try_for_each(|purpose| self.remove_withdrawn(purpose))
    }

    fn fetch_new(
        &mut self,
        purpose: Purpose,
        identities: &[Identity],
        reader: &ReaderVersion,
    ) -> Result<(), CliError> {
        let folder = self.index.folder().to_owned();
        let fetch = Fetch {
            api: self.api,
            identities,
            purpose,
            folder: &folder,
            format: self.index.format(),
            jobs: self.jobs,
            // A sample that was pulled for another purpose is requested again, so that the access
            // log shows its use for this one too.
            had: self.index.pulled_for(purpose).collect(),
            unreadable: self
                .index
                .unreadable_for(purpose)
                .map(|(id, found)| (id, found.sha256.clone()))
                .collect(),
            here: self
                .index
                .entries()
                .map(|entry| entry.manifest.sample)
                .collect::<HashSet<_>>(),
            cursor: self
                .index
                .cursors(purpose)
                .and_then(|cursors| cursors.samples.clone()),
        };
        let mut done = CursorTracker::default();
        let mut progress = Progress::new(purpose, self.quiet);
        fetch.run(|came| {
            let (page, is_readable) = match came {
                FetchResult::Page { samples, next } => {
                    done.add_page(samples, next);
                    return Ok(());
                }
                FetchResult::New {
                    page,
                    entry,
                    flac,
                    bytes,
                } => {
                    progress.sample(bytes);
                    self.import(purpose, *entry, &flac)?;
                    (page, true)
                }
                FetchResult::Known { page, id, granted } => {
                    self.index.add_purpose(id, purpose, &granted)?;
                    (page, true)
                }
                FetchResult::Gone { page } | FetchResult::StillUnreadable { page } => (page, true),
                FetchResult::Unreadable {
                    page,
                    id,
                    reason,
                    sha256,
                } => {
                    self.unreadable_now.insert(id);
                    self.summary
                        .first_unreadable
                        .get_or_insert_with(|| format!("sample {id}: {reason}"));
                    let is_remembered = sha256.is_some();
                    if let Some(sha256) = sha256 {
                        let found = Unreadable::new(purpose.into(), sha256, reason, reader);
                        self.index.add_unreadable(id, found);
                    }
                    // Samples that the collector could not deliver are listed again in the next pull.
                    (page, is_remembered)
                }
                FetchResult::Failed(failure) => return Err(failure),
            };
            if let Some(next) = done.finish_sample(page, is_readable) {
                self.index
                    .set_cursor(purpose, |cursors| cursors.samples = Some(next));
            }
            Ok(())
        })
    }

    fn fetch_verdicts(
        &mut self,
        wanted: &[Purpose],
        identities: &[Identity],
    ) -> Result<(), CliError> {
        for &purpose in wanted {
            let reviews = verdicts::fetch(self.api, purpose, identities)?;
            self.index.set_reviews(purpose, reviews);
        }
        Ok(())
    }

    fn import(&mut self, purpose: Purpose, entry: Entry, flac: &[u8]) -> Result<(), CliError> {
        // The sample was listed twice.
        if self.index.contains(entry.manifest.sample) {
            let (id, granted) = (entry.manifest.sample, entry.manifest.purposes);
            return self.index.add_purpose(id, purpose, &granted);
        }
        self.index.add(entry, flac)?;
        self.summary.pulled += 1;
        Ok(())
    }

    fn remove_withdrawn(&mut self, purpose: Purpose) -> Result<(), CliError> {
        let mut asked = HashSet::new();
        loop {
            let cursor = self
                .index
                .cursors(purpose)
                .and_then(|cursors| cursors.withdrawn.as_deref());
            self.api.check_cursor(&mut asked, cursor)?;
            let page = self.api.withdrawn(purpose, cursor)?;
            if page.ids.is_empty() {
                return Ok(());
            }
            for id in page.ids {
                if self.index.withdraw(id, purpose)? {
                    self.summary.removed += 1;
                    self.summary.quarantined += usize::from(page.quarantined.contains(&id));
                }
            }
            self.index
                .set_cursor(purpose, |cursors| cursors.withdrawn = Some(page.next));
        }
    }
}
