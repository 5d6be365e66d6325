//! WAV files: RIFF, RIFX, RF64, BW64 and W64 with integers of 8 to 32 bits, floats of 32 and 64, A-law or µ-law, in any
//! channel count and rate. Each is read as libsndfile reads it, or refused in one line that says how to convert it.

mod container;
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

use self::header::{Header, HeaderError};
use super::{
    CaptureError, Downmixer, Format, ReadOutcome, Source, SourceStream, downmix::PRIMING_SECONDS,
};

/// The longest recording that [`read_wav`] takes, in seconds, where it is at 48 kHz or below; at
/// higher rates as much less as it takes to need no more memory (1.4 GB).
pub const MAX_RECORDING_SECONDS: u32 = 2 * 60 * 60;
const MAX_RECORDING_SAMPLES: u64 = MAX_RECORDING_SECONDS as u64 * 48_000;

/// A whole recording in memory.
#[derive(Debug)]
pub struct Recording {
    /// Mono, full scale at ±1, finite, at least one.
    pub samples: Vec<f32>,
    /// Samples a second.
    pub rate: u32,
}

/// A WAV file as a source. It is opened, and checked, when capture starts.
#[derive(Debug)]
pub struct WavFile {
    path: PathBuf,
    pace: Pace,
}

/// How fast a file is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As a microphone would deliver it.
    RealTime,
    /// As fast as it is taken; nothing is lost.
    Unthrottled,
}

/// Why a WAV file cannot be read: which file, and the reason.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct WavError {
    /// The file.
    pub path: PathBuf,
    /// One line.
    pub reason: String,
}

/// What a WAV file holds, as its header says and its length confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WavInfo {
    /// Samples a second.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// Samples a channel, at least one.
    pub samples: u64,
}

/// Reads the header of a file.
///
/// # Errors
/// As [`read_wav`], for whatever the header tells.
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
/// Unreadable, no WAV file, of an unknown format, empty, truncated, with a sample that is NaN or
/// infinite, longer than [`MAX_RECORDING_SECONDS`] or than memory allows.
pub fn read_wav(path: &Path) -> Result<Recording, WavError> {
    Reader::open(path)?.read_all()
}

/// As [`read_wav`], of a WAV file's bytes, which errors call `name`.
///
/// # Errors
/// As [`read_wav`].
pub fn read_wav_from(sound: impl io::Read + Seek, name: &Path) -> Result<Recording, WavError> {
    Reader::new(sound, name)?.read_all()
}

/// How many samples a recording at `rate` Hz has at most.
pub fn max_recording_samples(rate: u32) -> u64 {
    MAX_RECORDING_SAMPLES.min(u64::from(MAX_RECORDING_SECONDS) * u64::from(rate))
}

impl WavFile {
    /// A source that plays `path`.
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
    /// In real time: when all that was delivered so far will have sounded.
    due: Option<Instant>,
}

impl SourceStream for WavStream {
    fn format(&self) -> &Format {
        &self.format
    }

    fn read(&mut self, into: &mut [f32]) -> Result<ReadOutcome, CaptureError> {
        let left = usize::try_from(self.reader.left()).unwrap_or(usize::MAX);
        let count = into.len().min(left);
        if count == 0 {
            return Ok(ReadOutcome::Ended);
        }
        if let Some(due) = &mut self.due {
            // A microphone has a sound only when it is over.
            let over = *due + Duration::from_secs_f64(count as f64 / f64::from(self.format.rate));
            let wait = over.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                return Ok(ReadOutcome::Pending(wait));
            }
            *due = over;
        }
        self.reader.fill(&mut into[..count])?;
        Ok(ReadOutcome::Samples { count, lost: 0 })
    }
}

/// A file whose header was read and believed.
struct Reader<S> {
    sound: S,
    header: Header,
    path: PathBuf,
    downmixer: Downmixer,
    /// Frames read so far.
    position: u64,
    /// One frame as it is in the file.
    bytes: Vec<u8>,
    /// The same: a sample of each channel, full scale at ±1.
    frame: Vec<f64>,
}

