//! Downloads listed samples, several at once, in bounded memory.
//!
//! One thread lists, some fetch, open and write, and the caller imports the results one by one. Bounded channels
//! limit the number of samples in memory.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use sordino::{
    Id, Purpose, Purposes,
    open::{self, Identity},
    seal::Manifest,
};

use super::{entry::Entry, format::DatasetFormat, layout};
use crate::{
    api::{Api, ListedSample, SampleResponse},
    error::CliError,
};

/// The parameters of a download.
pub(super) struct Fetch<'a> {
    pub(super) api: &'a Api,
    pub(super) identities: &'a [Identity],
    pub(super) purpose: Purpose,
    pub(super) folder: &'a std::path::Path,
    pub(super) format: DatasetFormat,
    /// The number of concurrent downloads.
    pub(super) jobs: usize,
    /// Samples that were fetched for this purpose before.
    pub(super) had: HashSet<Id>,
    /// Unreadable samples that were fetched for this purpose before, with the digest of their bytes.
    pub(super) unreadable: HashMap<Id, String>,
    /// The samples in the dataset, for any purpose.
    pub(super) here: HashSet<Id>,
    /// The position in the list.
    pub(super) cursor: Option<String>,
}

/// The result of a download.
pub(super) enum FetchResult {
    /// A page with this number of samples was listed; `next` is the position after it.
    Page { samples: usize, next: String },
    /// A sample that is new in this dataset; its own files are written.
    New {
        page: usize,
        entry: Box<Entry>,
        /// `audio.flac`.
        flac: Vec<u8>,
        /// Bytes that were sent for it.
        bytes: usize,
    },
    /// A sample that is in the dataset may also be used for this purpose.
    Known {
        page: usize,
        id: Id,
        granted: Purposes,
    },
    /// The sample was withdrawn after it was listed.
    Gone { page: usize },
    /// The sample cannot be read.
    Unreadable {
        page: usize,
        id: Id,
        reason: String,
        /// The digest of its bytes; `None` if the collector did not deliver it.
        sha256: Option<String>,
    },
    /// The sample could not be read in an earlier pull.
    StillUnreadable { page: usize },
    /// The download failed.
    Failed(CliError),
}

struct Job {
    page: usize,
    listed: ListedSample,
}

impl Fetch<'_> {
    /// Fetches everything that is listed, and passes the results to `take`. After an error no new download
    /// begins.
    pub(super) fn run(
        &self,
        mut take: impl FnMut(FetchResult) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let stop = AtomicBool::new(false);
        let (jobs_in, jobs) = sync_channel::<Job>(self.jobs);
        let jobs = Mutex::new(jobs);
        let (came_in, came) = sync_channel::<FetchResult>(self.jobs);
        thread::scope(|scope| {
            let (stop, jobs) = (&stop, &jobs);
            let list_in = came_in.clone();
            scope.spawn(move || self.list(&jobs_in, &list_in, stop));
            for _ in 0..self.jobs {
                let came_in = came_in.clone();
                scope.spawn(move || self.run_worker(jobs, &came_in, stop));
            }
            drop(came_in);
            let mut outcome = Ok(());
            for one in &came {
                // Results in progress are dropped, so that no worker blocks on a full channel.
                if outcome.is_ok() {
                    outcome = match one {
                        FetchResult::Failed(failure) => Err(failure),
                        one => take(one),
                    };
                    if outcome.is_err() {
                        stop.store(true, Ordering::Relaxed);
                        self.api.stop_retrying();
                    }
                }
            }
            outcome
        })
    }

    fn list(&self, jobs: &SyncSender<Job>, came: &SyncSender<FetchResult>, stop: &AtomicBool) {
        let mut cursor = self.cursor.clone();
        let mut asked = HashSet::new();
        for page in 0.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let listed = match self
                .api
                .check_cursor(&mut asked, cursor.as_deref())
                .and_then(|()| self.api.list_samples(self.purpose, cursor.as_deref()))
            {
                Ok(listed) => listed,
                Err(failure) => return drop(came.send(FetchResult::Failed(failure))),
            };
            if listed.samples.is_empty() {
                return;
            }
            let begun = FetchResult::Page {
                samples: listed.samples.len(),
                next: listed.next.clone(),
            };
            if came.send(begun).is_err() {
                return;
            }
            for listed in listed.samples {
                let known = match self.unreadable.get(&listed.id) {
                    Some(sha256) if *sha256 == listed.sha256 => {
                        Some(FetchResult::StillUnreadable { page })
                    }
                    _ if self.had.contains(&listed.id) => Some(FetchResult::Known {
                        page,
                        id: listed.id,
                        granted: listed.purposes.clone(),
                    }),
                    _ => None,
                };
                let sent = match known {
                    Some(known) => came.send(known).is_ok(),
                    None => jobs.send(Job { page, listed }).is_ok(),
                };
                if !sent || stop.load(Ordering::Relaxed) {
                    return;
                }
            }
            cursor = Some(listed.next);
        }
    }

    fn run_worker(
        &self,
        jobs: &Mutex<Receiver<Job>>,
        came: &SyncSender<FetchResult>,
        stop: &AtomicBool,
    ) {
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else {
                return;
            };
            if stop.load(Ordering::Relaxed) {
                continue;
            }
            let one = self.fetch(job).unwrap_or_else(FetchResult::Failed);
            if came.send(one).is_err() {
                return;
            }
        }
    }

    fn fetch(&self, Job { page, listed }: Job) -> Result<FetchResult, CliError> {
        let id = listed.id;
        let unreadable = |reason: String, sha256: Option<String>| {
            Ok(FetchResult::Unreadable {
                page,
                id,
                reason,
                sha256,
            })
        };
        let sealed = match self.api.sample(self.purpose, &listed)? {
            SampleResponse::Sealed(sealed) => sealed,
            SampleResponse::Gone => return Ok(FetchResult::Gone { page }),
            SampleResponse::Other(reason) => return unreadable(reason, None),
        };
        let opened = match open::open_sample(sealed.as_slice(), self.identities) {
            Ok(opened) => opened,
            Err(error) => return unreadable(error.to_string(), Some(listed.sha256)),
        };
        if let Err(reason) = check_manifest(&opened.manifest, &listed, self.purpose) {
            return unreadable(reason.to_owned(), Some(listed.sha256));
        }
        if self.here.contains(&id) {
            let granted = listed.purposes;
            return Ok(FetchResult::Known { page, id, granted });
        }
        let mut manifest = opened.manifest;
        manifest.purposes = manifest.purposes.intersection(&listed.purposes);
        let entry = Entry {
            pulled_for: self.purpose.into(),
            manifest,
            shard: None,
            frames: Some(opened.samples.len() as u64),
        };
        layout::write(self.folder, self.format, &entry, &opened.flac)?;
        Ok(FetchResult::New {
            page,
            entry: Box::new(entry),
            flac: opened.flac,
            bytes: sealed.len(),
        })
    }
}

