//! Pairs recognized with expected notes, as `docs/evaluating.md` defines it. `sordino query`,
//! `sordino report` and the Python package count by it.
//!
//! The review page (`tools/collector/page/src/alignment.ts`) has the same rules in TypeScript. The cases in
//! `tests/vectors/alignment` run in the tests of both.

use crate::{Note, is_near};

/// The classification of two lists of notes, as indices into them. Every expected note is right, wrong or missed; every
/// recognized note is right, wrong or extra.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alignment {
    /// Expected and recognized at the same pitch: pairs of indices.
    pub right: Vec<(usize, usize)>,
    /// Expected at one pitch and recognized at another: pairs of indices.
    pub wrong: Vec<(usize, usize)>,
    /// Expected, and nothing was recognized for it.
    pub missed: Vec<usize>,
    /// Recognized, and nothing was expected for it.
    pub extra: Vec<usize>,
}

/// The classification of a note. A wrong note in another octave has a status of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteStatus {
    /// The same pitch in both lists.
    Right,
    /// Wrong: the same pitch class in another octave.
    Octave,
    /// Wrong: another pitch was recognized.
    Wrong,
    /// Expected, and nothing was recognized.
    Missed,
    /// Recognized, and nothing was expected.
    Extra,
}

impl Alignment {
    /// Aligns two lists; the onsets of a pair are at most `tolerance` seconds apart.
    ///
    /// First, as many notes as possible are paired with one of the same pitch, in the order of time: notes of one pitch
    /// are on a line and have windows of equal width, so that the earliest fitting note is an optimal choice. The
    /// remaining notes are paired by the smallest distance in pitch, then in time.
    pub fn new(expected: &[Note], recognized: &[Note], tolerance: f64) -> Self {
        let mut free_expected = by_time(expected);
        let mut free_recognized = by_time(recognized);
        let fits = |left: usize, right: usize| {
            is_near(expected[left].onset, recognized[right].onset, tolerance)
        };

        let mut right_pairs = Vec::new();
        free_expected.retain(|&left| {
            let found = free_recognized.iter().position(|&right| {
                expected[left].midi == recognized[right].midi && fits(left, right)
            });
            match found {
                Some(index) => right_pairs.push((left, free_recognized.remove(index))),
                None => return true,
            }
            false
        });

        let mut candidates: Vec<(usize, usize)> = Vec::new();
        for &left in &free_expected {
            let near = free_recognized.iter().filter(|&&right| fits(left, right));
            candidates.extend(near.map(|&right| (left, right)));
        }
        // The sort is stable: ties are in the order of time.
        candidates.sort_by_key(|&(left, right)| {
            let pitch = expected[left].midi.abs_diff(recognized[right].midi);
            let time = (expected[left].onset - recognized[right].onset).abs();
            (pitch, (time * 1e4).round_ties_even() as u64)
        });
        let mut wrong_pairs = Vec::new();
        for (left, right) in candidates {
            if free_expected.contains(&left) && free_recognized.contains(&right) {
                free_expected.retain(|&other| other != left);
                free_recognized.retain(|&other| other != right);
                wrong_pairs.push((left, right));
            }
        }
        Self {
            right: right_pairs,
            wrong: wrong_pairs,
            missed: free_expected,
            extra: free_recognized,
        }
    }

    /// The number of wrong, missed and extra notes.
    pub fn error_count(&self) -> usize {
        self.wrong.len() + self.missed.len() + self.extra.len()
    }

    /// The status of each expected and of each recognized note of the aligned lists.
    pub fn statuses(
        &self,
        expected: &[Note],
        recognized: &[Note],
    ) -> (Vec<NoteStatus>, Vec<NoteStatus>) {
        let mut of_expected = vec![NoteStatus::Missed; expected.len()];
        let mut of_recognized = vec![NoteStatus::Extra; recognized.len()];
        let right = self.right.iter().map(|&pair| (pair, NoteStatus::Right));
        let wrong = self.wrong.iter().map(|&(left, right)| {
            let is_octave = expected[left].midi % 12 == recognized[right].midi % 12;
            let status = match is_octave {
                true => NoteStatus::Octave,
                false => NoteStatus::Wrong,
            };
            ((left, right), status)
        });
        for ((left, right), status) in right.chain(wrong) {
            of_expected[left] = status;
            of_recognized[right] = status;
        }
        (of_expected, of_recognized)
    }
}

