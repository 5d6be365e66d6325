//! Records as documents: the shape that they had, the shape that they have, its JSON Schema, and a
//! second implementation that verifies them.

mod oracle;
mod schema;

use std::{collections::BTreeMap, fs, path::PathBuf};

use proptest::prelude::*;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use test_tiers::sized;

use super::{
    super::{
        AgeBand, EvidenceHash, GuardianApproval, GuardianMethod, NoticeReference, Organization,
        Record, SignedRecord,
    },
    reading::read,
    write,
};
use crate::{
    Purposes,
    consent::rows::{Phase, RecordRow},
    id::Id,
    plan::Controller,
    rng,
    signed::SignedError,
    testing::{QA, RESEARCH, both, key_pair},
    week::Week,
};

/// A record with every member filled: a child's, approved with evidence.
fn full() -> Record {
    let id = "000102030405060708090a0b0c0d0e0f".parse().unwrap();
    Record {
        schema: Record::SCHEMA,
        id,
        revision: 3,
        purposes: both(),
        age_band: AgeBand::Child,
        guardian: Some(GuardianApproval {
            method: GuardianMethod::VideoConference,
            week: "2026-W49".parse().unwrap(),
            evidence: Some(EvidenceHash::new(id, b"sixteen bytes or more").unwrap()),
        }),
        notice: NoticeReference {
            version: 2,
            language: "pt-BR".to_owned(),
            sha256: "5a".repeat(32),
        },
        controller: Some(Organization {
            key: "7f".repeat(32).parse().unwrap(),
            named: Some(Controller {
                name: "Your company".to_owned(),
                contact: "privacy@example.com".to_owned(),
                country: Some("DE".to_owned()),
            }),
        }),
        given: "2026-W48".parse().unwrap(),
        holds_until: "2027-W47".parse().unwrap(),
    }
}

/// An adult's, with nothing in it that can be left out.
fn bare() -> Record {
    Record {
        purposes: QA.into(),
        age_band: AgeBand::Adult,
        guardian: None,
        controller: None,
        ..full()
    }
}

fn signed(record: Record) -> Value {
    let signed = SignedRecord::sign(record, &key_pair()).unwrap();
    serde_json::from_str(&signed.to_json()).unwrap()
}

fn vector(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vectors/consent"
    ));
    fs::read(folder.join(name)).unwrap()
}

prop_compose! {
    fn weeks()(year in 1990_i32..2200, week in 1_u32..=52) -> Week {
        format!("{year:04}-W{week:02}").parse().unwrap()
    }
}

fn ids() -> impl Strategy<Value = Id> {
    any::<u128>().prop_map(|number| format!("{number:032x}").parse().unwrap())
}

fn guardians() -> impl Strategy<Value = Option<(GuardianMethod, Week, Option<Vec<u8>>)>> {
    let evidence = prop::option::of(prop::collection::vec(any::<u8>(), 16..40));
    let method = prop::sample::select(GuardianMethod::ALL.to_vec());
    prop::option::of((method, weeks(), evidence))
}

fn organizations() -> impl Strategy<Value = Option<Organization>> {
    let country = prop::option::of(prop::sample::select(vec!["DE", "US", "JP"]));
    let named = prop::option::of(("[\\w♪]([\\w \"\\\\♪]{0,50}\\w)?", country)).prop_map(|named| {
        named.map(|(name, country)| Controller {
            name,
            contact: "https://example.com/privacy".to_owned(),
            country: country.map(str::to_owned),
        })
    });
    prop::option::of(
        ("[0-9a-f]{64}", named).prop_map(|(key, named)| Organization {
            key: key.parse().unwrap(),
            named,
        }),
    )
}

