//! The lock-free ring buffer between the audio callback and the thread that delivers frames.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use zeroize::Zeroize as _;

use super::{
    callback::{Counters, Gap, Producer},
    source::{ReadOutcome, StreamStats},
};

/// The capacity, in seconds: the thread that reads may be starved by the system for that long. At 48 kHz it takes
/// 384 kB.
const CAPACITY_SECONDS: usize = 2;
/// The capacity of the queue of gaps. Each gap is between samples, so that there are rarely two.
const GAP_CAPACITY: usize = 64;

/// The reader's end of the ring buffer.
#[derive(Debug)]
pub(super) struct Consumer {
    samples: rtrb::Consumer<f32>,
    gaps: rtrb::Consumer<Gap>,
    counters: Arc<Counters>,
    rate: u32,
    /// Samples read from the ring buffer.
    read: u64,
}

/// A ring buffer for audio at `rate` Hz.
pub(super) fn ring(rate: u32, channels: u16) -> (Producer, Consumer) {
    let (samples_in, samples_out) = rtrb::RingBuffer::new(rate as usize * CAPACITY_SECONDS);
    let (gaps_in, gaps_out) = rtrb::RingBuffer::new(GAP_CAPACITY);
    let counters = Arc::new(Counters::default());
    let producer = Producer::new(samples_in, gaps_in, counters.clone(), rate, channels);
    let consumer = Consumer {
        samples: samples_out,
        gaps: gaps_out,
        counters,
        rate,
        read: 0,
    };
    (producer, consumer)
}

impl Consumer {
    /// Fills `into`, or reads less if a gap or the end comes first.
    pub(super) fn read(&mut self, into: &mut [f32]) -> ReadOutcome {
        // The order matters: once the end, or a sample, is visible, so is everything that the producer did before it.
        let ended = self.samples.is_abandoned();
        let available = self.samples.slots();

        let mut lost = 0;
        let mut until_gap = usize::MAX;
        while let Ok(gap) = self.gaps.peek() {
            if gap.at > self.read {
                until_gap = usize::try_from(gap.at - self.read).unwrap_or(usize::MAX);
                break;
            }
            // The sample after the gap may not be visible yet; then the gap stays in the queue.
            if available == 0 {
                break;
            }
            lost += gap.lost;
            let _ = self.gaps.pop();
        }

        let count = available.min(into.len()).min(until_gap);
        let complete = count == into.len() || count == until_gap || ended || lost > 0;
        if count == 0 && ended {
            ReadOutcome::Ended
        } else if count == 0 || !complete {
            ReadOutcome::Pending(self.duration_of(into.len() - count))
        } else {
            self.pop_into(&mut into[..count]);
            ReadOutcome::Samples { count, lost }
        }
    }

    /// The faults since the ring buffer was created.
    pub(super) fn stats(&self) -> StreamStats {
        StreamStats {
            lost: self.counters.lost.load(Ordering::Relaxed),
            non_finite: self.counters.non_finite.load(Ordering::Relaxed),
        }
    }

    /// Counts the samples in `unopened`, which will never be read, and those it had lost, as lost.
    pub(super) fn inherit_dropped(&self, unopened: &Self) {
        let waiting = unopened.samples.slots() as u64;
        let lost = waiting + unopened.stats().lost;
        self.counters.lost.fetch_add(lost, Ordering::Relaxed);
    }

    /// Moves samples out and zeroes them in the ring buffer.
    fn pop_into(&mut self, into: &mut [f32]) {
        let Ok(mut chunk) = self.samples.read_chunk(into.len()) else {
            return;
        };
        let (first, second) = chunk.as_mut_slices();
        let (head, tail) = into.split_at_mut(first.len());
        head.copy_from_slice(first);
        tail.copy_from_slice(second);
        first.zeroize();
        second.zeroize();
        chunk.commit_all();
        self.read += into.len() as u64;
    }

    fn duration_of(&self, samples: usize) -> Duration {
        Duration::from_secs_f64(samples as f64 / f64::from(self.rate))
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if let Ok(mut chunk) = self.samples.read_chunk(self.samples.slots()) {
            let (first, second) = chunk.as_mut_slices();
            first.zeroize();
            second.zeroize();
            chunk.commit_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: u32 = 8_000;

    /// Reads all samples, each with its position.
    fn drain(
        consumer: &mut Consumer,
        position: &mut u64,
        seen: &mut Vec<(u64, f32)>,
        buffer: usize,
    ) {
        let mut into = vec![0.0; buffer];
        while let ReadOutcome::Samples { count, lost } = consumer.read(&mut into) {
            *position += lost;
            for sample in &into[..count] {
                seen.push((*position, *sample));
                *position += 1;
            }
        }
    }

    proptest! {
        /// For any order of pushes and reads, each sample arrives at its position, and lost samples are counted.
        #[test]
        fn positions_are_correct_after_overruns(
            steps in prop::collection::vec((0_usize..9_000, 0_usize..3, 0_u64..20), 1..40),
            buffer in 1_usize..300,
        ) {
            let (mut producer, mut consumer) = ring(RATE, 1);
            let (mut next, mut position, mut lost) = (0_u64, 0_u64, 0_u64);
            let mut seen = Vec::new();
            for (samples, drains, lost_before) in steps {
                producer.report_dropped(lost_before);
                next += lost_before;
                // The value of a sample is its position; f32 is exact in this range.
                let block: Vec<f32> = (next..next + samples as u64).map(|n| n as f32).collect();
                lost += lost_before + producer.push(&block);
                next += samples as u64;
                if drains == 0 {
                    drain(&mut consumer, &mut position, &mut seen, buffer);
                }
            }
            drop(producer);
            drain(&mut consumer, &mut position, &mut seen, buffer);
            prop_assert!(seen.iter().all(|&(position, sample)| sample == position as f32));
            prop_assert_eq!(seen.len() as u64 + lost, next);
            prop_assert_eq!(consumer.stats().lost, lost);
        }
    }

    #[test]
    fn a_partial_frame_is_read_only_before_a_gap_or_the_end() {
        let (mut producer, mut consumer) = ring(RATE, 1);
        let mut into = [0.0; 80];
        producer.push(&[0.5_f32; 30]);
        assert_eq!(
            consumer.read(&mut into),
            ReadOutcome::Pending(Duration::from_micros(6_250))
        );
        producer.report_dropped(7);
        producer.push(&[0.25_f32; 30]);
        assert_eq!(
            consumer.read(&mut into),
            ReadOutcome::Samples { count: 30, lost: 0 }
        );
        drop(producer);
        assert_eq!(
            consumer.read(&mut into),
            ReadOutcome::Samples { count: 30, lost: 7 }
        );
        assert_eq!(consumer.read(&mut into), ReadOutcome::Ended);
    }
}
