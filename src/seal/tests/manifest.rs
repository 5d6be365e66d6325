//! The manifest and its JSON Schema, which accept the same documents.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use super::super::{Manifest, ManifestError, Platform};
use crate::{
    anonymize::RemovalReason, purpose::Purpose, sampler::Trigger, testing::values_of_each_type,
};

#[test]
fn a_manifest_has_exactly_the_documented_members() {
    let mut members = BTreeSet::new();
    collect_members(&written(), "", &mut members);
    let expected = "
        schema sample purposes consent notice_version week sdk_version platform input_rate rate
        kept removed removed.start_s removed.end_s removed.reason erased
        selection selection.trigger selection.probability
        annotation annotation.expected annotation.expected.midi annotation.expected.onset
        annotation.expected.offset annotation.recognised annotation.recognised.midi
        annotation.recognised.onset annotation.recognised.offset annotation.tag
        anonymizer anonymizer.version anonymizer.detector anonymizer.threshold
        anonymizer.gate anonymizer.gate_threshold anonymizer.padding_s anonymizer.shortest_kept_s anonymizer.rate
        anonymizer.high_pass_hz anonymizer.level_dbfs anonymizer.ceiling_dbfs
        anonymizer.keep_time";
    assert_eq!(
        members,
        expected.split_whitespace().map(str::to_owned).collect()
    );
}

#[test]
fn the_schema_has_exactly_the_members_of_a_manifest() {
    let (schema, manifest) = (schema(), written());
    compare(&schema, &schema, &manifest, "manifest");
}

#[test]
fn the_schema_states_each_name_of_each_enumeration() {
    let schema = schema();
    let names = |pointer: &str| schema.pointer(pointer).unwrap().clone();
    assert_eq!(
        names("/properties/purposes/items/enum"),
        json!(Purpose::ALL)
    );
    assert_eq!(names("/properties/platform/enum"), json!(PLATFORMS));
    assert_eq!(
        names("/properties/removed/items/properties/reason/enum"),
        json!(REASONS)
    );
    assert_eq!(
        names("/properties/selection/properties/trigger/enum"),
        json!(TRIGGERS)
    );
    assert_eq!(names("/properties/schema/const"), json!(Manifest::SCHEMA));
}

#[test]
fn full_and_minimal_manifests_match_the_schema() {
    for value in [written(), bare()] {
        let manifest = Manifest::from_json(value.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&manifest).unwrap(), value);
        assert!(fits_schema(&value));
    }
}

/// Every member in turn taken out, accompanied by an unknown one, or replaced by a value of
/// each kind: what the reader refuses, the schema must refuse too, and the other way round.
#[test]
fn the_parser_and_the_schema_reject_the_same_documents() {
    let (mut refused, mut taken) = (0, 0);
    let mut manifest = written();
    // Spans that 1.5 fits into as a start and as an end: only the reader checks their order.
    manifest["kept"] = json!([[1.0, 2.0]]);
    manifest["erased"] = json!([[1.0, 2.0]]);
    manifest["removed"] = json!([{"start_s": 1.0, "end_s": 2.0, "reason": "voice"}]);
    for (what, changed) in changes(&manifest) {
        let read = Manifest::from_json(changed.to_string().as_bytes());
        assert_eq!(read.is_ok(), fits_schema(&changed), "{what}: {read:?}");
        *(if read.is_ok() {
            &mut taken
        } else {
            &mut refused
        }) += 1;
    }
    // Neither side may be refusing or taking everything.
    assert!(
        refused > 150 && taken > 20,
        "{refused} refused, {taken} taken"
    );
}

#[test]
fn a_later_schema_is_reported_as_such() {
    let later = json!({"schema": 2, "something_new": true});
    let refused = Manifest::from_json(later.to_string().as_bytes()).unwrap_err();
    assert_eq!(refused, ManifestError::Schema(2));
    assert_eq!(
        refused.to_string(),
        "the manifest has schema 2, but this version reads schema 1; use a newer version"
    );
}

#[test]
fn values_out_of_bounds_are_named() {
    for (pointer, value, named) in [
        ("/purposes", json!([]), "purposes"),
        ("/notice_version", json!(0), "notice_version"),
        ("/input_rate", json!(7_999), "input_rate"),
        ("/rate", json!(384_001), "rate"),
        ("/kept/0", json!([2.0, 1.0]), "kept"),
        ("/removed/0/start_s", json!(-0.5), "removed"),
        (
            "/selection/probability",
            json!(0.0),
            "selection.probability",
        ),
        ("/annotation/tag", json!("Étude by A. Person"), "annotation"),
        ("/annotation/expected/0/midi", json!(128), "annotation"),
    ] {
        let mut manifest = written();
        *manifest.pointer_mut(pointer).unwrap() = value;
        let refused = Manifest::from_json(manifest.to_string().as_bytes()).unwrap_err();
        assert!(
            refused.to_string().contains(&format!("`{named}`")),
            "{refused}"
        );
        assert_eq!(refused.to_string().lines().count(), 1);
    }
}

