//! The promises of the whole stage, on sounds whose truth is known.

use proptest::prelude::*;
use test_tiers::sized;

use super::{
    detector::{Detector, RATE, reference::Reference},
    finish::Finished,
    raise::raised,
    random::Seed,
    testing::{level, melody, sine, sum},
    timeline::Timeline,
    *,
};

fn anonymize(samples: Vec<f32>, rate: u32) -> Result<Anonymized, RejectedClip> {
    anonymize_with(samples, rate, Settings::default())
}

/// With draws that are always the same: what the detector thinks of a synthetic sound may hang on
/// where a frame begins, and these tests are about what follows from what it thinks.
fn anonymize_with(
    samples: Vec<f32>,
    rate: u32,
    settings: Settings,
) -> Result<Anonymized, RejectedClip> {
    Pipeline::new()
        .expect("carried")
        .process(&samples, rate, settings, &Seed::for_test(2))
}

fn float(clip: &Anonymized) -> Vec<f32> {
    clip.samples
        .iter()
        .map(|&sample| f32::from(sample) / 32_768.0)
        .collect()
}

/// Music, a voice for 4 s at `gain`, music.
fn interrupted(gain: f32) -> Vec<f32> {
    let mut samples = melody(RATE, 12.0);
    let voice = Reference::read().signal();
    let from = 4 * RATE as usize;
    samples[from..from + voice.len()].fill(0.0);
    let spoken = samples[from..].iter_mut().zip(voice);
    spoken.for_each(|(sample, voice)| *sample = gain * voice);
    samples
}

/// By how much times may lie beside the input's: what is trimmed at the beginning and the clock.
fn beside(seconds: f64) -> f64 {
    0.005 + 0.001 * seconds
}

/// Kept and removed stretches, in order, must follow on one another from 0 to the input's end, of
/// which trimming and rounding may have taken 0.21 s, and the clock its share.
fn assert_tiles(kept: &[Span], removed: &[Removal], seconds: f64) {
    let removed = removed
        .iter()
        .map(|removal| (removal.start_s, removal.end_s));
    let mut all: Vec<(f64, f64)> = kept
        .iter()
        .map(|span| (span.0, span.1))
        .chain(removed)
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut at = 0.0;
    for (start, end) in all {
        assert_eq!(start, at);
        assert!(end > start);
        at = end;
    }
    let lost = seconds - at;
    assert!(
        -beside(seconds) < lost && lost < 0.21 + beside(seconds),
        "{at} s of {seconds} s"
    );
    assert!((at * 10.0 - (at * 10.0).round()).abs() < 1e-9, "{at} s");
}

#[test]
fn music_alone_is_kept() {
    // All but a few of the plucked notes: Silero takes some of them for a voice.
    let out = anonymize(melody(48_000, 10.0), 48_000).expect("music");
    assert_tiles(&out.kept, &out.removed, 10.0);
    let kept: f64 = out.kept.iter().map(|span| span.1 - span.0).sum();
    assert!(kept > 7.5, "{:?}", out.kept);
    assert_eq!(RATE, 16_000);
    assert_eq!(out.samples.len(), (kept * 16_000.0).round() as usize);
}

#[test]
fn a_voice_goes_and_the_music_around_it_stays() {
    // The voice sounds from 4.2 s to 7.2 s; its last second is noise.
    let samples = interrupted(1.0);
    let out = anonymize(samples, RATE).expect("music");
    assert!(
        out.kept.iter().all(|span| span.1 <= 4.2 || span.0 >= 7.2),
        "{:?}",
        out.kept
    );
    let kept: f64 = out.kept.iter().map(|span| span.1 - span.0).sum();
    assert!(kept > 6.0, "{:?}", out.kept);
    assert_eq!((kept * 16_000.0).round() as usize, out.samples.len());
    assert_tiles(&out.kept, &out.removed, 12.0);
    assert!(
        out.removed
            .iter()
            .any(|removal| removal.reason == RemovalReason::Voice)
    );
}

#[test]
fn a_voice_40_db_down_goes_as_well() {
    let out = anonymize(interrupted(0.01), RATE).expect("music");
    assert!(
        out.kept.iter().all(|span| span.1 <= 4.5 || span.0 >= 7.2),
        "{:?}",
        out.kept
    );
}

#[test]
fn a_voice_alone_is_withheld() {
    let voice = Reference::read().signal()[..3 * RATE as usize].to_vec();
    let withheld = anonymize(voice, RATE).expect_err("a voice");
    assert_eq!(withheld.reason, RejectionReason::Voice);
    assert_tiles(&[], &withheld.removed[..], 3.0);
}

