//! Random headers: the same samples as libsndfile, or an error, but never a panic.

use std::cell::{Cell, RefCell};

use proptest::{collection::vec, prelude::*, sample::select, test_runner::TestRunner};

use super::{
    libsndfile::Libsndfile,
    read,
    wave::{A_LAW, Chunk, Container, FLOAT, FormatChunk, MU_LAW, PCM, Sizes, Wave},
};
use crate::testing::cases;

fn format() -> impl Strategy<Value = FormatChunk> {
    let codings = vec![
        (PCM, 8_u16),
        (PCM, 16),
        (PCM, 20),
        (PCM, 24),
        (PCM, 32),
        (FLOAT, 32),
        (FLOAT, 64),
        (A_LAW, 8),
        (MU_LAW, 8),
    ];
    let coding =
        prop_oneof![20 => select(codings), 1 => (0_u16..9, 0_u16..80), 1 => any::<(u16, u16)>()];
    let channels = prop_oneof![30 => 1_u16..7, 1 => 0_u16..40, 1 => any::<u16>()];
    let rate = prop_oneof![30 => 8_000_u32..48_001, 1 => any::<u32>()];
    let block = prop_oneof![30 => Just(None), 1 => Just(Some(0)), 1 => (0_u16..40).prop_map(Some)];
    let size = prop_oneof![30 => select(vec![16_usize, 18, 20, 40]), 1 => 0_usize..60];
    (coding, channels, rate, block, size, any::<u16>()).prop_map(
        |((tag, bits), channels, rate, block, size, valid_bits)| FormatChunk {
            tag,
            channels,
            rate,
            bits,
            block: block.unwrap_or(bits.div_ceil(8).wrapping_mul(channels)),
            size,
            valid_bits,
        },
    )
}

fn chunks() -> impl Strategy<Value = Vec<Chunk>> {
    // Not `cue ` and `smpl`, whose counts libsndfile trusts beyond their size.
    let usual = vec![
        *b"LIST", *b"bext", *b"fact", *b"JUNK", *b"PAD ", *b"iXML", *b"abcd",
    ];
    let id = prop_oneof![20 => select(usual), 1 => select(vec![*b"data", *b"fmt "])];
    let content = vec(prop_oneof![4 => Just(0_u8), 1 => any::<u8>()], 0..40);
    let chunk = (id, content, any::<bool>()).prop_map(|(id, content, is_padded)| Chunk {
        id,
        content,
        is_padded,
    });
    vec(chunk, 0..3)
}

fn waves() -> impl Strategy<Value = Wave> {
    let containers = vec![
        Container::Riff,
        Container::Riff,
        Container::Rifx,
        Container::Rf64,
        Container::Bw64,
        Container::W64,
    ];
    let sizes = vec![
        Sizes::Right,
        Sizes::Right,
        Sizes::Right,
        Sizes::Zero,
        Sizes::Ones,
        Sizes::Sox,
    ];
    let sound = vec(any::<u8>(), 0..400);
    let cut = prop_oneof![8 => Just(0_usize), 1 => 0_usize..8, 1 => 0_usize..500];
    (
        select(containers),
        select(sizes),
        format(),
        chunks(),
        chunks(),
        sound,
        cut,
    )
        .prop_map(
            |(container, sizes, mut format, mut before, mut after, sound, cut)| {
                // libsndfile reads floats as integers there; variants.rs compares with a RIFF file instead.
                if container == Container::W64 && format.size == 40 {
                    format.size = 18;
                }
                // libsndfile loses the byte order after some chunks.
                if container == Container::Rifx {
                    before.clear();
                    after.clear();
                }
                Wave {
                    container,
                    sizes,
                    format,
                    before,
                    after,
                    sound,
                    cut,
                }
            },
        )
}

/// A file, and bytes of its header to change.
fn changed_waves() -> impl Strategy<Value = (Wave, Vec<(usize, u8)>)> {
    let changes = vec((0_usize..120, any::<u8>()), 0..4);
    (waves(), prop_oneof![2 => Just(Vec::new()), 1 => changes])
}

#[test]
fn any_header_is_read_like_libsndfile_or_refused() {
    let Some(libsndfile) = Libsndfile::start() else {
        return;
    };
    let libsndfile = RefCell::new(libsndfile);
    let (same, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..cases(2_000, 50_000)
    });
    runner
        .run(&changed_waves(), |(wave, changes)| {
            let mut bytes = wave.bytes();
            for (at, byte) in changes {
                if let Some(changed) = bytes.get_mut(at) {
                    *changed = byte;
                }
            }
            let ours = match read(&bytes) {
                Ok(ours) => ours,
                Err(error) => {
                    prop_assert!(!error.to_string().contains('\n'));
                    refused.set(refused.get() + 1);
                    return Ok(());
                }
            };
            // If libsndfile reads nothing, there is nothing to compare with.
            if let Some(mut theirs) = libsndfile.borrow_mut().read(&bytes)
                && !theirs.samples.is_empty()
            {
                // libsndfile reads the chunks after the samples of a W64 file as samples.
                if bytes.starts_with(b"riff") {
                    theirs.samples.truncate(ours.samples.len());
                }
                prop_assert!(ours == theirs, "{:?} and {:?}", ours, theirs);
                same.set(same.get() + 1);
            }
            Ok(())
        })
        .unwrap();
    // Both must be frequent, or the test would show nothing.
    assert!(
        same.get() > 200 && refused.get() > 200,
        "{same:?} the same, {refused:?} refused"
    );
}