/// Indices in the order of time, then of pitch, without the notes whose onset is not finite.
fn by_time(notes: &[Note]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..notes.len())
        .filter(|&index| notes[index].onset.is_finite())
        .collect();
    order.sort_by(|&one, &other| {
        let (one, other) = (&notes[one], &notes[other]);
        one.onset
            .total_cmp(&other.onset)
            .then(one.midi.cmp(&other.midi))
    });
    order
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::{TimedNote, score};

    #[derive(Deserialize)]
    struct AlignmentCase {
        name: String,
        tolerance: f64,
        expected: Vec<Note>,
        #[serde(rename = "recognised")]
        recognized: Vec<Note>,
        right: Vec<(usize, usize)>,
        wrong: Vec<(usize, usize)>,
        missed: Vec<usize>,
        extra: Vec<usize>,
    }

    fn note(midi: u8, onset: f64) -> Note {
        Note { midi, onset }
    }

    #[test]
    fn wrong_notes_of_a_chord_pair_with_the_nearest_pitch() {
        let expected = [note(60, 1.0), note(64, 1.0), note(67, 1.0), note(72, 3.0)];
        let recognized = [note(60, 1.01), note(68, 1.0), note(65, 1.02), note(40, 2.0)];
        let found = Alignment::new(&expected, &recognized, 0.05);
        assert_eq!(found.right, [(0, 0)]);
        assert_eq!(found.wrong, [(2, 1), (1, 2)]);
        assert_eq!((found.missed, found.extra), (vec![3], vec![3]));
    }

    #[test]
    fn alignments_match_the_shared_cases() {
        const CASES: &str = include_str!("../../tests/vectors/alignment/cases.json");
        let cases: Vec<AlignmentCase> = serde_json::from_str(CASES).unwrap();
        assert!(cases.len() > 50);
        for case in cases {
            let mut found = Alignment::new(&case.expected, &case.recognized, case.tolerance);
            found.right.sort_unstable();
            found.wrong.sort_unstable();
            found.missed.sort_unstable();
            found.extra.sort_unstable();
            let expected = Alignment {
                right: case.right,
                wrong: case.wrong,
                missed: case.missed,
                extra: case.extra,
            };
            assert_eq!(found, expected, "{}", case.name);
        }
    }

    proptest! {
        /// No note is lost or counted twice, and as many are right as mir_eval's matching finds.
        #[test]
        fn each_note_has_one_status_and_right_pairs_are_maximal(
            expected in notes(), recognized in notes(),
        ) {
            let found = Alignment::new(&expected, &recognized, 0.05);
            let pairs = || found.right.iter().chain(&found.wrong);
            let mut left: Vec<usize> = pairs().map(|pair| pair.0).chain(found.missed.clone()).collect();
            let mut right: Vec<usize> = pairs().map(|pair| pair.1).chain(found.extra.clone()).collect();
            left.sort_unstable();
            right.sort_unstable();
            prop_assert_eq!(left, (0..expected.len()).collect::<Vec<_>>());
            prop_assert_eq!(right, (0..recognized.len()).collect::<Vec<_>>());
            let timed = |notes: &[Note]| -> Vec<TimedNote> {
                notes
                    .iter()
                    .map(|note| TimedNote { midi: f64::from(note.midi), onset: note.onset, offset: None })
                    .collect()
            };
            let max = score(&timed(&expected), &timed(&recognized), 0.05).notes.matched;
            prop_assert_eq!(found.right.len(), max);
        }
    }

    fn notes() -> impl Strategy<Value = Vec<Note>> {
        let one = (60u8..66, 0u32..200)
            .prop_map(|(midi, hundredths)| note(midi, f64::from(hundredths) / 100.0));
        prop::collection::vec(one, 0..40)
    }
}
