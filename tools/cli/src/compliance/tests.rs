//! Compares the facts with the code, the schemas and the repository.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Value, json};
use sordino::{Id, Purpose, Purposes, sampler::MAX_NOTES, upload::TaskKind};

use super::facts::{
    Facts,
    wire::{Document, Request, Shape},
};

#[test]
fn every_file_and_test_named_as_evidence_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let facts = Facts::load();
    let provisions = facts.gdpr.iter().chain(&facts.coppa);
    let named = (provisions.map(|provision| &provision.evidence))
        .chain(facts.measure.iter().map(|measure| &measure.evidence))
        .chain(facts.right.iter().map(|right| &right.evidence))
        .chain(facts.risk.iter().map(|risk| &risk.evidence))
        .chain(facts.apple_api.iter().map(|api| &api.evidence));
    let mut tests = 0;
    for (path, test) in named.flat_map(|evidence| evidence.iter()) {
        let text =
            fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        if let Some(test) = test {
            tests += 1;
            assert!(
                text.contains(&format!("fn {test}(")),
                "{path} has no test `{test}`, which compliance/facts names"
            );
        }
    }
    assert!(tests > 50, "{tests}");
}

#[test]
fn every_upload_task_has_a_request() {
    let (record, sample) = (Id::random().unwrap(), Id::random().unwrap());
    let purposes = Purposes::all();
    let tasks = [
        TaskKind::Register {
            record,
            revision: 1,
        },
        TaskKind::Withdraw { record, purposes },
        TaskKind::Send { sample },
        TaskKind::Delete { sample },
        TaskKind::ReadAccesses { sample, seen: 0 },
        TaskKind::FetchPlan,
        TaskKind::AskEpoch,
    ];
    let facts = Facts::load();
    let names: Vec<&str> = (facts.request.iter())
        .map(|Request { name, .. }| name.as_str())
        .collect();
    assert_eq!(names, tasks.map(|task| name_of(&task)));
}

/// A new task does not compile until it is listed.
fn name_of(task: &TaskKind) -> &'static str {
    match task {
        TaskKind::Register { .. } | TaskKind::Confirm { .. } => "register",
        TaskKind::Withdraw { .. } => "withdraw",
        TaskKind::Send { .. } => "send a sample",
        TaskKind::Delete { .. } => "delete a sample",
        TaskKind::ReadAccesses { .. } => "read accesses",
        TaskKind::FetchPlan => "fetch the plan",
        TaskKind::AskEpoch => "ask for the epoch",
    }
}

#[test]
fn every_set_of_purposes_is_listed_as_its_header_has_it() {
    let [one, other] = Purpose::ALL;
    let sets = [vec![one], vec![other], vec![one, other]];
    let written = sets.map(|set| Purposes::from_iter(set).to_string());
    let facts = Facts::load();
    let mut headers = facts.request.iter().flat_map(|request| &request.fields);
    let header = headers
        .find(|header| header.name == "sordino-purposes")
        .unwrap();
    let Shape::OneOf(names) = &header.shape else {
        panic!("it is a closed set");
    };
    assert_eq!(names, &written);
    let names: Vec<Purpose> = facts.purpose.iter().map(|purpose| purpose.id).collect();
    assert_eq!(names, Purpose::ALL);
    for (document, member) in [
        (&facts.manifest, "purposes[]"),
        (&facts.withdrawal, "purposes[]"),
        (&facts.registration, "dpv:hasProcess[].dct:identifier"),
    ] {
        let (_, shape) = document.shapes().find(|(name, _)| *name == member).unwrap();
        let Shape::OneOf(names) = shape else {
            panic!("it is a closed set");
        };
        assert_eq!(names, &Purpose::ALL.map(Purpose::as_str));
    }
}

#[test]
fn annotations_hold_as_many_notes_as_the_code_takes() {
    let facts = Facts::load();
    let lists: Vec<&Shape> = (facts.manifest.shapes())
        .filter(|(name, _)| ["annotation.expected", "annotation.recognised"].contains(name))
        .map(|(_, shape)| shape)
        .collect();
    assert_eq!(lists.len(), 2);
    for shape in lists {
        assert!(matches!(shape, Shape::List(most) if *most == MAX_NOTES));
    }
}

