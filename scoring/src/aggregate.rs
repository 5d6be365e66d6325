//! Note errors aggregated by exercise and pitch: weighted, and clustered by consent record.

use std::{cmp::Ordering, collections::BTreeMap};

use serde::Serialize;

use crate::{Alignment, MIN_RECORDS, Note, Ratio};

/// A share of notes: a ratio of two sums over clips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The share of expected notes for which nothing was recognized.
    Missed,
    /// The share of recognized notes for which nothing was expected.
    Extra,
    /// The share of expected notes for which another pitch was recognized.
    Wrong,
    /// The share of expected and recognized notes that are in both lists.
    F1,
}

impl Metric {
    /// The name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Extra => "extra",
            Self::Wrong => "wrong",
            Self::F1 => "F1",
        }
    }

    fn part_and_whole(self, counts: &NoteCounts) -> (f64, f64) {
        match self {
            Self::Missed => (counts.missed, counts.expected),
            Self::Extra => (counts.extra, counts.recognized),
            Self::Wrong => (counts.wrong, counts.expected),
            Self::F1 => (2.0 * counts.right, counts.expected + counts.recognized),
        }
    }
}

/// Numbers of notes, which may be weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NoteCounts {
    /// Expected notes.
    pub expected: f64,
    /// Recognized notes.
    pub recognized: f64,
    /// Expected, and recognized at the same pitch.
    pub right: f64,
    /// Expected, and recognized at another pitch.
    pub wrong: f64,
    /// Expected, and nothing was recognized.
    pub missed: f64,
    /// Recognized, and nothing was expected.
    pub extra: f64,
}

impl NoteCounts {
    /// The counts of a clip.
    pub fn new(expected: &[Note], recognized: &[Note], alignment: &Alignment) -> Self {
        let mut all = Self::default();
        for counts in Self::by_pitch(expected, recognized, alignment).values() {
            all.add(counts, 1.0);
        }
        all
    }

    /// The counts of a clip for each MIDI note number.
    pub fn by_pitch(
        expected: &[Note],
        recognized: &[Note],
        alignment: &Alignment,
    ) -> BTreeMap<u8, Self> {
        let expected = |index: usize| expected[index].midi;
        let recognized = |index: usize| recognized[index].midi;
        let mut counts: BTreeMap<u8, Self> = BTreeMap::new();
        for &(left, _) in &alignment.right {
            let counts = counts.entry(expected(left)).or_default();
            counts.right += 1.0;
            counts.expected += 1.0;
            counts.recognized += 1.0;
        }
        for &(left, right) in &alignment.wrong {
            let of_expected = counts.entry(expected(left)).or_default();
            of_expected.wrong += 1.0;
            of_expected.expected += 1.0;
            // The recognized note of a wrong pair is not extra.
            counts.entry(recognized(right)).or_default().recognized += 1.0;
        }
        for &left in &alignment.missed {
            let counts = counts.entry(expected(left)).or_default();
            counts.missed += 1.0;
            counts.expected += 1.0;
        }
        for &right in &alignment.extra {
            let counts = counts.entry(recognized(right)).or_default();
            counts.extra += 1.0;
            counts.recognized += 1.0;
        }
        counts
    }

    fn add(&mut self, other: &Self, weight: f64) {
        self.expected += weight * other.expected;
        self.recognized += weight * other.recognized;
        self.right += weight * other.right;
        self.wrong += weight * other.wrong;
        self.missed += weight * other.missed;
        self.extra += weight * other.extra;
    }
}

/// The counts of several clips. `R` identifies a consent record.
#[derive(Clone, Debug)]
pub struct Aggregate<R> {
    /// Number of clips.
    pub clips: usize,
    /// Unweighted.
    pub counts: NoteCounts,
    /// Weighted, by consent record.
    records: BTreeMap<R, NoteCounts>,
}

impl<R> Default for Aggregate<R> {
    fn default() -> Self {
        Self {
            clips: 0,
            counts: NoteCounts::default(),
            records: BTreeMap::new(),
        }
    }
}

impl<R: Ord> Aggregate<R> {
    /// Adds the counts of a clip.
    pub fn add(&mut self, record: R, weight: f64, counts: &NoteCounts) {
        self.clips += 1;
        self.counts.add(counts, 1.0);
        self.records.entry(record).or_default().add(counts, weight);
    }

    /// The number of consent records; `None` below [`MIN_RECORDS`], where it would say something about single people.
    pub fn records(&self) -> Option<usize> {
        (self.records.len() >= MIN_RECORDS).then_some(self.records.len())
    }

