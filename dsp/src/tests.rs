//! The guarantees of the pipeline, on synthetic signals.

mod properties;

use test_tiers::sized;

use super::{
    agc::apply_agc,
    postprocess::RenderedClip,
    rng::Seed,
    sample_rate::SAMPLE_RATE,
    silero_vad::{SileroVad, reference::Reference},
    testing::{level, melody, sine, sum},
    timeline::Timeline,
    *,
};

fn anonymize(samples: Vec<f32>, rate: u32) -> Result<Anonymized, RejectedClip> {
    anonymize_with(samples, rate, Settings::default())
}

/// With a fixed seed: the detector's output for a synthetic signal may depend on the alignment of its frames.
fn anonymize_with(
    samples: Vec<f32>,
    rate: u32,
    settings: Settings,
) -> Result<Anonymized, RejectedClip> {
    Pipeline::new()
        .expect("embedded weights")
        .process(&samples, rate, settings, &Seed::for_test(2))
}

fn float(clip: &Anonymized) -> Vec<f32> {
    clip.samples
        .iter()
        .map(|&sample| f32::from(sample) / 32_768.0)
        .collect()
}

/// Music, 4 s of a voice at `gain`, music.
fn interrupted(gain: f32) -> Vec<f32> {
    let mut samples = melody(SAMPLE_RATE, 12.0);
    let voice = Reference::read().signal();
    let from = 4 * SAMPLE_RATE as usize;
    samples[from..from + voice.len()].fill(0.0);
    let spoken = samples[from..].iter_mut().zip(voice);
    spoken.for_each(|(sample, voice)| *sample = gain * voice);
    samples
}

/// The maximum deviation of a time from the input's: the trim of the start and the clock jitter.
fn tolerance(seconds: f64) -> f64 {
    0.005 + 0.001 * seconds
}

/// Kept and removed spans must be contiguous from 0 to the end of the input, less up to 0.21 s of trim and the clock
/// jitter.
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
        -tolerance(seconds) < lost && lost < 0.21 + tolerance(seconds),
        "{at} s of {seconds} s"
    );
    assert!((at * 10.0 - (at * 10.0).round()).abs() < 1e-9, "{at} s");
}

#[test]
fn music_alone_is_kept() {
    // Not all of it: Silero takes some of the plucked notes for a voice.
    let out = anonymize(melody(48_000, 10.0), 48_000).expect("music");
    assert_tiles(&out.kept, &out.removed, 10.0);
    let kept: f64 = out.kept.iter().map(|span| span.1 - span.0).sum();
    assert!(kept > 7.5, "{:?}", out.kept);
    assert_eq!(SAMPLE_RATE, 16_000);
    assert_eq!(out.samples.len(), (kept * 16_000.0).round() as usize);
}

