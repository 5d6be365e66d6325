//! `sordino query`: the worst notes or exercises of the app's recognizer, weighted, with intervals.
//!
//! * **In**: a pulled dataset: what the app expected and what its recognizer reported, in the time of
//!   the clip before anything was taken out.
//! * **Out**: a row an exercise, a pitch, or both.
//! * **Promises**: clips that the app marked and clips drawn at random never stand in one figure; of
//!   fewer than five consent records there is no interval.

mod arguments;
mod cells;

use std::collections::BTreeMap;

use serde::Serialize;
use sordino::sampler::Trigger;

use crate::{
    dataset::{Dataset, trigger_name},
    failure::Failure,
    reply::Reply,
    report::note_name,
    score::Alignment,
    statistics::Ratio,
    table::{Columns, interval, share},
};
pub(crate) use arguments::QueryArguments;
use arguments::{By, TriggerArgument};
pub(crate) use cells::{Cell, Metric, Sums, by_pitch, in_all, worst_first};

pub(crate) fn run(arguments: &QueryArguments) -> Result<Reply, Failure> {
    let dataset = Dataset::read_filled(&arguments.dir)?;
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
        return Err(Failure::content(&arguments.dir)(
            "no such sample of it has notes that were expected or recognized; apps give them with \
             the annotation of a moment",
        ));
    }
    let text: Vec<String> = groups.iter().map(|group| text(group, arguments)).collect();
    Reply::new(text.join("\n\n"), groups)
}

/// The rows of one trigger.
#[derive(Serialize)]
struct Group {
    trigger: &'static str,
    metric: &'static str,
    tolerance_ms: f64,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    exercise: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    midi: Option<u8>,
    samples: usize,
    /// None where they are fewer than five.
    records: Option<usize>,
    expected: usize,
    #[serde(rename = "recognised")]
    recognized: usize,
    missed: usize,
    wrong: usize,
    extra: usize,
    #[serde(flatten)]
    ratio: Ratio,
}

fn group(dataset: &Dataset, trigger: Trigger, arguments: &QueryArguments) -> Group {
    let mut cells: BTreeMap<(Option<String>, Option<u8>), Cell> = BTreeMap::new();
    for sample in dataset.samples() {
        if sample.trigger() != trigger {
            continue;
        }
        let annotation = sample.annotation();
        let tolerance = arguments.tolerance / 1e3;
        let found = Alignment::of(&annotation.expected, &annotation.recognized, tolerance);
        let pitches = by_pitch(&sample, &found);
        let exercise = || match arguments.by {
            By::Note => None,
            By::Exercise | By::Both => Some(sample.exercise().to_owned()),
        };
        match arguments.by {
            By::Exercise => {
                let cell = cells.entry((exercise(), None)).or_default();
                cell.add(&sample, &in_all(&pitches));
            }
            By::Note | By::Both => {
                for (midi, sums) in &pitches {
                    let cell = cells.entry((exercise(), Some(*midi))).or_default();
                    cell.add(&sample, sums);
                }
            }
        }
    }
    let mut rows: Vec<Row> = cells
        .into_iter()
        .filter_map(|((exercise, midi), cell)| {
            let ratio = cell.ratio(arguments.metric)?;
            Some(Row {
                exercise,
                midi,
                samples: cell.samples,
                records: cell.records(),
                expected: cell.counts.expected as usize,
                recognized: cell.counts.recognized as usize,
                missed: cell.counts.missed as usize,
                wrong: cell.counts.wrong as usize,
                extra: cell.counts.extra as usize,
                ratio,
            })
        })
        .collect();
    // Stable: among equals exercises go by name, notes upwards.
    rows.sort_by(|one, other| worst_first(arguments.metric, &one.ratio, &other.ratio));
    rows.truncate(arguments.worst);
    Group {
        trigger: trigger_name(trigger),
        metric: arguments.metric.name(),
        tolerance_ms: arguments.tolerance,
        rows,
    }
}

fn text(group: &Group, arguments: &QueryArguments) -> String {
    let mut headings = vec![group.trigger];
    if arguments.by == By::Both {
        headings.push("note");
    }
    headings.extend(["samples", "people", "expected", "missed", "wrong", "extra"]);
    headings.extend([group.metric, "95 %"]);
    let mut columns = Columns::new(&headings);
    for row in &group.rows {
        let note = row.midi.map(|midi| format!("{} ({midi})", note_name(midi)));
        let mut cells: Vec<String> = row.exercise.iter().cloned().chain(note).collect();
        cells.extend([
            row.samples.to_string(),
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
