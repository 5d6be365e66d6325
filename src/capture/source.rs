use std::time::Duration;

use sordino_dsp::INPUT_RATES;

use super::error::CaptureError;

/// A source of audio that capture can open. It may move between threads until it is opened.
pub trait Source: Send {
    /// Opens the source, or reopens it after it was lost.
    ///
    /// # Errors
    /// The source cannot be opened; [`CaptureError::is_transient`] says whether a retry can succeed.
    fn open(&mut self) -> Result<Box<dyn SourceStream>, CaptureError>;
}

/// An open [`Source`]. It stays on the thread that opened it; dropping it closes the source.
pub trait SourceStream {
    /// The format in which the source delivers.
    fn format(&self) -> &Format;

    /// Reads up to `into.len()` samples: mono, finite, in order. Never blocks.
    ///
    /// # Errors
    /// The source is lost; the stream cannot be used any more.
    fn read(&mut self, into: &mut [f32]) -> Result<ReadOutcome, CaptureError>;

    /// The faults since the stream was opened.
    fn stats(&self) -> StreamStats {
        StreamStats::default()
    }
}

/// The result of [`SourceStream::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// Samples are at the start of the buffer.
    Samples {
        /// The number of samples, at least one.
        count: usize,
        /// The number of samples that were lost immediately before them.
        lost: u64,
    },
    /// No samples are available yet; read again after this time.
    Pending(Duration),
    /// The source has ended.
    Ended,
}

/// Counts since a stream was opened, in samples of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamStats {
    /// Samples that were lost because they were not read in time.
    pub lost: u64,
    /// NaN and infinite samples from the device or the host, which became silence.
    pub non_finite: u64,
}

/// The format of a source before its samples become mono f32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The name of the device or the file, as shown to a person.
    pub device: String,
    /// Sample rate, in Hz.
    pub rate: u32,
    /// Channels, which [`Downmixer`](super::Downmixer) mixes to mono.
    pub channels: u16,
}

/// Checks a sample rate and a channel count.
pub(super) fn check_format(device: &str, rate: u32, channels: u16) -> Result<(), CaptureError> {
    let reason = if !INPUT_RATES.contains(&rate) {
        format!("a sample rate of {rate} Hz is outside 8000 to 384000 Hz")
    } else if channels == 0 {
        "it has no channels".to_owned()
    } else {
        return Ok(());
    };
    Err(CaptureError::Unsupported {
        device: device.to_owned(),
        reason,
    })
}
