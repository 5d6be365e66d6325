//! The rolling memory of what was heard last.

use zeroize::Zeroizing;

/// The newest samples of one unbroken stretch of the stream, in memory that is allocated once and
/// wiped on drop (`tests/memory/wiped.rs` shows it).
pub(super) struct RingBuffer {
    ring: Zeroizing<Vec<f32>>,
    /// Position of the first sample of the stretch.
    begin: u64,
    /// Position after the newest sample.
    end: u64,
}

impl RingBuffer {
    /// Holds up to `capacity` samples (at least one); the first will be at `position`.
    pub(super) fn new(capacity: usize, position: u64) -> Self {
        Self {
            ring: Zeroizing::new(vec![0.0; capacity.max(1)]),
            begin: position,
            end: position,
        }
    }

    /// Position of the oldest sample held.
    pub(super) fn oldest(&self) -> u64 {
        self.end
            .saturating_sub(self.ring.len() as u64)
            .max(self.begin)
    }

    /// Position after the newest sample.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Adds samples, over the oldest where there is no more room.
    pub(super) fn push(&mut self, samples: &[f32]) {
        let skipped = samples.len().saturating_sub(self.ring.len());
        self.end += skipped as u64;
        let kept = &samples[skipped..];
        let at = self.index(self.end);
        let (head, tail) = kept.split_at(kept.len().min(self.ring.len() - at));
        self.ring[at..at + head.len()].copy_from_slice(head);
        self.ring[..tail.len()].copy_from_slice(tail);
        self.end += kept.len() as u64;
    }

    /// A copy of the samples at positions `from..to`, where all of them are held.
    pub(super) fn copy(&self, from: u64, to: u64) -> Option<Vec<f32>> {
        if from > to || from < self.oldest() || to > self.end {
            return None;
        }
        let length = (to - from) as usize;
        let at = self.index(from);
        let head = length.min(self.ring.len() - at);
        let mut samples = Vec::with_capacity(length);
        samples.extend_from_slice(&self.ring[at..at + head]);
        samples.extend_from_slice(&self.ring[..length - head]);
        Some(samples)
    }

    fn index(&self, position: u64) -> usize {
        (position % self.ring.len() as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_just_the_newest_samples_at_their_positions(
            capacity in 1_usize..50,
            begin in 0_u64..1_000,
            blocks in prop::collection::vec(0_usize..120, 0..20),
        ) {
            let mut pre_roll = RingBuffer::new(capacity, begin);
            let mut all: Vec<f32> = Vec::new();
            for length in blocks {
                let block: Vec<f32> = (0..length).map(|n| (all.len() + n) as f32).collect();
                pre_roll.push(&block);
                all.extend(&block);
                let held = all.len().min(capacity);
                prop_assert_eq!(pre_roll.end(), begin + all.len() as u64);
                prop_assert_eq!(pre_roll.oldest(), pre_roll.end() - held as u64);
                let copy = pre_roll.copy(pre_roll.oldest(), pre_roll.end());
                prop_assert_eq!(copy.as_deref(), Some(&all[all.len() - held..]));
                prop_assert_eq!(pre_roll.copy(pre_roll.oldest(), pre_roll.end() + 1), None);
                if pre_roll.oldest() > 0 {
                    prop_assert_eq!(pre_roll.copy(pre_roll.oldest() - 1, pre_roll.end()), None);
                }
            }
        }
    }
}
