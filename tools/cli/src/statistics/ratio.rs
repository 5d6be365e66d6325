//! A weighted ratio with an interval, from clustered samples.

use serde::Serialize;

use super::FEWEST_RECORDS;

/// The estimate of a share: Hájek's ratio of two weighted sums.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    pub(crate) value: f64,
    /// Where the truth is 95 times in a hundred; none where there are too few people for it.
    pub(crate) interval: Option<[f64; 2]>,
}

impl Ratio {
    /// From one pair `(part, whole)` of weighted sums a consent record, with `0 ≤ part ≤ whole`;
    /// none where the whole is nothing. `counted` is how many single things the wholes were counted
    /// from, unweighted. Records without a whole count as none.
    pub(crate) fn of(
        records: impl IntoIterator<Item = (f64, f64)>,
        counted: usize,
    ) -> Option<Self> {
        let records: Vec<(f64, f64)> = records
            .into_iter()
            .filter(|&(_, whole)| whole > 0.0)
            .collect();
        let part: f64 = records.iter().map(|record| record.0).sum();
        let whole: f64 = records.iter().map(|record| record.1).sum();
        if whole <= 0.0 {
            return None;
        }
        let value = (part / whole).clamp(0.0, 1.0);
        let interval = (records.len() >= FEWEST_RECORDS).then(|| {
            let variance = linearised_variance(&records, value, whole);
            let size = effective_size(value, variance, records.len(), counted);
            wilson(value, size, t_quantile(records.len() - 1))
        });
        Some(Self { value, interval })
    }
}

/// The variance of a ratio of sums over clusters, by Taylor's linearisation.
fn linearised_variance(records: &[(f64, f64)], value: f64, whole: f64) -> f64 {
    let count = records.len() as f64;
    let residuals = records.iter().map(|(part, all)| part - value * all);
    let squares: f64 = residuals.map(|residual| residual * residual).sum();
    count / (count - 1.0) * squares / (whole * whole)
}

/// How many independent things would tell as much. Where no record differs from another the variance
/// tells nothing, and each counts for one.
fn effective_size(value: f64, variance: f64, records: usize, counted: usize) -> f64 {
    let spread = value * (1.0 - value);
    // Relative to the spread, so that what rounding leaves of a variance of zero is none.
    if variance <= 1e-12 * spread || spread <= 1e-12 {
        return records as f64;
    }
    (spread / variance).min(counted as f64).max(1.0)
}

/// Wilson's interval of a share that was found among `size`, with `quantile` for the normal's.
pub(super) fn wilson(value: f64, size: f64, quantile: f64) -> [f64; 2] {
    let square = quantile * quantile;
    let middle = value + square / (2.0 * size);
    let spread = value * (1.0 - value) / size + square / (4.0 * size * size);
    let half = quantile * spread.max(0.0).sqrt();
    let scale = 1.0 + square / size;
    // Rounding shall not put the estimate outside.
    let low = ((middle - half) / scale).clamp(0.0, value);
    let high = ((middle + half) / scale).clamp(value, 1.0);
    [low, high]
}

/// The 0.975 quantile of Student's t: Abramowitz and Stegun, 26.7.5. From 4 degrees of freedom on it
/// is off by less than 0.04 %.
pub(super) fn t_quantile(degrees: usize) -> f64 {
    let n = degrees as f64;
    let z: f64 = 1.959_963_984_540_054;
    let square = z * z;
    let first = (square + 1.0) * z / 4.0;
    let second = ((5.0 * square + 16.0) * square + 3.0) * z / 96.0;
    let third = (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) * z / 384.0;
    let fourth = ((((79.0 * square + 776.0) * square + 1482.0) * square - 1920.0) * square - 945.0)
        * z
        / 92160.0;
    z + (first + (second + (third + fourth / n) / n) / n) / n
}
