//! `sordino report`: a pulled dataset as one page.

mod errors;
mod links;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use sordino::{open, sampler::Trigger};

use crate::{
    command_output::CommandOutput,
    dataset::Dataset,
    error::CliError,
    output_files::{OutputFiles, Overwrite},
    pull::{Entry, Review},
    report::{
        self, DeviceSection, Disposition, Fact, Report, ReviewView, SampleStatus, SampleView,
        Section, Sound,
    },
    tolerance::ToleranceArgs,
};
use errors::ErrorReport;
use links::Links;

#[derive(Args)]
pub(crate) struct ReportArgs {
    /// The dataset's folder
    dir: PathBuf,
    /// The file to write [default: DIR/report.html]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Number of samples with pictures and sound, those with most errors first; the others are rows of
    /// a table
    #[arg(long, value_name = "N", default_value_t = 50)]
    worst: usize,
    #[command(flatten)]
    tolerance: ToleranceArgs,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(crate) fn run(arguments: &ReportArgs) -> Result<CommandOutput, CliError> {
    let dataset = Dataset::read(&arguments.dir)?;
    let inputs = dataset.files();
    let default = || arguments.dir.join("report.html");
    let out = arguments.out.clone().unwrap_or_else(default);
    let outputs = OutputFiles::new(inputs.iter().map(PathBuf::as_path), arguments.overwrite);
    let output = outputs
        .private(&out)?
        .replace_if(report::is_report)
        .checked()?;
    let links = Links::new(dataset.folder(), &out)?;
    let errors = ErrorReport::of(&dataset, arguments.tolerance.seconds());
    let shown = errors.samples.len().min(arguments.worst);
    let page_of = report_of(&errors, shown, &links)?;
    let mut page = Vec::new();
    report::write_html(&page_of, &mut page).map_err(CliError::message)?;
    output.write(&page)?;
    let count = errors.samples.len();
    CommandOutput::new(
        format!("{}: {shown} of {count} samples", out.display()),
        json!({ "report": out, "samples": count, "shown": shown }),
    )
}

fn report_of(errors: &ErrorReport<'_>, shown: usize, links: &Links) -> Result<Report, CliError> {
    let count = errors.samples.len();
    let manifests = || {
        errors
            .samples
            .iter()
            .map(|found| &found.sample.entry().manifest)
    };
    // Not `sum`, which returns -0 for no values.
    let kept = manifests().flat_map(|manifest| &manifest.kept);
    let seconds = kept.fold(0.0, |seconds, span| seconds + span.1 - span.0);
    let removed = manifests().flat_map(|manifest| &manifest.removed);
    let removed = removed.fold(0.0, |seconds, gap| seconds + gap.end_s - gap.start_s);
    let samples = errors.samples[..shown]
        .iter()
        .map(|found| {
            let view = view(found.sample.entry(), &found.sample.flac()?)?;
            Ok(SampleView {
                anchor: Some(links::anchor(&found.sample)),
                file: Some(links.href(&found.sample)),
                onset_tolerance: Some(errors.tolerance),
                verdicts: found.sample.reviews().map(review_view).collect(),
                ..view
            })
        })
        .collect::<Result<Vec<_>, CliError>>()?;
    let rest = &errors.samples[shown..];
    let drawn = match rest.is_empty() {
        true => String::new(),
        false => format!(
            "The {shown} samples with most errors are drawn; the other {} are rows at the end.",
            rest.len()
        ),
    };
    let mut sections = vec![Section::Device(DeviceSection {
        name: "Samples".to_owned(),
        samples,
        ..DeviceSection::default()
    })];
    if !rest.is_empty() {
        sections.push(Section::Listing(errors::listing(rest, links)));
    }
    Ok(Report {
        title: "Sordino dataset".to_owned(),
        intro: format!(
            "Samples pulled from a collector, each with its consent. Pull again before each use, and \
             make this page again: that removes copies whose consent was withdrawn.\n\n{drawn}"
        ),
        facts: vec![
            Fact::new("samples", count),
            Fact::new("sound kept", format!("{seconds:.0} s")),
            Fact::new("sound removed", format!("{removed:.0} s")),
        ],
        maps: errors.maps(),
        tables: [errors.tables(), errors.verdicts().into_iter().collect()].concat(),
        sections,
    })
}

fn review_view(review: &Review) -> ReviewView {
    ReviewView {
        who: format!("{}, {}", review.reader, review.week),
        verdict: review.verdict.label().to_owned(),
        note: review.note.clone(),
    }
}

/// A pulled sample, as the page shows it.
pub(crate) fn view(entry: &Entry, flac: &[u8]) -> Result<SampleView, CliError> {
    let manifest = &entry.manifest;
    let (samples, rate) = open::decode_flac(flac).map_err(CliError::message)?;
    let trigger = match manifest.selection.trigger {
        Trigger::Mark => "marked by the app",
        Trigger::Random => "drawn at random",
    };
    Ok(SampleView {
        name: manifest.sample.to_string(),
        outcome: SampleStatus {
            disposition: Disposition::Sent,
            text: format!("granted for {}", manifest.purposes),
        },
        after: Some(Sound::from_i16(&samples, rate)),
        kept: manifest.kept.clone(),
        removed: manifest.removed.iter().copied().map(Into::into).collect(),
        annotation: Some(manifest.annotation.clone()),
        facts: vec![
            Fact::new("week", manifest.week),
            Fact::new("chosen", trigger),
            Fact::new("probability", manifest.selection.probability),
            Fact::new(
                "exercise",
                manifest.annotation.tag.as_deref().unwrap_or("–"),
            ),
            Fact::new("anonymizer", &manifest.anonymizer.version),
            Fact::new("SDK", &manifest.sdk_version),
        ],
        ..SampleView::default()
    })
}