fn records() -> impl Strategy<Value = Record> {
    let purposes: Vec<Purposes> = vec![QA.into(), RESEARCH.into(), both()];
    let bands = vec![AgeBand::Adult, AgeBand::Child, AgeBand::Unknown];
    let notice = (any::<u32>(), "[a-z]{2}(-[A-Z]{2})?", "[0-9a-f]{64}");
    (
        (ids(), any::<u32>(), prop::sample::select(purposes)),
        (prop::sample::select(bands), guardians(), notice),
        (organizations(), weeks(), weeks()),
    )
        .prop_map(|(first, second, third)| {
            let (id, revision, purposes) = first;
            let (age_band, guardian, (version, language, sha256)) = second;
            let (controller, given, holds_until) = third;
            let evidence = |bytes: Vec<u8>| EvidenceHash::new(id, &bytes).unwrap();
            Record {
                schema: Record::SCHEMA,
                id,
                revision,
                purposes,
                age_band,
                guardian: guardian.map(|(method, week, bytes)| GuardianApproval {
                    method,
                    week,
                    evidence: bytes.map(evidence),
                }),
                notice: NoticeReference {
                    version,
                    language,
                    sha256,
                },
                controller,
                given,
                holds_until,
            }
        })
}

proptest! {
    #[test]
    fn any_record_is_read_back_as_it_was_written(record in records()) {
        let document = signed(record.clone());
        let read = Record::verify(document.to_string().as_bytes()).unwrap();
        prop_assert_eq!(read.content(), &record);
        prop_assert!(schema::fits(&document), "{:#}", document);
    }
}

#[test]
fn each_byte_that_is_changed_is_refused_or_means_the_same() {
    let record = full();
    let json = signed(record.clone()).to_string().into_bytes();
    let mut same = 0;
    for at in 0..json.len() {
        for bit in sized(vec![[0x01, 0x20][at % 2]], vec![0x01, 0x20]) {
            let mut changed = json.clone();
            changed[at] ^= bit;
            if let Ok(read) = Record::verify(&changed) {
                assert_eq!(*read.content(), record);
                // Only the case of a digit of the key does not matter.
                assert!(json[at].is_ascii_hexdigit() && bit == 0x20, "byte {at}");
                same += 1;
            }
        }
    }
    assert!(same <= 64, "{same}");
}

#[test]
fn documents_contain_no_time_finer_than_a_week() {
    fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => object.values().for_each(|value| strings(value, found)),
            Value::Array(items) => items.iter().for_each(|value| strings(value, found)),
            Value::String(text) => found.push(text),
            _ => {}
        }
    }
    let document = write(&full());
    let mut found = Vec::new();
    strings(&document, &mut found);
    let dated: Vec<_> = found.iter().filter(|text| text.contains("202")).collect();
    assert_eq!(dated.len(), 4);
    assert!(dated.iter().all(|text| text.parse::<Week>().is_ok()));
}

