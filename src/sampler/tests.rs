use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::rng::RngError;

/// Low, so that properties run over many clips.
const RATE: u32 = 8_000;
const SECOND: u64 = RATE as u64;

const SETTINGS: SamplerSettings = SamplerSettings {
    clip_seconds: 4,
    pre_roll_seconds: 3,
    mark_probability: 1.0,
    random_probability: 0.0,
};

/// The sample at a position encodes the position (f32 is exact in this range).
fn sample_at(position: u64) -> f32 {
    (position % (1 << 20)) as f32 / (1 << 20) as f32
}

/// A permitted sampler whose random numbers are `numbers`, repeated.
fn sampler(settings: SamplerSettings, numbers: &[f64]) -> Sampler {
    let mut draws: VecDeque<f64> = numbers.iter().copied().collect();
    let draw = move || {
        draws.rotate_left(1);
        Ok(*draws.back().expect("at least one"))
    };
    let mut sampler = Sampler::with_draw(settings, Box::new(draw));
    sampler.permit(crate::testing::grants());
    sampler
}

/// Feeds positions `from..to` in frames of `lengths`, repeated.
fn play(sampler: &mut Sampler, from: u64, to: u64, lengths: &[u64]) -> Vec<RawClip> {
    let mut clips = Vec::new();
    let mut position = from;
    for length in lengths.iter().cycle() {
        if position >= to {
            break;
        }
        let end = (position + length).min(to);
        let samples: Vec<f32> = (position..end).map(sample_at).collect();
        clips.extend(sampler.feed(&Frame {
            samples: &samples,
            rate: RATE,
            position,
            lost: 0,
        }));
        position = end;
    }
    clips
}

fn feed_after_gap(sampler: &mut Sampler, position: u64, lost: u64) -> Vec<RawClip> {
    sampler.feed(&Frame {
        samples: &[sample_at(position)],
        rate: RATE,
        position,
        lost,
    })
}

#[track_caller]
fn assert_holds(clip: &RawClip, from: u64, to: u64) {
    assert_eq!(clip.samples().len() as u64, to - from, "length");
    for (position, sample) in (from..to).zip(clip.samples()) {
        assert_eq!(*sample, sample_at(position), "at {position}");
    }
}

fn at(position: u64) -> Moment {
    Moment {
        at: Some(position),
        ..Moment::default()
    }
}

