//! Anonymizes a recording without an engine: `cargo run --release --example anonymize IN.wav OUT.wav`.

#![allow(clippy::print_stdout, reason = "this program prints its results")]

use std::{env, error::Error, path::Path};

use sordino::{
    anonymize::{Anonymizer, AnonymousClip, Settings, Span},
    capture::read_wav,
    sampler::{Annotation, RawClip, Selection, Trigger},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let usage = "usage: anonymize IN.wav OUT.wav";
    let (input, output) = (
        arguments.next().ok_or(usage)?,
        arguments.next().ok_or(usage)?,
    );
    let clip = anonymize(input.as_ref())?;
    for Span(start, end) in clip.kept() {
        println!("kept {start:.2} to {end:.2} s");
    }
    write(&clip, output.as_ref())
}

/// A recording of at most a minute without voices, at 16 kHz.
pub fn anonymize(path: &Path) -> Result<AnonymousClip, Box<dyn Error>> {
    let recording = read_wav(path)?;
    let selection = Selection {
        trigger: Trigger::Mark,
        probability: 1.0,
    };
    let clip = RawClip::new(
        recording.samples,
        recording.rate,
        selection,
        Annotation::default(),
    )?;
    // It is an error if nothing of the clip is safe to keep.
    Ok(Anonymizer::new()?.anonymize(clip, Settings::default())?)
}

/// Writes 16-bit PCM.
pub fn write(clip: &AnonymousClip, path: &Path) -> Result<(), Box<dyn Error>> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: clip.rate(),
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec)?;
    for &sample in clip.samples() {
        file.write_sample(sample)?;
    }
    Ok(file.finalize()?)
}