#[test]
fn a_voice_is_removed_and_the_music_around_it_kept() {
    // The voice is from 4.2 s to 7.2 s; the last second of its signal is noise.
    let samples = interrupted(1.0);
    let out = anonymize(samples, SAMPLE_RATE).expect("music");
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
fn a_voice_40_db_below_the_music_is_removed() {
    let out = anonymize(interrupted(0.01), SAMPLE_RATE).expect("music");
    assert!(
        out.kept.iter().all(|span| span.1 <= 4.5 || span.0 >= 7.2),
        "{:?}",
        out.kept
    );
}

#[test]
fn a_voice_alone_is_rejected() {
    let voice = Reference::read().signal()[..3 * SAMPLE_RATE as usize].to_vec();
    let rejected = anonymize(voice, SAMPLE_RATE).expect_err("a voice");
    assert_eq!(rejected.reason, RejectionReason::Voice);
    assert_tiles(&[], &rejected.removed[..], 3.0);
}

/// Offsets and infrasound, as cheap converters, drafts and traffic add them; partly louder than the music.
fn inaudible(rate: u32, seconds: f64) -> [(&'static str, Vec<f32>); 6] {
    let count = (seconds * f64::from(rate)) as usize;
    let decay = (0..count).map(|n| 0.5 * (-(n as f64) / f64::from(rate)).exp() as f32);
    let mut late = vec![0.3; count];
    late[..rate as usize / 2].fill(0.0);
    [
        ("an offset", vec![0.4; count]),
        ("an offset below zero", vec![-0.1; count]),
        ("an offset that fades", decay.collect()),
        ("an offset that starts later", late),
        ("slow infrasound", sine(1.5, 0.3, rate, seconds)),
        ("infrasound", sine(7.0, 0.3, rate, seconds)),
    ]
}

#[test]
fn music_with_offsets_and_infrasound_is_kept() {
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
fn a_voice_with_offsets_and_infrasound_is_rejected() {
    let mut voice = vec![0.0; 8 * SAMPLE_RATE as usize];
    voice[2 * SAMPLE_RATE as usize..][..3 * SAMPLE_RATE as usize]
        .copy_from_slice(&Reference::read().signal()[..3 * SAMPLE_RATE as usize]);
    for (name, added) in inaudible(SAMPLE_RATE, 8.0) {
        for gain in [1.0, 0.1] {
            let quiet = voice.iter().map(|sample| sample * gain).collect();
            let out = anonymize(sum(&[quiet, added.clone()]), SAMPLE_RATE);
            assert!(
                out.is_err(),
                "{name}, {gain}: {:?}",
                out.map(|out| out.kept)
            );
        }
    }
}

#[test]
fn keep_time_replaces_removed_parts_by_silence() {
    let settings = Settings { keep_time: true };
    let out = anonymize_with(interrupted(1.0), SAMPLE_RATE, settings).expect("music");
    assert!((188_000..=192_000).contains(&out.samples.len()));
    assert_eq!(out.samples.len() % 1_600, 0);
    for removal in &out.removed {
        // The output and the spans have the same times, to the sample.
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
fn kept_spans_are_the_times_of_the_output_in_the_input() {
    // Each part of the output that contains a note's onset must match the input where `kept` puts it, within the
    // tolerance of the trim and the clock jitter.
    let input = interrupted(1.0);
    let out = anonymize(input.clone(), SAMPLE_RATE).expect("music");
    assert!(out.kept.len() >= 2, "{:?}", out.kept);
    // Envelopes, since a tone is periodic, and its phase drifts with the clock.
    let (input, sound) = (envelope(&input), envelope(&float(&out)));
    let mut before = 0;
    for Span(start, end) in &out.kept {
        let [start, end] = [start, end].map(|s| (s * 16_000.0).round() as usize);
        for at in (start + 1_000..end.saturating_sub(25_000)).step_by(8_000) {
            // The kept part from 4.2 s to 7.2 s is noise without an onset.
            if at < 116_000 && at + 24_000 > 67_000 {
                continue;
            }
            let segment = &sound[before + at - start..][..24_000];
            let similarity = |from: &usize| {
                let candidate = &input[*from..][..segment.len()];
                let mean = candidate.iter().sum::<f32>() / candidate.len() as f32;
                let deviations = candidate.iter().map(|value| value - mean);
                let product: f32 = segment
                    .iter()
                    .zip(deviations.clone())
                    .map(|(x, y)| x * y)
                    .sum();
                product / deviations.map(|y| y * y).sum::<f32>().sqrt()
            };
            let best = (at - 400..at + 400).max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
            let off = best.expect("some").abs_diff(at) as f64 / 16_000.0;
            let time = (at + 24_000) as f64 / 16_000.0;
            assert!(off <= tolerance(time), "{off} s off at {time} s");
        }
        before += end - start;
    }
    assert_eq!(before, sound.len());
}

/// The sum of magnitudes over 5 ms.
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
fn loud_quiet_clipped_and_offset_music_get_one_level() {
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
fn hum_under_music_is_removed() {
    let rate = 48_000;
    let hum = sum(&[sine(50.0, 0.03, rate, 8.0), sine(150.0, 0.01, rate, 8.0)]);
    let out = anonymize(sum(&[melody(rate, 8.0), hum]), rate).expect("music");
    let level_at = |hz: f64, samples: &[f32], rate: u32| {
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
        let change = level_at(hz, &sound, 16_000) - gain - 20.0 * before.log10();
        assert!(change < -20.0, "{hz} Hz: {change} dB");
    }
}

#[test]
fn unusable_clips_are_rejected_with_their_reason() {
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
fn a_sweep_at_any_rate_is_anonymized_or_rejected() {
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
            // If the low half is removed as a voice, the rest is above 8 kHz and so silent.
            Err(rejected) => {
                assert!(
                    [RejectionReason::Voice, RejectionReason::Silence].contains(&rejected.reason)
                )
            }
        }
    }
}

#[test]
fn unsupported_sample_rates_are_rejected() {
    for rate in [0, 7_999, 384_001, u32::MAX] {
        let rejected = anonymize(vec![0.5; 96_000], rate).expect_err("no rate");
        assert_eq!(rejected.reason, RejectionReason::Failed);
    }
}

#[test]
fn long_recordings_are_anonymized() {
    // Many times the receptive field of the network, 4 s.
    let minutes = sized(2, 10);
    let seconds = f64::from(60 * minutes);
    let out = anonymize(melody(8_000, seconds), 8_000).expect("music");
    assert_tiles(&out.kept, &out.removed, seconds);
    assert!(out.samples.len() as f64 > 0.83 * seconds * 16_000.0);
}

#[test]
fn info_and_reasons_round_trip_through_json() {
    let info = Settings::default().info();
    let json = serde_json::to_string(&info).expect("JSON");
    assert_eq!(
        serde_json::from_str::<AnonymizerInfo>(&json).expect("JSON"),
        info
    );
    let reasons = [RejectionReason::TooShort, RejectionReason::Voice];
    assert_eq!(
        serde_json::to_string(&reasons).expect("JSON"),
        r#"["too-short","voice"]"#
    );
}

/// The table by eval/calibrate.py.
#[test]
fn the_thresholds_are_those_that_were_calibrated() {
    let table = include_str!("../../models/voice/calibration.json");
    let table: serde_json::Value = serde_json::from_str(table).expect("JSON");
    let thresholds = Thresholds::CALIBRATED;
    let ours = serde_json::json!({
        "network": thresholds.network,
        "vad": thresholds.vad,
        "both": thresholds.both,
        "rendered": thresholds.rendered,
        "rendered_again": thresholds.rendered_again,
        "rendered_suspect": thresholds.rendered_suspect,
        "min_residual": thresholds.min_residual,
    });
    assert_eq!(table["chosen"], ours);
}
