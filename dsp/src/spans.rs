//! The kept and removed parts of a clip, in seconds, as the manifest stores them.

use serde::{Deserialize, Serialize};

/// A part of a clip: `[start_s, end_s]` in seconds of the input.
///
/// The times are off by up to 5 ms plus 0.1 %: the start of the clip is trimmed and its clock is changed, neither of
/// which is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span(pub f64, pub f64);

/// A removed part, and why it was removed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Seconds in the input.
    pub start_s: f64,
    /// Seconds in the input.
    pub end_s: f64,
    /// Why.
    pub reason: RemovalReason,
}

/// Why a part was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalReason {
    /// The detector found a voice there, or within the padding around it.
    Voice,
    /// Between two removed parts, and too short to keep.
    Fragment,
}
