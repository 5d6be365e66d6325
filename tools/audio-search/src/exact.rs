//! Consecutive samples that are equal to the bit.

use std::collections::HashSet;

use crate::ENCODINGS;

/// Samples of a run. 16 samples are at least 256 bits, too many to be equal by chance.
const RUN: usize = 16;
/// Bytes per sample of the encodings.
const WIDTHS: [usize; 3] = [2, 3, 4];

/// All runs of a recording, in all encodings.
pub(crate) struct ExactMatcher(HashSet<Vec<u8>>);

impl ExactMatcher {
    pub(crate) fn new(samples: &[f32]) -> Self {
        let mut runs = HashSet::new();
        for (_, encode) in ENCODINGS {
            for run in samples.chunks_exact(RUN).filter(|run| is_distinctive(run)) {
                runs.insert(run.iter().flat_map(|&sample| encode(sample)).collect());
            }
        }
        Self(runs)
    }

    /// Finds any part of the recording with at least twice the length of a run, since that contains a whole run.
    pub(crate) fn find_in(&self, bytes: &[u8]) -> Option<String> {
        WIDTHS.into_iter().find_map(|width| {
            let found = bytes.windows(RUN * width).any(|run| self.0.contains(run));
            found.then(|| format!("{RUN} samples of {width} bytes"))
        })
    }
}

/// Whether a run is not silence or another simple pattern that files contain by chance.
fn is_distinctive(run: &[f32]) -> bool {
    let distinct: HashSet<u32> = run.iter().map(|sample| sample.to_bits()).collect();
    distinct.len() >= RUN / 2
}
