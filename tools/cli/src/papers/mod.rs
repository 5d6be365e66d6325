//! The papers that the owner of an app needs, written from [`sordino::disclosure`] and a plan.
//!
//! The same tables and the same plan give the same bytes: no date, no name of a machine. What only the
//! owner knows stands as `[TO FILL: …]`, and each paper begins with the list of what is to fill in it.

mod apple_labels;
mod blank;
mod coppa;
mod data;
mod dpia;
mod facts;
mod google_play;
mod law;
mod on_the_wire;
mod paper;
mod privacy_info;
mod processing;

use std::path::Path;

use serde_json::json;

use crate::{failure::Failure, files, reply::Reply};
use facts::Facts;

/// The name of a paper's file, and what writes it.
type Writer = (&'static str, fn(&Facts) -> String);

const PAPERS: [Writer; 8] = [
    ("apple-privacy-labels.md", apple_labels::write),
    ("coppa-notice.md", coppa::write),
    ("dpia.md", dpia::write),
    ("google-play-data-safety.md", google_play::write),
    ("law.md", law::write),
    ("on-the-wire.md", on_the_wire::write),
    ("PrivacyInfo.xcprivacy", privacy_info::write),
    ("record-of-processing.md", processing::write),
];

/// Writes them all to `out`, with the figures of `plan` or of the example plan.
pub(crate) fn run(out: &Path, plan: Option<&Path>) -> Result<Reply, Failure> {
    let facts = Facts::of(plan)?;
    files::make_folder(out)?;
    for (name, write) in PAPERS {
        files::write(&out.join(name), write(&facts).as_bytes())?;
    }
    let names: Vec<&str> = PAPERS.iter().map(|(name, _)| *name).collect();
    Reply::new(
        format!("wrote {} papers to {}", PAPERS.len(), out.display()),
        json!({ "out": out, "papers": names }),
    )
}
