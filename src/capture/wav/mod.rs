//! WAV files: RIFF, RIFX, RF64, BW64 and W64 with 8 to 32-bit integers, 32 and 64-bit floats, A-law or µ-law, in any
//! channel count and sample rate. Each is read as libsndfile reads it, or refused with an error of one line that says
//! how to convert it.

mod container;
pub(super) mod error;
mod format;
mod header;
mod samples;
#[cfg(test)]
mod tests;

use std::{
    fmt::Display,
    fs::File,
    io::{self, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub use self::error::WavError;
use self::{error::HeaderError, header::Header};
use super::{
    downmix::{Downmixer, PRIMING_SECONDS},
    error::CaptureError,
    source::{Format, ReadOutcome, Source, SourceStream},
};

/// The maximum length of a recording for [`read_wav`], in seconds, at up to 48 kHz. At higher sample rates it is
/// proportionally less, so that a recording takes at most 1.4 GB of memory.
pub const MAX_RECORDING_SECONDS: u32 = 2 * 60 * 60;
/// The maximum number of samples of a recording.
const MAX_RECORDING_SAMPLES: u64 = MAX_RECORDING_SECONDS as u64 * 48_000;

/// A whole recording in memory.
#[derive(Debug)]
pub struct Recording {
    /// Mono, full scale at ±1, finite, at least one.
    pub samples: Vec<f32>,
    /// Sample rate, in Hz.
    pub rate: u32,
}

/// A WAV file as a source. Its header is checked when capture opens it.
#[derive(Debug)]
pub struct WavFile {
    path: PathBuf,
    pace: Pace,
}

/// The speed at which a file is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// In real time, as a microphone delivers.
    RealTime,
    /// As fast as the handler takes it; nothing is lost.
    Unthrottled,
}

/// The format and the length of a WAV file, from its header, checked against the size of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WavInfo {
    /// Sample rate, in Hz.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// Samples per channel, at least one.
    pub samples: u64,
}

/// Reads the header of a file.
///
/// # Errors
/// As [`read_wav`], as far as the header is concerned.
pub fn wav_info(path: &Path) -> Result<WavInfo, WavError> {
    let Header { format, frames, .. } = Reader::open(path)?.header;
    Ok(WavInfo {
        rate: format.rate,
        channels: format.channels,
        samples: frames,
    })
}

/// Reads a whole file as mono.
///
/// # Errors
/// The file is unreadable, not a WAV file, of an unsupported format, empty, truncated, contains a NaN or infinite
/// sample, or is longer than [`MAX_RECORDING_SECONDS`] or the available memory.
pub fn read_wav(path: &Path) -> Result<Recording, WavError> {
    Reader::open(path)?.read_all()
}

/// Like [`read_wav`], from the bytes of a WAV file; errors contain `name`.
///
/// # Errors
/// As [`read_wav`].
pub fn read_wav_from(bytes: impl io::Read + Seek, name: &Path) -> Result<Recording, WavError> {
    Reader::new(bytes, name)?.read_all()
}

/// The maximum number of samples of a recording at `rate` Hz.
pub fn max_recording_samples(rate: u32) -> u64 {
    MAX_RECORDING_SAMPLES.min(u64::from(MAX_RECORDING_SECONDS) * u64::from(rate))
}

impl WavFile {
    /// A source that delivers the file at `path`.
    pub fn new(path: impl Into<PathBuf>, pace: Pace) -> Self {
        Self {
            path: path.into(),
            pace,
        }
    }
}

impl Source for WavFile {
    fn open(&mut self) -> Result<Box<dyn SourceStream>, CaptureError> {
        let reader = Reader::open(&self.path)?;
        let format = Format {
            device: self.path.display().to_string(),
            rate: reader.header.format.rate,
            channels: reader.header.format.channels,
        };
        Ok(Box::new(WavStream {
            due: (self.pace == Pace::RealTime).then(Instant::now),
            reader,
            format,
        }))
    }
}

struct WavStream {
    reader: Reader<BufReader<File>>,
    format: Format,
    /// In real time: when the delivered samples end.
    due: Option<Instant>,
}

impl SourceStream for WavStream {
    fn format(&self) -> &Format {
        &self.format
    }

    fn read(&mut self, into: &mut [f32]) -> Result<ReadOutcome, CaptureError> {
        let remaining = usize::try_from(self.reader.remaining()).unwrap_or(usize::MAX);
        let count = into.len().min(remaining);
        if count == 0 {
            return Ok(ReadOutcome::Ended);
        }
        if let Some(due) = &mut self.due {
            // A microphone delivers samples only when they are over.
            let end = *due + Duration::from_secs_f64(count as f64 / f64::from(self.format.rate));
            let wait = end.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                return Ok(ReadOutcome::Pending(wait));
            }
            *due = end;
        }
        self.reader.fill(&mut into[..count])?;
        Ok(ReadOutcome::Samples { count, lost: 0 })
    }
}

