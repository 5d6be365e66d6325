//! Notes recognized beside notes expected.
//!
//! * [`score`]: the note metrics of `mir_eval.transcription` (Raffel et al., "mir_eval: a
//!   transparent implementation of common MIR metrics", ISMIR 2014), to the last match.
//! * [`Alignment`]: which note was taken for which, for error maps.

mod alignment;
mod matching;
mod metrics;
#[cfg(test)]
mod oracle;

pub(crate) use alignment::Alignment;
#[cfg(test)]
pub(crate) use alignment::cases;
pub(crate) use metrics::{Counts, Score, score};

/// A note in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TimedNote {
    /// MIDI note number; a recognizer may say fractions of a semitone.
    pub(crate) midi: f64,
    pub(crate) onset: f64,
    /// After the onset; none where it is not known.
    pub(crate) offset: Option<f64>,
}

/// How far apart two onsets of one note may be unless told otherwise, in seconds: mir_eval's.
pub(crate) const ONSET_TOLERANCE: f64 = 0.05;

/// Whether two times are at most `tolerance` seconds apart: rounded to 0.1 ms as mir_eval does it,
/// so that 50 ms are 50 ms however a float spells them.
fn near(one: f64, other: f64, tolerance: f64) -> bool {
    ((one - other).abs() * 1e4).round_ties_even() / 1e4 <= tolerance
}
