//! Capture: sound becomes [`Frame`]s, whatever it comes from.
//!
//! * **In**: a [`Source`]: the machine's [`Microphone`], the host app's own audio path
//!   ([`pcm_channel`]), or a [`WavFile`]; any sample format, rate and channel count.
//! * **Out**: mono f32 frames of about 10 ms, and [`CaptureEvent`]s, given to a [`CaptureHandler`].
//! * **Promises**: the audio callback neither allocates, locks, logs nor makes a system call. What
//!   is lost because nobody took it in time is counted, told, and keeps its place in
//!   [`Frame::position`]. A device that goes away is opened anew, at whatever rate it then has.
//! * **Never**: keeps sound. What was taken from the ring is wiped there, and nothing is written.
//!
//! Capture starts no thread: [`Capture::run`] works on the thread that calls it, since some
//! platforms' streams may not leave the thread that opened them.
//!
//! ```
//! use sordino::capture::{Capture, Frame, pcm_channel};
//!
//! let (mut feed, source) = pcm_channel(48_000, 2)?;
//! let lost = feed.push(&[0.5_f32, -0.5, 1.0, 0.0]); // two stereo frames, from the audio callback
//! assert_eq!(lost, 0); // there was room
//! drop(feed); // the app's audio path has ended
//!
//! let mut heard = Vec::new();
//! Capture::new(source).run(&mut |frame: Frame<'_>| heard.extend_from_slice(frame.samples))?;
//! assert_eq!(heard, [0.0, 0.5]);
//! # Ok::<(), sordino::capture::CaptureError>(())
//! ```

#[cfg(feature = "microphone")]
mod alsa_log;
mod callback;
mod downmix;
mod driver;
mod error;
mod frame;
#[cfg(feature = "microphone")]
mod microphone;
mod pcm;
mod ring;
mod sample;
mod wav;

use std::time::Duration;

use sordino_dsp::INPUT_RATES;

pub use downmix::{Downmixer, downmix};
pub use driver::{Capture, StopHandle};
pub use error::CaptureError;
pub use frame::Frame;
#[cfg(feature = "microphone")]
pub use microphone::{InputDevice, Microphone, input_devices};
pub use pcm::{PcmSource, PcmWriter, pcm_channel};
pub use sample::Sample;
pub use wav::{
    MAX_RECORDING_SECONDS, Pace, Recording, WavError, WavFile, WavInfo, max_recording_samples,
    read_wav, read_wav_from, wav_info,
};

/// Something that sound can be captured from. It may move between threads until it is opened.
pub trait Source: Send {
    /// Opens it, or opens it anew after it was lost.
    ///
    /// # Errors
    /// What stands in the way; [`CaptureError::is_transient`] tells whether trying again can help.
    fn open(&mut self) -> Result<Box<dyn SourceStream>, CaptureError>;
}

/// An open [`Source`]. It stays on the thread that opened it; dropping it closes the source.
pub trait SourceStream {
    /// What was opened.
    fn format(&self) -> &Format;

    /// Takes up to `into.len()` samples, mono, finite, in the order in which they were heard.
    /// Never blocks.
    ///
    /// # Errors
    /// The source is lost; the stream is of no more use.
    fn read(&mut self, into: &mut [f32]) -> Result<ReadOutcome, CaptureError>;

    /// What went wrong since the stream was opened, sample by sample.
    fn stats(&self) -> StreamStats {
        StreamStats::default()
    }
}

/// What [`SourceStream::read`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// Samples stand at the head of the buffer.
    Samples {
        /// How many, at least one.
        count: usize,
        /// How many were lost immediately before them.
        lost: u64,
    },
    /// None yet; ask again after this time.
    Pending(Duration),
    /// There will be no more.
    Ended,
}

/// Counts since a stream was opened, in samples of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamStats {
    /// Lost, because nobody took them in time.
    pub lost: u64,
    /// NaN or infinite in what the device or the host delivered; they became silence.
    pub non_finite: u64,
}

/// What a source delivers before it becomes mono f32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The device or file, as a person would know it.
    pub device: String,
    /// Samples a second.
    pub rate: u32,
    /// Channels, mixed to mono by [`Downmixer`].
    pub channels: u16,
}

/// What happened to the source, for the app to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaptureEvent {
    /// The source delivers. Positions count from 0.
    Opened(Format),
    /// The source went away. It is opened anew until that succeeds or capture is stopped.
    Lost {
        /// One line.
        reason: String,
    },
    /// The source is back, perhaps at another rate. Positions count from 0 again.
    Reopened(Format),
    /// Sound was lost because it was not taken in time: reported at once, then at most once a second. The
    /// frame that follows the loss says where, in [`Frame::lost`].
    Overrun {
        /// Samples lost since the last such event.
        samples: u64,
    },
    /// The device or host delivered samples that are no numbers; they became silence. Told at most
    /// once a second.
    NonFinite {
        /// How many since the last such event.
        samples: u64,
    },
    /// The last event: the source has ended or capture was stopped, and the source is closed.
    Ended,
}

/// Takes what is captured. Any `FnMut(Frame<'_>)` is one that ignores events.
pub trait CaptureHandler {
    /// The next stretch of sound.
    fn on_frame(&mut self, frame: Frame<'_>);

    /// Something happened to the source.
    fn on_event(&mut self, event: CaptureEvent) {
        let _ = event;
    }
}

impl<F: FnMut(Frame<'_>)> CaptureHandler for F {
    fn on_frame(&mut self, frame: Frame<'_>) {
        self(frame);
    }
}

/// Checks a rate and a channel count that somebody names.
fn check_format(device: &str, rate: u32, channels: u16) -> Result<(), CaptureError> {
    let reason = if !INPUT_RATES.contains(&rate) {
        format!("a rate of {rate} Hz is outside 8000 to 384000 Hz")
    } else if channels == 0 {
        "it has no channel".to_owned()
    } else {
        return Ok(());
    };
    Err(CaptureError::Unsupported {
        device: device.to_owned(),
        reason,
    })
}