impl Reader<BufReader<File>> {
    fn open(path: &Path) -> Result<Self, WavError> {
        let wrong = |reason: &dyn Display| WavError::new(path, reason);
        // Before it is opened: opening a pipe could wait for ever.
        let metadata = path
            .metadata()
            .map_err(|error| wrong(&unreadable(&error)))?;
        if !metadata.is_file() {
            return Err(wrong(&"it is not a file"));
        }
        let file = File::open(path).map_err(|error| wrong(&unreadable(&error)))?;
        Reader::new(BufReader::new(file), path)
    }
}

impl<S: io::Read + Seek> Reader<S> {
    fn new(mut sound: S, path: &Path) -> Result<Self, WavError> {
        let wrong = |reason: &dyn Display| WavError::new(path, reason);
        let length = sound
            .seek(SeekFrom::End(0))
            .map_err(|error| wrong(&unreadable(&error)))?;
        if length == 0 {
            return Err(wrong(&"the file is empty"));
        }
        let header = Header::read(&mut sound, length).map_err(|error| wrong(&error))?;
        let format = header.format;
        let mut reader = Self {
            downmixer: Downmixer::new(format.rate, format.channels),
            bytes: vec![0; format.block()],
            frame: vec![0.0; usize::from(format.channels)],
            sound,
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

    /// Listens to the beginning, so that nothing is lost where channels cancel.
    fn prime(&mut self) -> Result<(), WavError> {
        self.rewind()?;
        let frames = u64::from(self.header.format.rate) * PRIMING_SECONDS;
        // What cannot be read is found again, and reported, when it is the turn of it.
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
        match self.sound.seek(start) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.wrong(unreadable(&error))),
        }
    }

    fn read_all(&mut self) -> Result<Recording, WavError> {
        let rate = self.header.format.rate;
        let (count, limit) = (self.left(), max_recording_samples(rate));
        if count > limit {
            return Err(self.wrong(format_args!(
                "it lasts {:.0} s; at {rate} Hz at most {} s can be read at once, so cut it into parts",
                count as f64 / f64::from(rate),
                limit / u64::from(rate),
            )));
        }
        let mut samples = Vec::new();
        let count = count as usize;
        samples
            .try_reserve_exact(count)
            .map_err(|_| self.wrong("there is not enough memory to read it; cut it into parts"))?;
        samples.resize(count, 0.0);
        self.fill(&mut samples)?;
        Ok(Recording { samples, rate })
    }

    fn left(&self) -> u64 {
        self.header.frames - self.position
    }

    /// Fills all of `into`, which is no longer than what is left.
    fn fill(&mut self, into: &mut [f32]) -> Result<(), WavError> {
        for sample in into {
            self.next_frame()?;
            let mut not_finite = 0;
            *sample = self.downmixer.mix(&self.frame, &mut not_finite);
            if not_finite > 0 {
                return Err(self.wrong(format_args!(
                    "sample {} is not a finite number; export the file anew",
                    self.position
                )));
            }
            self.position += 1;
        }
        Ok(())
    }

    fn next_frame(&mut self) -> Result<(), WavError> {
        if let Err(error) = self.sound.read_exact(&mut self.bytes) {
            return Err(match error.kind() {
                io::ErrorKind::UnexpectedEof => self.wrong(format_args!(
                    "it is truncated: sample {} is missing",
                    self.position
                )),
                _ => self.wrong(unreadable(&error)),
            });
        }
        let Header { format, order, .. } = self.header;
        samples::decode(format.coding, order, &self.bytes, &mut self.frame);
        Ok(())
    }

    fn wrong(&self, reason: impl Display) -> WavError {
        WavError::new(&self.path, reason)
    }
}

impl WavError {
    fn new(path: &Path, reason: impl Display) -> Self {
        Self {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

fn unreadable(error: &io::Error) -> HeaderError {
    HeaderError::Unreadable(error.to_string())
}
