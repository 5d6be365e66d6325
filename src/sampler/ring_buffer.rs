//! A ring buffer of the newest samples.

use zeroize::Zeroizing;

/// The newest samples of a contiguous span, in memory that is allocated once and zeroed on drop
/// (`tests/memory/wiped.rs` checks that).
pub(super) struct RingBuffer {
    ring: Zeroizing<Vec<f32>>,
    /// The position of the first sample of the span.
    start: u64,
    /// The position after the newest sample.
    end: u64,
}

impl RingBuffer {
    /// A buffer for `capacity` samples (at least one), the first of which is at `position`.
    pub(super) fn new(capacity: usize, position: u64) -> Self {
        Self {
            ring: Zeroizing::new(vec![0.0; capacity.max(1)]),
            start: position,
            end: position,
        }
    }

    /// The position of the oldest buffered sample.
    pub(super) fn oldest(&self) -> u64 {
        self.end
            .saturating_sub(self.ring.len() as u64)
            .max(self.start)
    }

    /// The position after the newest sample.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Appends samples and overwrites the oldest if the buffer is full.
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

    /// A copy of the samples at positions `from..to`; `None` if some are not buffered.
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
        fn the_buffer_has_the_newest_samples_at_their_positions(
            capacity in 1_usize..50,
            begin in 0_u64..1_000,
            blocks in prop::collection::vec(0_usize..120, 0..20),
        ) {
            let mut buffer = RingBuffer::new(capacity, begin);
            let mut all: Vec<f32> = Vec::new();
            for length in blocks {
                let block: Vec<f32> = (0..length).map(|n| (all.len() + n) as f32).collect();
                buffer.push(&block);
                all.extend(&block);
                let held = all.len().min(capacity);
                prop_assert_eq!(buffer.end(), begin + all.len() as u64);
                prop_assert_eq!(buffer.oldest(), buffer.end() - held as u64);
                let copy = buffer.copy(buffer.oldest(), buffer.end());
                prop_assert_eq!(copy.as_deref(), Some(&all[all.len() - held..]));
                prop_assert_eq!(buffer.copy(buffer.oldest(), buffer.end() + 1), None);
                if buffer.oldest() > 0 {
                    prop_assert_eq!(buffer.copy(buffer.oldest() - 1, buffer.end()), None);
                }
            }
        }
    }
}
