//! The collector's parser of dictionaries (RFC 9651), which reads `Signature-Input`, `Signature` and `Content-Digest` before
//! anybody is known. What it takes, the parser `sfv` takes too and reads the same; what `sfv` takes, it refuses for the
//! reasons that its documentation names and for no other.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sfv::{BareItem, ListEntry};

#[allow(dead_code)]
#[path = "../../tools/collector/src/structured.rs"]
mod structured;

use structured::{Dictionary, InnerList, Item, Value};

/// As in `structured.rs`.
const MEMBERS: usize = 64;

fuzz_target!(|text: &str| {
    let theirs = sfv::Parser::new(text).parse::<sfv::Dictionary>();
    match (Dictionary::parse(text), theirs) {
        (Ok(ours), Ok(theirs)) => {
            for (key, member) in &theirs {
                match member {
                    ListEntry::InnerList(list) => {
                        let read = ours.inner_list(key.as_str()).expect("an inner list");
                        assert!(is_same_list(read, list), "{text:?}");
                        let written = format!("k={}", read.serialize());
                        let again = Dictionary::parse(&written).expect("what was written is read");
                        assert_eq!(again.inner_list("k"), Some(read));
                    }
                    ListEntry::Item(item) => {
                        assert!(ours.inner_list(key.as_str()).is_none());
                        let bytes = match &item.bare_item {
                            BareItem::ByteSequence(bytes) => Some(bytes.as_slice()),
                            _ => None,
                        };
                        assert_eq!(ours.bytes(key.as_str()), bytes, "{text:?}");
                    }
                }
            }
        }
        (Ok(_), Err(error)) => panic!("taken, and refused by sfv: {text:?}: {error}"),
        (Err(error), Ok(_)) => {
            let reason = error.to_string();
            let is_documented = ["twice", "too many members", "base64"]
                .iter()
                .any(|part| reason.contains(part));
            // Decimals, dates and display strings, which no field of the protocol has; a later member of the same name may
            // have replaced them.
            let may_hold_unread_kind = text.contains(['.', '@', '%']);
            assert!(
                is_documented || may_hold_unread_kind,
                "refused, and taken by sfv: {text:?}: {reason}"
            );
            assert!(
                !reason.contains("too many members") || text.len() > MEMBERS,
                "{text:?}"
            );
        }
        (Err(_), Err(_)) => {}
    }
});

fn is_same_list(ours: &InnerList, theirs: &sfv::InnerList) -> bool {
    ours.items.len() == theirs.items.len()
        && (ours.items.iter().zip(&theirs.items)).all(|(ours, theirs)| is_same_item(ours, theirs))
        && has_same_parameters(&ours.parameters, &theirs.params)
}

fn is_same_item(ours: &Item, theirs: &sfv::Item) -> bool {
    is_same_value(&ours.value, &theirs.bare_item)
        && has_same_parameters(&ours.parameters, &theirs.params)
}

fn has_same_parameters(ours: &[(String, Value)], theirs: &sfv::Parameters) -> bool {
    ours.len() == theirs.len()
        && ours
            .iter()
            .zip(theirs)
            .all(|((key, value), (their_key, their_value))| {
                key == their_key.as_str() && is_same_value(value, their_value)
            })
}

fn is_same_value(ours: &Value, theirs: &BareItem) -> bool {
    match (ours, theirs) {
        (Value::Integer(ours), BareItem::Integer(theirs)) => *ours == i64::from(*theirs),
        (Value::String(ours), BareItem::String(theirs)) => ours == theirs.as_str(),
        (Value::Token(ours), BareItem::Token(theirs)) => ours == theirs.as_str(),
        (Value::Bytes(ours), BareItem::ByteSequence(theirs)) => ours == theirs,
        (Value::Boolean(ours), BareItem::Boolean(theirs)) => ours == theirs,
        _ => false,
    }
}
