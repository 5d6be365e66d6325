//! No memory is given back with captured sound in it: not the capture ring, not its frames, not the
//! sampler's rolling memory, not a clip.

use std::sync::atomic::{AtomicUsize, Ordering};

use sordino::{
    capture::{Capture, Frame, host_fed},
    sampler::{Marked, Moment, Sampler, SamplerSettings},
};

use super::consented;

const RATE: u32 = 8_000;
/// The sound: a sample whose bits come up nowhere else.
const SOUND: f32 = 0.123_456_79;

/// Samples of [`SOUND`] that stood in memory when it was given back.
static LEFT: AtomicUsize = AtomicUsize::new(0);

/// So many samples in a row are sound. Fewer are what unoptimized code leaves of its stack in the padding of a structure,
/// where a sample was a local variable: neither the structure nor the order of samples.
const SHORTEST_RUN: usize = 4;

/// Looks through a block of memory that is freed, word by word.
#[derive(Default)]
pub(super) struct Search {
    run: usize,
}

impl Search {
    pub(super) fn next(&mut self, word: u32) {
        self.run = if word == SOUND.to_bits() {
            self.run + 1
        } else {
            0
        };
        let found = match self.run {
            ..SHORTEST_RUN => 0,
            SHORTEST_RUN => SHORTEST_RUN,
            _ => 1,
        };
        LEFT.fetch_add(found, Ordering::Relaxed);
    }
}

// One test, since the count is the whole process's.
#[test]
fn freed_memory_holds_no_sound() {
    drop(std::hint::black_box(vec![SOUND; 10]));
    assert_eq!(
        LEFT.swap(0, Ordering::Relaxed),
        10,
        "sound in freed memory is found"
    );

    static BLOCK: [f32; RATE as usize] = [SOUND; RATE as usize];
    let mut sampler = Sampler::new(SamplerSettings {
        clip_seconds: 2,
        pre_roll_seconds: 2,
        mark_probability: 1.0,
        random_probability: 1.0,
    });
    let (_folder, consented) = consented::engine();
    sampler.permit(consented.grants().expect("consent was given"));
    let mut clips = 0;
    let mut hear = |sampler: &mut Sampler| {
        let (mut feed, source) = host_fed(RATE, 1).expect("a known format");
        feed.push(&BLOCK);
        feed.lose(3); // a gap: what was being made ends, and its memory is given back
        feed.push(&BLOCK);
        drop(feed);
        Capture::new(source)
            .run(&mut |frame: Frame<'_>| clips += sampler.feed(&frame).len())
            .expect("it ends");
    };
    hear(&mut sampler);
    let frame = Frame {
        samples: &BLOCK,
        rate: RATE,
        position: 0,
        lost: 0,
    };
    clips += sampler.feed(&frame).len();
    let next = Frame {
        position: u64::from(RATE),
        ..frame
    };
    clips += sampler.feed(&next).len();
    assert_eq!(sampler.mark(Moment::default()), Ok(Marked::Chosen));
    clips += sampler.finish().len();
    assert!(clips >= 2, "{clips} clips were made");
    // Permission withdrawn with sound held, and a source that nobody ever takes from.
    sampler.feed(&frame);
    sampler.forbid();
    let (mut feed, source) = host_fed(RATE, 1).expect("a known format");
    feed.push(&BLOCK);
    drop(source);
    drop(feed);
    drop(sampler);
    assert_eq!(
        LEFT.load(Ordering::Relaxed),
        0,
        "samples of sound in freed memory"
    );
}