proptest! {
    #![proptest_config(crate::testing::cases(64, 5_000))]

    #[test]
    fn a_marked_clip_contains_the_samples_around_the_mark(
        lengths in prop::collection::vec(1_u64..20_000, 1..6),
        begin in 0_u64..100_000,
        heard in 1_u64..80_000,
        behind in 0_u64..16_000,
    ) {
        let mut sampler = sampler(SETTINGS, &[0.5]);
        let now = begin + heard;
        prop_assert!(play(&mut sampler, begin, now, &lengths).is_empty());
        let mark = now - behind.min(heard);
        prop_assert_eq!(sampler.mark(at(mark)), Ok(MarkOutcome::Selected));
        let clips = play(&mut sampler, now, now + 3 * SECOND, &lengths);
        let start = mark.saturating_sub(3 * SECOND).max(begin);
        let end = mark + SECOND;
        if end - start >= 2 * SECOND {
            prop_assert_eq!(clips.len(), 1);
            assert_holds(&clips[0], start, end);
            prop_assert_eq!(clips[0].selection().trigger, Trigger::Mark);
        } else {
            prop_assert!(clips.is_empty());
        }
    }

    #[test]
    fn random_windows_tile_the_stream(
        lengths in prop::collection::vec(1_u64..90_000, 1..6),
        begin in 0_u64..100_000,
        drawn in prop::collection::vec(prop::bool::ANY, 1..8),
        tail in 0..4 * SECOND,
    ) {
        let settings = SamplerSettings { random_probability: 0.5, ..SETTINGS };
        let draws: Vec<f64> = drawn.iter().map(|chosen| if *chosen { 0.2 } else { 0.7 }).collect();
        let mut sampler = sampler(settings, &draws);
        let windows = 6;
        let end = begin + windows * 4 * SECOND + tail;
        let mut clips = play(&mut sampler, begin, end, &lengths);
        clips.extend(sampler.finish());

        let mut clips = clips.iter();
        for window in 0..=windows {
            let start = begin + window * 4 * SECOND;
            let stop = (start + 4 * SECOND).min(end);
            if drawn[window as usize % drawn.len()] && stop - start >= 2 * SECOND {
                let clip = clips.next().expect("a selected window");
                assert_holds(clip, start, stop);
                let selection = Selection { trigger: Trigger::Random, probability: 0.5 };
                prop_assert_eq!(clip.selection(), selection);
            }
        }
        prop_assert!(clips.next().is_none());
    }

    #[test]
    fn no_clip_spans_a_gap(
        parts in prop::collection::vec((1_u64..60_000, 0_u64..50), 1..6),
        lengths in prop::collection::vec(1_u64..20_000, 1..4),
        marks in prop::collection::vec(prop::bool::ANY, 6),
    ) {
        let settings = SamplerSettings { random_probability: 1.0, ..SETTINGS };
        let mut sampler = sampler(settings, &[0.0]);
        let (mut position, mut clips, mut unbroken) = (0, Vec::new(), Vec::new());
        for ((length, lost), mark) in parts.into_iter().zip(marks) {
            position += lost;
            let begin = position;
            clips.extend(feed_after_gap(&mut sampler, position, lost));
            clips.extend(play(&mut sampler, position + 1, position + length, &lengths));
            position += length;
            if mark {
                sampler.mark(Moment::default()).expect("within what is held");
            }
            match unbroken.last_mut() {
                Some((_, end)) if lost == 0 => *end = position,
                _ => unbroken.push((begin, position)),
            }
        }
        clips.extend(sampler.finish());
        for clip in &clips {
            // `sample_at` does not repeat within these lengths, so the first sample gives the position.
            let start = (clip.samples()[0] * (1 << 20) as f32) as u64;
            let end = start + clip.samples().len() as u64;
            assert_holds(clip, start, end);
            prop_assert!(unbroken.iter().any(|&(from, to)| from <= start && end <= to));
        }
    }

    #[test]
    fn each_selected_mark_becomes_a_clip_or_is_reported(
        parts in prop::collection::vec((1_u64..40_000, 0_u64..3, 0_u8..4), 1..12),
    ) {
        let mut sampler = sampler(SETTINGS, &[0.0]);
        let (mut position, mut clips, mut chosen, mut abandoned) = (0, 0, 0, 0);
        for (length, lost, then) in parts {
            position += lost;
            clips += feed_after_gap(&mut sampler, position, lost).len();
            clips += play(&mut sampler, position + 1, position + length, &[4_000]).len();
            position += length;
            match then {
                0 => {
                    sampler.revoke();
                    abandoned += sampler.take_abandoned();
                    sampler.permit(crate::testing::grants());
                }
                1 => {}
                _ => {
                    let marked = sampler.mark(Moment::default());
                    chosen += usize::from(marked == Ok(MarkOutcome::Selected));
                }
            }
        }
        clips += sampler.finish().len();
        abandoned += sampler.take_abandoned();
        prop_assert_eq!(clips + abandoned, chosen);
    }
}

#[test]
fn a_change_of_rate_or_a_reopened_source_ends_the_span() {
    for (rate, position) in [(2 * RATE, 8 * SECOND), (RATE, 0)] {
        let mut sampler = sampler(SETTINGS, &[0.0]);
        play(&mut sampler, 5 * SECOND, 8 * SECOND, &[80]);
        assert_eq!(sampler.mark(Moment::default()), Ok(MarkOutcome::Selected));
        let samples = [0.5; 80];
        let clips = sampler.feed(&Frame {
            samples: &samples,
            rate,
            position,
            lost: 0,
        });
        assert_eq!(clips.len(), 1, "the marked clip ends with its span");
        assert_holds(&clips[0], 5 * SECOND, 8 * SECOND);
        assert_eq!(sampler.mark(at(position)), Ok(MarkOutcome::Selected));
        assert!(matches!(
            sampler.mark(at(7 * SECOND)),
            Err(MarkError::NotBuffered { .. })
        ));
    }
}

