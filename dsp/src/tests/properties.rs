//! Properties of the pipeline for random mixes.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// With the same cuts and seed, no filter state, mean, level or estimate carries over from a removed part to a kept
    /// one.
    #[test]
    fn kept_samples_do_not_depend_on_removed_ones(
        voices in prop::collection::vec((0usize..70_000, 4_000usize..20_000), 1..4),
        gain in -60f32..40.0,
        offset in -1f32..1.0,
        number: u64,
        keep_time: bool,
    ) {
        let (settings, seed) = (Settings { keep_time }, Seed::for_test(number));
        let voices = voices.iter().map(|&(at, length)| at..at + length).collect();
        let timeline = Timeline::new(96_000, voices);
        let sound = sum(&[melody(SAMPLE_RATE, 6.0), sine(50.0, 0.02, SAMPLE_RATE, 6.0)]);
        let voice = Reference::read().signal();
        let mut other = sound.clone();
        for removal in timeline.removals() {
            let range = [removal.start_s, removal.end_s].map(|s| (s * 16_000.0).round() as usize);
            for at in range[0]..range[1] {
                other[at] = offset + voice[at % voice.len()] * 10f32.powf(gain / 20.0);
            }
        }
        let rendered = |sound: &[f32]| {
            RenderedClip::new(sound, &timeline, settings, &seed).map(|it| it.into_samples().to_vec())
        };
        prop_assert_eq!(rendered(&sound), rendered(&other));
    }

    /// For any mix of music and voice, no frame of the output reaches the threshold of the gate, as it is or amplified.
    #[test]
    fn no_frame_of_the_output_reaches_the_gate_threshold(
        at in 0usize..80_000,
        length in 0usize..64_000,
        voice_gain in -60f32..0.0,
        music_gain in -60f32..0.0,
        number: u64,
        keep_time: bool,
    ) {
        let amplitude = |decibels: f32| 10f32.powf(decibels / 20.0);
        let mut samples: Vec<f32> =
            melody(SAMPLE_RATE, 6.0).iter().map(|sample| sample * amplitude(music_gain)).collect();
        let voice = Reference::read().signal();
        for (sample, voice) in samples[at..].iter_mut().zip(&voice[..length]) {
            *sample += voice * amplitude(voice_gain);
        }
        let (mut vad, seed) = (SileroVad::new().expect("embedded weights"), Seed::for_test(number));
        let mut pipeline = Pipeline::new().expect("embedded weights");
        let Ok(out) = pipeline.process(&samples, SAMPLE_RATE, Settings { keep_time }, &seed) else {
            return Ok(());
        };
        let sound = float(&out);
        for signal in [&sound[..], &apply_agc(&sound)] {
            let max = vad.predict(signal).into_iter().fold(0.0, f32::max);
            prop_assert!(f64::from(max) < Thresholds::CALIBRATED.rendered_again);
        }
    }
}
