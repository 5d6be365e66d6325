//! Files whose channels cancel.

use std::{io::Cursor, path::Path};

use super::super::read_wav_from;
use super::wave::{FormatChunk, PCM, Wave};

/// A 16-bit recording in which channel `c` is the signal times `gains[c]`, after half a second of silence.
fn recorded(gains: &[i16]) -> (Vec<i16>, Vec<u8>) {
    let tone = |at: u32| (f64::from(at) * 0.3).sin() * 8_000.0;
    let sound: Vec<i16> = (0..16_000)
        .map(|at| if at < 4_000 { 0 } else { tone(at) as i16 })
        .collect();
    let frame = |sample: &i16| -> Vec<u8> {
        let channel = |gain: &i16| (sample / 8 * gain).to_le_bytes();
        gains.iter().flat_map(channel).collect()
    };
    let bytes = sound.iter().flat_map(frame).collect();
    let format = FormatChunk::new(PCM, 16, gains.len() as u16);
    (sound, Wave::new(format, bytes).bytes())
}

#[test]
fn an_inverted_pair_is_not_read_as_silence() {
    let cases: [&[i16]; 5] = [
        &[8, -8],
        &[8, -6],
        &[8, -4, -4],
        &[8, 8, -8, -8],
        &[8, 0, -8],
    ];
    for gains in cases {
        let (sound, bytes) = recorded(gains);
        let recording = read_wav_from(Cursor::new(bytes), Path::new("a.wav")).unwrap();
        let gain: i16 = gains.iter().map(|gain| gain.abs()).sum();
        let gain = f64::from(gain) / gains.len() as f64;
        for (sample, sound) in recording.samples.iter().zip(&sound) {
            let expected = f64::from(sound / 8) * gain / 32_768.0;
            assert!((f64::from(*sample) - expected).abs() < 1e-6, "{gains:?}");
        }
    }
}

#[test]
fn channels_that_do_not_cancel_are_averaged() {
    for gains in [[8, 8], [8, 0], [8, 3], [0, 8]] {
        let (sound, bytes) = recorded(&gains);
        let recording = read_wav_from(Cursor::new(bytes), Path::new("a.wav")).unwrap();
        for (sample, sound) in recording.samples.iter().zip(&sound) {
            let sum = sound / 8 * gains[0] + sound / 8 * gains[1];
            assert_eq!(*sample, (f64::from(sum) / 2.0 / 32_768.0) as f32);
        }
    }
}
