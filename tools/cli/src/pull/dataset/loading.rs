//! Makes `load_dataset(FOLDER)` of Hugging Face `datasets` load the same columns with the same types for all samples:
//! the card names the files and their types (<https://huggingface.co/docs/datasets/repository_structure>), and rows are
//! ordered for the inference of types.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde_json::{Value, json};

use super::row::{COLUMNS, Column, Kind};
use crate::pull::{entry::Entry, format::DatasetFormat, names};

/// The part of the card's front matter that names the files to load; empty without samples. Without it
/// `datasets` counts extensions, and loads `index.parquet` if there are as few sounds.
pub(super) fn configs(entries: &[&Entry], format: DatasetFormat) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let mut yaml = "configs:\n- config_name: default\n  data_files:\n".to_owned();
    for (split, files) in data_files(entries, format) {
        let _ = writeln!(yaml, "  - {{split: {split}, path: {}}}", json!(files));
    }
    if format == DatasetFormat::AudioFolder {
        yaml.push_str("  features:\n");
        for (name, kind) in COLUMNS {
            let feature = match *name {
                "file_name" => json!({"name": "audio", "dtype": "audio"}),
                name => feature(name, kind),
            };
            // JSON is YAML too.
            let _ = writeln!(yaml, "  - {feature}");
        }
    }
    yaml
}

/// The files of each split, in the notation of `datasets`.
fn data_files(
    entries: &[&Entry],
    format: DatasetFormat,
) -> BTreeMap<&'static str, BTreeSet<String>> {
    // A table of all rows is one split; its column `split` distinguishes them.
    let all = |files: &[&str]| {
        let files = files.iter().map(|&file| file.to_owned());
        BTreeMap::from([("train", files.collect())])
    };
    match format {
        DatasetFormat::AudioFolder => all(&[&format!("{}/*.flac", names::AUDIO), names::METADATA]),
        DatasetFormat::Bundle => all(&[names::PARQUET]),
        DatasetFormat::WebDataset => {
            let mut shards: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
            for entry in entries {
                let shard = names::shard_name(entry.shard.unwrap_or_default());
                shards
                    .entry(entry.split().as_str())
                    .or_default()
                    .insert(shard);
            }
            shards
        }
    }
}

/// A column as a feature in a card of `datasets`.
fn feature(name: &str, kind: &Kind) -> Value {
    let mut feature = json!({"name": name});
    let (key, value) = kind_of(kind);
    feature[key] = value;
    feature
}

fn kind_of(kind: &Kind) -> (&'static str, Value) {
    let fields = |fields: &[Column]| {
        fields
            .iter()
            .map(|(name, kind)| feature(name, kind))
            .collect()
    };
    match kind {
        Kind::Text => ("dtype", json!("string")),
        Kind::Whole => ("dtype", json!("int64")),
        Kind::Real => ("dtype", json!("float64")),
        Kind::Flag => ("dtype", json!("bool")),
        Kind::Record(members) => ("struct", fields(members)),
        Kind::List(Kind::Record(members)) => ("list", fields(members)),
        Kind::List(element) => match kind_of(element) {
            ("dtype", dtype) => ("list", dtype),
            (key, nested) => ("list", json!({ key: nested })),
        },
    }
}

/// The rows, ordered so that the first ones show every type that occurs: `load_dataset("audiofolder", …)` ignores
/// the card and infers the types of `metadata.jsonl` from its first ten megabytes.
pub(in crate::pull) fn in_showing_order<'a>(
    entries: impl Iterator<Item = &'a Entry>,
) -> Vec<&'a Entry> {
    let mut shown = BTreeSet::new();
    let (mut first, rest): (Vec<_>, Vec<_>) = entries.partition(|entry| {
        let before = shown.len();
        shown.extend(shows(entry));
        shown.len() > before
    });
    first.extend(rest);
    first
}

/// The nullable members that this entry has.
fn shows(entry: &Entry) -> impl Iterator<Item = &'static str> {
    let manifest = &entry.manifest;
    let annotation = &manifest.annotation;
    let has_offset =
        |notes: &[sordino::sampler::Note]| notes.iter().any(|note| note.offset.is_some());
    [
        ("purposes", !manifest.purposes.is_empty()),
        ("kept", !manifest.kept.is_empty()),
        ("removed", !manifest.removed.is_empty()),
        ("erased", !manifest.erased.is_empty()),
        ("expected", !annotation.expected.is_empty()),
        ("expected offset", has_offset(&annotation.expected)),
        ("recognised", !annotation.recognized.is_empty()),
        ("recognized offset", has_offset(&annotation.recognized)),
        ("tag", annotation.tag.is_some()),
        ("weight", entry.weight().is_finite()),
    ]
    .into_iter()
    .filter_map(|(member, is_shown)| is_shown.then_some(member))
}
