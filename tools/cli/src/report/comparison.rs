//! The notes of one sample with their status.

use sordino::sampler::{Annotation, Note};
use sordino_scoring::{Alignment, NoteStatus};

use crate::notes;

/// Both lists of notes, with the status of each note.
pub(super) struct Comparison {
    pub(super) expected: Vec<(Note, NoteStatus)>,
    pub(super) recognized: Vec<(Note, NoteStatus)>,
}

impl Comparison {
    /// Compares the notes of an annotation; the onsets of a pair are at most `tolerance` seconds apart.
    pub(super) fn new(annotation: &Annotation, tolerance: f64) -> Self {
        let expected = notes::for_scoring(&annotation.expected);
        let recognized = notes::for_scoring(&annotation.recognized);
        let alignment = Alignment::new(&expected, &recognized, tolerance);
        let (of_expected, of_recognized) = alignment.statuses(&expected, &recognized);
        let with_statuses = |notes: &[Note], statuses: Vec<NoteStatus>| {
            let all = notes.iter().copied().zip(statuses);
            all.filter(|(note, _)| note.onset.is_finite()).collect()
        };
        Self {
            expected: with_statuses(&annotation.expected, of_expected),
            recognized: with_statuses(&annotation.recognized, of_recognized),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.expected.is_empty() && self.recognized.is_empty()
    }

    /// The lowest and the highest note of both lists.
    pub(super) fn range(&self) -> Option<(u8, u8)> {
        let pitches = || {
            let all = self.expected.iter().chain(&self.recognized);
            all.map(|(note, _)| note.midi)
        };
        Some((pitches().min()?, pitches().max()?))
    }

    /// The comparison in a sentence, with the counts of the tables.
    pub(super) fn summary(&self) -> String {
        let of_expected = |kind: NoteStatus| count(&self.expected, kind);
        let octaves = of_expected(NoteStatus::Octave);
        let wrong = match (octaves + of_expected(NoteStatus::Wrong), octaves) {
            (wrong, 0) => (wrong, "wrong".to_owned()),
            (wrong, octaves) => (wrong, format!("wrong ({octaves} in another octave)")),
        };
        let parts: Vec<String> = [
            (of_expected(NoteStatus::Right), "right".to_owned()),
            wrong,
            (of_expected(NoteStatus::Missed), "missed".to_owned()),
            (
                count(&self.recognized, NoteStatus::Extra),
                "extra".to_owned(),
            ),
        ]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
        format!(
            "{} notes expected, {} recognized: {}.",
            self.expected.len(),
            self.recognized.len(),
            parts.join(", ")
        )
    }
}

fn count(notes: &[(Note, NoteStatus)], kind: NoteStatus) -> usize {
    notes.iter().filter(|(_, found)| *found == kind).count()
}

/// The class that colors a recognized note.
pub(super) fn note_class(status: NoteStatus) -> &'static str {
    match status {
        NoteStatus::Right => "right",
        NoteStatus::Octave => "octave",
        NoteStatus::Wrong => "wrong",
        NoteStatus::Missed => "missed",
        NoteStatus::Extra => "extra",
    }
}
