//! Compliance documents for the owner of an app, rendered from `compliance/` and a plan.
//!
//! The same facts, templates and plan give the same bytes: no date, no name of a machine. Data that only the owner
//! knows is a placeholder, `[TO FILL: …]`, and each document begins with the list of its placeholders.

mod facts;
mod markdown;
mod plan;
#[cfg(test)]
mod tests;

use std::path::Path;

use askama::Template;
use serde_json::json;

use crate::{
    command_output::CommandOutput,
    error::CliError,
    files,
    output_files::{OutputFile, OutputFiles, Overwrite, StagedFile},
};
use facts::{Facts, wire::Body};
use plan::PlanFigures;

/// Declares a template type for each document.
macro_rules! papers {
    ($($paper:ident $name:literal $escape:literal)*) => {
        $(
            #[derive(Template)]
            #[template(path = $name, escape = $escape)]
            #[allow(dead_code, reason = "not every paper states figures of the plan")]
            struct $paper<'a> {
                facts: &'a Facts,
                plan: &'a PlanFigures<'a>,
            }
        )*

        const NAMES: &[&str] = &[$($name),*];

        /// Renders the documents in the order of [`NAMES`].
        fn render(facts: &Facts, plan: &PlanFigures<'_>) -> askama::Result<Vec<String>> {
            Ok(vec![$($paper { facts, plan }.render()?),*])
        }
    };
}

papers! {
    ApplePrivacyLabels "apple-privacy-labels.md" "md"
    CoppaNotice "coppa-notice.md" "md"
    Dpia "dpia.md" "md"
    GooglePlayDataSafety "google-play-data-safety.md" "md"
    Law "law.md" "md"
    OnTheWire "on-the-wire.md" "md"
    PrivacyManifest "PrivacyInfo.xcprivacy" "xml"
    RecordOfProcessing "record-of-processing.md" "md"
}

/// Writes all documents to `out`, with the figures of `plan` or of the example plan.
pub(crate) fn run(
    out: &Path,
    plan: Option<&Path>,
    overwrite: Overwrite,
) -> Result<CommandOutput, CliError> {
    let facts = Facts::load();
    let papers = papers(&facts, &PlanFigures::read(plan, &facts)?);
    files::make_folder(out)?;
    let outputs = OutputFiles::new(plan, overwrite);
    let written: Vec<(OutputFile, String)> = papers
        .into_iter()
        .map(|(name, paper)| Ok((outputs.public(&out.join(name))?, paper)))
        .collect::<Result<_, CliError>>()?;
    // A document that was filled in stops the command before any is written.
    let staged: Vec<StagedFile<'_>> = written
        .iter()
        .map(|(output, paper)| output.stage(paper.as_bytes()))
        .collect::<Result<_, CliError>>()?;
    staged.into_iter().try_for_each(StagedFile::commit)?;
    CommandOutput::new(
        format!("wrote {} papers to {}", NAMES.len(), out.display()),
        json!({ "out": out, "papers": NAMES }),
    )
}

fn papers(facts: &Facts, plan: &PlanFigures<'_>) -> Vec<(&'static str, String)> {
    // Rendering fails only if a value's `Display` fails; text and numbers do not.
    let rendered = render(facts, plan).expect("facts and figures are rendered");
    let papers = NAMES.iter().zip(rendered);
    papers
        .map(|(name, paper)| match name.ends_with(".md") {
            true => (*name, markdown::lay_out(&paper, &facts.placeholder)),
            false => (*name, paper),
        })
        .collect()
}
