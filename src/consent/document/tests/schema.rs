//! The code and `docs/consent-record.schema.json` accept the same documents.

use std::{collections::BTreeSet, fs, sync::LazyLock};

use serde_json::{Value, json};

use super::{
    super::{
        super::{GuardianMethod, Record, SignedRecord},
        statements,
    },
    bare, full, signed,
};
use crate::{
    purpose::Purpose,
    signed::Signed,
    testing::{key_pair, values_of_each_type},
};

pub(super) fn fits(document: &Value) -> bool {
    static COMPILED: LazyLock<(boon::Schemas, boon::SchemaIndex)> = LazyLock::new(|| {
        const LOCATION: &str = "consent-record.schema.json";
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        compiler.add_resource(LOCATION, schema()).unwrap();
        let index = compiler.compile(LOCATION, &mut schemas).unwrap();
        (schemas, index)
    });
    let (schemas, index) = &*COMPILED;
    schemas.validate(document, *index).is_ok()
}

fn schema() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/consent-record.schema.json"
    );
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_full_and_a_bare_record_fit_the_schema() {
    assert!(fits(&signed(full())));
    assert!(fits(&signed(bare())));
}

#[test]
fn the_schema_states_each_term_of_the_tables() {
    let schema = schema();
    let at = |pointer: &str| schema.pointer(pointer).unwrap().clone();
    assert_eq!(
        schema["$id"],
        format!("{}{}", super::super::SCHEMA, Record::SCHEMA)
    );
    let methods = GuardianMethod::ALL.map(|method| format!("urn:sordino:guardian-method:{method}"));
    assert_eq!(
        at("/$defs/guardian-answer/properties/dpv:hasIndicationMethod/enum"),
        json!(methods)
    );
    assert_eq!(at("/$defs/processing/const"), json!(statements::PROCESSING));
    for (index, data) in statements::PERSONAL_DATA.iter().enumerate() {
        let stated = at(&format!(
            "/$defs/personal-data/prefixItems/{index}/properties"
        ));
        assert_eq!(stated["dct:identifier"]["const"], data.identifier);
        assert_eq!(stated["skos:broader"]["const"], data.term);
    }
    for purpose in Purpose::ALL {
        let term =
            format!("/$defs/{purpose}/properties/dpv:hasPurpose/properties/skos:broader/const");
        assert_eq!(at(&term), statements::purpose(purpose).term);
    }
}

/// Documents that only the reader can refuse: well-formed members that contradict others.
const RELATIONS: [&str; 12] = [
    "/@id",
    "/dct:identifier",
    "/dpv:hasConsentStatus/0/dpv:hasDuration/rdf:value",
    "/dpv:hasConsentStatus/1/dpv:hasDuration/rdf:value",
    "/dpv:hasDataController",
    "/dpv:hasDataController/@id",
    "/dpv:hasDataController/dpv:hasCountry",
    "/dpv:hasDataController/dpv:hasIdentifier",
    "/dpv:hasDataSubject/@type/1",
    "/dpv:hasDataSubject/dct:identifier",
    "/dpv:hasJurisdiction",
    "/dpv:hasProcess/N/dpv:hasDataController",
];

/// Each member in turn taken out, changed, or with an unknown one added: what the reader refuses,
/// the schema must refuse too, and the other way round.
#[test]
fn the_parser_and_the_schema_reject_the_same_documents() {
    let (mut refused, mut taken, mut at_odds) = (0, 0, BTreeSet::new());
    for record in [full(), bare()] {
        let mut document = signed(record);
        let signature = document["signature"].take();
        document.as_object_mut().unwrap().remove("signature");
        for (at, what, changed) in changes(&document) {
            let reads = super::read(&changed);
            let mut with_signature = changed;
            with_signature["signature"] = signature.clone();
            let process = at.replace("hasProcess/0", "hasProcess/N");
            match (reads, fits(&with_signature)) {
                (Ok(_), true) => taken += 1,
                (Err(_), false) => refused += 1,
                (Err(_), true) => {
                    at_odds.insert(process.replace("hasProcess/1", "hasProcess/N"));
                }
                (Ok(_), false) => panic!("{at} {what}: the schema refuses what is read"),
            }
        }
    }
    let relations = RELATIONS.map(str::to_owned);
    assert_eq!(at_odds, BTreeSet::from(relations));
    assert!(
        refused > 2_000 && taken > 20,
        "{refused} refused, {taken} taken"
    );
}

#[test]
fn signed_records_with_added_or_missing_members_are_rejected() {
    let pair = key_pair();
    let document = super::super::write(&full());
    let mut tried = 0;
    for (at, what, changed) in changes(&document) {
        let is_member = !at.ends_with(|last: char| last.is_ascii_digit());
        // Without it, an approval is another one, and as good.
        let is_optional = at.ends_with("/sordino:evidence-hash");
        if !(what == "added" || what == "removed" && is_member && !is_optional) {
            continue;
        }
        let signed = Signed::sign(changed, &pair).unwrap();
        let read = SignedRecord::verify_any(signed.to_json().as_bytes());
        assert!(read.is_err(), "{at} {what}");
        tried += 1;
    }
    assert!(tried > 150, "{tried}");
}

/// Every document that differs from `document` in one place: the place, what was done there, and
/// the document.
fn changes(document: &Value) -> Vec<(String, &'static str, Value)> {
    let mut changes = Vec::new();
    let mut places = Vec::new();
    for (name, member) in document.as_object().unwrap() {
        collect_places(member, format!("/{name}"), &mut places);
    }
    places.push(String::new());
    for place in places {
        let here = document.pointer(&place).unwrap();
        let mut put = |what, value: Value| {
            let mut changed = document.clone();
            *changed.pointer_mut(&place).unwrap() = value;
            changes.push((place.clone(), what, changed));
        };
        // The whole stays an object: a reader is never asked of anything else.
        for other in values_of_each_type()
            .into_iter()
            .filter(|_| !place.is_empty())
        {
            put("replaced", other);
        }
        match here {
            Value::Object(object) => {
                let mut with = object.clone();
                with.insert("device".to_owned(), json!("x"));
                put("added", Value::Object(with));
            }
            Value::Array(items) => {
                put(
                    "lengthened",
                    Value::Array([items.as_slice(), &[json!("x")]].concat()),
                );
                put(
                    "doubled",
                    Value::Array([items.as_slice(), items.as_slice()].concat()),
                );
                put("emptied", json!([]));
            }
            Value::String(text) => {
                put("lengthened", json!(format!("{text}x")));
                put("shortened", json!(text[1..]));
                put("other digits", json!(text.replace('7', "8")));
                put("empty", json!(""));
            }
            Value::Number(_) => put("raised", json!(77)),
            Value::Bool(_) | Value::Null => {}
        }
        let (parent, name) = match place.rsplit_once('/') {
            Some(split) => split,
            None => continue,
        };
        let mut changed = document.clone();
        match changed.pointer_mut(parent).unwrap() {
            Value::Object(object) => {
                object.remove(name);
            }
            Value::Array(items) => {
                items.remove(name.parse().unwrap());
            }
            _ => unreachable!("only these hold others"),
        }
        changes.push((place, "removed", changed));
    }
    changes
}

fn collect_places(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                collect_places(member, format!("{at}/{name}"), places);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_places(item, format!("{at}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push(at);
}