/// Reads the samples of a file whose header is valid.
struct Reader<S> {
    file: S,
    header: Header,
    path: PathBuf,
    downmixer: Downmixer,
    /// Frames read so far.
    position: u64,
    /// The bytes of one frame.
    bytes: Vec<u8>,
    /// The decoded frame: a sample of each channel, full scale at ±1.
    frame: Vec<f64>,
}

impl Reader<BufReader<File>> {
    fn open(path: &Path) -> Result<Self, WavError> {
        let error = |reason: &dyn Display| WavError::new(path, reason);
        // Before opening it: opening a pipe could block forever.
        let metadata = path
            .metadata()
            .map_err(|cause| error(&unreadable(&cause)))?;
        if !metadata.is_file() {
            return Err(error(&"it is not a file"));
        }
        let file = File::open(path).map_err(|cause| error(&unreadable(&cause)))?;
        Reader::new(BufReader::new(file), path)
    }
}

impl<S: io::Read + Seek> Reader<S> {
    fn new(mut file: S, path: &Path) -> Result<Self, WavError> {
        let error = |reason: &dyn Display| WavError::new(path, reason);
        let length = file
            .seek(SeekFrom::End(0))
            .map_err(|cause| error(&unreadable(&cause)))?;
        if length == 0 {
            return Err(error(&"the file is empty"));
        }
        let header = Header::read(&mut file, length).map_err(|cause| error(&cause))?;
        let format = header.format;
        let mut reader = Self {
            downmixer: Downmixer::new(format.rate, format.channels),
            bytes: vec![0; format.block()],
            frame: vec![0.0; usize::from(format.channels)],
            file,
            header,
            path: path.to_owned(),
            position: 0,
        };
        if format.channels > 1 {
            reader.prime()?;
        }
        reader.rewind()?;
        Ok(reader)
    }

    /// Determines the polarity of the channels from the start of the file, so that nothing is lost if they cancel.
    fn prime(&mut self) -> Result<(), WavError> {
        self.rewind()?;
        let frames = u64::from(self.header.format.rate) * PRIMING_SECONDS;
        // An error here occurs again, and is reported, when the frame is read.
        for _ in 0..frames.min(self.header.frames) {
            if self.next_frame().is_err() {
                break;
            }
            self.downmixer.prime(&self.frame);
        }
        self.downmixer.finish_priming();
        Ok(())
    }

    fn rewind(&mut self) -> Result<(), WavError> {
        self.position = 0;
        let start = SeekFrom::Start(self.header.start);
        match self.file.seek(start) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.error(unreadable(&error))),
        }
    }

    fn read_all(&mut self) -> Result<Recording, WavError> {
        let rate = self.header.format.rate;
        let (count, limit) = (self.remaining(), max_recording_samples(rate));
        if count > limit {
            return Err(self.error(format_args!(
                "it lasts {:.0} s; the maximum at {rate} Hz is {} s; cut it into parts",
                count as f64 / f64::from(rate),
                limit / u64::from(rate),
            )));
        }
        let mut samples = Vec::new();
        let count = count as usize;
        samples
            .try_reserve_exact(count)
            .map_err(|_| self.error("not enough memory to read it; cut it into parts"))?;
        samples.resize(count, 0.0);
        self.fill(&mut samples)?;
        Ok(Recording { samples, rate })
    }

    fn remaining(&self) -> u64 {
        self.header.frames - self.position
    }

    /// Fills all of `into`, which is at most as long as the rest of the file.
    fn fill(&mut self, into: &mut [f32]) -> Result<(), WavError> {
        for sample in into {
            self.next_frame()?;
            let mut non_finite = 0;
            *sample = self.downmixer.mix(&self.frame, &mut non_finite);
            if non_finite > 0 {
                return Err(self.error(format_args!(
                    "sample {} is not a finite number; export the file again",
                    self.position
                )));
            }
            self.position += 1;
        }
        Ok(())
    }

    fn next_frame(&mut self) -> Result<(), WavError> {
        if let Err(error) = self.file.read_exact(&mut self.bytes) {
            return Err(match error.kind() {
                io::ErrorKind::UnexpectedEof => self.error(format_args!(
                    "it is truncated: sample {} is missing",
                    self.position
                )),
                _ => self.error(unreadable(&error)),
            });
        }
        let Header { format, order, .. } = self.header;
        samples::decode(format.coding, order, &self.bytes, &mut self.frame);
        Ok(())
    }

    fn error(&self, reason: impl Display) -> WavError {
        WavError::new(&self.path, reason)
    }
}

fn unreadable(error: &io::Error) -> HeaderError {
    HeaderError::Unreadable(error.to_string())
}
