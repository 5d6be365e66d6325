//! A sample as one row of a table: the columns of `metadata.jsonl` and `index.parquet`.

use serde::Serialize;
use serde_json::Value;
use sordino::{
    Id, Purposes, Week,
    anonymize::{AnonymizerInfo, Removal, Span},
    sampler::{Note, Selection, Trigger},
    seal::{Manifest, Platform},
};

use crate::pull::{entry::Entry, format::DatasetFormat, names, split::Split};

/// A row: what `pull` adds, then the manifest's members. Every row has every column, since
/// readers infer a column's type from its values.
#[derive(Debug, Serialize)]
pub(in crate::pull) struct Row<'a> {
    /// The path of the sound in the dataset's folder; in a shard the member's name.
    file_name: String,
    /// The shard that contains it, if there are shards.
    shard: Option<String>,
    split: Split,
    /// 1 / probability of selection; comparable among rows with the same `trigger` only.
    weight: f64,
    trigger: Trigger,
    /// Length of the stored sound.
    seconds: f64,
    schema: u32,
    sample: Id,
    purposes: &'a Purposes,
    consent: Id,
    notice_version: u32,
    week: Week,
    sdk_version: &'a str,
    platform: Platform,
    input_rate: u32,
    rate: u32,
    kept: &'a [Span],
    removed: &'a [Removal],
    erased: &'a [Span],
    selection: Selection,
    annotation: AnnotationColumns<'a>,
    anonymizer: &'a AnonymizerInfo,
}

#[derive(Debug, Serialize)]
struct AnnotationColumns<'a> {
    expected: Vec<NoteColumns>,
    #[serde(rename = "recognised")]
    recognized: Vec<NoteColumns>,
    tag: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct NoteColumns {
    midi: u8,
    onset: f64,
    offset: Option<f64>,
}

impl<'a> Row<'a> {
    pub(in crate::pull) fn new(entry: &'a Entry, format: DatasetFormat) -> Self {
        // All members are named, so that a new member of the manifest causes a compile error here.
        let Manifest {
            schema,
            sample,
            purposes,
            consent,
            notice_version,
            week,
            sdk_version,
            platform,
            input_rate,
            rate,
            kept,
            removed,
            erased,
            selection,
            annotation,
            anonymizer,
        } = &entry.manifest;
        Self {
            file_name: names::file_name(entry, format),
            shard: entry.shard.map(names::shard_name),
            split: entry.split(),
            weight: entry.weight(),
            trigger: selection.trigger,
            seconds: entry.seconds(),
            schema: *schema,
            sample: *sample,
            purposes,
            consent: *consent,
            notice_version: *notice_version,
            week: *week,
            sdk_version,
            platform: *platform,
            input_rate: *input_rate,
            rate: *rate,
            kept,
            removed,
            erased,
            selection: *selection,
            annotation: AnnotationColumns {
                expected: annotation.expected.iter().map(NoteColumns::of).collect(),
                recognized: annotation.recognized.iter().map(NoteColumns::of).collect(),
                tag: annotation.tag.as_deref(),
            },
            anonymizer,
        }
    }
}

impl NoteColumns {
    fn of(note: &Note) -> Self {
        Self {
            midi: note.midi,
            onset: note.onset,
            offset: note.offset,
        }
    }
}

/// A row as one object with the same shape for every sample: lists that may be empty, or contain one, are
/// JSON text. The WebDataset reader of `datasets` infers the types of all samples from the first five, and an empty
/// list has no type.
pub(in crate::pull) fn flat(row: &Row) -> serde_json::Result<Value> {
    let mut row = serde_json::to_value(row)?;
    if let Value::Object(members) = &mut row {
        // Each sample has a purpose, so this list is never empty.
        let may_be_empty = |(name, kind): &&(&str, Kind)| *name != "purposes" && kind.holds_list();
        for (name, _) in COLUMNS.iter().filter(may_be_empty) {
            if let Some(member) = members.get_mut(*name) {
                *member = Value::String(member.to_string());
            }
        }
    }
    Ok(row)
}

