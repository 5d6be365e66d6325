//! An app with its own audio path writes PCM, and its recognizer receives frames: `cargo run --example own_audio`.

#![allow(clippy::print_stdout, reason = "this program prints its results")]

use std::{error::Error, f32::consts::TAU, thread, time::Duration};

use sordino::capture::{Capture, Frame, PcmWriter, pcm_channel};

const RATE: u32 = 48_000;
const CHANNELS: u16 = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let frames = receive()?;
    println!("{frames} frames of 10 ms");
    Ok(())
}

/// Returns the number of frames that the recognizer receives of one second of sound.
pub fn receive() -> Result<usize, Box<dyn Error>> {
    let (writer, source) = pcm_channel(RATE, CHANNELS)?;
    // In an app this is the audio callback.
    let audio = thread::spawn(move || write_tone(writer));
    let mut frames = 0;
    Capture::new(source).run(&mut |frame: Frame<'_>| {
        assert_eq!(frame.rate, RATE);
        frames += 1;
    })?;
    audio.join().map_err(|_| "the audio thread panicked")?;
    Ok(frames)
}

/// Writes one second of a tone. The source ends when the writer is dropped.
fn write_tone(mut writer: PcmWriter) {
    for buffer in 0..100 {
        let interleaved: Vec<f32> = (0..RATE / 100)
            .map(|sample| (TAU * 440.0 * (buffer * RATE / 100 + sample) as f32 / RATE as f32).sin())
            .flat_map(|sample| [sample; CHANNELS as usize])
            .collect();
        // An audio callback uses `push`, which never waits and returns how many frames it dropped.
        let dropped = writer.write(&interleaved, Duration::from_secs(10));
        assert_eq!(dropped, 0);
    }
}
