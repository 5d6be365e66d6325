//! The errors of the app's recognizer in a dataset: maps, tables, and the samples with most errors.

use std::collections::{BTreeMap, BTreeSet};

use sordino::{Id, sampler::Trigger};
use sordino_scoring::{
    Aggregate, Alignment, Confusion, ConfusionMatrix, Metric, NoteCounts, NotePair,
};

use super::links::{Links, anchor};
use crate::{
    dataset::{AnnotatedNotes, Dataset, Sample, trigger_name},
    notes,
    pull::Verdict,
    report::{ErrorMap, Link, Listing, Table},
    table::{interval, share},
};

/// The maximum number of rows of a table of errors.
const MAX_ERRORS: usize = 20;
/// The maximum number of rows of samples that are not drawn; more make a page slow.
const MAX_ROWS: usize = 10_000;

/// Every sample with its recognized notes, those with most errors first.
pub(super) struct ErrorReport<'a> {
    pub(super) samples: Vec<ScoredSample<'a>>,
    /// The onset tolerance in seconds.
    pub(super) tolerance: f64,
}

pub(super) struct ScoredSample<'a> {
    pub(super) sample: Sample<'a>,
    notes: AnnotatedNotes,
    alignment: Alignment,
    counts: NoteCounts,
}

impl<'a> ErrorReport<'a> {
    pub(super) fn of(dataset: &'a Dataset, tolerance: f64) -> Self {
        let found = |sample: Sample<'a>| {
            let notes = sample.annotated_notes();
            let alignment = Alignment::new(&notes.expected, &notes.recognized, tolerance);
            let counts = NoteCounts::new(&notes.expected, &notes.recognized, &alignment);
            ScoredSample {
                sample,
                notes,
                alignment,
                counts,
            }
        };
        let mut samples: Vec<ScoredSample<'a>> = dataset.samples().map(found).collect();
        // Stable: among equals in the order of their ids.
        samples.sort_by_key(|found| std::cmp::Reverse(found.alignment.error_count()));
        Self { samples, tolerance }
    }

    /// One map per trigger, without triggers that have no notes.
    pub(super) fn maps(&self) -> Vec<ErrorMap> {
        let map = |(trigger, title, of): (Trigger, &str, &str)| {
            let mut map = ErrorMap {
                title: title.to_owned(),
                intro: format!(
                    "{of} A number counts notes. A color is the weighted share of its row: red for \
                     errors, green where the note expected was recognized within {:.0} ms. A note \
                     that nothing was recognized for is missed; one that nothing was expected for is \
                     extra.",
                    self.tolerance * 1e3
                ),
                ..ErrorMap::default()
            };
            for found in self.of_trigger(trigger) {
                found.add_to(&mut map.matrix);
            }
            (!map.matrix.cells.is_empty()).then_some(map)
        };
        [
            (
                Trigger::Random,
                "Errors in clips drawn at random",
                "These stand for all that is played: a clip that was chosen with probability p for \
                 1/p moments.",
            ),
            (
                Trigger::Mark,
                "Errors in clips that the app marked",
                "These stand for what the app marks, and for nothing else.",
            ),
        ]
        .into_iter()
        .filter_map(map)
        .collect()
    }

    /// The exercises with intervals and the most frequent errors, by trigger.
    pub(super) fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        for trigger in [Trigger::Random, Trigger::Mark] {
            if self.of_trigger(trigger).next().is_some() {
                tables.push(self.exercises(trigger));
                tables.extend(self.most_frequent(trigger));
            }
        }
        tables
    }

    /// The number of samples for each verdict; `None` without verdicts.
    pub(super) fn verdicts(&self) -> Option<Table> {
        let readers = |is_meant: &dyn Fn(Verdict) -> bool| {
            let all = self.samples.iter().flat_map(|found| found.sample.reviews());
            let meant = all.filter(|review| is_meant(review.verdict));
            meant
                .map(|review| review.reader.as_str())
                .collect::<BTreeSet<_>>()
                .len()
        };
        let samples = |trigger, is_meant: &dyn Fn(&ScoredSample<'_>) -> bool| {
            self.of_trigger(trigger)
                .filter(|found| is_meant(found))
                .count()
        };
        let row =
            |name: &str, readers: Option<usize>, is_meant: &dyn Fn(&ScoredSample<'_>) -> bool| {
                vec![
                    name.to_owned(),
                    samples(Trigger::Random, is_meant).to_string(),
                    samples(Trigger::Mark, is_meant).to_string(),
                    readers.map_or_else(|| "–".to_owned(), |count| count.to_string()),
                ]
            };
        if readers(&|_| true) == 0 {
            return None;
        }
        let of = |verdict: Verdict| {
            let has_it = |found: &ScoredSample<'_>| {
                let mut all = found.sample.reviews();
                all.any(|review| review.verdict == verdict)
            };
            let count = readers(&|other| other == verdict);
            row(verdict.label(), Some(count), &has_it)
        };
        let mut rows: Vec<Vec<String>> = Verdict::ALL.into_iter().map(of).collect();
        rows.push(row("Not reviewed", None, &|found| {
            found.sample.reviews().next().is_none()
        }));
        Some(table(
            "Verdicts of the review page".to_owned(),
            &["verdict", "random clips", "marked clips", "readers"],
            rows,
        ))
    }

    fn of_trigger(&self, trigger: Trigger) -> impl Iterator<Item = &ScoredSample<'a>> {
        let samples = self.samples.iter();
        samples.filter(move |found| found.sample.trigger() == trigger)
    }

    fn exercises(&self, trigger: Trigger) -> Table {
        let mut cells: BTreeMap<&str, Aggregate<Id>> = BTreeMap::new();
        for found in self.of_trigger(trigger) {
            let cell = cells.entry(found.sample.exercise()).or_default();
            cell.add(found.sample.record(), found.sample.weight(), &found.counts);
        }
        let row = |(exercise, cell): (&str, Aggregate<Id>)| {
            let value = |metric| {
                let ratio = cell.ratio(metric);
                ratio.map_or_else(|| "–".to_owned(), |ratio| share(ratio.value))
            };
            let f1 = cell.ratio(Metric::F1);
            vec![
                exercise.to_owned(),
                cell.clips.to_string(),
                cell.records()
                    .map_or_else(|| "<5".to_owned(), |records| records.to_string()),
                format!("{:.0}", cell.counts.expected),
                format!("{:.0}", cell.counts.recognized),
                value(Metric::F1),
                f1.map_or_else(|| "–".to_owned(), |f1| interval(f1.interval)),
                value(Metric::Missed),
                value(Metric::Wrong),
                value(Metric::Extra),
            ]
        };
        table(
            format!("Exercises, {} clips", trigger_name(trigger)),
            &[
                "exercise",
                "samples",
                "people",
                "notes expected",
                "notes recognized",
                "F1",
                "95 %",
                "missed",
                "wrong",
                "extra",
            ],
            cells.into_iter().map(row).collect(),
        )
    }

    fn most_frequent(&self, trigger: Trigger) -> Option<Table> {
        let mut matrix = ConfusionMatrix::default();
        for found in self.of_trigger(trigger) {
            found.add_to(&mut matrix);
        }
        let mut errors = matrix.errors();
        errors.truncate(MAX_ERRORS);
        let name = |midi: Option<u8>| midi.map_or_else(|| "nothing".to_owned(), notes::name);
        let row = |((expected, recognized), cell): (NotePair, Confusion)| {
            let all = matrix.row_total(expected).weighted;
            vec![
                name(expected),
                name(recognized),
                cell.notes.to_string(),
                format!("{:.0}", cell.weighted),
                share(cell.weighted / all),
            ]
        };
        let rows: Vec<Vec<String>> = errors.into_iter().map(row).collect();
        (!rows.is_empty()).then(|| {
            table(
                format!("Most frequent errors, {} clips", trigger_name(trigger)),
                &[
                    "expected",
                    "recognised",
                    "notes",
                    "weighted",
                    "share of the row",
                ],
                rows,
            )
        })
    }
}

