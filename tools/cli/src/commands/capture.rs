//! `sordino devices` and `sordino capture`: a check of the capture path.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use sordino::{
    capture::{self, Capture, CaptureEvent, CaptureHandler, Format, Frame, Microphone, StopHandle},
    text::printable_line,
};

use crate::{
    command_output::{self, CommandOutput},
    error::CliError,
    output_files::{OutputFile, OutputFiles, Overwrite},
    wav,
};

/// The maximum duration: the recording is held in memory.
const MAX_SECONDS: f64 = 600.0;

#[derive(Args)]
pub(crate) struct CaptureArgs {
    /// The WAV file to write
    #[arg(long)]
    out: PathBuf,
    /// The duration
    #[arg(long)]
    seconds: f64,
    /// The input device, as `sordino devices` names it
    #[arg(long)]
    device: Option<String>,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(crate) fn devices() -> Result<CommandOutput, CliError> {
    let devices = quietly(capture::input_devices)?.map_err(CliError::message)?;
    let lines: Vec<String> = devices
        .iter()
        .map(|device| {
            let default = if device.is_default { "  (default)" } else { "" };
            format!(
                "{}  {}, {}{default}",
                printable_line(&device.name),
                range(device.rates, u32::MAX, "rate", "Hz"),
                range(device.channels, u16::MAX, "number of channels", "channels"),
            )
        })
        .collect();
    let text = match lines.is_empty() {
        true => "there is no input device".to_owned(),
        false => lines.join("\n"),
    };
    let json: Vec<_> = devices
        .iter()
        .map(|device| {
            serde_json::json!({
                "id": device.id,
                "name": device.name,
                "default": device.is_default,
                "rates": device.rates,
                "channels": device.channels,
            })
        })
        .collect();
    CommandOutput::new(text, json)
}

/// Does `work` and suppresses messages that the sound service's libraries write to standard error: on Linux one for
/// each service that does not run. The messages are returned too.
#[cfg(target_os = "linux")]
fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, CliError> {
    use std::{fs::File, io, path::Path};

    let null = Path::new("/dev/null");
    let sink = File::options().write(true).open(null);
    let sink = sink.map_err(CliError::file("open", null))?;
    let failed = |error: rustix::io::Errno| CliError::message(io::Error::from(error));
    let stderr = rustix::io::dup(io::stderr()).map_err(failed)?;
    rustix::stdio::dup2_stderr(&sink).map_err(failed)?;
    let done = work();
    rustix::stdio::dup2_stderr(&stderr).map_err(failed)?;
    Ok(done)
}

#[cfg(not(target_os = "linux"))]
fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, CliError> {
    Ok(work())
}

/// The range of a device's capability, in words. A sound system that converts has no limits of its own: it
/// reports 1 or less, up to `most` or half of it.
fn range<N: Into<u64>>((low, high): (N, N), most: N, what: &str, unit: &str) -> String {
    let (low, high, most) = (low.into(), high.into(), most.into());
    match (low <= 1, high >= most / 2) {
        (true, true) => format!("any {what}"),
        (true, false) => format!("up to {high} {unit}"),
        (false, true) => format!("{low} {unit} or more"),
        (false, false) if low == high => format!("{low} {unit}"),
        (false, false) => format!("{low} to {high} {unit}"),
    }
}

/// Summary of a recording.
#[derive(Serialize)]
struct CaptureSummary {
    out: PathBuf,
    device: String,
    rate: u32,
    seconds: f64,
    /// Samples that were lost because they were not read in time, and replaced by silence.
    lost: u64,
    /// Number of times the device disappeared and was reopened.
    reopened: u32,
    /// The loudest sample, in dB below full scale.
    peak_dbfs: Option<f64>,
}

pub(crate) fn capture(args: CaptureArgs, json: bool) -> Result<CommandOutput, CliError> {
    let CaptureArgs {
        out,
        seconds,
        device,
        overwrite,
    } = args;
    if !(seconds > 0.0 && seconds <= MAX_SECONDS) {
        return Err(CliError::Message(format!(
            "--seconds must be above 0 and at most {MAX_SECONDS}, not {seconds}"
        )));
    }
    let output = OutputFiles::new([], overwrite).private(&out)?.checked()?;
    let microphone = device.map_or_else(Microphone::default, Microphone::named);
    let capture = Capture::new(microphone);
    let mut recorder = Recorder::new(seconds, capture.stop_handle(), json);
    capture.run(&mut recorder).map_err(CliError::message)?;
    recorder.finish(&out, &output)
}

/// Collects frames until there are enough.
struct Recorder {
    seconds: f64,
    stopper: StopHandle,
    bar: indicatif::ProgressBar,
    format: Option<Format>,
    samples: Vec<i16>,
    lost: u64,
    reopened: u32,
}

impl Recorder {
    fn new(seconds: f64, stopper: StopHandle, json: bool) -> Self {
        let bar = command_output::progress((seconds * 10.0) as usize, "recording", json);
        Self {
            seconds,
            stopper,
            bar,
            format: None,
            samples: Vec::new(),
            lost: 0,
            reopened: 0,
        }
    }

