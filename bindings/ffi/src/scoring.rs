//! Functions for readers of samples: a recognizer's errors, counted as `sordino query` counts them.

use sordino::sampler::Note;
use sordino_scoring::{Alignment, Clip, GroupBy, Metric, NoteErrors};

/// An annotated clip.
#[derive(uniffi::Record)]
pub struct AnnotatedClip {
    /// The id of its consent record.
    pub consent: String,
    /// The probability with which it was selected; one over it is its weight.
    pub probability: f64,
    /// The exercise.
    pub exercise: String,
    /// The expected notes.
    pub expected: Vec<Note>,
    /// The recognized notes.
    pub recognized: Vec<Note>,
}

/// The grouping of the rows of `worst_notes`.
#[uniffi::remote(Enum)]
pub enum GroupBy {
    /// Exercises.
    Exercise,
    /// Pitches.
    Note,
    /// Pitches of exercises.
    ExerciseAndNote,
}

/// A share of notes.
#[uniffi::remote(Enum)]
pub enum Metric {
    /// The share of expected notes for which nothing was recognized.
    Missed,
    /// The share of recognized notes for which nothing was expected.
    Extra,
    /// The share of expected notes for which another pitch was recognized.
    Wrong,
    /// The share of expected and recognized notes that are in both lists.
    F1,
}

/// The recognizer's errors on an exercise, a pitch, or a pitch of an exercise.
#[derive(uniffi::Record)]
pub struct NoteErrorRow {
    /// The exercise, if rows are of exercises.
    pub exercise: Option<String>,
    /// The MIDI note number, if rows are of pitches.
    pub midi: Option<u8>,
    /// Number of clips.
    pub clips: u64,
    /// Number of consent records; `null` if there are fewer than five.
    pub records: Option<u64>,
    /// Expected notes, unweighted, as the following counts.
    pub expected: u64,
    /// Recognized notes.
    pub recognized: u64,
    /// Expected notes for which nothing was recognized.
    pub missed: u64,
    /// Expected notes for which another pitch was recognized.
    pub wrong: u64,
    /// Recognized notes for which nothing was expected.
    pub extra: u64,
    /// The weighted estimate of the metric.
    pub value: f64,
    /// Its 95 % interval: two numbers, or none if there are fewer than five consent records.
    pub interval: Vec<f64>,
}

impl From<NoteErrors> for NoteErrorRow {
    fn from(errors: NoteErrors) -> Self {
        Self {
            exercise: errors.exercise,
            midi: errors.midi,
            clips: errors.clips as u64,
            records: errors.records.map(|records| records as u64),
            expected: errors.expected as u64,
            recognized: errors.recognized as u64,
            missed: errors.missed as u64,
            wrong: errors.wrong as u64,
            extra: errors.extra as u64,
            value: errors.ratio.value,
            interval: errors.ratio.interval.map_or_else(Vec::new, Vec::from),
        }
    }
}

/// Error rates of clips with the same trigger, the worst first. Onsets of a pair of notes are at most `tolerance`
/// seconds apart.
#[uniffi::export]
pub fn worst_notes(
    clips: Vec<AnnotatedClip>,
    group_by: GroupBy,
    metric: Metric,
    tolerance: f64,
) -> Vec<NoteErrorRow> {
    let notes: Vec<_> = clips
        .iter()
        .map(|clip| (to_scoring(&clip.expected), to_scoring(&clip.recognized)))
        .collect();
    let clips = clips
        .iter()
        .zip(&notes)
        .map(|(clip, (expected, recognized))| Clip {
            record: clip.consent.as_str(),
            weight: 1.0 / clip.probability,
            exercise: &clip.exercise,
            expected,
            recognized,
        });
    sordino_scoring::worst_notes(clips, group_by, metric, tolerance)
        .into_iter()
        .map(NoteErrorRow::from)
        .collect()
}

/// An expected and a recognized note, as indices.
#[derive(uniffi::Record)]
pub struct NotePair {
    /// Index of the expected note.
    pub expected: u32,
    /// Index of the recognized note.
    pub recognized: u32,
}

/// The alignment of recognized notes with expected notes.
#[derive(uniffi::Record)]
pub struct NoteAlignment {
    /// Expected and recognized at the same pitch.
    pub right: Vec<NotePair>,
    /// Expected at one pitch and recognized at another.
    pub wrong: Vec<NotePair>,
    /// Expected, and nothing was recognized for it: indices of expected notes.
    pub missed: Vec<u32>,
    /// Recognized, and nothing was expected for it: indices of recognized notes.
    pub extra: Vec<u32>,
}

/// Aligns the recognized notes of a clip with the expected ones. Onsets of a pair are at most `tolerance` seconds apart.
#[uniffi::export]
pub fn align_notes(expected: Vec<Note>, recognized: Vec<Note>, tolerance: f64) -> NoteAlignment {
    let alignment = Alignment::new(&to_scoring(&expected), &to_scoring(&recognized), tolerance);
    NoteAlignment {
        right: to_pairs(alignment.right),
        wrong: to_pairs(alignment.wrong),
        missed: to_indices(alignment.missed),
        extra: to_indices(alignment.extra),
    }
}

fn to_scoring(notes: &[Note]) -> Vec<sordino_scoring::Note> {
    notes
        .iter()
        .map(|note| sordino_scoring::Note {
            midi: note.midi,
            onset: note.onset,
        })
        .collect()
}

fn to_pairs(pairs: Vec<(usize, usize)>) -> Vec<NotePair> {
    pairs
        .into_iter()
        .map(|(expected, recognized)| NotePair {
            expected: expected as u32,
            recognized: recognized as u32,
        })
        .collect()
}

fn to_indices(indices: Vec<usize>) -> Vec<u32> {
    indices.into_iter().map(|index| index as u32).collect()
}
