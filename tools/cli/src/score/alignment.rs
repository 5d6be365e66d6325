//! Which note was taken for which: the definition of docs/evaluating.md, which `sordino query`, `sordino report` and its
//! cards count by.
//!
//! The review page (`tools/collector/page/src/alignment.ts`) and the Python package (`sordino/_errors.py`) have the same
//! rules in their languages. The cases in `tests/vectors/alignment` run in the tests of all three.

use sordino::sampler::Note;

use super::near;

/// What became of each note of a sample. Every expected note is right, wrong or missed; every
/// recognized one right, wrong or extra.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Alignment {
    /// Expected and recognized at the same pitch: indices into both lists.
    pub(crate) right: Vec<(usize, usize)>,
    /// Expected at one pitch and recognized at another: indices into both lists.
    pub(crate) wrong: Vec<(usize, usize)>,
    /// Expected, and nothing was recognized for it: indices.
    pub(crate) missed: Vec<usize>,
    /// Recognized, and nothing was expected for it: indices.
    pub(crate) extra: Vec<usize>,
}

impl Alignment {
    /// Lays both lists side by side; onsets of a pair are at most `tolerance` seconds apart.
    ///
    /// First as many notes as can be are paired with one of their pitch, in the order of time: notes
    /// of one pitch lie on a line and have windows of one width, so that the earliest that fits
    /// is never a bad choice. Of what is left, those nearest in pitch are taken for each other, then
    /// those nearest in time.
    pub(crate) fn of(expected: &[Note], recognized: &[Note], tolerance: f64) -> Self {
        let mut free_expected = by_time(expected);
        let mut free_recognized = by_time(recognized);
        let fits = |left: usize, right: usize| {
            near(expected[left].onset, recognized[right].onset, tolerance)
        };

        let mut right = Vec::new();
        free_expected.retain(|&asked| {
            let found = free_recognized.iter().position(|&heard| {
                expected[asked].midi == recognized[heard].midi && fits(asked, heard)
            });
            match found {
                Some(place) => right.push((asked, free_recognized.remove(place))),
                None => return true,
            }
            false
        });

        let mut candidates: Vec<(usize, usize)> = Vec::new();
        for &asked in &free_expected {
            let near_ones = free_recognized.iter().filter(|&&heard| fits(asked, heard));
            candidates.extend(near_ones.map(|&heard| (asked, heard)));
        }
        // Stable: among equals the order of time decides.
        candidates.sort_by_key(|&(asked, heard)| {
            let pitch = expected[asked].midi.abs_diff(recognized[heard].midi);
            let time = (expected[asked].onset - recognized[heard].onset).abs();
            (pitch, (time * 1e4).round_ties_even() as u64)
        });
        let mut wrong = Vec::new();
        for (asked, heard) in candidates {
            if free_expected.contains(&asked) && free_recognized.contains(&heard) {
                free_expected.retain(|&other| other != asked);
                free_recognized.retain(|&other| other != heard);
                wrong.push((asked, heard));
            }
        }
        Self {
            right,
            wrong,
            missed: free_expected,
            extra: free_recognized,
        }
    }
}

/// Indices in the order of time, then of pitch; a note at no time is none.
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
pub(crate) mod cases {
    //! The cases that all implementations share.
    #![allow(clippy::unwrap_used)]

    use serde::Deserialize;
    use sordino::sampler::Note;

    use super::Alignment;

    #[derive(Deserialize)]
    struct Written {
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

    /// Two lists and what becomes of their notes, the indices in order.
    pub(crate) struct Case {
        pub(crate) name: String,
        /// In seconds.
        pub(crate) tolerance: f64,
        pub(crate) expected: Vec<Note>,
        pub(crate) recognized: Vec<Note>,
        pub(crate) alignment: Alignment,
    }

    pub(crate) fn cases() -> Vec<Case> {
        const CASES: &str = include_str!("../../../../tests/vectors/alignment/cases.json");
        let written: Vec<Written> = serde_json::from_str(CASES).unwrap();
        let case = |written: Written| Case {
            name: written.name,
            tolerance: written.tolerance,
            expected: written.expected,
            recognized: written.recognized,
            alignment: Alignment {
                right: written.right,
                wrong: written.wrong,
                missed: written.missed,
                extra: written.extra,
            },
        };
        written.into_iter().map(case).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::{cases::cases, *};
    use crate::score::{TimedNote, score};

    fn note(midi: u8, onset: f64) -> Note {
        Note {
            midi,
            onset,
            offset: None,
        }
    }

    #[test]
    fn a_chord_s_wrong_note_is_taken_for_its_neighbor_not_for_another_of_the_chord() {
        let expected = [note(60, 1.0), note(64, 1.0), note(67, 1.0), note(72, 3.0)];
        let recognized = [note(60, 1.01), note(68, 1.0), note(65, 1.02), note(40, 2.0)];
        let found = Alignment::of(&expected, &recognized, 0.05);
        assert_eq!(found.right, [(0, 0)]);
        assert_eq!(found.wrong, [(2, 1), (1, 2)]);
        assert_eq!((found.missed, found.extra), (vec![3], vec![3]));
    }

    #[test]
    fn notes_are_taken_for_each_other_as_the_shared_cases_say() {
        let cases = cases();
        assert!(cases.len() > 50);
        for case in cases {
            let mut found = Alignment::of(&case.expected, &case.recognized, case.tolerance);
            found.right.sort_unstable();
            found.wrong.sort_unstable();
            found.missed.sort_unstable();
            found.extra.sort_unstable();
            assert_eq!(found, case.alignment, "{}", case.name);
        }
    }

    proptest! {
        /// No note is lost or counted twice, and as many are right as mir_eval's matching finds.
        #[test]
        fn each_note_has_one_fate_and_as_many_are_right_as_can_be(
            expected in notes(), recognized in notes(),
        ) {
            let found = Alignment::of(&expected, &recognized, 0.05);
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
            let most = score(&timed(&expected), &timed(&recognized), 0.05).notes.matched;
            prop_assert_eq!(found.right.len(), most);
        }
    }

    fn notes() -> impl Strategy<Value = Vec<Note>> {
        let one = (60u8..66, 0u32..200)
            .prop_map(|(midi, hundredths)| note(midi, f64::from(hundredths) / 100.0));
        prop::collection::vec(one, 0..40)
    }
}
