//! What was asked for beside what was recognised.

use sordino::sampler::{Annotation, Note};

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
    /// Pairs each expected note with the nearest recognised one that is still free; equal pitches
    /// first, then equal tones in other octaves.
    pub(super) fn of(annotation: &Annotation) -> Self {
        let alone = |notes: &[Note]| -> Vec<_> {
            let real = notes.iter().filter(|note| note.onset.is_finite());
            real.map(|&note| (note, Match::Alone)).collect()
        };
        let mut expected = alone(&annotation.expected);
        let mut recognised = alone(&annotation.recognised);
        let same = |a: &Note, b: &Note| a.midi == b.midi;
        let octave = |a: &Note, b: &Note| a.midi % 12 == b.midi % 12;
        pair(&mut expected, &mut recognised, Match::Right, same);
        pair(&mut expected, &mut recognised, Match::Octave, octave);
        Self {
            expected,
            recognised,
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

fn pair(
    expected: &mut [(Note, Match)],
    recognised: &mut [(Note, Match)],
    as_match: Match,
    fits: impl Fn(&Note, &Note) -> bool,
) {
    for (asked, fate) in expected {
        if *fate != Match::Alone {
            continue;
        }
        let distance = |note: &Note| (note.onset - asked.onset).abs();
        let nearest = recognised
            .iter_mut()
            .filter(|(note, fate)| {
                *fate == Match::Alone && fits(asked, note) && distance(note) <= NEAR
            })
            .min_by(|(a, _), (b, _)| distance(a).total_cmp(&distance(b)));
        if let Some((_, found)) = nearest {
            *found = as_match;
            *fate = as_match;
        }
    }
}

/// A note's name in scientific pitch notation: 60 is `C4`.
pub(super) fn name(midi: u8) -> String {
    const NAMES: [&str; 12] = [
        "C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B",
    ];
    format!(
        "{}{}",
        NAMES[usize::from(midi % 12)],
        i16::from(midi / 12) - 1
    )
}