const PLATFORMS: [Platform; 6] = [
    Platform::Android,
    Platform::Ios,
    Platform::Macos,
    Platform::Linux,
    Platform::Windows,
    Platform::Other,
];
const REASONS: [RemovalReason; 2] = [RemovalReason::Voice, RemovalReason::Fragment];
const TRIGGERS: [Trigger; 2] = [Trigger::Mark, Trigger::Random];

/// Does not compile once a name is added, so that the lists above stay whole.
#[expect(dead_code, reason = "its compiling is the test")]
fn all_are_listed(platform: Platform, reason: RemovalReason, trigger: Trigger) {
    match platform {
        Platform::Android
        | Platform::Ios
        | Platform::Macos
        | Platform::Linux
        | Platform::Windows
        | Platform::Other => {}
    }
    match reason {
        RemovalReason::Voice | RemovalReason::Fragment => {}
    }
    match trigger {
        Trigger::Mark | Trigger::Random => {}
    }
}

/// The manifest that `seal` wrote for a clip with every member filled.
fn written() -> Value {
    let opened = super::open(&super::sealed_full());
    serde_json::from_slice(&opened.manifest).unwrap()
}

fn bare() -> Value {
    let mut manifest = written();
    manifest["removed"] = json!([]);
    manifest["erased"] = json!([]);
    manifest["annotation"] = json!({"expected": [], "recognised": []});
    manifest
}

fn schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/manifest.schema.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn fits_schema(manifest: &Value) -> bool {
    const LOCATION: &str = "manifest.schema.json";
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource(LOCATION, schema()).unwrap();
    let compiled = compiler.compile(LOCATION, &mut schemas).unwrap();
    schemas.validate(manifest, compiled).is_ok()
}

/// Walks schema and manifest side by side.
fn compare(root: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    match value {
        Value::Object(members) => {
            let stated = schema["properties"].as_object().unwrap();
            assert!(members.keys().eq(stated.keys()), "{at}");
            assert_eq!(schema["additionalProperties"], json!(false), "{at}");
            for (name, member) in members {
                compare(root, &stated[name], member, &format!("{at}.{name}"));
            }
        }
        Value::Array(items) => {
            assert!(!items.is_empty(), "{at} must hold something to be compared");
            for item in items.iter().filter(|item| item.is_object()) {
                compare(root, &schema["items"], item, at);
            }
        }
        _ => {}
    }
}

fn collect_members(value: &Value, at: &str, members: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                let name = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                collect_members(member, &name, members);
                members.insert(name);
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_members(item, at, members)),
        _ => {}
    }
}

/// Each change at each place of `value`, with a line that names it.
fn changes(value: &Value) -> Vec<(String, Value)> {
    let mut changes: Vec<(String, Value)> = values_of_each_type()
        .into_iter()
        .map(|replacement| (format!("replaced by {replacement}"), replacement))
        .collect();
    let mut inside = |name: &str, member: &Value, put: &dyn Fn(Value) -> Value| {
        for (what, changed) in self::changes(member) {
            changes.push((format!("{name}: {what}"), put(changed)));
        }
    };
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                inside(name, member, &|changed| {
                    let mut object = object.clone();
                    object.insert(name.clone(), changed);
                    Value::Object(object)
                });
            }
            for name in object.keys() {
                let mut without = object.clone();
                without.remove(name);
                changes.push((format!("without {name}"), Value::Object(without)));
            }
            let mut with = object.clone();
            with.insert("device".to_owned(), json!("x"));
            changes.push(("with a stranger".to_owned(), Value::Object(with)));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(&index.to_string(), item, &|changed| {
                    let mut items = items.clone();
                    items[index] = changed;
                    Value::Array(items)
                });
            }
            changes.push(("shortened".to_owned(), json!(items[..items.len() - 1])));
            let stranger = [items.as_slice(), &[json!(1e9)]].concat();
            changes.push(("lengthened".to_owned(), Value::Array(stranger)));
        }
        _ => {}
    }
    changes
}
