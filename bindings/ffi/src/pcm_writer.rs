//! The app's own audio as a source.

use std::{
    sync::{Arc, Weak},
    thread,
    time::{Duration, Instant},
};

use sordino::capture::{self, Sample};

use crate::{
    error::{Error, ErrorKind},
    handle::EngineHandle,
    panics::catch_panic,
    session::Session,
};

/// The interval at which a waiting write checks for space.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Writes the app's own audio into a capture session. Dropping it stops the session.
#[derive(uniffi::Object)]
pub struct PcmWriter {
    session: Arc<Session>,
    handle: Weak<EngineHandle>,
}

#[uniffi::export]
impl PcmWriter {
    /// Pushes interleaved 32-bit floats in little-endian bytes, full scale at ±1. It never waits and
    /// may be called from the app's audio callback. Returns how many frames were dropped because the buffer of
    /// two seconds was full. A `Capture` event reports them too. For a recording use `write`, which waits.
    ///
    /// NaN and infinity become silence and are reported as an event. Raises `Argument` for bytes that are not whole
    /// frames, and `Stopped` after `stop`.
    pub fn push(&self, interleaved: &[u8]) -> Result<u64, Error> {
        self.push_bytes(
            interleaved,
            size_of::<f32>(),
            capture::PcmWriter::push_f32_bytes,
        )
    }

    /// As `push`, for 16-bit integers in little-endian bytes.
    pub fn push_i16(&self, interleaved: &[u8]) -> Result<u64, Error> {
        self.push_bytes(
            interleaved,
            size_of::<i16>(),
            capture::PcmWriter::push_i16_bytes,
        )
    }

    /// As `push`, but waits up to `timeout_seconds` for space in the buffer, so that a recording can be written at once.
    /// Returns how many frames were dropped because there was still no space; 0 means that all were taken. Never call
    /// it from the app's audio callback.
    ///
    /// Raises as `push` does, `Argument` if the timeout is negative or NaN, and `ListenerBlocked` in a listener, which would
    /// wait for itself.
    pub fn write(&self, interleaved: &[u8], timeout_seconds: f64) -> Result<u64, Error> {
        self.write_bytes::<4>(interleaved, timeout_seconds)
    }

    /// As `write`, for 16-bit integers in little-endian bytes.
    pub fn write_i16(&self, interleaved: &[u8], timeout_seconds: f64) -> Result<u64, Error> {
        self.write_bytes::<2>(interleaved, timeout_seconds)
    }

    /// Reports that the app's own audio path dropped `frames` before the next push, so that positions
    /// stay correct.
    ///
    /// Raises `Stopped` after `stop`.
    pub fn report_dropped(&self, frames: u64) -> Result<(), Error> {
        self.run(|| {
            let mut writer = self.session.writer();
            let writer = writer.as_mut().ok_or_else(Error::stopped)?;
            writer.writer.report_dropped(frames);
            Ok(())
        })
    }

    /// Continues in another format, for example after a headset was connected or removed. Positions count from 0 again.
    /// Samples that were pushed before still arrive.
    ///
    /// Raises `Capture` for an unsupported format; the writer then keeps the old one.
    pub fn change_format(&self, rate: u32, channels: u16) -> Result<(), Error> {
        self.run(|| {
            let mut writer = self.session.writer();
            let writer = writer.as_mut().ok_or_else(Error::stopped)?;
            writer.writer.change_format(rate, channels)?;
            writer.channels = channels;
            Ok(())
        })
    }

    /// Ends the session, and waits until all that was pushed is processed and the selected clips are
    /// sealed and queued. Called from a listener, it does not wait. Stopping again has no effect.
    pub fn stop(&self) -> Result<(), Error> {
        self.run(|| self.session.stop())
    }
}

impl PcmWriter {
    pub(crate) fn new(session: Arc<Session>, handle: &Arc<EngineHandle>) -> Self {
        Self {
            session,
            handle: Arc::downgrade(handle),
        }
    }

    fn push_bytes(
        &self,
        interleaved: &[u8],
        sample_bytes: usize,
        push: fn(&mut capture::PcmWriter, &[u8]) -> u64,
    ) -> Result<u64, Error> {
        self.run(|| {
            let mut writer = self.session.writer();
            let writer = writer.as_mut().ok_or_else(Error::stopped)?;
            writer.frame_bytes(interleaved, sample_bytes)?;
            Ok(push(&mut writer.writer, interleaved))
        })
    }

    fn write_bytes<const SAMPLE_BYTES: usize>(
        &self,
        interleaved: &[u8],
        timeout_seconds: f64,
    ) -> Result<u64, Error>
    where
        [u8; SAMPLE_BYTES]: Sample,
    {
        self.run(|| {
            let timeout = timeout_from_seconds(timeout_seconds)?;
            if self.session.is_callback_thread() {
                let message = "a listener that calls `write` would wait for itself; call `push`, or `write` on another \
                     thread";
                return Err(Error::new(ErrorKind::ListenerBlocked, "write-in-listener", message));
            }
            let started = Instant::now();
            let mut rest = interleaved;
            loop {
                let left = timeout.saturating_sub(started.elapsed());
                {
                    // Locked for one attempt at a time, so that `stop` does not wait for this.
                    let mut writer = self.session.writer();
                    let writer = writer.as_mut().ok_or_else(Error::stopped)?;
                    let frame_bytes = writer.frame_bytes(rest, SAMPLE_BYTES)?;
                    let writer = &mut writer.writer;
                    let taken = writer.try_push(rest.as_chunks::<SAMPLE_BYTES>().0);
                    rest = &rest[taken * frame_bytes..];
                    if rest.is_empty() || left.is_zero() || writer.is_closed() {
                        return Ok(writer.push(rest.as_chunks::<SAMPLE_BYTES>().0));
                    }
                }
                thread::sleep(POLL_INTERVAL.min(left));
            }
        })
    }

    /// Calls `work`. A panic in it closes the engine.
    fn run<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.session.check_process()?;
        match self.handle.upgrade() {
            Some(handle) => handle.run(work),
            None => catch_panic(work),
        }
    }
}

fn timeout_from_seconds(seconds: f64) -> Result<Duration, Error> {
    if seconds.is_nan() || seconds < 0.0 {
        return Err(Error::argument(format!(
            "invalid timeout of {seconds} seconds; expected 0 or more"
        )));
    }
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}
