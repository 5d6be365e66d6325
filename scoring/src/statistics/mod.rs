//! Estimates for all moments from the samples of a few people.
//!
//! A person's samples resemble each other, so consent records, not samples, count as independent. [`Ratio`] is an estimate
//! with a confidence interval; [`compare`] tests whether a change made a difference.

mod clips;
mod paired;
mod ratio;
mod split_mix;
#[cfg(test)]
mod tests;

pub use clips::{Change, PairedScore, weighted_mean};
pub use paired::{Comparison, RecordDifference, compare, min_records_for_significance};
pub use ratio::Ratio;

/// The minimal number of consent records for a confidence interval. With fewer, the variance between people is unknown,
/// and a figure would describe single people.
pub const MIN_RECORDS: usize = 5;
