//! Conversion from the time of a clip to the time of its stored sound, by the manifest's `kept` as in
//! `docs/formats.md`.

use sordino::{anonymize::Span, sampler::Note};
use sordino_scoring::TimedNote;

use crate::pull::entry::Entry;

/// Notes in the kept parts of a sample.
#[derive(Debug, PartialEq)]
pub(crate) struct Notes {
    /// Notes in the time of the stored sound, in the manifest's order.
    pub(crate) heard: Vec<TimedNote>,
    /// The number of notes that began in a removed part.
    pub(crate) left_out: usize,
}

/// The notes of a sample that begin in a kept part. A note that continues into a removed
/// part ends there.
pub(crate) fn notes(entry: &Entry, notes: &[Note]) -> Notes {
    let keeps_time = entry.manifest.anonymizer.keep_time;
    in_parts(&entry.manifest.kept, keeps_time, notes)
}

fn in_parts(kept: &[Span], keeps_time: bool, notes: &[Note]) -> Notes {
    let heard: Vec<TimedNote> = notes
        .iter()
        .filter_map(|note| {
            let (shift, part_end) = part(kept, keeps_time, note.onset)?;
            let onset = note.onset - shift;
            let offset = note.offset.map(|offset| offset.min(part_end) - shift);
            Some(TimedNote {
                midi: f64::from(note.midi),
                onset,
                // The end of a note without a length is unknown.
                offset: offset.filter(|&offset| offset > onset),
            })
        })
        .collect();
    Notes {
        left_out: notes.len() - heard.len(),
        heard,
    }
}

/// The offset between clip and stored sound in the part at the clip's time `clip_s`, and the end of that part in the
/// clip; `None` if that time was removed.
fn part(kept: &[Span], keeps_time: bool, clip_s: f64) -> Option<(f64, f64)> {
    let mut before = 0.0;
    for &Span(start, end) in kept {
        if (start..=end).contains(&clip_s) {
            // Removed parts are silence.
            let shift = if keeps_time { 0.0 } else { start - before };
            return Some((shift, end));
        }
        before += end - start;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn notes_move_with_their_part_and_removed_notes_are_dropped() {
        let kept = [Span(1.0, 3.0), Span(5.0, 8.0)];
        let note = |onset, offset| Note {
            midi: 60,
            onset,
            offset,
        };
        let found = in_parts(
            &kept,
            false,
            &[
                note(0.5, None),
                note(1.5, Some(2.0)),
                note(2.5, Some(4.0)),
                note(2.5, Some(6.0)),
                note(4.0, Some(6.0)),
                note(6.0, Some(9.0)),
                note(7.0, Some(7.0)),
            ],
        );
        let times: Vec<(f64, Option<f64>)> = found
            .heard
            .iter()
            .map(|note| (note.onset, note.offset))
            .collect();
        let due = [
            (0.5, Some(1.0)),
            (1.5, Some(2.0)),
            (1.5, Some(2.0)),
            (3.0, Some(5.0)),
            (4.0, None),
        ];
        assert_eq!(times, due);
        assert_eq!(found.left_out, 2);
    }

    proptest! {
        /// The rule of `docs/formats.md`, note by note, on random cuts.
        #[test]
        fn notes_are_placed_as_the_docs_describe(
            lengths in prop::collection::vec((0.01..3.0f64, 0.01..3.0f64), 0..6),
            onset in 0.0..20.0f64,
        ) {
            let mut kept = Vec::new();
            let mut at = 0.0;
            for (gap, length) in lengths {
                kept.push(Span(at + gap, at + gap + length));
                at += gap + length;
            }
            let found = in_parts(&kept, false, &[Note { midi: 60, onset, offset: None }]);
            let part = kept.iter().position(|span| span.0 <= onset && onset <= span.1);
            match part {
                None => prop_assert_eq!((found.heard.len(), found.left_out), (0, 1)),
                Some(part) => {
                    let before: f64 = kept[..part].iter().map(|span| span.1 - span.0).sum();
                    let due = onset - kept[part].0 + before;
                    prop_assert!((found.heard[0].onset - due).abs() < 1e-9);
                }
            }
        }
    }
}
