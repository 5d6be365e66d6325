//! Which parts of a clip were kept and which removed, in seconds: the form that manifests have.

use serde::{Deserialize, Serialize};

/// A stretch of a clip: seconds in the time of the input, written as `[start_s, end_s]`. They lie up to
/// 5 ms and 0.1 % beside it: a clip's ends are trimmed and its clock is changed, neither of which is
/// written anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span(pub f64, pub f64);

/// A stretch that was taken out, and why.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Seconds in the time of the input.
    pub start_s: f64,
    /// Seconds in the time of the input.
    pub end_s: f64,
    /// Why.
    pub reason: RemovalReason,
}

/// Why a stretch was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalReason {
    /// The detector heard a voice there, or so near that a word's edge could be.
    Voice,
    /// Too short to be of use, between two stretches that were taken out.
    Fragment,
}
