//! Any bytes as a consent record, as they came and signed: refused, or the same when it is read again and when it is
//! written again.

#![no_main]

mod signing;

use libfuzzer_sys::fuzz_target;
use sordino::consent::Record;
use sordino::signed::{Signed, SignedError};

fuzz_target!(|bytes: &[u8]| {
    let _ = Record::verify(bytes);
    let key = signing::key();
    let Some(document) = signing::signed(bytes, &key) else {
        return;
    };
    match Record::verify(document.as_bytes()) {
        Ok(record) => {
            assert_eq!(record.signer(), signing::public_key());
            let again = Record::verify(record.to_json().as_bytes()).expect("it is as it was");
            assert_eq!(again.content(), record.content());
            // Schema 1 is read and not written.
            if record.content().schema == Record::SCHEMA {
                let signed_again = Signed::sign(record.content().clone(), &key).expect("an object");
                let signed_again =
                    Record::verify(signed_again.to_json().as_bytes()).expect("it is a record");
                assert_eq!(signed_again.content(), record.content());
            }
        }
        Err(SignedError::Shape(_)) => {}
        Err(error) => panic!("{error}: {document}"),
    }
});
