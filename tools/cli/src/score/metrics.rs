//! Precision, recall, F1 and overlap of notes, as `mir_eval.transcription` defines them.

use serde::{Deserialize, Serialize};

use super::{TimedNote, matching, near};

/// How far apart two pitches of one note may be, in cents: mir_eval's.
const PITCH_TOLERANCE: f64 = 50.0;
/// How far an offset may be from the expected one, as a share of the note's length: mir_eval's.
const OFFSET_RATIO: f64 = 0.2;
/// What it may always be, in seconds: mir_eval's.
const LEAST_OFFSET_TOLERANCE: f64 = 0.05;

/// How a recognizer did on a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Score {
    /// By onset and pitch.
    #[serde(flatten)]
    pub(crate) notes: Counts,
    /// By onset, pitch and offset; only where all notes of both lists have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) matched_with_offset: Option<usize>,
    /// How much of matched notes' time both cover, on average; only where all notes have an offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) overlap: Option<f64>,
}

/// How many notes there were, and how many of them are in both lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) expected: usize,
    #[serde(rename = "recognised")]
    pub(crate) recognized: usize,
    pub(crate) matched: usize,
}

impl Score {
    /// With offsets counted, where they are there.
    pub(crate) fn with_offset(&self) -> Option<Counts> {
        let matched = self.matched_with_offset?;
        Some(Counts {
            matched,
            ..self.notes
        })
    }
}

impl Counts {
    /// The share of what was recognized that was expected; 0 where nothing was recognized.
    pub(crate) fn precision(&self) -> f64 {
        share(self.matched, self.recognized)
    }

    /// The share of what was expected that was recognized; 0 where nothing was expected.
    pub(crate) fn recall(&self) -> f64 {
        share(self.matched, self.expected)
    }

    /// The harmonic mean of both.
    pub(crate) fn f1(&self) -> f64 {
        share(2 * self.matched, self.expected + self.recognized)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

/// Scores `recognized` against `expected`; onsets may be `tolerance` seconds apart.
pub(crate) fn score(expected: &[TimedNote], recognized: &[TimedNote], tolerance: f64) -> Score {
    let same = |left: usize, right: usize| {
        let (asked, heard) = (&expected[left], &recognized[right]);
        near(asked.onset, heard.onset, tolerance)
            && (asked.midi - heard.midi).abs() * 100.0 <= PITCH_TOLERANCE
    };
    let edges = matching::Edges::of(expected.len(), recognized.len(), same);
    let pairs = matching::maximum(&edges);
    let notes = Counts {
        expected: expected.len(),
        recognized: recognized.len(),
        matched: pairs.len(),
    };
    let lengths = all_lengths(expected).zip(all_lengths(recognized));
    let Some((expected_ends, recognized_ends)) = lengths else {
        return Score {
            notes,
            matched_with_offset: None,
            overlap: None,
        };
    };
    let same_end = |left: usize, right: usize| {
        let length = expected_ends[left] - expected[left].onset;
        let tolerance = (OFFSET_RATIO * length).max(LEAST_OFFSET_TOLERANCE);
        same(left, right) && near(expected_ends[left], recognized_ends[right], tolerance)
    };
    let edges = matching::Edges::of(expected.len(), recognized.len(), same_end);
    let overlap = |&(left, right): &(usize, usize)| {
        let begins = [expected[left].onset, recognized[right].onset];
        let ends = [expected_ends[left], recognized_ends[right]];
        let both = ends[0].min(ends[1]) - begins[0].max(begins[1]);
        both / (ends[0].max(ends[1]) - begins[0].min(begins[1]))
    };
    let overlaps: f64 = pairs.iter().map(overlap).sum();
    Score {
        notes,
        matched_with_offset: Some(matching::maximum(&edges).len()),
        overlap: Some(overlaps / pairs.len().max(1) as f64),
    }
}

/// The notes' ends, where each has one.
fn all_lengths(notes: &[TimedNote]) -> Option<Vec<f64>> {
    notes.iter().map(|note| note.offset).collect()
}
