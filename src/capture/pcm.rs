//! Frames from the host app's own audio path.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{
    CaptureError, Format, ReadOutcome, Sample, Source, SourceStream, StreamStats,
    callback::Producer,
    check_format,
    ring::{Consumer, ring},
};

/// How the host's audio path is called in events and errors.
const DEVICE: &str = "host audio";

/// How often a waiting [`PcmWriter::write`] looks for room.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The app's end: give it what the app's audio callback gets. Dropping it ends the source.
///
/// It has room for two seconds. [`Self::push`] never waits, for sound that comes as fast as it is played;
/// [`Self::write`] waits for room, for a recording; [`Self::try_push`] leaves the waiting to the app.
#[derive(Debug)]
pub struct PcmWriter {
    intake: Producer,
    next: Arc<NextRing>,
}

/// The source that a [`PcmWriter`] feeds.
#[derive(Debug)]
pub struct PcmSource {
    next: Arc<NextRing>,
}

/// A source that the app feeds with interleaved sound of `channels` channels at `rate` Hz.
///
/// # Errors
/// [`CaptureError::Unsupported`]: no channel, or a rate outside 8 to 384 kHz.
pub fn pcm_channel(rate: u32, channels: u16) -> Result<(PcmWriter, PcmSource), CaptureError> {
    let next = Arc::new(NextRing::default());
    let intake = next.renew(rate, channels)?;
    let feed = PcmWriter {
        intake,
        next: next.clone(),
    };
    Ok((feed, PcmSource { next }))
}

impl PcmWriter {
    /// Takes interleaved sound; an incomplete frame at the end is left out. Real-time: it may be
    /// called from the audio callback. Returns how many frames found no room and are lost, which
    /// [`CaptureEvent::Overrun`](super::CaptureEvent::Overrun) and [`Frame::lost`](super::Frame::lost)
    /// report too.
    #[must_use = "so many frames are lost"]
    pub fn push<S: Sample>(&mut self, interleaved: &[S]) -> u64 {
        self.intake.push(interleaved)
    }

    /// As [`Self::push`], but waits up to `timeout` for room, so that a recording can be handed over at
    /// once. Returns how many frames still found none and are lost, or all that are left where the source
    /// was closed; 0 means that everything was taken. Not real-time: never call it from the audio callback,
    /// nor from what the frames are given to, which is what makes room.
    #[must_use = "so many frames are lost"]
    pub fn write<S: Sample>(&mut self, interleaved: &[S], timeout: Duration) -> u64 {
        let mut rest = interleaved;
        poll_until(timeout, |is_last| {
            rest = &rest[self.try_push(rest) * self.intake.channels()..];
            let is_taken = rest.len() < self.intake.channels();
            (is_taken || is_last || self.is_closed()).then(|| self.intake.push(rest))
        })
    }

    /// As [`Self::push`], but takes only the frames that there is room for, and returns how many these are.
    /// None is lost: offer the others again, or report them with [`Self::lose`]. Real-time.
    #[must_use = "only so many frames were taken"]
    pub fn try_push<S: Sample>(&mut self, interleaved: &[S]) -> usize {
        self.intake.try_push(interleaved)
    }

    /// As [`Self::push`], for 32-bit floats in little-endian bytes.
    #[must_use = "so many frames are lost"]
    pub fn push_f32_bytes(&mut self, interleaved: &[u8]) -> u64 {
        self.intake.push(interleaved.as_chunks::<4>().0)
    }

    /// As [`Self::push`], for 16-bit integers in little-endian bytes.
    #[must_use = "so many frames are lost"]
    pub fn push_i16_bytes(&mut self, interleaved: &[u8]) -> u64 {
        self.intake.push(interleaved.as_chunks::<2>().0)
    }

    /// Whether the source was closed: what is pushed from now on is lost.
    pub fn is_closed(&self) -> bool {
        self.intake.is_abandoned()
    }

    /// Tells that the app's own audio path lost `frames` before the next push, so that positions
    /// stay true. Real-time.
    pub fn report_dropped(&mut self, frames: u64) {
        self.intake.report_dropped(frames);
    }

    /// Goes on in another format, as after a headset came or went: the source counts as lost and
    /// opened anew. What was pushed before still arrives, unless the format changes again before the source
    /// was opened with it: then it is lost, and reported as such. Not real-time: it allocates.
    ///
    /// # Errors
    /// [`CaptureError::Unsupported`] as for [`pcm_channel`]; the feed then goes on as before.
    pub fn change_format(&mut self, rate: u32, channels: u16) -> Result<(), CaptureError> {
        self.intake = self.next.renew(rate, channels)?;
        Ok(())
    }
}

/// Makes attempts until one succeeds; the last, after `timeout`, must.
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
        let (outlet, format) = self.next.take().ok_or_else(|| CaptureError::DeviceLost {
            device: DEVICE.to_owned(),
            reason: "the app's feed was opened before and has ended".to_owned(),
        })?;
        Ok(Box::new(PcmStream {
            outlet,
            format,
            next: self.next.clone(),
        }))
    }
}

struct PcmStream {
    outlet: Consumer,
    format: Format,
    next: Arc<NextRing>,
}

impl SourceStream for PcmStream {
    fn format(&self) -> &Format {
        &self.format
    }

    fn read(&mut self, into: &mut [f32]) -> Result<ReadOutcome, CaptureError> {
        match self.outlet.read(into) {
            ReadOutcome::Ended if self.next.is_waiting() => Err(CaptureError::DeviceLost {
                device: DEVICE.to_owned(),
                reason: "the app changed its format".to_owned(),
            }),
            read => Ok(read),
        }
    }

    fn stats(&self) -> StreamStats {
        self.outlet.faults()
    }
}

/// Where the ring lies that the source is to open next.
#[derive(Debug, Default)]
struct NextRing(Mutex<Option<(Consumer, Format)>>);

impl NextRing {
    /// Leaves a new ring for the source before the old one is let go, so that the source, when it
    /// sees the end of the old one, finds the new one.
    fn renew(&self, rate: u32, channels: u16) -> Result<Producer, CaptureError> {
        check_format(DEVICE, rate, channels)?;
        let (intake, outlet) = ring(rate, channels);
        let format = Format {
            device: DEVICE.to_owned(),
            rate,
            channels,
        };
        let mut next = self.lock();
        if let Some((unopened, _)) = &*next {
            outlet.inherit_dropped(unopened);
        }
        *next = Some((outlet, format));
        drop(next);
        Ok(intake)
    }

    fn take(&self) -> Option<(Consumer, Format)> {
        self.lock().take()
    }

    fn is_waiting(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Consumer, Format)>> {
        // The value is whole at any time, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
