//! Whether two recognizers differ, from the same samples of the same people.

use serde::Serialize;

use super::{FEWEST_RECORDS, draws::Draws};

/// What a consent record says of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Record {
    /// Sum of its samples' weights.
    pub(crate) weight: f64,
    /// Sum of its samples' differences, each times its weight.
    pub(crate) difference: f64,
}

/// How two recognizers differ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Comparison {
    /// The weighted mean of the differences.
    pub(crate) difference: f64,
    /// Where the truth is 95 times in a hundred; none where there are too few people for it.
    pub(crate) interval: Option<[f64; 2]>,
    /// How often a difference as large would come by chance alone, on either side.
    pub(crate) p: f64,
    /// Whether every sign was tried, rather than many drawn.
    pub(crate) exact: bool,
}

/// Up to this many records every assignment of signs is tried.
const MOST_EXACT: usize = 20;
/// Otherwise so many are drawn.
const DRAWS: usize = 20_000;
/// Bootstrap samples of the interval.
const RESAMPLES: usize = 10_000;
/// So that a result can be had again.
const SEED: u64 = 0x536f_7264_696e_6f00;

/// Compares; none where there is no record.
pub(crate) fn compare(records: &[Record]) -> Option<Comparison> {
    let records: Vec<Record> = records
        .iter()
        .copied()
        .filter(|record| record.weight > 0.0)
        .collect();
    let weight: f64 = records.iter().map(|record| record.weight).sum();
    if records.is_empty() {
        return None;
    }
    let differences: Vec<f64> = records.iter().map(|record| record.difference).collect();
    let exact = records.len() <= MOST_EXACT;
    let p = match exact {
        true => exact_p(&differences),
        false => drawn_p(&differences, &mut Draws::new(SEED)),
    };
    Some(Comparison {
        difference: differences.iter().sum::<f64>() / weight,
        interval: (records.len() >= FEWEST_RECORDS)
            .then(|| interval(&records, &mut Draws::new(SEED))),
        p,
        exact,
    })
}

/// The number of records below which no difference, however large, has a p below `level`.
pub(crate) fn fewest_for_significance(level: f64) -> usize {
    (1..)
        .find(|&count| 2.0 * 0.5f64.powi(count) < level)
        .unwrap_or(1) as usize
}

/// The share of all assignments of signs whose sum is as far from 0 as the one that was found.
fn exact_p(differences: &[f64]) -> f64 {
    let Some((first, rest)) = differences.split_first() else {
        return 1.0;
    };
    let limit = limit(differences);
    // Flipping all signs changes nothing but the sign of the sum, so the first keeps its own.
    let mut as_far = 0_u32;
    let all = 1_u32 << rest.len();
    let mut signs = vec![1.0_f64; rest.len()];
    let mut sum = *first + rest.iter().sum::<f64>();
    for step in 1..=all {
        as_far += u32::from(sum.abs() >= limit);
        // Gray's code: the next assignment differs in one sign.
        let place = step.trailing_zeros() as usize;
        if let (Some(sign), Some(difference)) = (signs.get_mut(place), rest.get(place)) {
            *sign = -*sign;
            sum += 2.0 * *sign * difference;
        }
    }
    f64::from(as_far) / f64::from(all)
}

/// As [`exact_p`], estimated: B. Phipson, G. K. Smyth, "Permutation p-values should never be
/// zero", 2010.
fn drawn_p(differences: &[f64], draws: &mut Draws) -> f64 {
    let limit = limit(differences);
    let mut as_far = 0;
    for _ in 0..DRAWS {
        let mut sum = 0.0;
        for stretch in differences.chunks(64) {
            let mut bits = draws.bits();
            for difference in stretch {
                sum += if bits & 1 == 0 {
                    *difference
                } else {
                    -*difference
                };
                bits >>= 1;
            }
        }
        as_far += usize::from(sum.abs() >= limit);
    }
    (as_far + 1) as f64 / (DRAWS + 1) as f64
}

/// What counts as far as the sum that was found, whatever rounding did to it.
fn limit(differences: &[f64]) -> f64 {
    let size: f64 = differences.iter().map(|difference| difference.abs()).sum();
    differences.iter().sum::<f64>().abs() - 1e-9 * size
}

/// The middle 95 % of the differences in datasets of records that are drawn anew, each with all its
/// samples.
fn interval(records: &[Record], draws: &mut Draws) -> [f64; 2] {
    let mut found: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut sum = Record::default();
            for _ in records {
                let record = records[draws.below(records.len())];
                sum.weight += record.weight;
                sum.difference += record.difference;
            }
            sum.difference / sum.weight
        })
        .collect();
    found.sort_by(f64::total_cmp);
    let at = |share: f64| found[((RESAMPLES - 1) as f64 * share).round() as usize];
    [at(0.025), at(0.975)]
}