/// What a cheap converter, a draft and a lorry outside add, at `rate` Hz for `seconds`: no sound, and louder than the
/// sound at times.
fn inaudible(rate: u32, seconds: f64) -> [(&'static str, Vec<f32>); 6] {
    let count = (seconds * f64::from(rate)) as usize;
    let decay = (0..count).map(|n| 0.5 * (-(n as f64) / f64::from(rate)).exp() as f32);
    let mut late = vec![0.3; count];
    late[..rate as usize / 2].fill(0.0);
    [
        ("an offset", vec![0.4; count]),
        ("an offset below zero", vec![-0.1; count]),
        ("an offset that fades", decay.collect()),
        ("an offset that begins later", late),
        ("swaying", sine(1.5, 0.3, rate, seconds)),
        ("infrasound", sine(7.0, 0.3, rate, seconds)),
    ]
}

#[test]
fn music_over_what_is_no_sound_is_kept_as_without_it() {
    for gain in [1.0, 0.03] {
        let music: Vec<f32> = melody(48_000, 6.0).iter().map(|x| x * gain).collect();
        let kept = |samples| {
            let out = anonymize(samples, 48_000);
            let spans = out.map(|out| out.kept).unwrap_or_default();
            spans.iter().map(|span| span.1 - span.0).sum::<f64>()
        };
        let alone = kept(music.clone());
        assert!(alone > 4.0, "{alone} s");
        for (name, added) in inaudible(48_000, 6.0) {
            let with = kept(sum(&[music.clone(), added]));
            assert!(with > alone - 0.8, "{name}: {with} s instead of {alone} s");
        }
    }
}

#[test]
fn a_voice_over_what_is_no_sound_leaves_nothing() {
    let mut voice = vec![0.0; 8 * RATE as usize];
    voice[2 * RATE as usize..][..3 * RATE as usize]
        .copy_from_slice(&Reference::read().signal()[..3 * RATE as usize]);
    for (name, added) in inaudible(RATE, 8.0) {
        for gain in [1.0, 0.1] {
            let quiet = voice.iter().map(|sample| sample * gain).collect();
            let out = anonymize(sum(&[quiet, added.clone()]), RATE);
            assert!(
                out.is_err(),
                "{name}, {gain}: {:?}",
                out.map(|out| out.kept)
            );
        }
    }
}

#[test]
fn with_keep_time_silence_takes_the_place_of_what_went() {
    let settings = Settings { keep_time: true };
    let out = anonymize_with(interrupted(1.0), RATE, settings).expect("music");
    assert!((188_000..=192_000).contains(&out.samples.len()));
    assert_eq!(out.samples.len() % 1_600, 0);
    for removal in &out.removed {
        // Output and spans share one time, to the sample.
        let range = [removal.start_s, removal.end_s].map(|s| (s * 16_000.0).round() as usize);
        assert!(
            out.samples[range[0]..range[1]]
                .iter()
                .all(|&sample| sample == 0)
        );
    }
    assert!(!out.removed.is_empty());
    assert!(settings.info().keep_time);
}

#[test]
fn kept_tells_where_a_sound_stood() {
    // Each stretch of the output that holds a note's onset must be the input's where `kept` puts it, as exactly as the
    // trimmed beginning and the changed clock allow.
    let input = interrupted(1.0);
    let out = anonymize(input.clone(), RATE).expect("music");
    assert!(out.kept.len() >= 2, "{:?}", out.kept);
    // Envelopes: a tone is like itself a period later, and its phase runs away with the clock.
    let (input, sound) = (envelope(&input), envelope(&float(&out)));
    let mut before = 0;
    for Span(start, end) in &out.kept {
        let [start, end] = [start, end].map(|s| (s * 16_000.0).round() as usize);
        for at in (start + 1_000..end.saturating_sub(25_000)).step_by(8_000) {
            // What is kept of the time of the voice, from 4.2 s to 7.2 s, is noise without an onset.
            if at < 116_000 && at + 24_000 > 67_000 {
                continue;
            }
            let piece = &sound[before + at - start..][..24_000];
            let likeness = |from: &usize| {
                let there = &input[*from..][..piece.len()];
                let mean = there.iter().sum::<f32>() / there.len() as f32;
                let deviations = there.iter().map(|value| value - mean);
                let product: f32 = piece
                    .iter()
                    .zip(deviations.clone())
                    .map(|(x, y)| x * y)
                    .sum();
                product / deviations.map(|y| y * y).sum::<f32>().sqrt()
            };
            let stood = (at - 400..at + 400).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let off = stood.expect("some").abs_diff(at) as f64 / 16_000.0;
            let time = (at + 24_000) as f64 / 16_000.0;
            assert!(off <= beside(time), "{off} s off at {time} s");
        }
        before += end - start;
    }
    assert_eq!(before, sound.len());
}

/// How loud each 5 ms are.
fn envelope(samples: &[f32]) -> Vec<f32> {
    let mut sum = 0.0;
    let mut out = Vec::with_capacity(samples.len());
    for (at, sample) in samples.iter().enumerate() {
        sum += sample.abs()
            - if at >= 80 {
                samples[at - 80].abs()
            } else {
                0.0
            };
        out.push(sum);
    }
    out
}

#[test]
fn loud_quiet_clipped_and_offset_music_come_out_at_one_level() {
    let music = melody(48_000, 4.0);
    let treated: [fn(f32) -> f32; 5] = [
        |x| x,
        |x| x * 0.03,
        |x| x * 40.0,
        |x| (x * 8.0).clamp(-1.0, 1.0),
        |x| x * 0.3 + 0.5,
    ];
    for (index, treat) in treated.into_iter().enumerate() {
        let out = anonymize(music.iter().copied().map(treat).collect(), 48_000).expect("music");
        let sound = float(&out);
        assert!(
            (level(&sound) + 23.0).abs() < 1.1,
            "{index}: {} dBFS",
            level(&sound)
        );
        let mean = sound.iter().sum::<f32>() / sound.len() as f32;
        assert!(mean.abs() < 1e-4, "{index}: an offset of {mean}");
        assert!(out.samples.iter().all(|sample| sample.abs() < i16::MAX));
    }
}

#[test]
fn hum_under_music_goes() {
    let rate = 48_000;
    let hum = sum(&[sine(50.0, 0.03, rate, 8.0), sine(150.0, 0.01, rate, 8.0)]);
    let out = anonymize(sum(&[melody(rate, 8.0), hum]), rate).expect("music");
    let share = |hz: f64, samples: &[f32], rate: u32| {
        let turn = std::f64::consts::TAU * hz / f64::from(rate);
        let [re, im] = [f64::cos, f64::sin].map(|wave| {
            let values = samples.iter().enumerate();
            values
                .map(|(n, &x)| f64::from(x) * wave(turn * n as f64))
                .sum::<f64>()
        });
        20.0 * (re.hypot(im) * 2.0 / samples.len() as f64).log10()
    };
    let sound = float(&out);
    let gain = level(&sound) - level(&melody(rate, 8.0));
    for (hz, before) in [(50.0, 0.03f64), (150.0, 0.01)] {
        let down = share(hz, &sound, 16_000) - gain - 20.0 * before.log10();
        assert!(down < -20.0, "{hz} Hz: {down} dB");
    }
}

#[test]
fn what_is_not_worth_a_sample_is_refused_with_its_reason() {
    let noise = |peak: f32| {
        let mut state = 1u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state as f32 / 2f32.powi(31) - 1.0) * peak
        };
        (0..96_000).map(|_| next()).collect::<Vec<f32>>()
    };
    let reason = |samples, rate| anonymize(samples, rate).expect_err("nothing").reason;
    assert_eq!(reason(vec![0.5], 48_000), RejectionReason::TooShort);
    assert_eq!(
        reason(melody(48_000, 0.99), 48_000),
        RejectionReason::TooShort
    );
    assert_eq!(reason(vec![0.0; 96_000], 48_000), RejectionReason::Silence);
    assert_eq!(reason(vec![0.7; 96_000], 48_000), RejectionReason::Silence);
    assert_eq!(reason(noise(1e-4), 48_000), RejectionReason::Silence);
    assert_eq!(
        reason(vec![f32::MAX; 96_000], 48_000),
        RejectionReason::Silence
    );
}