    fn finish(self, out: &Path, output: &OutputFile) -> Result<CommandOutput, CliError> {
        self.bar.finish_and_clear();
        let format = self
            .format
            .ok_or_else(|| CliError::Message("the microphone gave no sound".to_owned()))?;
        output.write(&wav::encode(&self.samples, format.rate)?)?;
        let peak = self
            .samples
            .iter()
            .map(|sample| sample.unsigned_abs())
            .max()
            .unwrap_or(0);
        let peak_dbfs = (peak > 0).then(|| 20.0 * (f64::from(peak) / 32_768.0).log10());
        let seconds = self.samples.len() as f64 / f64::from(format.rate);
        let level = peak_dbfs.map_or("silent".to_owned(), |peak| format!("peak {peak:.1} dBFS"));
        let text = format!(
            "{}: {seconds:.2} s from {} at {} Hz, {level}, {} samples lost",
            out.display(),
            format.device,
            format.rate,
            self.lost
        );
        let recorded = CaptureSummary {
            out: out.to_owned(),
            device: format.device,
            rate: format.rate,
            seconds,
            lost: self.lost,
            reopened: self.reopened,
            peak_dbfs,
        };
        CommandOutput::new(text, recorded)
    }
}

impl CaptureHandler for Recorder {
    fn on_frame(&mut self, frame: Frame<'_>) {
        let wanted = (self.seconds * f64::from(frame.rate)).round() as usize;
        let gap = usize::try_from(frame.lost).unwrap_or(usize::MAX);
        let filled = self.samples.len().saturating_add(gap).min(wanted);
        self.samples.resize(filled, 0);
        let room = wanted - self.samples.len();
        self.samples.extend(
            frame
                .samples
                .iter()
                .take(room)
                .map(|&sample| to_i16(sample)),
        );
        let done = self.samples.len() as f64 / f64::from(frame.rate);
        self.bar.set_position((done * 10.0) as u64);
        if self.samples.len() >= wanted {
            self.stopper.stop();
        }
    }

    fn on_event(&mut self, event: CaptureEvent) {
        match event {
            CaptureEvent::Opened(format) => self.format = Some(format),
            // The samples so far have another rate; the recording restarts.
            CaptureEvent::Reopened(format) => {
                self.reopened += 1;
                if self
                    .format
                    .as_ref()
                    .is_some_and(|before| before.rate != format.rate)
                {
                    self.samples.clear();
                }
                self.format = Some(format);
            }
            CaptureEvent::Overrun { samples } => self.lost += samples,
            _ => {}
        }
    }
}

fn to_i16(sample: f32) -> i16 {
    (sample * 32_767.0).round().clamp(-32_768.0, 32_767.0) as i16
}
