//! Runs of samples, to the bit.

use std::collections::HashSet;

use crate::ENCODINGS;

/// Consecutive samples that are not a coincidence: 16 of them are at least 256 bits.
const RUN: usize = 16;
/// Bytes that a sample may have.
const WIDTHS: [usize; 3] = [2, 3, 4];

/// Every run of a sound, in every encoding.
pub(crate) struct Runs(HashSet<Vec<u8>>);

impl Runs {
    pub(crate) fn of(samples: &[f32]) -> Self {
        let mut runs = HashSet::new();
        for (_, encode) in ENCODINGS {
            for run in samples.chunks_exact(RUN).filter(|run| is_telling(run)) {
                runs.insert(run.iter().flat_map(|&sample| encode(sample)).collect());
            }
        }
        Self(runs)
    }

    /// Twice as long a stretch as a run holds a whole one, wherever it begins.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Option<String> {
        WIDTHS.into_iter().find_map(|width| {
            let found = bytes.windows(RUN * width).any(|run| self.0.contains(run));
            found.then(|| format!("{RUN} samples of {width} bytes"))
        })
    }
}

/// Not silence, nor another simple pattern that may occur in a file by chance.
fn is_telling(run: &[f32]) -> bool {
    let distinct: HashSet<u32> = run.iter().map(|sample| sample.to_bits()).collect();
    distinct.len() >= RUN / 2
}
