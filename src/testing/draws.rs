//! Reproducible random numbers for a test: ids and delays. Keys stay random.

use std::cell::Cell;

thread_local! {
    static STATE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Random numbers on this thread come from the seed until it is dropped.
pub(crate) struct Seeded(());

pub(crate) fn seeded(seed: u64) -> Seeded {
    STATE.set(Some(seed));
    Seeded(())
}

impl Drop for Seeded {
    fn drop(&mut self) {
        STATE.set(None);
    }
}

/// Fills `bytes` if this thread is seeded; returns whether it is.
pub(crate) fn fill(bytes: &mut [u8]) -> bool {
    let Some(mut state) = STATE.get() else {
        return false;
    };
    for bytes in bytes.chunks_mut(8) {
        // SplitMix64: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut drawn = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        drawn ^= drawn >> 31;
        bytes.copy_from_slice(&drawn.to_le_bytes()[..bytes.len()]);
    }
    STATE.set(Some(state));
    true
}
