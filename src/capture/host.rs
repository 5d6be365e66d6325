//! Frames from the host app's own audio path.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    CaptureError, Faults, Format, Read, Sample, Source, SourceStream,
    callback::Intake,
    check_format,
    ring::{Outlet, ring},
};

/// How the host's audio path is called in events and errors.
const DEVICE: &str = "host audio";

/// The app's end: give it what the app's audio callback gets. Dropping it ends the source.
#[derive(Debug)]
pub struct HostFeed {
    intake: Intake,
    next: Arc<NextRing>,
}

/// The source that a [`HostFeed`] feeds.
#[derive(Debug)]
pub struct HostFed {
    next: Arc<NextRing>,
}

/// A source that the app feeds with interleaved sound of `channels` channels at `rate` Hz.
///
/// # Errors
/// [`CaptureError::Unsupported`]: no channel, or a rate outside 8 to 384 kHz.
pub fn host_fed(rate: u32, channels: u16) -> Result<(HostFeed, HostFed), CaptureError> {
    let next = Arc::new(NextRing::default());
    let intake = next.renew(rate, channels)?;
    let feed = HostFeed {
        intake,
        next: next.clone(),
    };
    Ok((feed, HostFed { next }))
}

impl HostFeed {
    /// Takes interleaved sound; an incomplete frame at the end is left out. Real-time: it may be
    /// called from the audio callback. Returns how many frames found no room and are lost, which
    /// [`Frame::lost`](super::Frame::lost) tells too.
    pub fn push<S: Sample>(&mut self, interleaved: &[S]) -> u64 {
        self.intake.push(interleaved)
    }

    /// As [`Self::push`], for 32-bit floats in little-endian bytes.
    pub fn push_f32_bytes(&mut self, interleaved: &[u8]) -> u64 {
        self.intake.push(interleaved.as_chunks::<4>().0)
    }

    /// As [`Self::push`], for 16-bit integers in little-endian bytes.
    pub fn push_i16_bytes(&mut self, interleaved: &[u8]) -> u64 {
        self.intake.push(interleaved.as_chunks::<2>().0)
    }

    /// Tells that the app's own audio path lost `frames` before the next push, so that positions
    /// stay true. Real-time.
    pub fn lose(&mut self, frames: u64) {
        self.intake.lose(frames);
    }

    /// Goes on in another format, as after a headset came or went: the source counts as lost and
    /// opened anew. What was pushed before still arrives. Not real-time: it allocates.
    ///
    /// # Errors
    /// [`CaptureError::Unsupported`] as for [`host_fed`]; the feed then goes on as before.
    pub fn change_format(&mut self, rate: u32, channels: u16) -> Result<(), CaptureError> {
        self.intake = self.next.renew(rate, channels)?;
        Ok(())
    }
}

impl Source for HostFed {
    fn open(&mut self) -> Result<Box<dyn SourceStream>, CaptureError> {
        let (outlet, format) = self.next.take().ok_or_else(|| CaptureError::DeviceLost {
            device: DEVICE.to_owned(),
            reason: "the app's feed was opened before and has ended".to_owned(),
        })?;
        Ok(Box::new(HostStream {
            outlet,
            format,
            next: self.next.clone(),
        }))
    }
}

struct HostStream {
    outlet: Outlet,
    format: Format,
    next: Arc<NextRing>,
}

impl SourceStream for HostStream {
    fn format(&self) -> &Format {
        &self.format
    }

    fn read(&mut self, into: &mut [f32]) -> Result<Read, CaptureError> {
        match self.outlet.read(into) {
            Read::Ended if self.next.is_waiting() => Err(CaptureError::DeviceLost {
                device: DEVICE.to_owned(),
                reason: "the app changed its format".to_owned(),
            }),
            read => Ok(read),
        }
    }

    fn faults(&self) -> Faults {
        self.outlet.faults()
    }
}

/// Where the ring lies that the source is to open next.
#[derive(Debug, Default)]
struct NextRing(Mutex<Option<(Outlet, Format)>>);

impl NextRing {
    /// Leaves a new ring for the source before the old one is let go, so that the source, when it
    /// sees the end of the old one, finds the new one.
    fn renew(&self, rate: u32, channels: u16) -> Result<Intake, CaptureError> {
        check_format(DEVICE, rate, channels)?;
        let (intake, outlet) = ring(rate, channels);
        let format = Format {
            device: DEVICE.to_owned(),
            rate,
            channels,
        };
        *self.lock() = Some((outlet, format));
        Ok(intake)
    }

    fn take(&self) -> Option<(Outlet, Format)> {
        self.lock().take()
    }

    fn is_waiting(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Outlet, Format)>> {
        // The value is whole at any time, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
