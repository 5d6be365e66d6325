//! Any bytes as a sealed sample, as they came and after the line that begins an age header: nobody's sample opens, and
//! what the collector takes in as sealed is not refused for its header by who opens it.

#![no_main]

mod opening;

use libfuzzer_sys::fuzz_target;
use sordino::open::{self, OpenError};

#[allow(dead_code)]
#[path = "../../tools/collector/src/age_header.rs"]
mod age_header;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(&[b"age-encryption.org/v1\n", bytes].concat());
});

fn check(sealed: &[u8]) {
    let start = &sealed[..sealed.len().min(age_header::MAX_HEADER_BYTES)];
    let is_taken = age_header::count_recipients(start, sealed.len() as u64).is_some();
    let error = open::open_sample(sealed, &opening::IDENTITIES).expect_err("nobody sealed it");
    assert!(!error.to_string().contains('\n'), "{error}");
    let is_header = matches!(error, OpenError::Header(_));
    assert!(!(is_taken && is_header), "{error}");
}
