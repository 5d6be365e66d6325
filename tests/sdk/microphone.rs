//! A real capture: PulseAudio plays into a null sink whose monitor is the machine's microphone.
//!
//! Each test starts its own PulseAudio in its own folder. ALSA reads its settings once, when
//! it is loaded, so the capture itself runs in a child process: this same test, selected by
//! `room::RECORDER` to be the recorder.

use std::{thread, time::Duration};

use sordino::capture::read_wav;

mod room;

use room::{RATE, Recorder, Room, start_server};

#[test]
fn a_tone_is_captured_with_its_pitch_and_length() {
    let Some(room) = Room::enter("a_tone_is_captured") else {
        return;
    };
    room.make("tone.wav", "synth 2 sine 440 vol 0.5");
    let heard = room.record("a_tone_is_captured", |_| room.play("tone.wav"));

    let loud: Vec<bool> = heard
        .chunks(RATE / 200)
        .map(|part| rms(part) > 0.25)
        .collect();
    let first = loud
        .iter()
        .position(|loud| *loud)
        .expect("the tone is there");
    let last = loud
        .iter()
        .rposition(|loud| *loud)
        .expect("the tone is there");
    assert!(
        loud[first..=last].iter().all(|loud| *loud),
        "the tone has a gap"
    );
    let seconds = (last + 1 - first) as f64 / 200.0;
    assert!(
        (seconds - 2.0).abs() <= 0.02,
        "it lasts {seconds} s, not 2 s"
    );

    let step = RATE / 200;
    let pitch = pitch(&heard[(first + 2) * step..(last - 1) * step]);
    assert!(
        (pitch - 440.0).abs() < 0.5,
        "it sounds at {pitch} Hz, not 440 Hz"
    );
    // A sine of amplitude 0.5: nothing on the way scales it.
    let level = rms(&heard[(first + 2) * step..(last - 1) * step]);
    assert!(
        (level - 0.5 / 2.0_f64.sqrt()).abs() < 0.01,
        "its level is {level}"
    );
}

#[test]
fn a_recording_is_captured_sample_by_sample() {
    let Some(room) = Room::enter("a_recording_is_captured") else {
        return;
    };
    // Noise that swells like bow strokes: it never repeats, so each part has one position.
    room.make("recording.wav", "synth 4 pinknoise tremolo 3 80");
    let played = read_wav(&room.path("recording.wav"))
        .expect("sox wrote it")
        .samples;
    let heard = room.record("a_recording_is_captured", |_| room.play("recording.wav"));

    let played = &played[RATE / 2..]; // without the silence before it
    // Both ends of the recording are equally late: nothing was lost or repeated between them.
    let length = played.len();
    let (head, tail) = (&played[..length / 4], &played[length - length / 4..]);
    let head_at = place_of(head, &heard);
    let tail_at = place_of(tail, &heard);
    assert_eq!(
        tail_at - head_at,
        length - length / 4,
        "samples were lost or added"
    );
    let correlation = correlation(played, &heard[head_at..head_at + length]);
    assert!(correlation > 0.99, "the correlation is {correlation}");
}

#[test]
fn a_lost_microphone_is_reopened_and_reported() {
    let Some(mut room) = Room::enter("a_lost_microphone") else {
        return;
    };
    room.make("tone.wav", "synth 1 sine 440 vol 0.5");
    let recorder = Recorder::start(&room, "a_lost_microphone");
    recorder.wait_for("opened");
    room.play("tone.wav");
    recorder.catch_up();
    room.server.kill().expect("it runs");
    room.server.wait().expect("it was killed");
    recorder.wait_for("lost");
    // Long enough for a few vain attempts.
    thread::sleep(Duration::from_secs(1));
    room.server = start_server(&room.folder);
    recorder.wait_for("reopened");
    room.play("tone.wav");
    let heard = recorder.finish();

    // Samples in flight when the service died are lost with it.
    let loud = heard
        .chunks(RATE / 100)
        .filter(|part| rms(part) > 0.3)
        .count();
    assert!(
        (170..=201).contains(&loud),
        "{loud}0 ms of two tones of 1 s were heard"
    );
}

#[test]
fn without_a_sound_service_the_error_is_one_clear_line() {
    let Some(mut room) = Room::enter("without_a_sound") else {
        return;
    };
    room.server.kill().expect("it runs");
    room.server.wait().expect("it was killed");
    let recorder = Recorder::start(&room, "without_a_sound");
    let line = recorder.wait_for("error");
    assert!(line.len() > 20, "{line}");
}

fn rms(samples: &[f32]) -> f64 {
    let sum: f64 = samples
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// Frequency of a tone, from the places where it rises through zero.
fn pitch(samples: &[f32]) -> f64 {
    let rises: Vec<f64> = samples
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0] < 0.0 && pair[1] >= 0.0)
        .map(|(index, pair)| index as f64 + f64::from(pair[0] / (pair[0] - pair[1])))
        .collect();
    let (first, last) = (rises[0], rises[rises.len() - 1]);
    (rises.len() - 1) as f64 * RATE as f64 / (last - first)
}

/// The position in `heard` at which `part` begins: the one at which its loudest 50 ms differ least. (They would
/// correlate as well a period later.)
fn place_of(part: &[f32], heard: &[f32]) -> usize {
    let length = RATE / 20;
    let loudest = (0..part.len() - length)
        .step_by(length / 4)
        .max_by(|one, other| {
            rms(&part[*one..one + length]).total_cmp(&rms(&part[*other..other + length]))
        })
        .expect("longer than 50 ms");
    let needle = &part[loudest..loudest + length];
    // Roughly first, by some samples of the needle; the sound changes little from one sample to the next.
    let rough = best_of(0..heard.len() - length + 1, needle, heard, 8);
    let near = rough.saturating_sub(16)..(rough + 17).min(heard.len() - length + 1);
    best_of(near, needle, heard, 1) - loudest
}

/// The place among `places` from which `heard` differs least from `needle`, by each of its samples that is a multiple
/// of `step`. Plain loops: this runs unoptimized.
fn best_of(places: std::ops::Range<usize>, needle: &[f32], heard: &[f32], step: usize) -> usize {
    let (mut least, mut best) = (f32::INFINITY, places.start);
    for place in places {
        let (mut difference, mut index) = (0.0, 0);
        while index < needle.len() && difference < least {
            let error = needle[index] - heard[place + index];
            difference += error * error;
            index += step;
        }
        if difference < least {
            (least, best) = (difference, place);
        }
    }
    best
}

fn correlation(one: &[f32], other: &[f32]) -> f64 {
    let dot: f32 = one.iter().zip(other).map(|(one, other)| one * other).sum();
    let norm = rms(one) * rms(other) * one.len() as f64;
    f64::from(dot) / norm.max(1e-9)
}