impl ScoredSample<'_> {
    fn add_to(&self, matrix: &mut ConfusionMatrix) {
        let AnnotatedNotes {
            expected,
            recognized,
        } = &self.notes;
        matrix.add(expected, recognized, &self.alignment, self.sample.weight());
    }
}

/// Samples that are not drawn.
pub(super) fn listing(rest: &[ScoredSample<'_>], links: &Links) -> Listing {
    let listed = &rest[..rest.len().min(MAX_ROWS)];
    let row = |found: &ScoredSample<'_>| {
        let NoteCounts {
            expected,
            right,
            wrong,
            missed,
            extra,
            ..
        } = found.counts;
        let manifest = &found.sample.entry().manifest;
        let kept: f64 = manifest.kept.iter().map(|span| span.1 - span.0).sum();
        let mut cells = vec![
            found.sample.id().to_string(),
            found.sample.exercise().to_owned(),
            trigger_name(found.sample.trigger()).to_owned(),
        ];
        cells.extend([expected, right, wrong, missed, extra].map(|count| format!("{count:.0}")));
        cells.push(format!("{kept:.1}"));
        let verdicts = found.sample.reviews().map(|review| review.verdict.label());
        cells.push(verdicts.collect::<Vec<_>>().join(", "));
        cells
    };
    let link = |found: &ScoredSample<'_>| Link {
        anchor: anchor(&found.sample),
        href: links.href(&found.sample),
    };
    Listing {
        intro: match listed.len() < rest.len() {
            true => format!("{} of {} that are not drawn.", listed.len(), rest.len()),
            false => "Those that are not drawn; a name leads to its sound.".to_owned(),
        },
        table: table(
            "More samples".to_owned(),
            &[
                "sample",
                "exercise",
                "chosen",
                "expected",
                "right",
                "wrong",
                "missed",
                "extra",
                "seconds kept",
                "verdicts",
            ],
            listed.iter().map(row).collect(),
        ),
        links: listed.iter().map(link).collect(),
    }
}

fn table(caption: String, columns: &[&str], rows: Vec<Vec<String>>) -> Table {
    Table {
        caption,
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        rows,
    }
}
