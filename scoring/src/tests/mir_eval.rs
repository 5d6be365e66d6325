//! Compares [`crate::score`] with mir_eval on thousands of random lists of notes.

#![allow(clippy::unwrap_used)]

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use super::reference;
use crate::{TimedNote, score};

const CASES: usize = 4_000;

#[test]
fn scores_match_mir_eval() {
    let mut runner = TestRunner::new(Config::default());
    let cases: Vec<(Vec<TimedNote>, Vec<TimedNote>, f64)> = (0..CASES)
        .map(|_| case().new_tree(&mut runner).unwrap().current())
        .collect();
    let asked: Vec<Value> = cases
        .iter()
        .map(|(expected, recognized, tolerance)| {
            json!({"expected": listed(expected), "recognised": listed(recognized), "tolerance": tolerance})
        })
        .collect();
    let Some(answered) = reference::run(&json!({ "score": asked }), "scores_match_mir_eval") else {
        return;
    };
    let answers: Vec<[f64; 5]> = serde_json::from_value(answered["score"].clone()).unwrap();
    assert_eq!(answers.len(), CASES);
    let mut with_offsets = 0;
    for ((expected, recognized, tolerance), due) in cases.iter().zip(answers) {
        let found = score(expected, recognized, *tolerance);
        let [precision, recall, f1, overlap, f1_with_offset] = due;
        let same = |found: f64, due: f64| {
            assert!(
                (found - due).abs() < 1e-12,
                "{found} {due}: {expected:?} {recognized:?}"
            );
        };
        same(found.notes.precision(), precision);
        same(found.notes.recall(), recall);
        same(found.notes.f1(), f1);
        assert_eq!(found.overlap.is_some(), found.with_offset().is_some());
        if let (Some(counts), Some(found)) = (found.with_offset(), found.overlap) {
            with_offsets += 1;
            same(counts.f1(), f1_with_offset);
            same(found, overlap);
        }
    }
    // The cases include offsets.
    assert!(with_offsets > CASES / 3, "{with_offsets}");
}

fn listed(notes: &[TimedNote]) -> Vec<Value> {
    let row = |note: &TimedNote| json!([note.midi, note.onset, note.offset]);
    notes.iter().map(row).collect()
}

/// Dense lists, in which a greedy pairing is wrong, with times at and near the limits.
fn case() -> impl Strategy<Value = (Vec<TimedNote>, Vec<TimedNote>, f64)> {
    let tolerance = prop_oneof![Just(0.05), Just(0.1), Just(0.025)];
    (tolerance, any::<bool>(), 0usize..60).prop_flat_map(|(tolerance, offsets, max)| {
        let list = || prop::collection::vec(note(offsets), 0..=max);
        (list(), list(), Just(tolerance))
    })
}

fn note(offsets: bool) -> impl Strategy<Value = TimedNote> {
    // Thousandths, so that differences of exactly 50 ms are frequent; tenths of a semitone but never
    // half of one, where two logarithms may round differently.
    let midi = prop_oneof![4 => (58u32..64).prop_map(f64::from), 1 => (580u32..640).prop_map(|tenths| f64::from(tenths / 10) + 0.3)];
    let onset = prop_oneof![
        (0u32..2_000).prop_map(|time| f64::from(time) / 1e3),
        0.0..2.0f64
    ];
    (midi, onset, 1u32..800).prop_map(move |(midi, onset, length)| TimedNote {
        midi,
        onset,
        offset: offsets.then_some(onset + f64::from(length) / 1e3),
    })
}
