//! What was asked for beside what was recognised.

use sordino::sampler::{Annotation, Note};

use crate::score::Alignment;

/// How far apart two onsets of one note may be, in seconds: what a beginner and a recogniser
/// together are off.
const NEAR: f64 = 0.2;

/// How a note fares when both lists are laid side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// The same pitch at about the same time in both lists.
    Right,
    /// The same tone some octaves away.
    Octave,
    /// In one list alone: missed, or heard where nothing was asked.
    Alone,
}

/// Both lists with the fate of each note.
pub(super) struct Comparison {
    pub(super) expected: Vec<(Note, Match)>,
    pub(super) recognised: Vec<(Note, Match)>,
}

impl Comparison {
    /// Lays both lists side by side, as the error map does; onsets of a pair are at most
    /// `tolerance` seconds apart.
    pub(super) fn of(annotation: &Annotation, tolerance: Option<f64>) -> Self {
        let Annotation {
            expected,
            recognised,
            ..
        } = annotation;
        let found = Alignment::of(expected, recognised, tolerance.unwrap_or(NEAR));
        let octave = |&&(asked, heard): &&(usize, usize)| {
            expected[asked].midi % 12 == recognised[heard].midi % 12
        };
        let mut of_expected = vec![Match::Alone; expected.len()];
        let mut of_recognised = vec![Match::Alone; recognised.len()];
        let right = found.right.iter().map(|pair| (pair, Match::Right));
        let octaves = found.wrong.iter().filter(octave);
        for (&(asked, heard), fate) in right.chain(octaves.map(|pair| (pair, Match::Octave))) {
            of_expected[asked] = fate;
            of_recognised[heard] = fate;
        }
        let with_fates = |notes: &[Note], fates: Vec<Match>| {
            let all = notes.iter().copied().zip(fates);
            all.filter(|(note, _)| note.onset.is_finite()).collect()
        };
        Self {
            expected: with_fates(expected, of_expected),
            recognised: with_fates(recognised, of_recognised),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.expected.is_empty() && self.recognised.is_empty()
    }

    /// The lowest and the highest note of both lists.
    pub(super) fn range(&self) -> Option<(u8, u8)> {
        let pitches = || {
            let all = self.expected.iter().chain(&self.recognised);
            all.map(|(note, _)| note.midi)
        };
        Some((pitches().min()?, pitches().max()?))
    }

    /// The comparison in a sentence.
    pub(super) fn summary(&self) -> String {
        let count = |notes: &[(Note, Match)], fate: Match| {
            notes.iter().filter(|(_, found)| *found == fate).count()
        };
        let parts: Vec<String> = [
            (count(&self.recognised, Match::Right), "right"),
            (count(&self.recognised, Match::Octave), "in another octave"),
            (count(&self.expected, Match::Alone), "missed"),
            (
                count(&self.recognised, Match::Alone),
                "that nobody asked for",
            ),
        ]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
        format!(
            "{} notes expected, {} recognised: {}.",
            self.expected.len(),
            self.recognised.len(),
            parts.join(", ")
        )
    }
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
