//! What is being heard. Both objects stop it when the host lets go of them.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Error,
    door::{Door, caught},
    process::OwnerProcess,
};
use sordino::capture::{self, PcmWriter, Sample, pcm_channel};

/// How often a waiting write looks for room.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The app's own audio path, being heard.
#[derive(uniffi::Object)]
pub struct Feed {
    heard: Arc<Heard>,
    door: Weak<Door>,
}

#[uniffi::export]
impl Feed {
    /// Takes interleaved 32-bit floats in little-endian bytes, full scale at ±1. It never waits and
    /// may be called from the app's audio callback. Returns how many frames found no room and are
    /// lost, because they came faster than they were taken: room is for two seconds. A `Capture` event
    /// tells of it too. For a recording, `write` waits for room.
    ///
    /// NaN becomes silence and is told as an event. Raises `Argument` for bytes that are not whole
    /// frames, and `Listening` once it was stopped.
    pub fn push(&self, interleaved: &[u8]) -> Result<u64, Error> {
        self.take(interleaved, size_of::<f32>(), PcmWriter::push_f32_bytes)
    }

    /// As `push`, for 16-bit integers in little-endian bytes.
    pub fn push_i16(&self, interleaved: &[u8]) -> Result<u64, Error> {
        self.take(interleaved, size_of::<i16>(), PcmWriter::push_i16_bytes)
    }

    /// As `push`, but waits up to `timeout_seconds` for room, so that a recording can be handed over at once.
    /// Returns how many frames still found none and are lost; 0 means that everything was taken. Never call
    /// it from the app's audio callback.
    ///
    /// Raises as `push` does, `Argument` for a negative time or NaN, and `Listening` in a listener, which is
    /// what makes room.
    pub fn write(&self, interleaved: &[u8], timeout_seconds: f64) -> Result<u64, Error> {
        self.wait_for_room::<4>(interleaved, timeout_seconds)
    }

    /// As `write`, for 16-bit integers in little-endian bytes.
    pub fn write_i16(&self, interleaved: &[u8], timeout_seconds: f64) -> Result<u64, Error> {
        self.wait_for_room::<2>(interleaved, timeout_seconds)
    }

    /// Tells that the app's own audio path lost `frames` before the next push, so that positions
    /// stay true.
    ///
    /// Raises `Listening` once it was stopped.
    pub fn lose(&self, frames: u64) -> Result<(), Error> {
        guard(&self.heard, &self.door, || {
            let mut intake = self.heard.intake();
            intake
                .as_mut()
                .ok_or_else(stopped)?
                .feed
                .report_dropped(frames);
            Ok(())
        })
    }

    /// Goes on in another format, as after a headset came or went: positions count from 0 again.
    /// What was pushed before still arrives.
    ///
    /// Raises `Capture` for a format that cannot be taken; the feed then goes on as before.
    pub fn change_format(&self, rate: u32, channels: u16) -> Result<(), Error> {
        guard(&self.heard, &self.door, || {
            let mut intake = self.heard.intake();
            let intake = intake.as_mut().ok_or_else(stopped)?;
            intake.feed.change_format(rate, channels)?;
            intake.channels = channels;
            Ok(())
        })
    }

    /// Ends the feed, and waits until all that was pushed is heard and what was chosen of it is
    /// sealed and queued; from a listener it does not wait. Stopping twice does no harm.
    pub fn stop(&self) -> Result<(), Error> {
        guard(&self.heard, &self.door, || self.heard.stop())
    }
}