#[test]
fn marks_within_one_clip_are_one_moment_with_all_notes() {
    let with_note = |position: u64, midi| Moment {
        at: Some(position),
        recognized: vec![MomentNote {
            midi,
            onset: -0.5,
            offset: None,
        }],
        ..Moment::default()
    };
    let mut sampler = sampler(SETTINGS, &[0.0]);
    play(&mut sampler, 0, 5 * SECOND, &[80]);
    let first = 5 * SECOND;
    assert_eq!(
        sampler.mark(with_note(first, 60)),
        Ok(MarkOutcome::Selected)
    );
    play(&mut sampler, first, first + SECOND / 2, &[80]);
    assert_eq!(
        sampler.mark(with_note(first + SECOND / 2, 62)),
        Ok(MarkOutcome::Merged)
    );
    let clips = play(&mut sampler, first + SECOND / 2, 7 * SECOND, &[80]);
    assert_eq!(clips.len(), 1);
    let notes = &clips[0].annotation().recognized;
    let onsets: Vec<_> = notes.iter().map(|note| (note.midi, note.onset)).collect();
    assert_eq!(onsets, [(60, 2.5), (62, 3.0)]);
    // Too late for the clip, and not a new moment either.
    assert_eq!(
        sampler.mark(with_note(first + SECOND / 2, 64)),
        Ok(MarkOutcome::Skipped)
    );
    assert_eq!(
        sampler.mark(with_note(7 * SECOND, 65)),
        Ok(MarkOutcome::Selected)
    );
}

#[test]
fn a_skipped_moment_is_not_drawn_again_at_its_next_mark() {
    let settings = SamplerSettings {
        mark_probability: 0.5,
        ..SETTINGS
    };
    // A second draw would succeed.
    let mut sampler = sampler(settings, &[0.9, 0.1]);
    play(&mut sampler, 0, 5 * SECOND, &[80]);
    assert_eq!(sampler.mark(at(5 * SECOND)), Ok(MarkOutcome::Skipped));
    assert_eq!(sampler.mark(at(5 * SECOND)), Ok(MarkOutcome::Skipped));
    assert!(play(&mut sampler, 5 * SECOND, 9 * SECOND, &[80]).is_empty());
    assert_eq!(sampler.mark(at(9 * SECOND)), Ok(MarkOutcome::Selected));
}

#[test]
fn marks_do_not_change_which_windows_are_selected() {
    let settings = SamplerSettings {
        random_probability: 0.5,
        ..SETTINGS
    };
    let random = |with_marks: bool| -> Vec<f32> {
        // Every window and every mark is selected.
        let mut sampler = sampler(settings, &[0.1]);
        let mut clips = Vec::new();
        for second in 0..40 {
            clips.extend(play(
                &mut sampler,
                second * SECOND,
                (second + 1) * SECOND,
                &[80],
            ));
            if with_marks {
                sampler.mark(Moment::default()).expect("held");
            }
        }
        let is_random = |clip: &&RawClip| clip.selection().trigger == Trigger::Random;
        clips
            .iter()
            .filter(is_random)
            .map(|clip| clip.samples()[0])
            .collect()
    };
    assert_eq!(random(true), random(false));
    assert_eq!(random(true).len(), 10);
}

