//! Spectrograms and sounds.

use super::*;

#[test]
fn a_1_khz_tone_is_brightest_in_the_row_of_1_khz() {
    for rate in [8_000, 16_000, 44_100, 48_000] {
        let sound = tone(1_000.0, rate, 2.0).prepared().unwrap();
        let whole = timeline::Timeline::whole(2.0);
        let png = picture::spectrogram(&sound, &whole, 2.0).unwrap();
        let pixels = decode(&png);
        let column: Vec<u8> = (0..picture::ROWS)
            .map(|row| pixels[row * picture::COLUMNS + picture::COLUMNS / 2])
            .collect();
        let loudest = (0..picture::ROWS).max_by_key(|&row| column[row]).unwrap();
        let due = picture::height_of(1_000.0) * picture::ROWS as f64;
        assert!(
            (loudest as f64 + 0.5 - due).abs() <= 2.0,
            "{rate} Hz: row {loudest}, due {due:.1}"
        );
        // An octave away it is dark: at least 50 dB down.
        let octave = (picture::height_of(2_000.0) * picture::ROWS as f64) as usize;
        assert!(column[octave] < 18, "{rate} Hz: {}", column[octave]);
    }
}

#[test]
fn removed_parts_are_transparent_and_kept_parts_stay_in_place() {
    // One second of 500 Hz from 1 s, one of 2 kHz from 4 s.
    let mut samples = tone(500.0, 16_000, 1.0).samples;
    samples.extend(tone(2_000.0, 16_000, 1.0).samples);
    let sound = Sound {
        samples,
        rate: 16_000,
    };
    let kept = [Span(1.0, 2.0), Span(4.0, 5.0)];
    let timeline = timeline::Timeline::of_kept(&kept, sound.seconds());
    let pixels = decode(&picture::spectrogram(&sound, &timeline, 5.0).unwrap());
    let at = |seconds: f64, hertz: f64| {
        let row = (picture::height_of(hertz) * picture::ROWS as f64) as usize;
        pixels[row * picture::COLUMNS + (seconds / 5.0 * picture::COLUMNS as f64) as usize]
    };
    assert!(at(1.5, 500.0) > 50 && at(1.5, 500.0) < 64);
    assert!(at(4.5, 2_000.0) > 50 && at(4.5, 2_000.0) < 64);
    for gap in [0.5, 2.5, 3.5] {
        assert_eq!(at(gap, 500.0), 64);
    }
}

#[test]
fn resampling_keeps_tones_below_the_new_limit() {
    let power = |sound: &Sound| {
        let sum: f32 = sound.samples.iter().map(|sample| sample * sample).sum();
        sum / sound.samples.len() as f32
    };
    let kept = tone(5_000.0, 48_000, 1.0).prepared().unwrap();
    assert_eq!((kept.rate, kept.samples.len()), (16_000, 16_000));
    assert!((power(&kept) / 0.125 - 1.0).abs() < 0.01);
    let lost = tone(11_000.0, 48_000, 1.0).prepared().unwrap();
    assert!(power(&lost) < 1e-5, "{}", power(&lost));
}

#[test]
fn the_player_has_the_same_samples() {
    let sound = tone(440.0, 16_000, 1.0);
    let uri = sound.data_uri().unwrap();
    let packed = uri.strip_prefix("data:audio/flac;base64,").unwrap();
    use base64::Engine as _;
    let flac = base64::engine::general_purpose::STANDARD
        .decode(packed)
        .unwrap();
    let mut reader = claxon::FlacReader::new(&flac[..]).unwrap();
    assert_eq!(reader.streaminfo().sample_rate, 16_000);
    let heard: Vec<i32> = reader.samples().map(Result::unwrap).collect();
    let due: Vec<i32> = sound
        .samples
        .iter()
        .map(|sample| (sample * 32_768.0).round() as i32)
        .collect();
    assert_eq!(heard, due);
}

/// The color indices of a PNG.
fn decode(png: &[u8]) -> Vec<u8> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels.len(), picture::COLUMNS * picture::ROWS);
    pixels
}
