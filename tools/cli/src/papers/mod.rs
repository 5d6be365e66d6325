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

use crate::{
    command_output::CommandOutput,
    error::CliError,
    files,
    output_files::{OutputFile, OutputFiles, Overwrite, StagedFile},
};
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
pub(crate) fn run(
    out: &Path,
    plan: Option<&Path>,
    overwrite: Overwrite,
) -> Result<CommandOutput, CliError> {
    let facts = Facts::of(plan)?;
    files::make_folder(out)?;
    let outputs = OutputFiles::new(plan, overwrite);
    let written: Vec<(OutputFile, String)> = PAPERS
        .iter()
        .map(|(name, write)| Ok((outputs.public(&out.join(name))?, write(&facts))))
        .collect::<Result<_, CliError>>()?;
    // One that was filled in stops them all before any is written.
    let staged: Vec<StagedFile<'_>> = written
        .iter()
        .map(|(output, paper)| output.stage(paper.as_bytes()))
        .collect::<Result<_, CliError>>()?;
    staged.into_iter().try_for_each(StagedFile::commit)?;
    let names: Vec<&str> = PAPERS.iter().map(|(name, _)| *name).collect();
    CommandOutput::new(
        format!("wrote {} papers to {}", PAPERS.len(), out.display()),
        json!({ "out": out, "papers": names }),
    )
}
