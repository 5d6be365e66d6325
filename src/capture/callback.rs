//! REAL-TIME: what runs inside the audio callback, and nothing else.
//!
//! Nothing in this file allocates, frees, locks, logs, reads a clock or makes a system call, except
//! [`Producer::new`]. `tests/memory/realtime.rs` holds it to that.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{Downmixer, Sample};

/// A hole in the stream: before the sample that is number `at` of those that went through the ring,
/// `lost` others did not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    pub(super) at: u64,
    pub(super) lost: u64,
}

/// What both ends of the ring may look at while the other works.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) lost: AtomicU64,
    pub(super) not_finite: AtomicU64,
}

/// The callback's end of the ring.
#[derive(Debug)]
pub(super) struct Producer {
    samples: rtrb::Producer<f32>,
    gaps: rtrb::Producer<Gap>,
    counters: Arc<Counters>,
    downmixer: Downmixer,
    channels: usize,
    /// Samples that went into the ring.
    written: u64,
    /// Samples lost since the last one that went in, which the ring does not know of yet.
    missing: u64,
}

impl Producer {
    /// `channels` is at least 1, `rate` in Hz.
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
            missing: 0,
        }
    }

    /// Takes interleaved frames as mono; an incomplete frame at the end is left out. Returns how
    /// many found no room and are lost.
    pub(super) fn push<S: Sample>(&mut self, interleaved: &[S]) -> u64 {
        let frames = interleaved.len() / self.channels;
        let lost = (frames - self.try_push(interleaved)) as u64;
        self.report_dropped(lost);
        lost
    }

    /// Takes as many frames as there is room for, as mono, and returns how many; loses none.
    pub(super) fn try_push<S: Sample>(&mut self, interleaved: &[S]) -> usize {
        let room = self.samples.slots().min(interleaved.len() / self.channels);
        // Nobody would ever take or wipe what went into an abandoned ring.
        if room > 0 && !self.is_abandoned() && self.push_gap() {
            self.write(interleaved, room)
        } else {
            0
        }
    }

    /// Whether the source that took from the ring is closed.
    pub(super) fn is_abandoned(&self) -> bool {
        self.samples.is_abandoned()
    }

    /// How many channels a frame has.
    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// Notes that `samples` were lost before they came here.
    pub(super) fn report_dropped(&mut self, samples: u64) {
        if samples > 0 {
            self.missing += samples;
            self.counters.lost.fetch_add(samples, Ordering::Relaxed);
        }
    }

    /// Puts what is missing into the ring of gaps, ahead of the samples that follow it. Where that
    /// ring is full the samples have to wait too: without their gap they would stand in a wrong
    /// place.
    fn push_gap(&mut self) -> bool {
        if self.missing == 0 {
            return true;
        }
        let gap = Gap {
            at: self.written,
            lost: self.missing,
        };
        let told = self.gaps.push(gap).is_ok();
        if told {
            self.missing = 0;
        }
        told
    }

    fn write<S: Sample>(&mut self, interleaved: &[S], frames: usize) -> usize {
        let Ok(chunk) = self.samples.write_chunk_uninit(frames) else {
            return 0;
        };
        let mut not_finite = 0;
        let mono = interleaved.chunks_exact(self.channels);
        let taken =
            chunk.fill_from_iter(mono.map(|frame| self.downmixer.mix(frame, &mut not_finite)));
        self.written += taken as u64;
        if not_finite > 0 {
            self.counters
                .not_finite
                .fetch_add(not_finite, Ordering::Relaxed);
        }
        taken
    }
}
