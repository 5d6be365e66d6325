//! The notes of one sample: what became of each, by the definition of [`Alignment`].

use sordino::sampler::{Annotation, Note};

use crate::score::Alignment;

/// What became of a note. A note of another octave is a wrong note that is drawn apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// The same pitch in both lists.
    Right,
    /// Wrong: the same tone, some octaves away.
    Octave,
    /// Wrong: another note was recognized for it.
    Wrong,
    /// Expected, and nothing was recognized for it.
    Missed,
    /// Recognized, and nothing was expected for it.
    Extra,
}

/// Both lists with what became of each note.
pub(super) struct Comparison {
    pub(super) expected: Vec<(Note, Match)>,
    pub(super) recognized: Vec<(Note, Match)>,
}

impl Comparison {
    /// Of an annotation whose pairs have onsets at most `tolerance` seconds apart.
    pub(super) fn of(annotation: &Annotation, tolerance: f64) -> Self {
        let Annotation {
            expected,
            recognized,
            ..
        } = annotation;
        let found = Alignment::of(expected, recognized, tolerance);
        let mut of_expected = vec![Match::Missed; expected.len()];
        let mut of_recognized = vec![Match::Extra; recognized.len()];
        let right = found.right.iter().map(|pair| (pair, Match::Right));
        let wrong = found.wrong.iter().map(|pair| {
            let is_octave = expected[pair.0].midi % 12 == recognized[pair.1].midi % 12;
            let kind = if is_octave {
                Match::Octave
            } else {
                Match::Wrong
            };
            (pair, kind)
        });
        for (&(asked, heard), kind) in right.chain(wrong) {
            of_expected[asked] = kind;
            of_recognized[heard] = kind;
        }
        let with_matches = |notes: &[Note], matches: Vec<Match>| {
            let all = notes.iter().copied().zip(matches);
            all.filter(|(note, _)| note.onset.is_finite()).collect()
        };
        Self {
            expected: with_matches(expected, of_expected),
            recognized: with_matches(recognized, of_recognized),
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
        let of_expected = |kind: Match| count(&self.expected, kind);
        let octaves = of_expected(Match::Octave);
        let wrong = match (octaves + of_expected(Match::Wrong), octaves) {
            (wrong, 0) => (wrong, "wrong".to_owned()),
            (wrong, octaves) => (wrong, format!("wrong ({octaves} in another octave)")),
        };
        let parts: Vec<String> = [
            (of_expected(Match::Right), "right".to_owned()),
            wrong,
            (of_expected(Match::Missed), "missed".to_owned()),
            (count(&self.recognized, Match::Extra), "extra".to_owned()),
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

fn count(notes: &[(Note, Match)], kind: Match) -> usize {
    notes.iter().filter(|(_, found)| *found == kind).count()
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
