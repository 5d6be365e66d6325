//! Any bytes as a WAV file, read in memory: the whole file or an error of one line. The samples are finite, and as many as
//! the header states.

#![no_main]

use std::{io::Cursor, path::Path};

use libfuzzer_sys::fuzz_target;
use sordino::capture::read_wav_from;

fuzz_target!(|bytes: &[u8]| {
    match read_wav_from(Cursor::new(bytes), Path::new("fuzzed.wav")) {
        Ok(recording) => {
            // No size in a header makes more sound than there are bytes.
            assert!((1..=bytes.len()).contains(&recording.samples.len()));
            assert!((8_000..=384_000).contains(&recording.rate));
            assert!(recording.samples.iter().all(|sample| sample.is_finite()));
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    }
});