#[test]
fn a_sweep_at_any_rate_comes_out_finite_or_is_withheld() {
    for rate in [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 384_000] {
        let seconds = 3.0;
        let count = (seconds * f64::from(rate)) as usize;
        let sweep = (0..count).map(|n| {
            let t = n as f64 / f64::from(rate);
            let phase = std::f64::consts::TAU * (20.0 * t + (f64::from(rate) / 2.0) * t * t / 6.0);
            (0.5 * phase.sin()) as f32
        });
        match anonymize(sweep.collect(), rate) {
            Ok(out) => assert_tiles(&out.kept, &out.removed, seconds),
            // Where the low half goes as a voice, nothing but silence is left of the high one.
            Err(withheld) => {
                assert!(
                    [RejectionReason::Voice, RejectionReason::Silence].contains(&withheld.reason)
                )
            }
        }
    }
}

#[test]
fn a_rate_at_which_no_microphone_delivers_is_refused() {
    for rate in [0, 7_999, 384_001, u32::MAX] {
        let refused = anonymize(vec![0.5; 96_000], rate).expect_err("no rate");
        assert_eq!(refused.reason, RejectionReason::Failed);
    }
}

#[test]
fn long_recordings_are_taken() {
    // Many times as long as anything that looks around itself: the net's view is of 4 s.
    let minutes = sized(2, 10);
    let seconds = f64::from(60 * minutes);
    let out = anonymize(melody(8_000, seconds), 8_000).expect("music");
    assert_tiles(&out.kept, &out.removed, seconds);
    assert!(out.samples.len() as f64 > 0.83 * seconds * 16_000.0);
}

