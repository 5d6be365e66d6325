//! `sordino query`: the worst notes or exercises of the app's recognizer, weighted, with intervals.
//!
//! * **In**: a pulled dataset: expected notes, and notes that the app's recognizer reported, in the time of
//!   the original clip.
//! * **Out**: one row per exercise, pitch, or both.
//! * **Promises**: marked and random clips are never combined in one figure; fewer than five consent records give no
//!   interval.

mod arguments;

use serde::Serialize;
use sordino::sampler::Trigger;
use sordino_scoring::{Clip, Metric, NoteErrors, worst_notes};

use crate::{
    command_output::CommandOutput,
    dataset::{AnnotatedNotes, Dataset, Sample, trigger_name},
    error::CliError,
    notes,
    table::{Columns, interval, share},
};
pub(crate) use arguments::QueryArgs;
use arguments::{GroupByArgument, TriggerArgument};

pub(crate) fn run(arguments: &QueryArgs) -> Result<CommandOutput, CliError> {
    let dataset = Dataset::read_non_empty(&arguments.dir)?;
    let triggers = match arguments.trigger.map(TriggerArgument::trigger) {
        Some(trigger) => vec![trigger],
        None => vec![Trigger::Random, Trigger::Mark],
    };
    let groups: Vec<Group> = triggers
        .into_iter()
        .map(|trigger| group(&dataset, trigger, arguments))
        .filter(|group| !group.rows.is_empty())
        .collect();
    if groups.is_empty() {
        return Err(CliError::content(&arguments.dir)(
            "no such sample of it has notes that were expected or recognized; apps give them with \
             the annotation of a moment",
        ));
    }
    let text: Vec<String> = groups.iter().map(|group| text(group, arguments)).collect();
    CommandOutput::new(text.join("\n\n"), groups)
}

/// The rows of one trigger.
#[derive(Serialize)]
struct Group {
    trigger: &'static str,
    metric: &'static str,
    tolerance_ms: f64,
    rows: Vec<NoteErrors>,
}

fn group(dataset: &Dataset, trigger: Trigger, arguments: &QueryArgs) -> Group {
    let samples: Vec<(Sample<'_>, AnnotatedNotes)> = dataset
        .samples()
        .filter(|sample| sample.trigger() == trigger)
        .map(|sample| (sample, sample.annotated_notes()))
        .collect();
    let clips = samples.iter().map(|(sample, notes)| Clip {
        record: sample.record(),
        weight: sample.weight(),
        exercise: sample.exercise(),
        expected: &notes.expected,
        recognized: &notes.recognized,
    });
    let metric = Metric::from(arguments.metric);
    let tolerance = arguments.tolerance.seconds();
    let mut rows = worst_notes(clips, arguments.by.into(), metric, tolerance);
    rows.truncate(arguments.worst);
    Group {
        trigger: trigger_name(trigger),
        metric: metric.name(),
        tolerance_ms: arguments.tolerance.tolerance_ms,
        rows,
    }
}

fn text(group: &Group, arguments: &QueryArgs) -> String {
    let mut headings = vec![group.trigger];
    if arguments.by == GroupByArgument::Both {
        headings.push("note");
    }
    headings.extend(["samples", "people", "expected", "missed", "wrong", "extra"]);
    headings.extend([group.metric, "95 %"]);
    let mut columns = Columns::new(&headings);
    for row in &group.rows {
        let note = row
            .midi
            .map(|midi| format!("{} ({midi})", notes::name(midi)));
        let mut cells: Vec<String> = row.exercise.iter().cloned().chain(note).collect();
        cells.extend([
            row.clips.to_string(),
            row.records
                .map_or_else(|| "<5".to_owned(), |records| records.to_string()),
        ]);
        cells.extend(
            [row.expected, row.missed, row.wrong, row.extra].map(|count| count.to_string()),
        );
        cells.extend([share(row.ratio.value), interval(row.ratio.interval)]);
        columns.push(cells);
    }
    columns.text()
}
