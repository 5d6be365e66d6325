//! Notes counted by exercise and pitch, weighted, by consent record.
//!
//! The Python package's `Dataset.worst_notes` has the same definitions; a test holds both together.

use std::{cmp::Ordering, collections::BTreeMap};

use clap::ValueEnum;
use sordino::Id;

use crate::{
    dataset::Sample,
    score::Alignment,
    statistics::{FEWEST_RECORDS, Ratio},
};

/// A share of notes. Every one is a ratio of two sums over clips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Metric {
    /// Of the notes expected, those for which nothing was recognized
    Missed,
    /// Of the notes recognized, those for which nothing was expected
    Extra,
    /// Of the notes expected, those for which another was recognized
    Wrong,
    /// Of the notes expected and recognized, those that are in both
    F1,
}

impl Metric {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Extra => "extra",
            Self::Wrong => "wrong",
            Self::F1 => "F1",
        }
    }

    fn part_and_whole(self, sums: &Sums) -> (f64, f64) {
        match self {
            Self::Missed => (sums.missed, sums.expected),
            Self::Extra => (sums.extra, sums.recognized),
            Self::Wrong => (sums.wrong, sums.expected),
            Self::F1 => (2.0 * sums.right, sums.expected + sums.recognized),
        }
    }
}

/// Sums of notes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    pub(crate) expected: f64,
    pub(crate) recognized: f64,
    pub(crate) right: f64,
    /// Expected, and another recognized.
    pub(crate) wrong: f64,
    pub(crate) missed: f64,
    pub(crate) extra: f64,
}

impl Sums {
    fn add(&mut self, other: &Self, weight: f64) {
        self.expected += weight * other.expected;
        self.recognized += weight * other.recognized;
        self.right += weight * other.right;
        self.wrong += weight * other.wrong;
        self.missed += weight * other.missed;
        self.extra += weight * other.extra;
    }
}

/// What was counted under one name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) samples: usize,
    /// Unweighted.
    pub(crate) counts: Sums,
    /// Weighted, by consent record.
    records: BTreeMap<Id, Sums>,
}

impl Cell {
    /// Takes in what was counted in a clip.
    pub(crate) fn add(&mut self, sample: &Sample<'_>, counted: &Sums) {
        self.samples += 1;
        self.counts.add(counted, 1.0);
        let sums = self.records.entry(sample.record()).or_default();
        sums.add(counted, sample.weight());
    }

    /// How many consent records it is of; none where they are so few that it were one of single
    /// people.
    pub(crate) fn records(&self) -> Option<usize> {
        (self.records.len() >= FEWEST_RECORDS).then_some(self.records.len())
    }

    /// The estimate; none where nothing was expected or recognized that it is a share of. Notes that
    /// were only ever recognized are errors of [`Metric::Extra`], and have no F1.
    pub(crate) fn ratio(&self, metric: Metric) -> Option<Ratio> {
        if metric == Metric::F1 && self.counts.expected == 0.0 {
            return None;
        }
        let (_, counted) = metric.part_and_whole(&self.counts);
        let pairs = self
            .records
            .values()
            .map(|sums| metric.part_and_whole(sums));
        Ratio::of(pairs, counted as usize)
    }
}

/// What a clip says of each pitch.
pub(crate) fn by_pitch(sample: &Sample<'_>, found: &Alignment) -> BTreeMap<u8, Sums> {
    let annotation = sample.annotation();
    let asked = |index: usize| annotation.expected[index].midi;
    let heard = |index: usize| annotation.recognized[index].midi;
    let mut sums: BTreeMap<u8, Sums> = BTreeMap::new();
    for &(left, _) in &found.right {
        let sums = sums.entry(asked(left)).or_default();
        sums.right += 1.0;
        sums.expected += 1.0;
        sums.recognized += 1.0;
    }
    for &(left, right) in &found.wrong {
        let of_asked = sums.entry(asked(left)).or_default();
        of_asked.wrong += 1.0;
        of_asked.expected += 1.0;
        // What was heard instead is not extra: it stood for the other.
        sums.entry(heard(right)).or_default().recognized += 1.0;
    }
    for &left in &found.missed {
        let sums = sums.entry(asked(left)).or_default();
        sums.missed += 1.0;
        sums.expected += 1.0;
    }
    for &right in &found.extra {
        let sums = sums.entry(heard(right)).or_default();
        sums.extra += 1.0;
        sums.recognized += 1.0;
    }
    sums
}

/// What a clip says in all.
pub(crate) fn in_all(pitches: &BTreeMap<u8, Sums>) -> Sums {
    let mut all = Sums::default();
    for sums in pitches.values() {
        all.add(sums, 1.0);
    }
    all
}

/// The worst first; before all, those of which enough people tell.
pub(crate) fn worst_first(metric: Metric, one: &Ratio, other: &Ratio) -> Ordering {
    let known = |ratio: &Ratio| ratio.interval.is_some();
    let values = match metric {
        Metric::F1 => one.value.total_cmp(&other.value),
        _ => other.value.total_cmp(&one.value),
    };
    known(other).cmp(&known(one)).then(values)
}