#[test]
fn a_childs_consent_is_a_request_until_the_guardian_approves() {
    let states = |record: &Record| {
        let events = write(record)["dpv:hasConsentStatus"].take();
        let events = events.as_array().unwrap().clone();
        events
            .iter()
            .map(|event| event["@type"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(states(&bare()), ["dpv:ConsentGiven"]);
    for age_band in [AgeBand::Child, AgeBand::Unknown] {
        let asked = Record { age_band, ..bare() };
        assert_eq!(states(&asked), ["dpv:ConsentRequested"]);
        let approved = Record { age_band, ..full() };
        assert_eq!(
            states(&approved),
            ["dpv:ConsentRequested", "dpv:ConsentGiven"]
        );
    }
}

/// A record at a collector from before schema 2.
#[test]
fn a_schema_1_record_verifies_and_is_upgraded_when_revised() {
    let document = vector("schema-1.json");
    let read = Record::verify(&document).unwrap();
    let record = read.content().clone();
    assert_eq!((record.schema, record.revision), (1, 1));
    assert_eq!(
        (&record.purposes, record.age_band),
        (&both(), AgeBand::Adult)
    );
    assert_eq!(record.given.to_string(), "2026-W48");
    assert_eq!(record.holds_until.to_string(), "2027-W47");
    assert_eq!((record.guardian, &record.controller), (None, &None));

    // Its own key is gone; signed again in the old shape it is like any that is stored on a device.
    let mut flat: Value = serde_json::from_slice(&document).unwrap();
    flat.as_object_mut().unwrap().remove("signature");
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&rng::system()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let flat = crate::signed::Signed::sign(flat, &pair).unwrap();
    let mut row = row(flat.to_json(), pkcs8.as_ref());
    let revised = row.revise(|record| record.purposes = QA.into()).unwrap();
    assert_eq!(
        (revised.content().schema, revised.content().revision),
        (2, 2)
    );
    assert_eq!(row.record().unwrap().content(), revised.content());
    let revised: Value = serde_json::from_str(&revised.to_json()).unwrap();
    assert!(schema::fits(&revised));
}

fn row(document: String, pkcs8: &[u8]) -> RecordRow {
    use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
    RecordRow {
        document,
        key: BASE64.encode(pkcs8),
        phase: Phase::Granted,
        ends: "2027-11-24T00:00:00Z".parse().unwrap(),
        withdrawn_purposes: Purposes::default(),
        collectors: BTreeMap::new(),
    }
}

/// Written with the first version of schema 2, and unchanged since.
#[test]
fn a_stored_schema_2_record_still_verifies() {
    let read = Record::verify(&vector("schema-2.json")).unwrap();
    assert_eq!(*read.content(), full());
}

#[test]
fn unknown_and_missing_schemas_are_reported() {
    let refused = |document: Value| {
        let signed = crate::signed::Signed::sign(document, &key_pair()).unwrap();
        match Record::verify(signed.to_json().as_bytes()) {
            Err(SignedError::Shape(reason)) => reason,
            other => panic!("{other:?}"),
        }
    };
    let mut later = write(&full());
    later["dct:conformsTo"][1] = json!("urn:sordino:schema:consent-record:3");
    later["something:new"] = json!(true);
    let reason = "it has schema 3, but this version reads schemas 1 and 2; use a newer version";
    assert_eq!(refused(later), reason);
    assert_eq!(refused(json!({"schema": 3, "something": "new"})), reason);
    assert_eq!(
        refused(json!({"hello": "world"})),
        "it states no schema of a consent record"
    );
    assert_eq!(
        refused(json!({"schema": 2})),
        "it states schema 2, but has another schema's shape"
    );
}

#[test]
fn errors_name_the_invalid_member() {
    for (pointer, value, named) in [
        ("/dct:identifier", json!("X"), "dct:identifier"),
        ("/schema:version", json!(-1), "schema:version"),
        ("/dpv:hasProcess", json!([]), "names no purpose"),
        (
            "/dpv:hasProcess/0/@type",
            json!("dpv:Service"),
            "dpv:hasProcess/0/@type",
        ),
        ("/dpv:hasNotice/schema:sha256", json!("5A"), "schema:sha256"),
        (
            "/dpv:hasDataController/dpv:hasContact",
            json!("nowhere"),
            "https:// URL",
        ),
        (
            "/dpv:hasConsentStatus/1/dpv:hasIndicationMethod",
            json!("a-nod"),
            "guardian",
        ),
        (
            "/dpv:hasConsentStatus/0/dpv:isIndicatedAtTime",
            json!("2026-11-24"),
            "isIndicatedAtTime",
        ),
        (
            "/dpv:hasDataSubject/@type",
            json!(["dpv:Adult"]),
            "age band",
        ),
    ] {
        let mut document = write(&full());
        *document.pointer_mut(pointer).unwrap() = value;
        let refused = read(&document).unwrap_err().to_string();
        assert!(
            refused.contains(named) && !refused.contains('\n'),
            "{refused}"
        );
    }
}