/// The names and patterns that each member can take; none for a list or an object.
type Members = BTreeMap<String, BTreeSet<String>>;

/// Tests of the SDK compare the schema with the code.
#[test]
fn the_manifest_has_the_members_and_names_of_its_schema() {
    let schema = include_str!("../../../../docs/manifest.schema.json");
    let stated = members_of(schema, |schema| {
        let names = schema["enum"].as_array().into_iter().flatten();
        names.map(Value::to_string).collect()
    });
    let listed = listed(&Facts::load().manifest, |_, shape| match shape {
        Shape::OneOf(names) => names.iter().map(|name| json!(name).to_string()).collect(),
        _ => Vec::new(),
    });
    assert_eq!(listed, stated);
}

/// Tests of the SDK compare the schema with the code. It leaves open what a description says; the facts do not.
#[test]
fn the_registration_has_the_names_and_patterns_of_its_schema() {
    let schema = include_str!("../../../../docs/consent-record.schema.json");
    let mut stated = members_of(schema, |schema| {
        let values = schema["enum"].as_array().into_iter().flatten();
        let values = values
            .filter(|value| !value.is_array())
            .chain(schema.get("const"));
        let pattern = schema["pattern"].as_str().map(str::to_owned);
        values.map(Value::to_string).chain(pattern).collect()
    });
    for name in STRICTER {
        stated.get_mut(name).unwrap().clear();
    }
    let listed = listed(&Facts::load().registration, |name, shape| match shape {
        Shape::OneOf(_) if name.ends_with("dct:description") => Vec::new(),
        Shape::OneOf(names) => names.iter().map(|name| json!(name).to_string()).collect(),
        Shape::Always(json) => vec![serde_json::from_str::<Value>(json).unwrap().to_string()],
        Shape::Text(pattern) if !STRICTER.contains(&name) => vec![format!("^{pattern}$")],
        _ => Vec::new(),
    });
    assert_eq!(listed, stated);
}

/// Members that the writer restricts more than the schema does.
const STRICTER: [&str; 3] = [
    "dpv:hasNotice.dct:language",
    "dpv:hasDataController.dpv:hasName",
    "signature.key",
];

fn listed(document: &Document, values: impl Fn(&str, &Shape) -> Vec<String>) -> Members {
    let mut listed = Members::new();
    for (name, shape) in document.shapes() {
        let values = values(name, shape).into_iter().collect();
        assert_eq!(listed.insert(name.to_owned(), values), None, "{name} twice");
    }
    listed
}

/// The members that a JSON Schema states, with the `values` of each.
fn members_of(schema: &str, values: impl Fn(&Value) -> Vec<String>) -> Members {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let mut members = Members::new();
    collect(&schema, &schema, "", &values, &mut members);
    members
}

fn collect(
    root: &Value,
    schema: &Value,
    at: &str,
    values: &impl Fn(&Value) -> Vec<String>,
    into: &mut Members,
) {
    if let Some(name) = schema["$ref"].as_str() {
        let definition = &root["$defs"][name.trim_start_matches("#/$defs/")];
        return collect(root, definition, at, values, into);
    }
    if !at.is_empty() {
        into.entry(at.to_owned())
            .or_default()
            .extend(values(schema));
    }
    // A choice of lists: the schema states their elements one by one.
    for list in schema["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
    {
        let stated = into.entry(format!("{at}[]")).or_default();
        stated.extend(list.iter().map(Value::to_string));
    }
    for either in schema["oneOf"].as_array().into_iter().flatten() {
        collect(root, either, at, values, into);
    }
    let items = Some(&schema["items"]).filter(|items| items.is_object());
    for element in schema["prefixItems"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(items)
    {
        collect(root, element, &format!("{at}[]"), values, into);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let separator = if at.is_empty() { "" } else { "." };
        collect(
            root,
            member,
            &format!("{at}{separator}{name}"),
            values,
            into,
        );
    }
}
