//! What can be said of all moments from a few people's samples.
//!
//! A person's samples resemble each other, so it is consent records that are counted as independent,
//! not samples. [`Ratio`] is an estimate with an interval; [`compare`] tells whether a change made a
//! difference. `docs/evaluating.md` states the formulas and where they come from.

mod draws;
mod paired;
mod ratio;
#[cfg(test)]
mod tests;

pub(crate) use paired::{Comparison, Record, compare, fewest_for_significance};
pub(crate) use ratio::Ratio;

/// Of fewer consent records no interval is given: nothing is known of how people differ, and a
/// figure would be one of single persons.
pub(crate) const FEWEST_RECORDS: usize = 5;

/// Why there is no interval.
pub(crate) const TOO_FEW: &str = "too few people";
