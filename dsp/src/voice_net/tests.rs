use proptest::prelude::*;
use serde::Deserialize;

use super::{super::detector, *};

/// What PyTorch says of the same weights and the same signal: `models/voice/export.py`.
#[derive(Deserialize)]
struct Oracle {
    probabilities: Vec<f32>,
    mask_every: usize,
    mask: Vec<Vec<f32>>,
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("../../../models/voice/reference.json")).expect("JSON")
}

/// Four seconds that are like a voice.
fn signal() -> Vec<f32> {
    let mut signal = detector::reference::Reference::read().signal();
    signal.truncate(64_000);
    signal
}

fn net() -> VoiceNet {
    VoiceNet::new().expect("carried")
}

#[test]
fn says_what_pytorch_says() {
    let (oracle, heard) = (oracle(), net().hear(&signal()));
    assert_eq!(heard.voice.len(), oracle.probabilities.len());
    let off = |ours: f32, theirs: &f32| (ours - theirs).abs();
    for (ours, theirs) in heard.voice.iter().zip(&oracle.probabilities) {
        assert!(off(*ours, theirs) < 1e-4, "{ours} for {theirs}");
    }
    let masks = heard.mask.iter().step_by(oracle.mask_every);
    assert_eq!(masks.len(), oracle.mask.len());
    for (ours, theirs) in masks.zip(&oracle.mask) {
        for (ours, theirs) in ours.iter().zip(theirs) {
            let ours = f32::from(*ours) / f32::from(u16::MAX);
            assert!(off(ours, theirs) < 1e-4, "{ours} for {theirs}");
        }
    }
}

#[test]
fn hears_every_clip_afresh() {
    let (mut net, signal) = (net(), signal());
    let once = net.hear(&signal).voice;
    net.hear(&signal[4_000..30_001]);
    assert_eq!(once, net.hear(&signal).voice);
}

#[test]
fn what_is_no_number_counts_as_a_voice_with_nothing_left() {
    for poison in [f32::NAN, f32::INFINITY, f32::MAX] {
        let mut signal = signal();
        signal[30_000] = poison;
        let heard = net().hear(&signal);
        assert!(heard.voice.iter().all(|&voice| voice == 1.0), "{poison}");
        assert!(heard.mask.as_flattened().iter().all(|&mask| mask == 0));
    }
}

#[test]
fn the_shortest_sounds_have_a_frame() {
    for length in [0, 1, 255, 256, 257] {
        assert_eq!(net().hear(&vec![0.1; length]).voice.len(), length / HOP + 1);
    }
}

#[test]
fn erasing_with_a_mask_of_ones_gives_the_sound_back() {
    let (mut net, signal) = (net(), signal());
    let mut heard = net.hear(&signal);
    heard.mask.fill([u16::MAX; BANDS]);
    let voiced = vec![true; heard.mask.len()];
    let erased = net.erase(&signal, &heard, &voiced, 2.0).expect("an FFT");
    for (ours, was) in erased.samples.iter().zip(&signal) {
        assert!((ours - was).abs() < 1e-6, "{ours} for {was}");
    }
    assert!((0..voiced.len()).all(|frame| (erased.left_around(frame) - 1.0).abs() < 1e-5));
}

#[test]
fn erasing_with_a_mask_of_zeros_leaves_silence() {
    let (mut net, signal) = (net(), signal());
    let mut heard = net.hear(&signal);
    heard.mask.fill([0; BANDS]);
    let voiced = vec![true; heard.mask.len()];
    let erased = net.erase(&signal, &heard, &voiced, 1.0).expect("an FFT");
    assert!(erased.samples.iter().all(|&sample| sample == 0.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_not_erased_stays_to_the_bit(first in 0usize..251, count in 1usize..80) {
        let (mut net, signal) = (net(), signal());
        let heard = net.hear(&signal);
        let mut voiced = vec![false; heard.mask.len()];
        let run = first..(first + count).min(voiced.len());
        voiced[run.clone()].fill(true);
        let erased = net.erase(&signal, &heard, &voiced, 1.5).expect("an FFT");
        let (from, to) = (run.start * HOP, (run.end - 1) * HOP);
        for (at, (ours, was)) in erased.samples.iter().zip(&signal).enumerate() {
            let reached = at + WINDOW / 2 >= from && at < to + WINDOW / 2;
            prop_assert!(reached || ours.to_bits() == was.to_bits(), "sample {at}");
        }
    }
}
