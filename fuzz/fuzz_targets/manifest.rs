//! Any bytes as a manifest: refused in one line, or the same when it is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sordino::seal::Manifest;

fuzz_target!(|bytes: &[u8]| {
    match Manifest::from_json(bytes) {
        Ok(manifest) => {
            let json = serde_json::to_vec(&manifest).expect("it was JSON");
            let again = Manifest::from_json(&json).expect("it is as it was");
            assert_eq!(again, manifest);
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    }
});
