use proptest::prelude::*;
use serde::Deserialize;

use super::{config::WINDOW, *};
use crate::silero_vad::reference::Reference;

/// The output of the same weights for the same signal in PyTorch, by `models/voice/export.py`.
#[derive(Deserialize)]
struct PyTorchReference {
    probabilities: Vec<f32>,
    mask_every: usize,
    mask: Vec<Vec<f32>>,
}

fn reference() -> PyTorchReference {
    serde_json::from_str(include_str!("../../../models/voice/reference.json")).expect("JSON")
}

/// Four seconds of a synthetic voice.
fn signal() -> Vec<f32> {
    let mut signal = Reference::read().signal();
    signal.truncate(64_000);
    signal
}

fn net() -> VoiceNet {
    VoiceNet::new().expect("embedded weights")
}

#[test]
fn predictions_match_pytorch() {
    let (reference, prediction) = (reference(), net().predict(&signal()));
    assert_eq!(prediction.voice.len(), reference.probabilities.len());
    let error = |ours: f32, theirs: &f32| (ours - theirs).abs();
    for (ours, theirs) in prediction.voice.iter().zip(&reference.probabilities) {
        assert!(error(*ours, theirs) < 1e-4, "{ours} for {theirs}");
    }
    let masks = prediction.mask.iter().step_by(reference.mask_every);
    assert_eq!(masks.len(), reference.mask.len());
    for (ours, theirs) in masks.zip(&reference.mask) {
        for (ours, theirs) in ours.iter().zip(theirs) {
            let ours = f32::from(*ours) / f32::from(u16::MAX);
            assert!(error(ours, theirs) < 1e-4, "{ours} for {theirs}");
        }
    }
}

#[test]
fn predictions_do_not_depend_on_the_previous_clip() {
    let (mut net, signal) = (net(), signal());
    let once = net.predict(&signal).voice;
    net.predict(&signal[4_000..30_001]);
    assert_eq!(once, net.predict(&signal).voice);
}

#[test]
fn non_finite_samples_count_as_a_voice_with_an_empty_mask() {
    for poison in [f32::NAN, f32::INFINITY, f32::MAX] {
        let mut signal = signal();
        signal[30_000] = poison;
        let prediction = net().predict(&signal);
        assert!(
            prediction.voice.iter().all(|&voice| voice == 1.0),
            "{poison}"
        );
        assert!(prediction.mask.as_flattened().iter().all(|&mask| mask == 0));
    }
}

#[test]
fn the_shortest_input_has_a_frame() {
    for length in [0, 1, 255, 256, 257] {
        assert_eq!(
            net().predict(&vec![0.1; length]).voice.len(),
            length / HOP + 1
        );
    }
}

#[test]
fn a_mask_of_ones_reconstructs_the_samples() {
    let (mut net, signal) = (net(), signal());
    let mut prediction = net.predict(&signal);
    prediction.mask.fill([u16::MAX; BANDS]);
    let voiced = vec![true; prediction.mask.len()];
    let masked = net
        .mask(&signal, &prediction, &voiced, 2.0)
        .expect("an FFT");
    for (ours, was) in masked.samples.iter().zip(&signal) {
        assert!((ours - was).abs() < 1e-6, "{ours} for {was}");
    }
    assert!((0..voiced.len()).all(|frame| (masked.residual_around(frame) - 1.0).abs() < 1e-5));
}

#[test]
fn a_mask_of_zeros_leaves_silence() {
    let (mut net, signal) = (net(), signal());
    let mut prediction = net.predict(&signal);
    prediction.mask.fill([0; BANDS]);
    let voiced = vec![true; prediction.mask.len()];
    let masked = net
        .mask(&signal, &prediction, &voiced, 1.0)
        .expect("an FFT");
    assert!(masked.samples.iter().all(|&sample| sample == 0.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn samples_beyond_masked_frames_do_not_change(first in 0usize..251, count in 1usize..80) {
        let (mut net, signal) = (net(), signal());
        let prediction = net.predict(&signal);
        let mut voiced = vec![false; prediction.mask.len()];
        let run = first..(first + count).min(voiced.len());
        voiced[run.clone()].fill(true);
        let masked = net.mask(&signal, &prediction, &voiced, 1.5).expect("an FFT");
        let (from, to) = (run.start * HOP, (run.end - 1) * HOP);
        for (at, (ours, was)) in masked.samples.iter().zip(&signal).enumerate() {
            let is_within = at + WINDOW / 2 >= from && at < to + WINDOW / 2;
            prop_assert!(is_within || ours.to_bits() == was.to_bits(), "sample {at}");
        }
    }
}
