//! Estimates from scores of clips. `R` identifies a consent record.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Comparison, Ratio, RecordDifference, compare};

/// The weighted mean of a value between 0 and 1 over clips, from `(record, weight, value)`; `None` without clips.
pub fn weighted_mean<R: Ord>(clips: impl IntoIterator<Item = (R, f64, f64)>) -> Option<Ratio> {
    let mut records: BTreeMap<R, (f64, f64)> = BTreeMap::new();
    let mut counted = 0;
    for (record, weight, value) in clips {
        let sums = records.entry(record).or_default();
        sums.0 += weight * value;
        sums.1 += weight;
        counted += 1;
    }
    Ratio::new(records.into_values(), counted)
}

/// A clip that two recognizers scored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedScore<R> {
    /// The consent record.
    pub record: R,
    /// 1 / probability of selection.
    pub weight: f64,
    /// The baseline's score.
    pub before: f64,
    /// The score to compare.
    pub after: f64,
}

/// The difference of two recognizers over the clips that both scored.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Number of clips.
    #[serde(rename = "samples")]
    pub clips: usize,
    /// Number of consent records.
    pub records: usize,
    /// The baseline's weighted mean.
    pub before: f64,
    /// The weighted mean to compare.
    pub after: f64,
    /// The difference, its interval and its p-value.
    #[serde(flatten)]
    pub comparison: Comparison,
}

impl Change {
    /// Compares the scores of clips; `None` without clips.
    pub fn new<R: Ord>(clips: impl IntoIterator<Item = PairedScore<R>>) -> Option<Self> {
        let mut records: BTreeMap<R, RecordDifference> = BTreeMap::new();
        let (mut count, mut weights, mut before_sum, mut after_sum) = (0, 0.0, 0.0, 0.0);
        for clip in clips {
            let PairedScore {
                weight,
                before,
                after,
                ..
            } = clip;
            count += 1;
            weights += weight;
            before_sum += weight * before;
            after_sum += weight * after;
            let record = records.entry(clip.record).or_default();
            record.weight += weight;
            record.difference += weight * (after - before);
        }
        let records: Vec<RecordDifference> = records.into_values().collect();
        Some(Self {
            clips: count,
            records: records.len(),
            before: before_sum / weights,
            after: after_sum / weights,
            comparison: compare(&records)?,
        })
    }
}
