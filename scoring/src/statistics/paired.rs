//! A paired permutation test: whether two recognizers differ on the same samples of the same people.

use serde::Serialize;

use super::{MIN_RECORDS, split_mix::SplitMix64};

/// The differences of the samples of a consent record.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RecordDifference {
    /// Sum of its samples' weights.
    pub weight: f64,
    /// Sum of its samples' differences, each times its weight.
    pub difference: f64,
}

/// The difference of two recognizers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The weighted mean of the differences.
    pub difference: f64,
    /// The 95 % confidence interval; `None` with fewer than [`MIN_RECORDS`] consent records.
    pub interval: Option<[f64; 2]>,
    /// The two-sided p-value.
    pub p: f64,
    /// Whether `p` is exact, over all assignments of signs; otherwise it is estimated.
    pub exact: bool,
}

/// Up to this many records, all assignments of signs are enumerated.
const MAX_EXACT: usize = 20;
/// Random assignments of signs for more records.
const PERMUTATIONS: usize = 20_000;
/// Bootstrap samples of the interval.
const RESAMPLES: usize = 10_000;
/// Fixed, so that results are reproducible.
const SEED: u64 = 0x536f_7264_696e_6f00;

/// Tests the differences of consent records; `None` without records.
pub fn compare(records: &[RecordDifference]) -> Option<Comparison> {
    let records: Vec<RecordDifference> = records
        .iter()
        .copied()
        .filter(|record| record.weight > 0.0)
        .collect();
    let weight: f64 = records.iter().map(|record| record.weight).sum();
    if records.is_empty() {
        return None;
    }
    let differences: Vec<f64> = records.iter().map(|record| record.difference).collect();
    let exact = records.len() <= MAX_EXACT;
    let p = match exact {
        true => exact_p(&differences),
        false => sampled_p(&differences, &mut SplitMix64::new(SEED)),
    };
    Some(Comparison {
        difference: differences.iter().sum::<f64>() / weight,
        interval: (records.len() >= MIN_RECORDS)
            .then(|| interval(&records, &mut SplitMix64::new(SEED))),
        p,
        exact,
    })
}

/// The minimal number of records with which a p-value below `level` is possible.
pub fn min_records_for_significance(level: f64) -> usize {
    (1..)
        .find(|&count| 2.0 * 0.5f64.powi(count) < level)
        .unwrap_or(1) as usize
}

/// The share of all assignments of signs whose sum is at least as far from 0 as the observed one.
fn exact_p(differences: &[f64]) -> f64 {
    let Some((first, rest)) = differences.split_first() else {
        return 1.0;
    };
    let limit = limit(differences);
    // Flipping all signs only changes the sign of the sum, so the first sign is fixed.
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

/// Estimates [`exact_p`]: B. Phipson, G. K. Smyth, "Permutation p-values should never be
/// zero", 2010.
fn sampled_p(differences: &[f64], rng: &mut SplitMix64) -> f64 {
    let limit = limit(differences);
    let mut as_far = 0;
    for _ in 0..PERMUTATIONS {
        let mut sum = 0.0;
        for chunk in differences.chunks(64) {
            let mut bits = rng.bits();
            for difference in chunk {
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
    (as_far + 1) as f64 / (PERMUTATIONS + 1) as f64
}

/// The absolute value of the observed sum, less a margin for rounding errors.
fn limit(differences: &[f64]) -> f64 {
    let size: f64 = differences.iter().map(|difference| difference.abs()).sum();
    differences.iter().sum::<f64>().abs() - 1e-9 * size
}

/// The percentile bootstrap interval: resamples records, each with all its samples.
fn interval(records: &[RecordDifference], rng: &mut SplitMix64) -> [f64; 2] {
    let mut found: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut sum = RecordDifference::default();
            for _ in records {
                let record = records[rng.below(records.len())];
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
