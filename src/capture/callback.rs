//! REAL-TIME: the code that runs inside the audio callback.
//!
//! Nothing in this file allocates, frees, locks, logs, reads a clock or makes a system call, except [`Producer::new`].
//! `tests/memory/realtime.rs` checks that.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{downmix::Downmixer, sample::Sample};

/// A gap in the stream: `lost` samples are missing before sample number `at` of the ring buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    pub(super) at: u64,
    pub(super) lost: u64,
}

/// Counters that both ends of the ring buffer share.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) lost: AtomicU64,
    pub(super) non_finite: AtomicU64,
}

/// The callback's end of the ring buffer.
#[derive(Debug)]
pub(super) struct Producer {
    samples: rtrb::Producer<f32>,
    gaps: rtrb::Producer<Gap>,
    counters: Arc<Counters>,
    downmixer: Downmixer,
    channels: usize,
    /// Samples written to the ring buffer.
    written: u64,
    /// Samples lost since the last written one, for which no gap was pushed yet.
    pending_gap: u64,
}

impl Producer {
    /// `channels` is at least 1; `rate` is in Hz.
    pub(super) fn new(
        samples: rtrb::Producer<f32>,
        gaps: rtrb::Producer<Gap>,
        counters: Arc<Counters>,
        rate: u32,
        channels: u16,
    ) -> Self {
        Self {
            samples,
            gaps,
            counters,
            downmixer: Downmixer::new(rate, channels),
            channels: usize::from(channels.max(1)),
            written: 0,
            pending_gap: 0,
        }
    }

    /// Writes interleaved frames as mono; an incomplete frame at the end is ignored. Returns the number of frames that
    /// did not fit and are lost.
    pub(super) fn push<S: Sample>(&mut self, interleaved: &[S]) -> u64 {
        let frames = interleaved.len() / self.channels;
        let lost = (frames - self.try_push(interleaved)) as u64;
        self.report_dropped(lost);
        lost
    }

    /// Writes as many frames as fit, as mono, and returns their number; loses none.
    pub(super) fn try_push<S: Sample>(&mut self, interleaved: &[S]) -> usize {
        let free = self.samples.slots().min(interleaved.len() / self.channels);
        // Nothing reads or zeroes the samples of an abandoned ring buffer.
        if free > 0 && !self.is_abandoned() && self.push_gap() {
            self.write(interleaved, free)
        } else {
            0
        }
    }

    /// Whether the other end of the ring buffer was dropped.
    pub(super) fn is_abandoned(&self) -> bool {
        self.samples.is_abandoned()
    }

    /// The number of channels of a frame.
    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// Records that `samples` were lost before they got here.
    pub(super) fn report_dropped(&mut self, samples: u64) {
        if samples > 0 {
            self.pending_gap += samples;
            self.counters.lost.fetch_add(samples, Ordering::Relaxed);
        }
    }

    /// Pushes the pending gap, ahead of the samples that follow it. If the queue of gaps is full, the samples have to
    /// wait too: without their gap, their positions would be wrong.
    fn push_gap(&mut self) -> bool {
        if self.pending_gap == 0 {
            return true;
        }
        let gap = Gap {
            at: self.written,
            lost: self.pending_gap,
        };
        let pushed = self.gaps.push(gap).is_ok();
        if pushed {
            self.pending_gap = 0;
        }
        pushed
    }

    fn write<S: Sample>(&mut self, interleaved: &[S], frames: usize) -> usize {
        let Ok(chunk) = self.samples.write_chunk_uninit(frames) else {
            return 0;
        };
        let mut non_finite = 0;
        let mono = interleaved.chunks_exact(self.channels);
        let written =
            chunk.fill_from_iter(mono.map(|frame| self.downmixer.mix(frame, &mut non_finite)));
        self.written += written as u64;
        if non_finite > 0 {
            self.counters
                .non_finite
                .fetch_add(non_finite, Ordering::Relaxed);
        }
        written
    }
}
