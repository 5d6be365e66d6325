//! Confusion matrix of notes.

use std::collections::BTreeMap;

use crate::{Alignment, Note};

/// The pitch expected and the pitch recognized; `None` for no note.
pub type NotePair = (Option<u8>, Option<u8>);

/// The number of occurrences of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Confusion {
    /// Notes, unweighted.
    pub notes: usize,
    /// Sum of the weights of the notes' clips.
    pub weighted: f64,
}

/// Expected notes by recognized notes, weighted.
#[derive(Clone, Debug, Default)]
pub struct ConfusionMatrix {
    /// The pairs that occurred.
    pub cells: BTreeMap<NotePair, Confusion>,
}

impl ConfusionMatrix {
    /// Adds the notes of a clip with this weight.
    pub fn add(
        &mut self,
        expected: &[Note],
        recognized: &[Note],
        alignment: &Alignment,
        weight: f64,
    ) {
        let expected = |index: usize| Some(expected[index].midi);
        let recognized = |index: usize| Some(recognized[index].midi);
        for &(left, right) in alignment.right.iter().chain(&alignment.wrong) {
            self.add_pair((expected(left), recognized(right)), weight);
        }
        for &left in &alignment.missed {
            self.add_pair((expected(left), None), weight);
        }
        for &right in &alignment.extra {
            self.add_pair((None, recognized(right)), weight);
        }
    }

    /// Everything that was recognized for the expected pitch; for `None`, the extra notes.
    pub fn row_total(&self, expected: Option<u8>) -> Confusion {
        let row = self.cells.iter().filter(|((of, _), _)| *of == expected);
        row.fold(Confusion::default(), |sum, (_, cell)| Confusion {
            notes: sum.notes + cell.notes,
            weighted: sum.weighted + cell.weighted,
        })
    }

    /// The pairs that are errors, the highest weighted count first.
    pub fn errors(&self) -> Vec<(NotePair, Confusion)> {
        let mut errors: Vec<(NotePair, Confusion)> = self
            .cells
            .iter()
            .filter(|((expected, recognized), _)| expected != recognized)
            .map(|(&pair, &cell)| (pair, cell))
            .collect();
        errors.sort_by(|(_, one), (_, other)| other.weighted.total_cmp(&one.weighted));
        errors
    }

    fn add_pair(&mut self, pair: NotePair, weight: f64) {
        let cell = self.cells.entry(pair).or_default();
        cell.notes += 1;
        cell.weighted += weight;
    }
}
