//! Prints the peak level of each second of the microphone, or of a WAV file: `cargo run --example levels [RECORDING.wav]`.
//!
//! Capture alone needs no plan and no consent: nothing is kept, and nothing leaves the device.

#![allow(clippy::print_stdout, reason = "this program prints its results")]

use std::{env, error::Error, path::PathBuf};

use sordino::capture::{Capture, Frame, Microphone, Pace, WavFile};

fn main() -> Result<(), Box<dyn Error>> {
    let recording = env::args_os().nth(1).map(PathBuf::from);
    measure(recording, |second, peak_dbfs| {
        println!("{second:>4} s {peak_dbfs:>6.1} dBFS");
    })
}

/// Calls `report` with the number of each complete second and its peak in dBFS. Returns when the recording ends; the
/// microphone does not end.
pub fn measure(
    recording: Option<PathBuf>,
    mut report: impl FnMut(u64, f32),
) -> Result<(), Box<dyn Error>> {
    let capture = match recording {
        Some(path) => Capture::new(WavFile::new(path, Pace::Unthrottled)),
        None => Capture::new(Microphone::default()),
    };
    let (mut second, mut peak) = (0, 0.0_f32);
    capture.run(&mut |frame: Frame<'_>| {
        // 10 ms, mono. `frame.position` counts samples since the source was opened.
        peak = frame
            .samples
            .iter()
            .fold(peak, |peak, sample| peak.max(sample.abs()));
        let end = (frame.position + frame.samples.len() as u64) / u64::from(frame.rate);
        if end > second {
            report(second, 20.0 * peak.log10());
            (second, peak) = (end, 0.0);
        }
    })?;
    Ok(())
}
