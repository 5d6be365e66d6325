//! Capture: turns any audio source into [`Frame`]s.
//!
//! * **Input**: a [`Source`]: the [`Microphone`], the app's own audio ([`pcm_channel`]), or a [`WavFile`]; any sample
//!   format, sample rate and channel count.
//! * **Output**: mono f32 frames of 10 ms, and [`CaptureEvent`]s, passed to a [`CaptureHandler`].
//! * **Guarantees**: the audio callback neither allocates, locks, logs nor makes a system call. Samples that are lost
//!   because they were not read in time are counted, reported and included in [`Frame::position`]. A device that goes
//!   away is reopened, at its new rate.
//! * **Never**: stores audio. Samples are zeroed in the ring buffer when they are read, and nothing is written to disk.
//!
//! Capture starts no thread: [`Capture::run`] works on the calling thread, since on some platforms a stream must stay
//! on the thread that opened it.
//!
//! ```
//! use sordino::capture::{Capture, Frame, pcm_channel};
//!
//! let (mut writer, source) = pcm_channel(48_000, 2)?;
//! let lost = writer.push(&[0.5_f32, -0.5, 1.0, 0.0]); // two stereo frames, from the audio callback
//! assert_eq!(lost, 0);
//! drop(writer); // ends the source
//!
//! let mut samples = Vec::new();
//! Capture::new(source).run(&mut |frame: Frame<'_>| samples.extend_from_slice(frame.samples))?;
//! assert_eq!(samples, [0.0, 0.5]);
//! # Ok::<(), sordino::capture::CaptureError>(())
//! ```

#[cfg(feature = "microphone")]
mod alsa_log;
mod callback;
mod downmix;
mod driver;
mod error;
mod frame;
mod handler;
#[cfg(feature = "microphone")]
mod microphone;
mod pcm;
mod ring;
mod sample;
mod source;
mod wav;

pub use downmix::{Downmixer, downmix};
pub use driver::{Capture, StopHandle};
pub use error::CaptureError;
pub use frame::Frame;
pub use handler::{CaptureEvent, CaptureHandler};
#[cfg(feature = "microphone")]
pub use microphone::{InputDevice, Microphone, input_devices};
pub use pcm::{PcmSource, PcmWriter, pcm_channel};
pub use sample::Sample;
pub use source::{Format, ReadOutcome, Source, SourceStream, StreamStats};
pub use wav::{
    MAX_RECORDING_SECONDS, Pace, Recording, WavError, WavFile, WavInfo, max_recording_samples,
    read_wav, read_wav_from, wav_info,
};
