//! A weighted ratio with a confidence interval, from clustered samples.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::MIN_RECORDS;

/// The estimate of a share: Hájek's ratio of two weighted sums.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// The estimate, 0 to 1.
    pub value: f64,
    /// The 95 % confidence interval; `None` with fewer than [`MIN_RECORDS`] consent records.
    pub interval: Option<[f64; 2]>,
}

impl Ratio {
    /// Estimates from one pair `(part, whole)` of weighted sums for each consent record, with
    /// `0 ≤ part ≤ whole`; `None` if the wholes sum to zero. `counted` is the unweighted number of
    /// items in the wholes. Records whose whole is zero are ignored.
    pub fn new(records: impl IntoIterator<Item = (f64, f64)>, counted: usize) -> Option<Self> {
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
        let interval = (records.len() >= MIN_RECORDS).then(|| {
            let variance = linearized_variance(&records, value, whole);
            let size = effective_size(value, variance, records.len(), counted);
            wilson(value, size, t_quantile(records.len() - 1))
        });
        Some(Self { value, interval })
    }
}

/// The variance of a ratio of sums over clusters, by Taylor's linearization.
fn linearized_variance(records: &[(f64, f64)], value: f64, whole: f64) -> f64 {
    let count = records.len() as f64;
    let residuals = records.iter().map(|(part, all)| part - value * all);
    let squares: f64 = residuals.map(|residual| residual * residual).sum();
    count / (count - 1.0) * squares / (whole * whole)
}

/// The number of independent items with the same variance. If the records do not differ, the
/// variance does not estimate anything, and each record counts as one item.
fn effective_size(value: f64, variance: f64, records: usize, counted: usize) -> f64 {
    let spread = value * (1.0 - value);
    // Relative to the spread, so that rounding errors do not make a variance of zero positive.
    if variance <= 1e-12 * spread || spread <= 1e-12 {
        return records as f64;
    }
    (spread / variance).min(counted as f64).max(1.0)
}

/// Wilson's interval of a share `value` among `size` items, with `quantile` instead of the normal's.
pub(super) fn wilson(value: f64, size: f64, quantile: f64) -> [f64; 2] {
    let square = quantile * quantile;
    let middle = value + square / (2.0 * size);
    let spread = value * (1.0 - value) / size + square / (4.0 * size * size);
    let half = quantile * spread.max(0.0).sqrt();
    let scale = 1.0 + square / size;
    // Rounding must not exclude the estimate.
    let low = ((middle - half) / scale).clamp(0.0, value);
    let high = ((middle + half) / scale).clamp(value, 1.0);
    [low, high]
}

/// The 0.975 quantile of Student's t distribution with `degrees` degrees of freedom, at least 1.
pub(super) fn t_quantile(degrees: usize) -> f64 {
    StudentsT::new(0.0, 1.0, degrees as f64)
        .map_or(f64::INFINITY, |student| student.inverse_cdf(0.975))
}
