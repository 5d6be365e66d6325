//! `PUT /v1/consents/RECORD` and its withdrawal, row by row.

use serde_json::{Value, json};
use sordino::{
    Purpose,
    consent::{AgeBand, GuardianApproval, GuardianMethod},
    signed::PublicKey,
};

use crate::support::*;

#[test]
fn a_record_is_registered_repeated_and_revised() {
    let collector = Collector::start();
    let device = Device::new();
    let first = device.register(1, QA);
    collector.send(&first).expect(201);
    collector.send(&first).expect(200);
    collector.send(&device.register(2, BOTH)).expect(200);
    collector
        .send(&device.put(sample(), BOTH, &age_file(1, 1)))
        .expect(201);
}

#[test]
fn an_older_revision_is_rejected() {
    let collector = Collector::start();
    let device = Device::new();
    collector.send(&device.register(2, BOTH)).expect(201);
    collector
        .send(&device.register(1, BOTH))
        .problem(409, "stale-revision");
    collector
        .send(&device.register(2, QA))
        .problem(409, "stale-revision");
    collector
        .send(&device.put(sample(), BOTH, &age_file(1, 1)))
        .expect(201);
}

#[test]
fn a_purpose_that_no_plan_requests_is_unknown() {
    let device = Device::new();
    let mut unknown: Value = serde_json::from_slice(&device.register(1, QA).body.unwrap()).unwrap();
    unknown["dpv:hasProcess"][0]["dct:identifier"] = json!("advertising");
    // The signature is valid, so that only the purpose is wrong.
    let collector = Collector::start();
    let document = resign(&device, unknown);
    collector
        .send(&device.register_document(document))
        .problem(403, "unknown-purpose");

    let collector = Collector::start_with(|config| {
        let asked = plan(
            1,
            "2999-01-01",
            &[recipient(1)],
            &[Purpose::QualityAssurance],
        );
        config.plan = Some(write_plan(&config.data, asked));
    });
    collector
        .send(&Device::new().register(1, BOTH))
        .problem(403, "unknown-purpose");
    collector.send(&Device::new().register(1, QA)).expect(201);
}

/// Signs arbitrary JSON by the part of RFC 8785 that is needed here.
fn resign(device: &Device, mut document: Value) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
    let object = document.as_object_mut().unwrap();
    let mut signature = object.remove("signature").unwrap();
    let value = device
        .key
        .sign(serde_json::to_string(&*object).unwrap().as_bytes());
    signature["value"] = json!(BASE64.encode(value));
    object.insert("signature".to_owned(), signature);
    document.to_string().into_bytes()
}

#[test]
fn a_childs_record_requires_a_guardians_approval() {
    let collector = Collector::start();
    for age_band in [AgeBand::Child, AgeBand::Unknown] {
        let device = Device::new();
        let mut content = device.content(1, QA);
        content.age_band = age_band;
        let document = device.document(content.clone());
        collector
            .send(&device.register_document(document))
            .problem(403, "not-granted");
        content.guardian = Some(GuardianApproval {
            method: GuardianMethod::SignedForm,
            week: "2026-W01".parse().unwrap(),
            evidence: None,
        });
        let document = device.document(content);
        collector
            .send(&device.register_document(document))
            .expect(201);
    }
}

#[test]
fn an_invalid_record_is_rejected() {
    let collector = Collector::start();
    let device = Device::new();
    let good = device.document(device.content(1, QA));
    let changed = String::from_utf8(good.clone())
        .unwrap()
        .replace("\"en\"", "\"de\"");
    assert_ne!(changed.as_bytes(), good);
    let mut unsigned: Value = serde_json::from_slice(&good).unwrap();
    unsigned.as_object_mut().unwrap().remove("signature");
    let mut other_schema = device.content(1, QA);
    other_schema.schema = 99;
    let mut no_purpose = device.content(1, QA);
    no_purpose.purposes = Default::default();
    let other = Device::new();
    for (document, status, name) in [
        (b"".to_vec(), 400, "malformed"),
        (b"\xff\xfe{}".to_vec(), 400, "malformed"),
        (b"[1, 2".to_vec(), 400, "malformed"),
        (b"{}".to_vec(), 401, "bad-signature"),
        ("[".repeat(60_000).into_bytes(), 400, "malformed"),
        (changed.into_bytes(), 401, "bad-signature"),
        (unsigned.to_string().into_bytes(), 401, "bad-signature"),
        (device.document(other_schema), 400, "malformed"),
        (device.document(no_purpose), 400, "malformed"),
        // Another record's document, which does not match the request's signature.
        (other.document(other.content(1, QA)), 401, "bad-signature"),
        // Another record's content, signed by this device.
        (device.document(other.content(1, QA)), 400, "malformed"),
        (vec![b' '; (64 << 10) + 1], 413, "too-large"),
    ] {
        collector
            .send(&device.register_document(document))
            .problem(status, name);
    }
    collector
        .send(&device.withdraw(QA))
        .problem(404, "unknown-record");
    collector.send(&device.register(1, QA)).expect(201);
}

/// Like the record of a device of an earlier version.
#[test]
fn a_record_of_schema_1_can_be_revised_with_schema_2() {
    let collector = Collector::start();
    let device = Device::new();
    let flat = json!({
        "schema": 1, "id": device.record, "revision": 1, "purposes": [QA], "age_band": "adult",
        "notice": {"version": 1, "language": "en", "sha256": "0".repeat(64)},
        "given": "2020-W01", "holds_until": "2999-W01",
        "signature": {"algorithm": "ed25519", "key": PublicKey::from_key_pair(&device.key), "value": ""},
    });
    let document = resign(&device, flat);
    collector
        .send(&device.register_document(document))
        .expect(201);
    collector.send(&device.register(2, BOTH)).expect(200);
    collector
        .send(&device.put(sample(), BOTH, &age_file(1, 1)))
        .expect(201);
}

