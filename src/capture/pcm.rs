//! Audio that the app pushes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{
    callback::Producer,
    error::CaptureError,
    ring::{Consumer, ring},
    sample::Sample,
    source::{Format, ReadOutcome, Source, SourceStream, StreamStats, check_format},
};

/// The name of the source in events and errors.
const DEVICE: &str = "host audio";

/// The interval at which [`PcmWriter::write`] checks for free space while it waits.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The writing end of [`pcm_channel`]. Dropping it ends the source.
///
/// The channel buffers two seconds. [`Self::push`] never waits and suits live audio; [`Self::write`] waits for free
/// space and suits recordings; with [`Self::try_push`] the app waits itself.
#[derive(Debug)]
pub struct PcmWriter {
    producer: Producer,
    next: Arc<NextRing>,
}

/// The source that delivers what a [`PcmWriter`] writes.
#[derive(Debug)]
pub struct PcmSource {
    next: Arc<NextRing>,
}

/// A channel for the app's own audio: interleaved samples of `channels` channels at `rate` Hz.
///
/// # Errors
/// [`CaptureError::Unsupported`]: no channels, or a sample rate outside 8 to 384 kHz.
pub fn pcm_channel(rate: u32, channels: u16) -> Result<(PcmWriter, PcmSource), CaptureError> {
    let next = Arc::new(NextRing::default());
    let producer = next.renew(rate, channels)?;
    let writer = PcmWriter {
        producer,
        next: next.clone(),
    };
    Ok((writer, PcmSource { next }))
}

impl PcmWriter {
    /// Writes interleaved samples; an incomplete frame at the end is ignored. Real-time: it may be called from the
    /// audio callback. Returns the number of frames that did not fit and are lost, which
    /// [`CaptureEvent::Overrun`](super::CaptureEvent::Overrun) and [`Frame::lost`](super::Frame::lost) report too.
    #[must_use = "returns the number of lost frames"]
    pub fn push<S: Sample>(&mut self, interleaved: &[S]) -> u64 {
        self.producer.push(interleaved)
    }

    /// Like [`Self::push`], but waits up to `timeout` for free space, so that a whole recording can be written at once.
    /// Returns the number of frames that did not fit and are lost: 0 if everything was written, all remaining frames if
    /// the source was closed. Not real-time: do not call it from the audio callback, nor from the handler that receives
    /// the frames, which is what frees space.
    #[must_use = "returns the number of lost frames"]
    pub fn write<S: Sample>(&mut self, interleaved: &[S], timeout: Duration) -> u64 {
        let mut rest = interleaved;
        poll_until(timeout, |is_last| {
            rest = &rest[self.try_push(rest) * self.producer.channels()..];
            let is_written = rest.len() < self.producer.channels();
            (is_written || is_last || self.is_closed()).then(|| self.producer.push(rest))
        })
    }

    /// Like [`Self::push`], but writes only the frames that fit, and returns their number. No frame is lost: write the
    /// others later, or report them with [`Self::report_dropped`]. Real-time.
    #[must_use = "returns the number of frames that were written"]
    pub fn try_push<S: Sample>(&mut self, interleaved: &[S]) -> usize {
        self.producer.try_push(interleaved)
    }

    /// Like [`Self::push`], for 32-bit floats in little-endian bytes.
    #[must_use = "returns the number of lost frames"]
    pub fn push_f32_bytes(&mut self, interleaved: &[u8]) -> u64 {
        self.producer.push(interleaved.as_chunks::<4>().0)
    }

    /// Like [`Self::push`], for 16-bit integers in little-endian bytes.
    #[must_use = "returns the number of lost frames"]
    pub fn push_i16_bytes(&mut self, interleaved: &[u8]) -> u64 {
        self.producer.push(interleaved.as_chunks::<2>().0)
    }

    /// Whether the source was closed: what is pushed from now on is lost.
    pub fn is_closed(&self) -> bool {
        self.producer.is_abandoned()
    }

    /// Reports that the app dropped `frames` before the next push, so that positions stay correct. Real-time.
    pub fn report_dropped(&mut self, frames: u64) {
        self.producer.report_dropped(frames);
    }

    /// Changes the format, for example after a headset was plugged in. The source is reported as lost and reopened.
    /// Samples written before still arrive, unless the format changes again before the source was reopened: then they
    /// are lost, and reported as such. Not real-time: it allocates.
    ///
    /// # Errors
    /// [`CaptureError::Unsupported`] as for [`pcm_channel`]; the format then stays as before.
    pub fn change_format(&mut self, rate: u32, channels: u16) -> Result<(), CaptureError> {
        self.producer = self.next.renew(rate, channels)?;
        Ok(())
    }
}

/// Calls `attempt` until it returns a value. It gets `true` on the last call, after `timeout`, and must return one
/// then.
fn poll_until<T>(timeout: Duration, mut attempt: impl FnMut(bool) -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        let left = timeout.saturating_sub(started.elapsed());
        if let Some(outcome) = attempt(left.is_zero()) {
            return outcome;
        }
        thread::sleep(POLL_INTERVAL.min(left));
    }
}

impl Source for PcmSource {
    fn open(&mut self) -> Result<Box<dyn SourceStream>, CaptureError> {
        let (consumer, format) = self.next.take().ok_or_else(|| CaptureError::DeviceLost {
            device: DEVICE.to_owned(),
            reason: "its `PcmWriter` was dropped, or it was opened before".to_owned(),
        })?;
        Ok(Box::new(PcmStream {
            consumer,
            format,
            next: self.next.clone(),
        }))
    }
}

struct PcmStream {
    consumer: Consumer,
    format: Format,
    next: Arc<NextRing>,
}

impl SourceStream for PcmStream {
    fn format(&self) -> &Format {
        &self.format
    }

    fn read(&mut self, into: &mut [f32]) -> Result<ReadOutcome, CaptureError> {
        match self.consumer.read(into) {
            ReadOutcome::Ended if self.next.is_waiting() => Err(CaptureError::DeviceLost {
                device: DEVICE.to_owned(),
                reason: "the app changed its format".to_owned(),
            }),
            read => Ok(read),
        }
    }

    fn stats(&self) -> StreamStats {
        self.consumer.stats()
    }
}

/// The ring buffer that the source opens next.
#[derive(Debug, Default)]
struct NextRing(Mutex<Option<(Consumer, Format)>>);

impl NextRing {
    /// Creates a ring buffer and stores its consumer before the caller drops the old producer, so that the source finds
    /// the new one when it sees the end of the old one.
    fn renew(&self, rate: u32, channels: u16) -> Result<Producer, CaptureError> {
        check_format(DEVICE, rate, channels)?;
        let (producer, consumer) = ring(rate, channels);
        let format = Format {
            device: DEVICE.to_owned(),
            rate,
            channels,
        };
        let mut next = self.lock();
        if let Some((unopened, _)) = &*next {
            consumer.inherit_dropped(unopened);
        }
        *next = Some((consumer, format));
        drop(next);
        Ok(producer)
    }

    fn take(&self) -> Option<(Consumer, Format)> {
        self.lock().take()
    }

    fn is_waiting(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Consumer, Format)>> {
        // Every update is a single assignment, so that a panic elsewhere leaves no invalid state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