impl Feed {
    pub(crate) fn start(
        door: &Arc<Door>,
        rate: u32,
        channels: u16,
        ear: impl FnMut(capture::Frame<'_>) + Send + 'static,
    ) -> Result<Self, Error> {
        let heard = door.hear(|engine| {
            let (feed, source) = pcm_channel(rate, channels)?;
            let intake = HostIntake { feed, channels };
            Ok(Heard::new(engine.listen(source, ear)?, Some(intake)))
        })?;
        Ok(Self {
            heard,
            door: Arc::downgrade(door),
        })
    }

    fn take(
        &self,
        interleaved: &[u8],
        sample_bytes: usize,
        push: fn(&mut PcmWriter, &[u8]) -> u64,
    ) -> Result<u64, Error> {
        guard(&self.heard, &self.door, || {
            let mut intake = self.heard.intake();
            let intake = intake.as_mut().ok_or_else(stopped)?;
            intake.frame_bytes(interleaved, sample_bytes)?;
            Ok(push(&mut intake.feed, interleaved))
        })
    }

    fn wait_for_room<const SAMPLE_BYTES: usize>(
        &self,
        interleaved: &[u8],
        timeout_seconds: f64,
    ) -> Result<u64, Error>
    where
        [u8; SAMPLE_BYTES]: Sample,
    {
        guard(&self.heard, &self.door, || {
            let timeout = timeout_of(timeout_seconds)?;
            if self.heard.is_called_by_engine() {
                return Err(Error::Listening(
                    "a listener that writes would wait for itself; push there, or write from another thread"
                        .to_owned(),
                ));
            }
            let started = Instant::now();
            let mut rest = interleaved;
            loop {
                let left = timeout.saturating_sub(started.elapsed());
                {
                    // Locked for one attempt at a time, so that stopping does not wait for this.
                    let mut intake = self.heard.intake();
                    let intake = intake.as_mut().ok_or_else(stopped)?;
                    let frame_bytes = intake.frame_bytes(rest, SAMPLE_BYTES)?;
                    let feed = &mut intake.feed;
                    let taken = feed.try_push(rest.as_chunks::<SAMPLE_BYTES>().0);
                    rest = &rest[taken * frame_bytes..];
                    if rest.is_empty() || left.is_zero() || feed.is_closed() {
                        return Ok(feed.push(rest.as_chunks::<SAMPLE_BYTES>().0));
                    }
                }
                thread::sleep(POLL_INTERVAL.min(left));
            }
        })
    }
}

fn timeout_of(seconds: f64) -> Result<Duration, Error> {
    if seconds.is_nan() || seconds < 0.0 {
        return Err(Error::Argument(format!(
            "a timeout of {seconds} seconds; it must be 0 or more"
        )));
    }
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// The microphone, being heard.
#[derive(uniffi::Object)]
pub struct Listening {
    heard: Arc<Heard>,
    door: Weak<Door>,
}

#[uniffi::export]
impl Listening {
    /// Closes the microphone, and waits until what was chosen is sealed and queued; from a listener
    /// it does not wait. Stopping twice does no harm.
    ///
    /// Raises `Capture` where it had ended by a fault.
    pub fn stop(&self) -> Result<(), Error> {
        guard(&self.heard, &self.door, || self.heard.stop())
    }
}

impl Listening {
    pub(crate) fn start(
        door: &Arc<Door>,
        device: Option<String>,
        ear: impl FnMut(capture::Frame<'_>) + Send + 'static,
    ) -> Result<Self, Error> {
        #[cfg(feature = "microphone")]
        let heard = door.hear(|engine| {
            let microphone = device.map_or_else(capture::Microphone::default, |device| {
                capture::Microphone::named(device)
            });
            Ok(Heard::new(engine.listen(microphone, ear)?, None))
        })?;
        #[cfg(not(feature = "microphone"))]
        let heard = {
            drop((device, ear));
            door.hear(|_| Err(capture::CaptureError::NotBuiltIn.into()))?
        };
        Ok(Self {
            heard,
            door: Arc::downgrade(door),
        })
    }
}

/// An input device, for a person to choose from.
#[derive(uniffi::Record)]
pub struct InputDevice {
    /// What `listen_to_microphone` takes; it stays the same when the device comes back.
    pub id: String,
    /// What a person knows it by.
    pub name: String,
    /// Whether it is the one that the system has chosen.
    pub is_default: bool,
}

/// The input devices that can be opened now.
///
/// Raises `Capture` where there is none, the sound service does not run, or the library has no microphone of its
/// own: see `library_features`.
#[uniffi::export]
pub fn input_devices() -> Result<Vec<InputDevice>, Error> {
    #[cfg(not(feature = "microphone"))]
    return Err(capture::CaptureError::NotBuiltIn.into());
    #[cfg(feature = "microphone")]
    caught(|| {
        let devices = capture::input_devices()?.into_iter();
        Ok(devices
            .map(|device| InputDevice {
                id: device.id,
                name: device.name,
                is_default: device.is_default,
            })
            .collect())
    })
}

/// A source that is open. Dropping it ends the host's feed, then stops and closes the source.
pub(crate) struct Heard {
    process: OwnerProcess,
    intake: Mutex<Option<HostIntake>>,
    listening: Mutex<Option<sordino::CaptureSession>>,
}

struct HostIntake {
    feed: PcmWriter,
    channels: u16,
}

impl HostIntake {
    /// The size of a frame, of which `interleaved` must be a multiple.
    fn frame_bytes(&self, interleaved: &[u8], sample_bytes: usize) -> Result<usize, Error> {
        let frame_bytes = sample_bytes * usize::from(self.channels);
        if !interleaved.len().is_multiple_of(frame_bytes) {
            return Err(Error::Argument(format!(
                "{} bytes are not whole frames of {frame_bytes} bytes: {} channels of {sample_bytes} bytes",
                interleaved.len(),
                self.channels
            )));
        }
        Ok(frame_bytes)
    }
}

impl Heard {
    fn new(listening: sordino::CaptureSession, intake: Option<HostIntake>) -> Arc<Self> {
        Arc::new(Self {
            process: OwnerProcess::current(),
            intake: Mutex::new(intake),
            listening: Mutex::new(Some(listening)),
        })
    }

    pub(crate) fn stop(&self) -> Result<(), Error> {
        let intake = self.intake().take();
        // Taken out first, so that nobody is locked out while this waits.
        let listening = self.listening().take();
        match (intake, listening) {
            (_, None) => Ok(()),
            (Some(intake), Some(listening)) => {
                drop(intake);
                Ok(listening.wait()?)
            }
            (None, Some(listening)) => Ok(listening.stop()?),
        }
    }

    /// Whether this is a thread of the engine's, in a listener of the app's.
    fn is_called_by_engine(&self) -> bool {
        let listening = self.listening();
        listening
            .as_ref()
            .is_some_and(sordino::CaptureSession::is_callback_thread)
    }

    fn listening(&self) -> MutexGuard<'_, Option<sordino::CaptureSession>> {
        self.listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn intake(&self) -> MutexGuard<'_, Option<HostIntake>> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does `work` of what is heard; a panic in it closes the engine too.
fn guard<T>(
    heard: &Heard,
    door: &Weak<Door>,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    heard.process.check()?;
    match door.upgrade() {
        Some(door) => door.guard(work),
        None => caught(work),
    }
}

fn stopped() -> Error {
    Error::Listening("the feed was stopped; start listening again".to_owned())
}