#[test]
fn without_permission_nothing_is_buffered_or_returned() {
    let settings = SamplerSettings {
        random_probability: 1.0,
        ..SETTINGS
    };
    let mut sampler = sampler(settings, &[0.0]);
    play(&mut sampler, 0, 3 * SECOND, &[80]);
    sampler.mark(Moment::default()).expect("held");
    sampler.revoke();
    assert!(sampler.span.is_none());
    assert!(play(&mut sampler, 3 * SECOND, 9 * SECOND, &[80]).is_empty());
    assert!(sampler.span.is_none());
    assert_eq!(
        sampler.mark(Moment::default()),
        Err(MarkError::NotPermitted)
    );
    assert!(sampler.finish().is_empty());
    // A new permission starts without earlier samples.
    sampler.permit(crate::testing::grants());
    let clips = play(&mut sampler, 9 * SECOND, 13 * SECOND, &[80]);
    assert_eq!(clips.len(), 1);
    assert_holds(&clips[0], 9 * SECOND, 13 * SECOND);
}

#[test]
fn without_random_numbers_nothing_is_sampled() {
    let settings = SamplerSettings {
        random_probability: 1.0,
        ..SETTINGS
    };
    let mut sampler = Sampler::with_draw(settings, Box::new(|| Err(RngError)));
    sampler.permit(crate::testing::grants());
    assert!(play(&mut sampler, 0, 9 * SECOND, &[80]).is_empty());
    let mark = sampler.mark(Moment::default());
    assert_eq!(mark, Err(MarkError::Rng(RngError)));
    assert!(sampler.finish().is_empty());
}

#[test]
fn probabilities_of_zero_and_nan_sample_nothing() {
    for probability in [0.0, -1.0, f64::NAN] {
        let settings = SamplerSettings {
            mark_probability: probability,
            random_probability: probability,
            ..SETTINGS
        };
        let mut sampler = sampler(settings, &[0.0]);
        assert!(play(&mut sampler, 0, 9 * SECOND, &[80]).is_empty());
        assert_eq!(sampler.mark(Moment::default()), Ok(MarkOutcome::Skipped));
    }
}

/// 20 000 windows and 10 000 marks with the system's random numbers: counts how often each is selected, and how often
/// two are, which shows whether they are independent. Six standard deviations are exceeded by chance about twice in
/// 10^9 runs.
#[test]
fn the_rates_of_selection_are_those_of_the_plan() {
    const DRAWS: u64 = 20_000;
    const P: f64 = 0.3;
    let settings = SamplerSettings {
        clip_seconds: 2,
        pre_roll_seconds: 0,
        mark_probability: P,
        random_probability: P,
    };
    let mut sampler = Sampler::new(settings);
    sampler.permit(crate::testing::grants());
    let window = vec![0.25; 2 * RATE as usize];
    let (mut windows, mut successive, mut marks, mut both) = (0, 0, 0, 0);
    let mut last_selected = false;
    for n in 0..DRAWS {
        let frame = Frame {
            samples: &window,
            rate: RATE,
            position: n * 2 * SECOND,
            lost: 0,
        };
        let clips = sampler.feed(&frame);
        let is_random = |clip: &RawClip| clip.selection().trigger == Trigger::Random;
        let selected = clips.iter().any(is_random);
        windows += u64::from(selected);
        successive += u64::from(selected && last_selected);
        last_selected = selected;
        // Far enough from the previous one to be a separate moment.
        if n % 2 == 0 {
            let marked = sampler.mark(Moment::default()).expect("held") == MarkOutcome::Selected;
            marks += u64::from(marked);
            both += u64::from(marked && selected);
        }
    }
    let within = |count: u64, trials: u64, p: f64| {
        let (mean, deviation) = (trials as f64 * p, (trials as f64 * p * (1.0 - p)).sqrt());
        (count as f64 - mean).abs() < 6.0 * deviation
    };
    assert!(within(windows, DRAWS, P), "{windows} windows");
    assert!(within(successive, DRAWS, P * P), "{successive} in a row");
    assert!(within(marks, DRAWS / 2, P), "{marks} marks");
    assert!(within(both, DRAWS / 2, P * P), "{both} marks in a window");
}
