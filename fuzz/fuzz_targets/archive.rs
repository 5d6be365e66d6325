//! Any bytes as what is sealed: opened by its identity, they are refused in one line, or a sample within the limits.

#![no_main]

mod opening;

use libfuzzer_sys::fuzz_target;
use sordino::open::{self, OpenError, limits::MAX_SECONDS};

fuzz_target!(|archive: &[u8]| {
    let identity = &opening::IDENTITIES[0];
    let sealed = age::encrypt(&identity.to_public(), archive).expect("a recipient");
    match open::open_sample(sealed.as_slice(), &opening::IDENTITIES) {
        Ok(opened) => {
            assert_eq!(opened.rate, opened.manifest.rate);
            assert!(opened.samples.len() as u64 <= u64::from(opened.rate) * u64::from(MAX_SECONDS));
            let is_in = |part: &[u8]| archive.windows(part.len()).any(|found| found == part);
            assert!(is_in(&opened.flac));
        }
        Err(
            error @ (OpenError::Archive(_) | OpenError::Manifest(_) | OpenError::Audio(_)),
        ) => assert!(!error.to_string().contains('\n'), "{error}"),
        Err(error) => panic!("{error}"),
    }
});
