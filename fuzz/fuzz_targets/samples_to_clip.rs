//! Any numbers as sound, NaN and infinity among them, at any rate: refused or anonymized, no panic.

#![no_main]

use std::cell::RefCell;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sordino::{
    anonymize::{Anonymizer, Settings},
    sampler::{Annotation, RawClip, Selection, Trigger},
};

#[derive(Arbitrary, Debug)]
struct Input {
    rate: u32,
    keep_time: bool,
    /// Parts, each a repeated list of a few numbers: long sounds from few bytes.
    parts: Vec<(Vec<f32>, u16)>,
}

const MAX_SECONDS: usize = 8;

thread_local! {
    static ANONYMIZER: RefCell<Anonymizer> =
        RefCell::new(Anonymizer::new().expect("the weights are whole"));
}

fuzz_target!(|input: Input| {
    let max = (input.rate.min(200_000) as usize) * MAX_SECONDS;
    let samples = input
        .parts
        .iter()
        .flat_map(|(part, times)| std::iter::repeat_n(part, usize::from(*times)))
        .flatten()
        .copied()
        .take(max)
        .collect();
    let selection = Selection {
        trigger: Trigger::Mark,
        probability: 1.0,
    };
    if let Ok(clip) = RawClip::new(samples, input.rate, selection, Annotation::default()) {
        let settings = Settings {
            keep_time: input.keep_time,
        };
        let _ = ANONYMIZER.with_borrow_mut(|made| made.anonymize(clip, settings));
    }
});
