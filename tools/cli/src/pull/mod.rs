//! `sordino pull`: a purpose's samples come to the desk, and those whose consent was withdrawn go.
//!
//! Run again, it goes on where it stopped. A copy stays only as long as a purpose for which it was
//! pulled is granted, so it is to be run before each use of the dataset.
//!
//! What was withdrawn goes first, before anything new is asked for, and again in the end: for whatever purpose it was
//! pulled, and whatever the token may read today. A token that expired or was revoked removes copies too.

mod dataset;
mod fetch;
mod index;
mod journal;
mod layout;
mod progress;
mod verdicts;

use std::collections::HashSet;

use serde::Serialize;
use sordino::{
    Purpose,
    open::{self, Identity},
};

use self::{
    fetch::{Came, Done, Fetch},
    progress::Progress,
};
use crate::{
    api::{self, Api},
    args::PullArguments,
    failure::Failure,
    files,
    reply::Reply,
};
pub(crate) use dataset::stored;
pub(crate) use index::{Entry, Index};
pub(crate) use layout::{audio_file, audio_of, own_files};
pub(crate) use verdicts::{Review, Verdict};

/// What a pull did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// Samples that are new here.
    pub(crate) pulled: usize,
    /// Local copies that were removed, since their consent was withdrawn.
    pub(crate) removed: usize,
    /// Samples that lie in the dataset now.
    total: usize,
    /// Verdicts of the review page on samples that lie in the dataset now.
    #[serde(skip_serializing_if = "is_zero")]
    verdicts: usize,
    /// Samples that no key in the identity file opens, or that are not what they claim.
    unreadable: usize,
    /// Why, for the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_unreadable: Option<String>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

pub(crate) fn run(arguments: &PullArguments, json: bool) -> Result<Reply, Failure> {
    let summary = pull(arguments, json)?;
    let text = format!(
        "{} pulled, {} local copies removed because consent was withdrawn, {} unreadable; {} in {}",
        summary.pulled,
        summary.removed,
        summary.unreadable,
        summary.total,
        arguments.out.display()
    );
    let problem = summary.first_unreadable.clone();
    Ok(Reply::new(text, summary)?.with_problem(problem))
}

/// Pulls, and says what it did. How far it is is shown on a terminal, unless `quiet`.
pub(crate) fn pull(arguments: &PullArguments, quiet: bool) -> Result<Summary, Failure> {
    let token = api::read_token(&arguments.token_file)?;
    let api = Api::new(&arguments.collector, &token, arguments.jobs.into());
    let begin = || -> Result<Pull<'_>, Failure> {
        Ok(Pull {
            api: &api,
            index: Index::open(&arguments.out, &arguments.collector, arguments.format)?,
            jobs: arguments.jobs.into(),
            quiet,
            summary: Summary::default(),
        })
    };
    // Whatever comes of the rest, what was withdrawn by now goes.
    let cleaned = match Index::exists(&arguments.out) {
        true => {
            let mut pull = begin()?;
            pull.saved(Pull::remove_all_withdrawn)?;
            Some(pull)
        }
        false => None,
    };
    let removed = cleaned.as_ref().map_or(0, |pull| pull.summary.removed);
    let finished = finish(arguments, &api, cleaned, begin);
    finished.map_err(|failure| match removed {
        0 => failure,
        removed => Failure::Said(format!(
            "{failure}; {removed} local copies were removed before that, because consent was withdrawn"
        )),
    })
}

/// Pulls what is new, once a dataset that is there was `cleaned`.
fn finish<'a>(
    arguments: &PullArguments,
    api: &Api,
    cleaned: Option<Pull<'a>>,
    begin: impl FnOnce() -> Result<Pull<'a>, Failure>,
) -> Result<Summary, Failure> {
    let identities = open::read_identity_file(&arguments.identity).map_err(Failure::said)?;
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
    pull.saved(|pull| pull.bring(&wanted, &identities))?;
    let mut summary = pull.summary;
    summary.total = pull.index.entries().count();
    summary.verdicts = pull.index.review_count();
    pull.index.close()?;
    Ok(summary)
}

