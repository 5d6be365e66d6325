//! The notes of a recording as a small piano roll.

use sordino::sampler::Note;
use sordino_scoring::NoteStatus;

use super::{
    axis::Axis,
    comparison::{Comparison, note_class},
};
use crate::notes;

/// Height of a semitone, in rem.
const SEMITONE_REM: f64 = 0.45;

/// A piano roll. Positions are percent of its height and width.
pub(super) struct PianoRoll {
    /// Name of the lowest note.
    pub(super) lowest: String,
    /// Name of the highest note.
    pub(super) highest: String,
    /// Height in rem.
    pub(super) height_rem: f64,
    /// Height of a semitone.
    pub(super) row_height: f64,
    pub(super) blocks: Vec<NoteBlock>,
    /// The comparison in a sentence.
    pub(super) summary: String,
}

/// A note of a [`PianoRoll`].
pub(super) struct NoteBlock {
    pub(super) class: &'static str,
    /// The list that the note is in: `expected` or `recognised`.
    pub(super) list: &'static str,
    pub(super) name: String,
    /// Seconds.
    pub(super) onset: f64,
    pub(super) left: f64,
    pub(super) width: f64,
    pub(super) top: f64,
}

impl PianoRoll {
    /// `None` without notes.
    pub(super) fn new(comparison: &Comparison, axis: Axis) -> Option<Self> {
        let (lowest, highest) = comparison.range()?;
        // One empty row above and below.
        let rows = f64::from(highest - lowest) + 3.0;
        let row_height = 100.0 / rows;
        let block = |note: &Note, list, class| {
            let (left, width) = axis.place_note(note)?;
            Some(NoteBlock {
                class,
                list,
                name: notes::name(note.midi),
                onset: note.onset,
                left,
                width,
                top: (f64::from(highest - note.midi) + 1.0) * row_height,
            })
        };
        let expected = comparison.expected.iter().filter_map(|(note, status)| {
            let class = match status {
                NoteStatus::Missed => "expected missed",
                _ => "expected",
            };
            block(note, "expected", class)
        });
        let recognized = comparison.recognized.iter();
        let recognized =
            recognized.filter_map(|(note, status)| block(note, "recognised", note_class(*status)));
        Some(Self {
            lowest: notes::name(lowest),
            highest: notes::name(highest),
            height_rem: (rows * SEMITONE_REM).clamp(4.0, 12.0),
            row_height,
            blocks: expected.chain(recognized).collect(),
            summary: comparison.summary(),
        })
    }
}
