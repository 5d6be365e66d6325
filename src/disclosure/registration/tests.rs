//! The table and `docs/consent-record.schema.json` say the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;

/// Of each member: every name and pattern that it can take. A list or an object takes none.
type Members = BTreeMap<String, BTreeSet<String>>;

/// The schema is held to the code by tests of its own. It leaves open what a description says, and the
/// table does not.
#[test]
fn the_table_has_each_member_with_its_names_and_patterns_as_the_schema_has_and_no_other() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/consent-record.schema.json")).unwrap();
    let mut stated = Members::new();
    collect(&schema, &schema, "", &mut stated);
    let mut listed = Members::new();
    for field in REGISTRATION {
        let values: Vec<String> = match field.shape {
            Shape::OneOf(_) if field.name.ends_with("dct:description") => Vec::new(),
            Shape::OneOf(names) => names.iter().map(|name| json!(name).to_string()).collect(),
            Shape::Always(text) => {
                vec![serde_json::from_str::<Value>(text).unwrap().to_string()]
            }
            Shape::Text(pattern) if !STRICTER.contains(&field.name) => {
                vec![format!("^{pattern}$")]
            }
            _ => Vec::new(),
        };
        let twice = listed.insert(field.name.to_owned(), values.into_iter().collect());
        assert_eq!(twice, None, "{} stands twice", field.name);
    }
    for name in STRICTER {
        stated.get_mut(name).unwrap().clear();
    }
    assert_eq!(listed, stated);
}

/// What is written takes fewer forms than what is read.
const STRICTER: [&str; 3] = [
    "dpv:hasNotice.dct:language",
    "dpv:hasDataController.dpv:hasName",
    "signature.key",
];

fn collect(root: &Value, schema: &Value, at: &str, into: &mut Members) {
    if let Some(name) = schema["$ref"].as_str() {
        let definition = &root["$defs"][name.trim_start_matches("#/$defs/")];
        return collect(root, definition, at, into);
    }
    let mut values = BTreeSet::new();
    if let Some(value) = schema.get("const") {
        values.insert(value.to_string());
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        values.insert(pattern.to_owned());
    }
    for value in schema["enum"].as_array().into_iter().flatten() {
        match value.as_array() {
            // One of several lists: their elements are told one by one.
            Some(elements) => {
                let told = into.entry(format!("{at}[]")).or_default();
                told.extend(elements.iter().map(Value::to_string));
            }
            None => drop(values.insert(value.to_string())),
        }
    }
    if !at.is_empty() {
        into.entry(at.to_owned()).or_default().extend(values);
    }
    for either in schema["oneOf"].as_array().into_iter().flatten() {
        collect(root, either, at, into);
    }
    for element in schema["prefixItems"].as_array().into_iter().flatten() {
        collect(root, element, &format!("{at}[]"), into);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let separator = if at.is_empty() { "" } else { "." };
        collect(root, member, &format!("{at}{separator}{name}"), into);
    }
}