#[test]
fn a_description_survives_the_manifest() {
    let description = Settings::default().info();
    let json = serde_json::to_string(&description).expect("JSON");
    assert_eq!(
        serde_json::from_str::<AnonymizerInfo>(&json).expect("JSON"),
        description
    );
    let reasons = [RejectionReason::TooShort, RejectionReason::Voice];
    assert_eq!(
        serde_json::to_string(&reasons).expect("JSON"),
        r#"["too-short","voice"]"#
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// With the same cuts and seed, what was said in a part that went changes not one bit of what is
    /// kept: no filter's memory, mean, level or estimate reaches across from it.
    #[test]
    fn kept_parts_do_not_depend_on_what_stood_in_the_cut_parts(
        voices in prop::collection::vec((0usize..70_000, 4_000usize..20_000), 1..4),
        gain in -60f32..40.0,
        offset in -1f32..1.0,
        number: u64,
        keep_time: bool,
    ) {
        let (settings, seed) = (Settings { keep_time }, Seed::for_test(number));
        let voices = voices.iter().map(|&(at, length)| at..at + length).collect();
        let timeline = Timeline::new(96_000, voices);
        let sound = sum(&[melody(RATE, 6.0), sine(50.0, 0.02, RATE, 6.0)]);
        let voice = Reference::read().signal();
        let mut other = sound.clone();
        for removal in timeline.removals() {
            let range = [removal.start_s, removal.end_s].map(|s| (s * 16_000.0).round() as usize);
            for at in range[0]..range[1] {
                other[at] = offset + voice[at % voice.len()] * 10f32.powf(gain / 20.0);
            }
        }
        let finished = |sound: &[f32]| {
            Finished::new(sound, &timeline, settings, &seed).map(|it| it.into_samples().to_vec())
        };
        prop_assert_eq!(finished(&sound), finished(&other));
    }

    /// Whatever the mix: a frame of the sound at 16 kHz that the detector takes for a voice, as it is or raised,
    /// and what lies within the padding of it, is not kept; and the output, heard as an outsider
    /// would, has no frame above the stricter threshold.
    #[test]
    fn nothing_that_the_gate_takes_for_a_voice_is_let_out(
        at in 0usize..80_000,
        length in 0usize..64_000,
        voice_gain in -60f32..0.0,
        music_gain in -60f32..0.0,
        number: u64,
        keep_time: bool,
    ) {
        let amplitude = |decibels: f32| 10f32.powf(decibels / 20.0);
        let mut samples: Vec<f32> =
            melody(RATE, 6.0).iter().map(|sample| sample * amplitude(music_gain)).collect();
        let voice = Reference::read().signal();
        for (sample, voice) in samples[at..].iter_mut().zip(&voice[..length]) {
            *sample += voice * amplitude(voice_gain);
        }
        let (mut detector, seed) = (Detector::new().expect("carried"), Seed::for_test(number));
        let mut pipeline = Pipeline::new().expect("carried");
        let Ok(out) = pipeline.process(&samples, RATE, Settings { keep_time }, &seed) else {
            return Ok(());
        };
        let sound = float(&out);
        for heard in [&sound[..], &raised(&sound)] {
            let loudest = detector.hear(heard).into_iter().fold(0.0, f32::max);
            prop_assert!(f64::from(loudest) < voice::THRESHOLD);
        }
    }
}
