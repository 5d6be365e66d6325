//! `sordino report`: a pulled dataset as one page.

use std::{collections::BTreeMap, path::Path};

use serde_json::json;
use sordino::sampler::Trigger;

use crate::{
    failure::Failure,
    files, open,
    pull::{self, Entry, Index},
    reply::Reply,
    report::{self, Device, Fact, Fate, Outcome, Report, SampleView, Section, Sound, Table},
};

/// More samples than this make a page that no browser likes.
const MOST_SAMPLES: usize = 100;

pub(super) fn run(dir: &Path, out: Option<&Path>) -> Result<Reply, Failure> {
    let index = Index::read(dir)?.ok_or_else(|| {
        Failure::content(dir)("there is no dataset in it; make one with `sordino pull`")
    })?;
    let count = index.entries().count();
    let out = out.map_or_else(|| dir.join("report.html"), Path::to_owned);
    let mut page = Vec::new();
    report::write_html(&report_of(&index)?, &mut page).map_err(Failure::said)?;
    files::write(&out, &page)?;
    let shown = count.min(MOST_SAMPLES);
    Reply::new(
        format!("{}: {shown} of {count} samples", out.display()),
        json!({ "report": out, "samples": count, "shown": shown }),
    )
}

fn report_of(index: &Index) -> Result<Report, Failure> {
    let count = index.entries().count();
    // Not `sum`: that of nothing is -0.
    let seconds = index
        .entries()
        .fold(0.0, |seconds, entry| seconds + kept_seconds(entry));
    let removed = index
        .entries()
        .flat_map(|entry| &entry.manifest.removed)
        .fold(0.0, |seconds, removal| {
            seconds + removal.end_s - removal.start_s
        });
    let samples = index
        .entries()
        .take(MOST_SAMPLES)
        .map(|entry| view(entry, &pull::audio_of(index, entry)?))
        .collect::<Result<Vec<_>, Failure>>()?;
    let shown = match samples.len() < count {
        true => format!("The first {} of {count} samples are shown.", samples.len()),
        false => String::new(),
    };
    Ok(Report {
        title: "Sordino dataset".to_owned(),
        intro: format!(
            "Samples pulled from a collector, each with its consent. Pull again before each use: \
             copies whose consent was withdrawn go then.\n\n{shown}"
        ),
        facts: vec![
            Fact::new("samples", count),
            Fact::new("sound kept", format!("{seconds:.0} s")),
            Fact::new("sound removed", format!("{removed:.0} s")),
        ],
        tables: vec![exercises(index)],
        sections: vec![Section::Device(Device {
            name: "Samples".to_owned(),
            samples,
            ..Device::default()
        })],
    })
}

/// A row an exercise: how many samples, how many notes were expected and recognised.
fn exercises(index: &Index) -> Table {
    let mut rows: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for entry in index.entries() {
        let annotation = &entry.manifest.annotation;
        let row = rows
            .entry(annotation.tag.as_deref().unwrap_or("(no tag)"))
            .or_default();
        row[0] += 1;
        row[1] += annotation.expected.len();
        row[2] += annotation.recognised.len();
    }
    let row = |(tag, counts): (&str, [usize; 3])| {
        std::iter::once(tag.to_owned())
            .chain(counts.map(|count| count.to_string()))
            .collect()
    };
    Table {
        caption: "Exercises".to_owned(),
        columns: ["exercise", "samples", "notes expected", "notes recognised"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.into_iter().map(row).collect(),
    }
}

/// A pulled sample, as the page shows it.
pub(crate) fn view(entry: &Entry, flac: &[u8]) -> Result<SampleView, Failure> {
    let manifest = &entry.manifest;
    let (samples, rate) = open::decode_flac(flac).map_err(Failure::said)?;
    let trigger = match manifest.selection.trigger {
        Trigger::Mark => "marked by the app",
        Trigger::Random => "drawn at random",
    };
    Ok(SampleView {
        name: manifest.sample.to_string(),
        outcome: Outcome {
            fate: Fate::Sent,
            text: format!("granted for {}", manifest.purposes),
        },
        before: None,
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
            Fact::new("anonymiser", &manifest.anonymizer.version),
            Fact::new("SDK", &manifest.sdk_version),
        ],
    })
}

fn kept_seconds(entry: &Entry) -> f64 {
    entry.manifest.kept.iter().map(|span| span.1 - span.0).sum()
}