/// A pull under way.
struct Pull<'a> {
    api: &'a Api,
    index: Index,
    jobs: usize,
    quiet: bool,
    summary: Summary,
}

impl Pull<'_> {
    /// Does `work`. What was taken in and what was removed stands, also where the rest failed.
    fn saved(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let done = work(self);
        let saved = self.index.save();
        done.and(saved)
    }

    fn bring(&mut self, wanted: &[Purpose], identities: &[Identity]) -> Result<(), Failure> {
        self.continue_in_epoch()?;
        let fetched = wanted
            .iter()
            .try_for_each(|&purpose| self.fetch_new(purpose, identities))
            .and_then(|()| self.fetch_verdicts(wanted, identities));
        self.index.note_unreadable(self.summary.unreadable);
        fetched.and(self.remove_all_withdrawn())
    }

    fn continue_in_epoch(&mut self) -> Result<(), Failure> {
        self.index.continue_in(self.api.epoch()?);
        Ok(())
    }

    fn remove_all_withdrawn(&mut self) -> Result<(), Failure> {
        self.continue_in_epoch()?;
        Purpose::ALL
            .into_iter()
            .try_for_each(|purpose| self.remove_withdrawn(purpose))
    }

    fn fetch_new(&mut self, purpose: Purpose, identities: &[Identity]) -> Result<(), Failure> {
        let folder = self.index.folder().to_owned();
        let fetch = Fetch {
            api: self.api,
            identities,
            purpose,
            folder: &folder,
            format: self.index.format(),
            jobs: self.jobs,
            // One that lies here for another purpose is asked for again: the person is to see that
            // it is used for this one too.
            had: self.index.pulled_for(purpose).collect(),
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
        let mut done = Done::default();
        let mut progress = Progress::new(purpose, self.quiet);
        fetch.run(|came| {
            let (page, is_readable) = match came {
                Came::Page { samples, next } => {
                    done.begin(samples, next);
                    return Ok(());
                }
                Came::New {
                    page,
                    entry,
                    flac,
                    bytes,
                } => {
                    progress.sample(bytes);
                    self.take_in(purpose, *entry, &flac)?;
                    (page, true)
                }
                Came::Known { page, id, granted } => {
                    self.index.add_purpose(id, purpose, &granted)?;
                    (page, true)
                }
                Came::Gone { page } => (page, true),
                Came::Unreadable { page, id, reason } => {
                    self.summary.unreadable += 1;
                    self.summary
                        .first_unreadable
                        .get_or_insert_with(|| format!("sample {id}: {reason}"));
                    (page, false)
                }
                Came::Failed(failure) => return Err(failure),
            };
            if let Some(next) = done.one(page, is_readable) {
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
    ) -> Result<(), Failure> {
        for &purpose in wanted {
            let reviews = verdicts::fetch(self.api, purpose, identities)?;
            self.index.set_reviews(purpose, reviews);
        }
        Ok(())
    }

    fn take_in(&mut self, purpose: Purpose, entry: Entry, flac: &[u8]) -> Result<(), Failure> {
        // Listed twice, it came twice.
        if self.index.knows(entry.manifest.sample) {
            let (id, granted) = (entry.manifest.sample, entry.manifest.purposes);
            return self.index.add_purpose(id, purpose, &granted);
        }
        self.index.add(entry, flac)?;
        self.summary.pulled += 1;
        Ok(())
    }

    fn remove_withdrawn(&mut self, purpose: Purpose) -> Result<(), Failure> {
        let mut asked = HashSet::new();
        loop {
            let cursor = self
                .index
                .cursors(purpose)
                .and_then(|cursors| cursors.withdrawn.as_deref());
            self.api.onwards(&mut asked, cursor)?;
            let page = self.api.withdrawn(purpose, cursor)?;
            if page.ids.is_empty() {
                return Ok(());
            }
            for id in page.ids {
                self.summary.removed += usize::from(self.index.withdraw(id, purpose)?);
            }
            self.index
                .set_cursor(purpose, |cursors| cursors.withdrawn = Some(page.next));
        }
    }
}
