//! JAMS (<https://jams.readthedocs.io/>): the notes in its namespaces `note_midi` and `note_hz`. Of several lists the
//! one with `"notes": "recognised"` in its `sandbox` is used, as `sordino pull` writes it.

use serde::Deserialize;
use serde_json::Value;

use crate::evaluate::raw_note::{Pitch, RawNote};

#[derive(Deserialize)]
struct Observation {
    time: f64,
    duration: f64,
    value: f64,
}

/// The notes of a document.
pub(super) fn notes(document: &Value) -> Result<Vec<RawNote>, String> {
    let annotations = document["annotations"].as_array();
    let annotations = annotations.map(Vec::as_slice).unwrap_or_default();
    let namespace = |annotation: &Value| annotation["namespace"].as_str().unwrap_or("").to_owned();
    let unit = |annotation: &Value| match annotation["namespace"].as_str() {
        Some("note_midi") => Some(Pitch::Midi),
        Some("note_hz") => Some(Pitch::Hz),
        _ => None,
    };
    let lists: Vec<(&Value, Pitch)> = annotations
        .iter()
        .filter_map(|annotation| Some((annotation, unit(annotation)?)))
        .collect();
    let is_recognized = |list: &&(&Value, Pitch)| list.0["sandbox"]["notes"] == "recognised";
    let (list, pitch) = match (lists.as_slice(), lists.iter().find(is_recognized)) {
        (_, Some(&list)) => list,
        (&[list], None) => list,
        ([], None) => {
            let others: Vec<String> = annotations.iter().map(namespace).collect();
            return Err(match others.is_empty() {
                true => "it has no annotation; wanted is one of namespace note_midi or note_hz"
                    .to_owned(),
                false => format!(
                    "its annotations are of namespace {}; wanted is note_midi or note_hz",
                    others.join(", ")
                ),
            });
        }
        (lists, None) => {
            return Err(format!(
                "it has {}; leave one, or say `\"notes\": \"recognised\"` in the `sandbox` of that",
                lists.len()
            ));
        }
    };
    let data = Vec::<Observation>::deserialize(&list["data"]).map_err(|error| error.to_string())?;
    let note = |observation: Observation| RawNote {
        value: observation.value,
        pitch: Some(pitch),
        onset: observation.time,
        offset: Some(observation.time + observation.duration),
    };
    Ok(data.into_iter().map(note).collect())
}