/// Whether a manifest agrees with the collector, which checked signatures, about the sample. So neither of them can
/// pass one sample off as another; the sender cannot choose the record, which determines the split; and the
/// collector cannot add purposes.
fn check_manifest(
    manifest: &Manifest,
    listed: &ListedSample,
    purpose: Purpose,
) -> Result<(), &'static str> {
    if manifest.sample != listed.id {
        return Err("its manifest names another sample");
    }
    if manifest.consent != listed.consent {
        return Err(
            "its manifest names another consent record than the one that it was sent under",
        );
    }
    if !manifest.purposes.contains(purpose) {
        return Err("its manifest does not allow this purpose");
    }
    if !listed.purposes.is_subset(&manifest.purposes) {
        return Err("the collector lists it for a purpose that its manifest does not allow");
    }
    Ok(())
}

/// The position in the list up to which every sample was imported.
#[derive(Default)]
pub(super) struct CursorTracker {
    pages: VecDeque<Page>,
    /// Pages that are done and removed from `pages`.
    before: usize,
}

struct Page {
    next: String,
    left: usize,
    is_readable: bool,
}

impl CursorTracker {
    pub(super) fn add_page(&mut self, samples: usize, next: String) {
        self.pages.push_back(Page {
            next,
            left: samples,
            is_readable: true,
        });
    }

    /// Marks a sample of the page as done, and returns the new cursor if it changed. A sample that could
    /// not be read holds the cursor back, so that it is listed again the next time.
    pub(super) fn finish_sample(&mut self, page: usize, is_readable: bool) -> Option<String> {
        let page = self.pages.get_mut(page.checked_sub(self.before)?)?;
        page.left = page.left.saturating_sub(1);
        page.is_readable &= is_readable;
        let mut cursor = None;
        while self
            .pages
            .front()
            .is_some_and(|page| page.left == 0 && page.is_readable)
        {
            cursor = self.pages.pop_front().map(|page| page.next);
            self.before += 1;
        }
        cursor
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// In any order of samples, the cursor never passes a sample that is missing or unreadable, and is at
        /// the last page when all were imported.
        #[test]
        fn the_cursor_never_passes_a_sample_that_was_not_imported(
            pages in prop::collection::vec(1..5_usize, 1..6),
            order: Vec<prop::sample::Index>,
            unreadable in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let mut all: Vec<usize> = pages
                .iter()
                .enumerate()
                .flat_map(|(page, &samples)| std::iter::repeat_n(page, samples))
                .collect();
            for (at, with) in order.iter().enumerate().take(all.len()) {
                let with = with.index(all.len());
                all.swap(at, with);
            }
            let bad = unreadable.map(|index| index.index(all.len()));
            let mut done = CursorTracker::default();
            let mut left = pages.clone();
            let mut cursor = None;
            for (page, &samples) in pages.iter().enumerate() {
                done.add_page(samples, page.to_string());
                prop_assert!(samples > 0, "{page}");
            }
            for (number, &page) in all.iter().enumerate() {
                if bad != Some(number) {
                    left[page] -= 1;
                }
                cursor = done.finish_sample(page, bad != Some(number)).or(cursor);
                let passed = cursor.as_ref().map_or(0, |at| at.parse::<usize>().unwrap() + 1);
                let whole = left.iter().take_while(|&&left| left == 0).count();
                prop_assert_eq!(passed, whole);
            }
        }
    }
}
