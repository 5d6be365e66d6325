//! The lock-free ring between the audio callback and the thread that takes frames.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use zeroize::Zeroize as _;

use super::{
    ReadOutcome, StreamStats,
    callback::{Counters, Gap, Producer},
};

/// How much sound the ring holds, in seconds. It bridges a thread that the system starves for that
/// long; at 48 kHz it takes 384 kB.
const CAPACITY_SECONDS: usize = 2;
/// How many gaps it holds; each stands between samples, so there are hardly ever two.
const GAP_CAPACITY: usize = 64;

/// The taker's end of the ring.
#[derive(Debug)]
pub(super) struct Consumer {
    samples: rtrb::Consumer<f32>,
    gaps: rtrb::Consumer<Gap>,
    counters: Arc<Counters>,
    rate: u32,
    /// Samples taken out of the ring.
    taken: u64,
}

/// A ring for sound at `rate` Hz.
pub(super) fn ring(rate: u32, channels: u16) -> (Producer, Consumer) {
    let (samples_in, samples_out) = rtrb::RingBuffer::new(rate as usize * CAPACITY_SECONDS);
    let (gaps_in, gaps_out) = rtrb::RingBuffer::new(GAP_CAPACITY);
    let counters = Arc::new(Counters::default());
    let intake = Producer::new(samples_in, gaps_in, counters.clone(), rate, channels);
    let outlet = Consumer {
        samples: samples_out,
        gaps: gaps_out,
        counters,
        rate,
        taken: 0,
    };
    (intake, outlet)
}

impl Consumer {
    /// Fills `into`, or takes less where a gap or the end comes first.
    pub(super) fn read(&mut self, into: &mut [f32]) -> ReadOutcome {
        // In this order: what the other end did before it went, and before it wrote a sample, is
        // seen after seeing that it went, and that the sample is there.
        let ended = self.samples.is_abandoned();
        let present = self.samples.slots();

        let mut lost = 0;
        let mut until_gap = usize::MAX;
        while let Ok(gap) = self.gaps.peek() {
            if gap.at > self.taken {
                until_gap = usize::try_from(gap.at - self.taken).unwrap_or(usize::MAX);
                break;
            }
            // The sample after the gap may not have been seen yet; then the gap has to stay.
            if present == 0 {
                break;
            }
            lost += gap.lost;
            let _ = self.gaps.pop();
        }

        let count = present.min(into.len()).min(until_gap);
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

    /// What was lost or repaired since the ring was made.
    pub(super) fn faults(&self) -> StreamStats {
        StreamStats {
            lost: self.counters.lost.load(Ordering::Relaxed),
            non_finite: self.counters.not_finite.load(Ordering::Relaxed),
        }
    }

    /// Counts as lost what `unopened` holds, which nobody will take, and what it had lost.
    pub(super) fn inherit_dropped(&self, unopened: &Self) {
        let waiting = unopened.samples.slots() as u64;
        let lost = waiting + unopened.faults().lost;
        self.counters.lost.fetch_add(lost, Ordering::Relaxed);
    }

    /// Moves samples out and wipes the places where they stood.
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
        self.taken += into.len() as u64;
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

    /// What the taker makes of it: each sample with its position in the source's time.
    fn drain(outlet: &mut Consumer, position: &mut u64, seen: &mut Vec<(u64, f32)>, buffer: usize) {
        let mut into = vec![0.0; buffer];
        while let ReadOutcome::Samples { count, lost } = outlet.read(&mut into) {
            *position += lost;
            for sample in &into[..count] {
                seen.push((*position, *sample));
                *position += 1;
            }
        }
    }

    proptest! {
        /// However pushes and takes interleave, and however often the ring runs over, each sample
        /// that arrives says its own number, and what did not arrive was counted.
        #[test]
        fn positions_stay_true_through_overruns(
            steps in prop::collection::vec((0_usize..9_000, 0_usize..3, 0_u64..20), 1..40),
            buffer in 1_usize..300,
        ) {
            let (mut intake, mut outlet) = ring(RATE, 1);
            let (mut next, mut position, mut lost) = (0_u64, 0_u64, 0_u64);
            let mut seen = Vec::new();
            for (samples, drains, lost_before) in steps {
                intake.report_dropped(lost_before);
                next += lost_before;
                // A sample's value is its number; f32 is exact that far.
                let block: Vec<f32> = (next..next + samples as u64).map(|n| n as f32).collect();
                lost += lost_before + intake.push(&block);
                next += samples as u64;
                if drains == 0 {
                    drain(&mut outlet, &mut position, &mut seen, buffer);
                }
            }
            drop(intake);
            drain(&mut outlet, &mut position, &mut seen, buffer);
            prop_assert!(seen.iter().all(|&(position, sample)| sample == position as f32));
            prop_assert_eq!(seen.len() as u64 + lost, next);
            prop_assert_eq!(outlet.faults().lost, lost);
        }
    }

    #[test]
    fn a_full_frame_is_waited_for_but_neither_a_gap_nor_the_end_is() {
        let (mut intake, mut outlet) = ring(RATE, 1);
        let mut into = [0.0; 80];
        intake.push(&[0.5_f32; 30]);
        assert_eq!(
            outlet.read(&mut into),
            ReadOutcome::Pending(Duration::from_micros(6_250))
        );
        intake.report_dropped(7);
        intake.push(&[0.25_f32; 30]);
        assert_eq!(
            outlet.read(&mut into),
            ReadOutcome::Samples { count: 30, lost: 0 }
        );
        drop(intake);
        assert_eq!(
            outlet.read(&mut into),
            ReadOutcome::Samples { count: 30, lost: 7 }
        );
        assert_eq!(outlet.read(&mut into), ReadOutcome::Ended);
    }
}
