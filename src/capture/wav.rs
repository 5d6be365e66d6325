//! WAV files: integers of 8, 16, 24 and 32 bits, floats of 32, any channel count and rate.

use std::{
    fmt::Display,
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use hound::{SampleFormat, WavReader, WavSpec};

use super::{CaptureError, Format, Read, Source, SourceStream, check_format, sample::mix};

/// The longest recording that [`read_wav`] takes, in seconds, where it is at 48 kHz or below; at
/// higher rates as much less as it takes to need no more memory (1.4 GB).
pub const LONGEST_SECONDS: u32 = 2 * 60 * 60;
const MOST_SAMPLES: u64 = LONGEST_SECONDS as u64 * 48_000;

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
    AsTaken,
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

/// Reads a whole file as mono.
///
/// # Errors
/// Unreadable, no WAV file, of an unknown format, empty, truncated, with a sample that is NaN or
/// infinite, longer than [`LONGEST_SECONDS`] or than memory allows.
pub fn read_wav(path: &Path) -> Result<Recording, WavError> {
    let mut file = Reader::open(path)?;
    let rate = file.spec.sample_rate;
    let count = u64::from(file.inner.duration());
    let limit = MOST_SAMPLES.min(u64::from(LONGEST_SECONDS) * u64::from(rate));
    if count > limit {
        return Err(file.wrong(format_args!(
            "it lasts {:.0} s; at {rate} Hz at most {} s can be read at once, so cut it into parts",
            count as f64 / f64::from(rate),
            limit / u64::from(rate),
        )));
    }
    let mut samples = Vec::new();
    let count = count as usize;
    samples
        .try_reserve_exact(count)
        .map_err(|_| file.wrong("there is not enough memory to read it; cut it into parts"))?;
    samples.resize(count, 0.0);
    file.fill(&mut samples)?;
    Ok(Recording { samples, rate })
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
            rate: reader.spec.sample_rate,
            channels: reader.spec.channels,
        };
        Ok(Box::new(WavStream {
            left: reader.inner.duration() as usize,
            due: (self.pace == Pace::RealTime).then(Instant::now),
            reader,
            format,
        }))
    }
}

struct WavStream {
    reader: Reader,
    format: Format,
    /// Samples that are still to be played.
    left: usize,
    /// In real time: when all that was delivered so far will have sounded.
    due: Option<Instant>,
}

impl SourceStream for WavStream {
    fn format(&self) -> &Format {
        &self.format
    }

    fn read(&mut self, into: &mut [f32]) -> Result<Read, CaptureError> {
        let count = into.len().min(self.left);
        if count == 0 {
            return Ok(Read::Ended);
        }
        if let Some(due) = &mut self.due {
            // A microphone has a sound only when it is over.
            let over = *due + Duration::from_secs_f64(count as f64 / f64::from(self.format.rate));
            let wait = over.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                return Ok(Read::Later(wait));
            }
            *due = over;
        }
        self.reader.fill(&mut into[..count])?;
        self.left -= count;
        Ok(Read::Samples { count, lost: 0 })
    }
}

/// A file whose header was read and believed.
struct Reader {
    inner: WavReader<BufReader<File>>,
    spec: WavSpec,
    path: PathBuf,
    /// Frames read so far.
    position: u64,
    /// One frame: a sample of each channel, full scale at ±1.
    frame: Vec<f64>,
}

impl Reader {
    fn open(path: &Path) -> Result<Self, WavError> {
        let wrong = |reason: &dyn Display| WavError {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        // Before it is opened: opening a pipe could wait for ever.
        let metadata = path
            .metadata()
            .map_err(|error| wrong(&unreadable(&error)))?;
        if !metadata.is_file() {
            return Err(wrong(&"it is not a file"));
        }
        if metadata.len() == 0 {
            return Err(wrong(&"the file is empty"));
        }
        let inner = WavReader::open(path).map_err(|error| wrong(&describe(&error)))?;
        let spec = inner.spec();
        check_format("it", spec.sample_rate, spec.channels).map_err(|_| {
            wrong(&format_args!(
                "a rate of {} Hz is outside 8000 to 384000 Hz",
                spec.sample_rate
            ))
        })?;
        let bits = spec.bits_per_sample;
        let known = match spec.sample_format {
            SampleFormat::Int => [8, 16, 24, 32].contains(&bits),
            SampleFormat::Float => bits == 32,
        };
        if !known {
            return Err(wrong(&format_args!(
                "{bits} bits a sample cannot be read; integers of 8, 16, 24, 32 bits and floats of \
                 32 can"
            )));
        }
        if inner.duration() == 0 {
            return Err(wrong(&"there is not one sample in it"));
        }
        let promised = u64::from(inner.len()) * u64::from(bits / 8);
        if metadata.len() < promised {
            return Err(wrong(&format_args!(
                "it is truncated: its header promises {promised} bytes of sound, the whole file \
                 has {}",
                metadata.len()
            )));
        }
        Ok(Self {
            frame: vec![0.0; usize::from(spec.channels)],
            inner,
            spec,
            path: path.to_owned(),
            position: 0,
        })
    }

    /// Fills all of `into`, which is no longer than what is left.
    fn fill(&mut self, into: &mut [f32]) -> Result<(), WavError> {
        let full_scale = (1_u64 << (self.spec.bits_per_sample - 1)) as f64;
        match self.spec.sample_format {
            SampleFormat::Int => self.fill_with::<i32>(into, |value| f64::from(value) / full_scale),
            SampleFormat::Float => self.fill_with::<f32>(into, f64::from),
        }
    }

    fn fill_with<S: hound::Sample>(
        &mut self,
        into: &mut [f32],
        scale: impl Fn(S) -> f64,
    ) -> Result<(), WavError> {
        let mut values = self.inner.samples::<S>();
        for sample in into {
            for channel in &mut self.frame {
                *channel = match values.next() {
                    Some(Ok(value)) => scale(value),
                    Some(Err(hound::Error::IoError(_))) | None => {
                        return Err(self.wrong(format_args!(
                            "it is truncated: sample {} is missing",
                            self.position
                        )));
                    }
                    Some(Err(error)) => return Err(self.wrong(describe(&error))),
                };
            }
            let mut not_finite = 0;
            *sample = mix(&self.frame, &mut not_finite);
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

    fn wrong(&self, reason: impl Display) -> WavError {
        WavError {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("it cannot be read: {error}")
}

fn describe(error: &hound::Error) -> String {
    match error {
        // hound meets the end of the file as an error of its own, without the system's number.
        hound::Error::IoError(error) if error.raw_os_error().is_none() => {
            "it is truncated: it ends within the header, or was never a WAV file".to_owned()
        }
        hound::Error::IoError(error) => unreadable(error),
        hound::Error::FormatError(reason) => {
            format!("it is no WAV file that can be read: {reason}")
        }
        hound::Error::Unsupported => {
            "its coding cannot be read; only plain integers and 32-bit floats can".to_owned()
        }
        error => format!("it cannot be read: {error}"),
    }
}
