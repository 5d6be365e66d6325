//! No memory is given back with captured sound in it: not the capture ring, not its frames, not the
//! sampler's rolling memory, not a clip.

use std::sync::atomic::{AtomicUsize, Ordering};

use sordino::{
    capture::{Capture, Frame, pcm_channel},
    sampler::{MarkOutcome, Moment, Sampler, SamplerSettings},
};

use super::consented;

const RATE: u32 = 8_000;
/// The sound: a sample whose bits occur nowhere else.
const SOUND: f32 = 0.123_456_79;

/// Samples of [`SOUND`] that stood in memory when it was given back.
static LEFT: AtomicUsize = AtomicUsize::new(0);

/// A word of memory that is freed.
pub(super) fn found(word: u32) {
    if word == SOUND.to_bits() {
        LEFT.fetch_add(1, Ordering::Relaxed);
    }
}

/// Overwrites what calls left on the stack. An unoptimized build copies it into the padding of what it puts into a
/// box, so that sound which passed through the stack would seem to be left by the box.
#[inline(never)]
fn clear_stack() {
    let mut stack = [0_u8; 1 << 16];
    std::hint::black_box(&mut stack);
}

// One test, since the count is the whole process's.
#[test]
fn freed_memory_contains_no_audio() {
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
        clear_stack();
        let (mut feed, source) = pcm_channel(RATE, 1).expect("a known format");
        assert_eq!(feed.push(&BLOCK), 0);
        feed.report_dropped(3); // a gap: what was being made ends, and its memory is given back
        assert_eq!(feed.push(&BLOCK), 0);
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
    assert_eq!(sampler.mark(Moment::default()), Ok(MarkOutcome::Selected));
    clips += sampler.finish().len();
    assert!(clips >= 2, "{clips} clips were made");
    // Permission revoked with buffered sound, and a source that is never read.
    sampler.feed(&frame);
    sampler.revoke();
    clear_stack();
    let (mut feed, source) = pcm_channel(RATE, 1).expect("a known format");
    assert_eq!(feed.push(&BLOCK), 0);
    drop(source);
    drop(feed);
    drop(sampler);
    assert_eq!(
        LEFT.load(Ordering::Relaxed),
        0,
        "samples of sound in freed memory"
    );
}