    /// The estimate of a metric; `None` if there are no notes that it is a share of. Pitches that were never expected
    /// have errors of [`Metric::Extra`] and no F1.
    pub fn ratio(&self, metric: Metric) -> Option<Ratio> {
        if metric == Metric::F1 && self.counts.expected == 0.0 {
            return None;
        }
        let (_, counted) = metric.part_and_whole(&self.counts);
        let pairs = self
            .records
            .values()
            .map(|counts| metric.part_and_whole(counts));
        Ratio::new(pairs, counted as usize)
    }
}

/// An annotated clip.
#[derive(Clone, Debug)]
pub struct Clip<'a, R> {
    /// The consent record.
    pub record: R,
    /// 1 / probability of selection.
    pub weight: f64,
    /// The exercise's tag.
    pub exercise: &'a str,
    /// Notes in any order.
    pub expected: &'a [Note],
    /// Notes in any order.
    pub recognized: &'a [Note],
}

/// The grouping of the rows of [`worst_notes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// An exercise.
    Exercise,
    /// A pitch.
    Note,
    /// A pitch of an exercise.
    ExerciseAndNote,
}

/// Error rates of an exercise, a pitch, or a pitch of an exercise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoteErrors {
    /// The exercise's tag, if rows are of exercises.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exercise: Option<String>,
    /// The MIDI note number, if rows are of pitches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub midi: Option<u8>,
    /// Number of clips.
    #[serde(rename = "samples")]
    pub clips: usize,
    /// Number of consent records; `None` below [`MIN_RECORDS`].
    pub records: Option<usize>,
    /// Expected notes, unweighted, as the following counts.
    pub expected: usize,
    /// Recognized notes.
    #[serde(rename = "recognised")]
    pub recognized: usize,
    /// Expected notes for which nothing was recognized.
    pub missed: usize,
    /// Expected notes for which another pitch was recognized.
    pub wrong: usize,
    /// Recognized notes for which nothing was expected.
    pub extra: usize,
    /// The weighted estimate of the metric.
    #[serde(flatten)]
    pub ratio: Ratio,
}

/// Error rates, the worst first; rows with an interval come before those without, ties are in the order of exercise and
/// pitch. All `clips` must have the same trigger: random and marked clips estimate different quantities.
pub fn worst_notes<'a, R: Ord + Clone>(
    clips: impl IntoIterator<Item = Clip<'a, R>>,
    by: GroupBy,
    metric: Metric,
    tolerance: f64,
) -> Vec<NoteErrors> {
    let mut groups: BTreeMap<(Option<&str>, Option<u8>), Aggregate<R>> = BTreeMap::new();
    for clip in clips {
        let alignment = Alignment::new(clip.expected, clip.recognized, tolerance);
        let exercise = (by != GroupBy::Note).then_some(clip.exercise);
        match by {
            GroupBy::Exercise => {
                let counts = NoteCounts::new(clip.expected, clip.recognized, &alignment);
                let group = groups.entry((exercise, None)).or_default();
                group.add(clip.record, clip.weight, &counts);
            }
            GroupBy::Note | GroupBy::ExerciseAndNote => {
                for (midi, counts) in
                    NoteCounts::by_pitch(clip.expected, clip.recognized, &alignment)
                {
                    let group = groups.entry((exercise, Some(midi))).or_default();
                    group.add(clip.record.clone(), clip.weight, &counts);
                }
            }
        }
    }
    let mut rows: Vec<NoteErrors> = groups
        .into_iter()
        .filter_map(|((exercise, midi), group)| {
            Some(NoteErrors {
                exercise: exercise.map(str::to_owned),
                midi,
                clips: group.clips,
                records: group.records(),
                expected: group.counts.expected as usize,
                recognized: group.counts.recognized as usize,
                missed: group.counts.missed as usize,
                wrong: group.counts.wrong as usize,
                extra: group.counts.extra as usize,
                ratio: group.ratio(metric)?,
            })
        })
        .collect();
    // The sort is stable.
    rows.sort_by(|one, other| worst_first(metric, &one.ratio, &other.ratio));
    rows
}

fn worst_first(metric: Metric, one: &Ratio, other: &Ratio) -> Ordering {
    let has_interval = |ratio: &Ratio| ratio.interval.is_some();
    let by_value = match metric {
        Metric::F1 => one.value.total_cmp(&other.value),
        _ => other.value.total_cmp(&one.value),
    };
    has_interval(other).cmp(&has_interval(one)).then(by_value)
}
