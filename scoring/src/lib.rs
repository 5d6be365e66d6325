//! Scores for music transcription and their statistics. Pure computation: no I/O, no clock, no randomness but that of a
//! fixed seed.
//!
//! * [`score`]: the note metrics of `mir_eval.transcription` (Raffel et al., "mir_eval: a transparent implementation of
//!   common MIR metrics", ISMIR 2014), equal to mir_eval match by match.
//! * [`Alignment`]: which recognized note corresponds to which expected note; [`NoteStatus`] classifies each note.
//! * [`worst_notes`]: weighted error rates by exercise and pitch; [`ConfusionMatrix`]: which note was recognized as
//!   which.
//! * [`Ratio`], [`weighted_mean`], [`Change`], [`compare`]: estimates with confidence intervals, clustered by consent
//!   record, and a paired permutation test.
//!
//! Times are in seconds, pitches are MIDI note numbers. `docs/evaluating.md` states the formulas and their sources.

mod aggregate;
mod alignment;
mod confusion;
mod matching;
mod metrics;
mod statistics;
#[cfg(test)]
mod tests;

pub use aggregate::{Aggregate, Clip, GroupBy, Metric, NoteCounts, NoteErrors, worst_notes};
pub use alignment::{Alignment, NoteStatus};
pub use confusion::{Confusion, ConfusionMatrix, NotePair};
pub use metrics::{MatchCounts, NoteScore, score};
pub use statistics::{
    Change, Comparison, MIN_RECORDS, PairedScore, Ratio, RecordDifference, compare,
    min_records_for_significance, weighted_mean,
};

/// An expected or recognized note.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct Note {
    /// MIDI note number.
    pub midi: u8,
    /// In seconds. A note whose onset is not finite is ignored.
    pub onset: f64,
}

/// A note as a transcription lists it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedNote {
    /// MIDI note number; a recognizer may report fractions of a semitone.
    pub midi: f64,
    /// In seconds.
    pub onset: f64,
    /// In seconds, after the onset; `None` if it is not known.
    pub offset: Option<f64>,
}

/// The default tolerance of onsets in seconds, as in mir_eval.
pub const ONSET_TOLERANCE: f64 = 0.05;

/// Whether two times are at most `tolerance` seconds apart. Rounds to 0.1 ms as mir_eval does, so that the result does
/// not depend on the floating-point representation of the limit.
fn is_near(one: f64, other: f64, tolerance: f64) -> bool {
    ((one - other).abs() * 1e4).round_ties_even() / 1e4 <= tolerance
}