/// The type of a column. Every value is optional.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Whole,
    Real,
    Flag,
    List(&'static Kind),
    Record(&'static [Column]),
}

impl Kind {
    fn holds_list(&self) -> bool {
        match self {
            Self::List(_) => true,
            Self::Record(fields) => fields.iter().any(|(_, kind)| kind.holds_list()),
            Self::Text | Self::Whole | Self::Real | Self::Flag => false,
        }
    }
}

/// A column's name and kind.
pub(super) type Column = (&'static str, Kind);

const SPANS: Kind = Kind::List(&Kind::List(&Kind::Real));
const NOTES: Kind = Kind::List(&Kind::Record(&[
    ("midi", Kind::Whole),
    ("onset", Kind::Real),
    ("offset", Kind::Real),
]));

/// The columns of [`Row`], in its order.
pub(super) const COLUMNS: &[Column] = &[
    ("file_name", Kind::Text),
    ("shard", Kind::Text),
    ("split", Kind::Text),
    ("weight", Kind::Real),
    ("trigger", Kind::Text),
    ("seconds", Kind::Real),
    ("schema", Kind::Whole),
    ("sample", Kind::Text),
    ("purposes", Kind::List(&Kind::Text)),
    ("consent", Kind::Text),
    ("notice_version", Kind::Whole),
    ("week", Kind::Text),
    ("sdk_version", Kind::Text),
    ("platform", Kind::Text),
    ("input_rate", Kind::Whole),
    ("rate", Kind::Whole),
    ("kept", SPANS),
    (
        "removed",
        Kind::List(&Kind::Record(&[
            ("start_s", Kind::Real),
            ("end_s", Kind::Real),
            ("reason", Kind::Text),
        ])),
    ),
    ("erased", SPANS),
    (
        "selection",
        Kind::Record(&[("trigger", Kind::Text), ("probability", Kind::Real)]),
    ),
    (
        "annotation",
        Kind::Record(&[
            ("expected", NOTES),
            ("recognised", NOTES),
            ("tag", Kind::Text),
        ]),
    ),
    (
        "anonymizer",
        Kind::Record(&[
            ("version", Kind::Text),
            ("detector", Kind::Text),
            ("threshold", Kind::Real),
            ("padding_s", Kind::Real),
            ("gate", Kind::Text),
            ("gate_threshold", Kind::Real),
            ("shortest_kept_s", Kind::Real),
            ("rate", Kind::Whole),
            ("high_pass_hz", Kind::Real),
            ("level_dbfs", Kind::Real),
            ("ceiling_dbfs", Kind::Real),
            ("keep_time", Kind::Flag),
        ]),
    ),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use sordino::Purpose;

    use super::*;

    /// The types in a value, as a reader that infers them sees it; strings have no content.
    fn shape(value: &Value) -> Value {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| (name.clone(), shape(member)))
                .collect(),
            Value::String(_) => json!("text"),
            Value::Bool(_) => json!("flag"),
            Value::Number(number) if number.is_f64() => json!("real"),
            Value::Number(_) => json!("whole"),
            Value::Array(values) if !values.is_empty() => json!([shape(&values[0])]),
            Value::Array(_) | Value::Null => json!("of no type of its own"),
        }
    }

    fn entry(
        notes: Vec<(u8, f64, Option<f64>)>,
        cuts: Vec<(f64, f64)>,
        tag: Option<&str>,
    ) -> Entry {
        let id = "0".repeat(32);
        let note = |&(midi, onset, offset): &(u8, f64, Option<f64>)| match offset {
            Some(offset) => json!({"midi": midi, "onset": onset, "offset": offset}),
            None => json!({"midi": midi, "onset": onset}),
        };
        let removed = |&(start_s, end_s): &(f64, f64)| json!({"start_s": start_s, "end_s": end_s, "reason": "voice"});
        let mut manifest = json!({
            "schema": 1, "sample": id, "purposes": ["quality-assurance"], "consent": id,
            "notice_version": 1, "week": "2026-W48", "sdk_version": "0.1.0", "platform": "linux",
            "input_rate": 16000, "rate": 16000, "kept": cuts, "erased": cuts,
            "removed": cuts.iter().map(removed).collect::<Vec<_>>(),
            "selection": {"trigger": "mark", "probability": 1},
            "annotation": {"expected": notes.iter().map(note).collect::<Vec<_>>(), "recognised": []},
            "anonymizer": {
                "version": "2", "detector": "net", "threshold": 1, "padding_s": 0, "gate": "net",
                "gate_threshold": 0.5, "shortest_kept_s": 0.5, "rate": 16000, "high_pass_hz": 30,
                "level_dbfs": -23, "ceiling_dbfs": -1, "keep_time": false
            },
        });
        if let Some(tag) = tag {
            manifest["annotation"]["tag"] = json!(tag);
        }
        Entry {
            pulled_for: Purpose::QualityAssurance.into(),
            manifest: serde_json::from_value(manifest).unwrap(),
            shard: Some(0),
            frames: None,
        }
    }

    proptest! {
        #[test]
        fn rows_in_shards_have_one_schema_and_lose_nothing(
            notes in prop::collection::vec((0..128_u8, 0.0..10.0, prop::option::of(10.0..20.0)), 0..4),
            cuts in prop::collection::vec((0.0..5.0, 5.0..10.0), 0..4),
            tag in prop::option::of(Just("etude")),
        ) {
            let bare = entry(Vec::new(), Vec::new(), None);
            let bare = flat(&Row::new(&bare, DatasetFormat::WebDataset)).unwrap();
            let full = entry(notes, cuts, tag);
            let row = Row::new(&full, DatasetFormat::WebDataset);
            let mut flat = flat(&row).unwrap();
            prop_assert_eq!(shape(&flat), shape(&bare));
            prop_assert!(!shape(&flat).to_string().contains("of no type"));
            for name in ["kept", "removed", "erased", "annotation"] {
                flat[name] = serde_json::from_str(flat[name].as_str().unwrap()).unwrap();
            }
            prop_assert_eq!(flat, serde_json::to_value(&row).unwrap());
        }
    }
}
