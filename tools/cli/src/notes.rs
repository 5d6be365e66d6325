//! Notes: their names, and the form in which they are scored.

use sordino::sampler;
use sordino_scoring::Note;

/// An app's notes for scoring.
pub(crate) fn for_scoring(notes: &[sampler::Note]) -> Vec<Note> {
    let note = |note: &sampler::Note| Note {
        midi: note.midi,
        onset: note.onset,
    };
    notes.iter().map(note).collect()
}

/// A note's name in scientific pitch notation: 60 is `C4`.
pub(crate) fn name(midi: u8) -> String {
    const NAMES: [&str; 12] = [
        "C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B",
    ];
    format!(
        "{}{}",
        NAMES[usize::from(midi % 12)],
        i16::from(midi / 12) - 1
    )
}