#[test]
fn a_record_keeps_its_key() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let thief = Device {
        record: device.record,
        key: key(),
    };
    collector
        .send(&thief.register(2, BOTH))
        .problem(401, "bad-signature");
    collector
        .send(&thief.withdraw(QA))
        .problem(401, "bad-signature");
    collector
        .send(&device.put(sample(), QA, &age_file(1, 1)))
        .expect(201);
}

#[test]
fn a_withdrawal_deletes_samples_without_a_purpose() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let other = Device::registered(&collector, BOTH);
    let (only_qa, both, others) = (sample(), sample(), sample());
    collector
        .send(&device.put(only_qa, QA, &age_file(1, 1)))
        .expect(201);
    collector
        .send(&device.put(both, BOTH, &age_file(1, 2)))
        .expect(201);
    collector
        .send(&other.put(others, BOTH, &age_file(1, 3)))
        .expect(201);

    let answer = collector.send(&device.withdraw(QA)).expect(200).json();
    assert_eq!(answer, json!({"deleted": 1, "narrowed": 1}));
    assert!(!collector.object(only_qa).exists());
    assert!(collector.object(both).exists() && collector.object(others).exists());

    let (qa, research) = (collector.token(QA), collector.token(RESEARCH));
    assert_eq!(collector.listed(&qa, QA), [others.to_string()]);
    assert_eq!(
        collector.listed(&research, RESEARCH),
        [both.to_string(), others.to_string()]
    );
    let target = format!("/v1/samples/{both}?purpose={QA}");
    collector.read(&qa, &target).problem(410, "deleted");
    let list = collector
        .read(&research, "/v1/samples?purpose=recognition-research")
        .json();
    assert_eq!(list["samples"][0]["purposes"], json!([RESEARCH]));

    // The remaining purpose can still be used, the other cannot.
    collector
        .send(&device.put(sample(), RESEARCH, &age_file(1, 4)))
        .expect(201);
    collector
        .send(&device.put(sample(), BOTH, &age_file(1, 5)))
        .problem(403, "not-granted");

    // The withdrawal can be repeated.
    let again = collector.send(&device.withdraw(QA)).expect(200).json();
    assert_eq!(again, json!({"deleted": 0, "narrowed": 0}));
    let rest = collector.send(&device.withdraw(BOTH)).expect(200).json();
    assert_eq!(rest, json!({"deleted": 2, "narrowed": 0}));
    assert_eq!(collector.files("age").len(), 1);
}

#[test]
fn a_fully_withdrawn_record_stays_withdrawn() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let kept = sample();
    collector
        .send(&device.put(kept, BOTH, &age_file(1, 1)))
        .expect(201);
    collector.send(&device.withdraw(BOTH)).expect(200);
    collector
        .send(&device.register(1, BOTH))
        .problem(410, "withdrawn");
    collector
        .send(&device.register(9, BOTH))
        .problem(410, "withdrawn");
    collector
        .send(&device.put(kept, BOTH, &age_file(1, 1)))
        .problem(410, "deleted");
    collector
        .send(&device.put(sample(), QA, &age_file(1, 2)))
        .problem(410, "withdrawn");
    collector.send(&device.withdraw(BOTH)).expect(200);
    collector.send(&device.delete(kept)).expect(204);
}

#[test]
fn a_late_registration_restores_no_withdrawn_purpose() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let wider = device.register(2, BOTH);
    // The extension is still in transit when the purpose is withdrawn.
    collector.send(&device.withdraw(RESEARCH)).expect(200);
    collector.send(&wider).problem(410, "withdrawn");
    collector
        .send(&device.put(sample(), RESEARCH, &age_file(1, 1)))
        .problem(403, "not-granted");
    collector.send(&device.register(3, QA)).expect(200);
    collector
        .send(&device.put(sample(), QA, &age_file(1, 2)))
        .expect(201);
}

#[test]
fn a_revision_that_grants_less_withdraws_samples() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let (research, both) = (sample(), sample());
    collector
        .send(&device.put(research, RESEARCH, &age_file(1, 1)))
        .expect(201);
    collector
        .send(&device.put(both, BOTH, &age_file(1, 2)))
        .expect(201);
    collector.send(&device.register(2, QA)).expect(200);
    assert!(!collector.object(research).exists());
    assert!(
        collector
            .listed(&collector.token(RESEARCH), RESEARCH)
            .is_empty()
    );
    assert_eq!(
        collector.listed(&collector.token(QA), QA),
        [both.to_string()]
    );
    collector
        .send(&device.register(3, BOTH))
        .problem(410, "withdrawn");
}

#[test]
fn an_invalid_withdrawal_withdraws_nothing() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let kept = sample();
    collector
        .send(&device.put(kept, QA, &age_file(1, 1)))
        .expect(201);
    let target = format!("/v1/consents/{}/withdrawal", device.record);
    for body in [
        "",
        "{}",
        "[]",
        r#"{"purposes": []}"#,
        r#"{"purposes": ["advertising"]}"#,
    ] {
        let request = Request::new("PUT", &target)
            .body(body.as_bytes().to_vec())
            .sign(&device);
        collector.send(&request).problem(400, "malformed");
    }
    collector
        .send(&Device::new().withdraw(QA))
        .problem(404, "unknown-record");
    assert!(collector.object(kept).exists());
}
