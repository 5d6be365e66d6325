//! `sordino pull`: a purpose's samples come to the desk, and those whose consent was withdrawn go.
//!
//! Run again, it goes on where it stopped. A copy stays only as long as a purpose for which it was
//! pulled is granted, so it is to be run before each use of the dataset.

mod api;
mod index;
mod layout;

use std::path::Path;

use age::x25519::Identity;
use rayon::prelude::*;
use serde::Serialize;
use sordino::Purpose;

use crate::{
    args::PullArguments,
    failure::Failure,
    files,
    open::{self, Opened},
    reply::{self, Reply},
};
use api::{Api, Listed};
pub(crate) use index::{Entry, Index};
pub(crate) use layout::audio_of;

/// What a pull did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// Samples that are new here.
    pub(crate) pulled: usize,
    /// Local copies that were removed, since their consent was withdrawn.
    pub(crate) removed: usize,
    /// Samples that lie in the dataset now.
    total: usize,
    /// Samples that no key in the identity file opens, or that are not what they claim.
    unreadable: usize,
    /// Why, for the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_unreadable: Option<String>,
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

/// Pulls, and says what it did. A progress bar is shown unless `quiet`.
pub(crate) fn pull(arguments: &PullArguments, quiet: bool) -> Result<Summary, Failure> {
    let token = read_token(&arguments.token_file)?;
    let identities = open::read_identity_file(&arguments.identity).map_err(Failure::said)?;
    let api = Api::new(&arguments.collector, &token);
    let wanted = match arguments.purpose {
        Some(purpose) => vec![purpose],
        None => api.purposes()?,
    };
    files::make_folder(&arguments.out)?;
    let mut index = Index::open(&arguments.out, &arguments.collector, arguments.format)?;
    let mut summary = Summary::default();
    for purpose in wanted {
        let mut pull = Pull {
            api: &api,
            identities: &identities,
            index: &mut index,
            purpose,
        };
        pull.fetch_new(&mut summary, quiet)?;
        pull.remove_withdrawn(&mut summary)?;
    }
    index.save()?;
    summary.total = index.entries().count();
    Ok(summary)
}

fn read_token(path: &Path) -> Result<String, Failure> {
    let text = String::from_utf8(files::read(path)?).map_err(Failure::content(path))?;
    let token = text.split_whitespace().next_back().unwrap_or_default();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::content(path)("there is no token in it"));
    }
    Ok(token.to_owned())
}

/// The pull of one purpose.
struct Pull<'a> {
    api: &'a Api,
    identities: &'a [Identity],
    index: &'a mut Index,
    purpose: Purpose,
}

impl Pull<'_> {
    fn fetch_new(&mut self, summary: &mut Summary, quiet: bool) -> Result<(), Failure> {
        let mut cursor = self.index.cursors(self.purpose).samples.clone();
        let unreadable_before = summary.unreadable;
        loop {
            let page = self.api.list(self.purpose, cursor.as_deref())?;
            if page.samples.is_empty() {
                return Ok(());
            }
            let bar = reply::progress(page.samples.len(), self.purpose.as_str(), quiet);
            let (api, identities, purpose) = (self.api, self.identities, self.purpose);
            // One that lies here for another purpose is asked for again: the person is to see that
            // it is used for this one too.
            let fetched: Vec<Result<Fetched, Failure>> = page
                .samples
                .par_iter()
                .map(|listed| {
                    let fetched = fetch(api, identities, purpose, listed);
                    bar.inc(1);
                    fetched
                })
                .collect();
            bar.finish_and_clear();
            for (listed, fetched) in page.samples.iter().zip(fetched) {
                match fetched? {
                    Fetched::Opened(_) if self.index.knows(listed.id) => {
                        self.index
                            .add_purpose(listed.id, self.purpose, &listed.purposes)?;
                    }
                    Fetched::Opened(opened) => {
                        self.index.add(&opened, self.purpose, &listed.purposes)?;
                        summary.pulled += 1;
                    }
                    Fetched::Gone => {}
                    Fetched::Unreadable(reason) => {
                        summary.unreadable += 1;
                        summary
                            .first_unreadable
                            .get_or_insert_with(|| format!("sample {}: {reason}", listed.id));
                    }
                }
            }
            cursor = Some(page.next);
            // What could not be read is listed again the next time, perhaps to whoever has its key.
            if summary.unreadable == unreadable_before {
                self.index.cursors_mut(self.purpose).samples = cursor.clone();
            }
            self.index.save()?;
        }
    }

    fn remove_withdrawn(&mut self, summary: &mut Summary) -> Result<(), Failure> {
        loop {
            let cursor = self.index.cursors(self.purpose).withdrawn.clone();
            let page = self.api.withdrawn(self.purpose, cursor.as_deref())?;
            if page.ids.is_empty() {
                return Ok(());
            }
            for id in page.ids {
                summary.removed += usize::from(self.index.withdraw(id, self.purpose)?);
            }
            self.index.cursors_mut(self.purpose).withdrawn = Some(page.next);
            self.index.save()?;
        }
    }
}

enum Fetched {
    Opened(Box<Opened>),
    /// It was withdrawn between the list and here.
    Gone,
    Unreadable(String),
}

fn fetch(
    api: &Api,
    identities: &[Identity],
    purpose: Purpose,
    listed: &Listed,
) -> Result<Fetched, Failure> {
    let Some(bytes) = api.sample(purpose, listed)? else {
        return Ok(Fetched::Gone);
    };
    let opened = match open::open_sample(bytes.as_slice(), identities) {
        Ok(opened) => opened,
        Err(error) => return Ok(Fetched::Unreadable(error.to_string())),
    };
    // The collector cannot pass one sample off as another, or widen what it may be used for.
    if opened.manifest.sample != listed.id {
        return Ok(Fetched::Unreadable(
            "its manifest names another sample".to_owned(),
        ));
    }
    if !opened.manifest.purposes.contains(purpose) {
        return Ok(Fetched::Unreadable(
            "its manifest does not allow this purpose".to_owned(),
        ));
    }
    Ok(Fetched::Opened(Box::new(opened)))
}
