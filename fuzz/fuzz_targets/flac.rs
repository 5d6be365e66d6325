//! Any bytes as a sample's sound: refused in one line, or decoded within the limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sordino::open::{
    self,
    limits::{MAX_RATE, MAX_SECONDS, MIN_RATE},
};

fuzz_target!(|flac: &[u8]| {
    match open::decode_flac(flac) {
        Ok((samples, rate)) => {
            assert!((MIN_RATE..=MAX_RATE).contains(&rate));
            assert!(!samples.is_empty());
            assert!(samples.len() as u64 <= u64::from(rate) * u64::from(MAX_SECONDS));
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    }
});
