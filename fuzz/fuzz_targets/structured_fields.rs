//! The collector's parser of dictionaries (RFC 9651), which reads `Signature-Input`, `Signature` and `Content-Digest` of
//! unauthenticated requests. It accepts and reads exactly what `sfv` does, except for the restrictions in its documentation.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sfv::{BareItem, ListEntry};

#[allow(dead_code)]
#[path = "../../tools/collector/src/extractors/structured_fields.rs"]
mod structured_fields;

use structured_fields::{Dictionary, serialize_inner_list};

/// As in `structured_fields.rs`.
const MAX_MEMBERS: usize = 64;

fuzz_target!(|text: &str| {
    let plain = sfv::Parser::new(text).parse::<sfv::Dictionary>();
    match (Dictionary::parse(text), plain) {
        (Ok(strict), Ok(plain)) => {
            for (key, member) in &plain {
                match member {
                    ListEntry::InnerList(list) => {
                        let read = strict.inner_list(key.as_str()).expect("an inner list");
                        assert_eq!(read, list, "{text:?}");
                        let written = format!("k={}", serialize_inner_list(read));
                        let again = Dictionary::parse(&written).expect("a round trip");
                        assert_eq!(again.inner_list("k"), Some(read));
                    }
                    ListEntry::Item(item) => {
                        assert!(strict.inner_list(key.as_str()).is_none());
                        let bytes = match &item.bare_item {
                            BareItem::ByteSequence(bytes) => Some(bytes.as_slice()),
                            _ => None,
                        };
                        assert_eq!(strict.bytes(key.as_str()), bytes, "{text:?}");
                    }
                }
            }
        }
        (Ok(_), Err(error)) => panic!("accepted, but rejected by sfv: {text:?}: {error}"),
        (Err(error), Ok(_)) => {
            let reason = error.to_string();
            let is_documented = ["occurs twice", "more than 64 members", "not supported"]
                .iter()
                .any(|part| reason.contains(part));
            assert!(is_documented, "rejected, but accepted by sfv: {text:?}: {reason}");
            assert!(
                !reason.contains("members") || text.len() > MAX_MEMBERS,
                "{text:?}"
            );
        }
        (Err(_), Err(_)) => {}
    }
});
