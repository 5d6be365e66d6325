//! Precision, recall, F1 and overlap of notes, as `mir_eval.transcription` defines them.

use serde::{Deserialize, Serialize};

use crate::{TimedNote, is_near, matching};

/// The tolerance of pitches in cents, as in mir_eval.
const PITCH_TOLERANCE: f64 = 50.0;
/// The tolerance of offsets as a share of the expected note's length, as in mir_eval.
const OFFSET_RATIO: f64 = 0.2;
/// The minimal tolerance of offsets in seconds, as in mir_eval.
const MIN_OFFSET_TOLERANCE: f64 = 0.05;

/// The score of a recognizer on a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteScore {
    /// Matched by onset and pitch.
    #[serde(flatten)]
    pub notes: MatchCounts,
    /// Matched by onset, pitch and offset; `None` unless all notes of both lists have an offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_with_offset: Option<usize>,
    /// The mean overlap ratio of matched notes; `None` unless all notes have an offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<f64>,
}

/// Numbers of notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchCounts {
    /// Expected notes.
    pub expected: usize,
    /// Recognized notes.
    #[serde(rename = "recognised")]
    pub recognized: usize,
    /// Pairs of an expected and a recognized note.
    pub matched: usize,
}

impl NoteScore {
    /// The counts of notes matched by onset, pitch and offset, if all notes have one.
    pub fn with_offset(&self) -> Option<MatchCounts> {
        let matched = self.matched_with_offset?;
        Some(MatchCounts {
            matched,
            ..self.notes
        })
    }
}

impl MatchCounts {
    /// The share of recognized notes that match; 0 if there are none.
    pub fn precision(&self) -> f64 {
        share(self.matched, self.recognized)
    }

    /// The share of expected notes that match; 0 if there are none.
    pub fn recall(&self) -> f64 {
        share(self.matched, self.expected)
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        share(2 * self.matched, self.expected + self.recognized)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

/// Scores `recognized` against `expected`; the onsets of a match are at most `tolerance` seconds apart.
pub fn score(expected: &[TimedNote], recognized: &[TimedNote], tolerance: f64) -> NoteScore {
    let same = |left: usize, right: usize| {
        let (left, right) = (&expected[left], &recognized[right]);
        is_near(left.onset, right.onset, tolerance)
            && (left.midi - right.midi).abs() * 100.0 <= PITCH_TOLERANCE
    };
    let graph = matching::BipartiteGraph::new(expected.len(), recognized.len(), same);
    let pairs = matching::maximum_matching(&graph);
    let notes = MatchCounts {
        expected: expected.len(),
        recognized: recognized.len(),
        matched: pairs.len(),
    };
    let lengths = all_offsets(expected).zip(all_offsets(recognized));
    let Some((expected_ends, recognized_ends)) = lengths else {
        return NoteScore {
            notes,
            matched_with_offset: None,
            overlap: None,
        };
    };
    let same_end = |left: usize, right: usize| {
        let length = expected_ends[left] - expected[left].onset;
        let tolerance = (OFFSET_RATIO * length).max(MIN_OFFSET_TOLERANCE);
        same(left, right) && is_near(expected_ends[left], recognized_ends[right], tolerance)
    };
    let graph = matching::BipartiteGraph::new(expected.len(), recognized.len(), same_end);
    let overlap = |&(left, right): &(usize, usize)| {
        let begins = [expected[left].onset, recognized[right].onset];
        let ends = [expected_ends[left], recognized_ends[right]];
        let both = ends[0].min(ends[1]) - begins[0].max(begins[1]);
        both / (ends[0].max(ends[1]) - begins[0].min(begins[1]))
    };
    let overlaps: f64 = pairs.iter().map(overlap).sum();
    NoteScore {
        notes,
        matched_with_offset: Some(matching::maximum_matching(&graph).len()),
        overlap: Some(overlaps / pairs.len().max(1) as f64),
    }
}

/// The offsets of all notes; `None` if one has none.
fn all_offsets(notes: &[TimedNote]) -> Option<Vec<f64>> {
    notes.iter().map(|note| note.offset).collect()
}
