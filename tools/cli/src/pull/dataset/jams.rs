//! `ID.jams`: the expected and the recognized notes, in the time of the stored
//! sound (JAMS 0.3, <https://jams.readthedocs.io/>; namespace `note_midi`).

use serde_json::{Value, json};
use sordino::sampler::Note;
use sordino_scoring::TimedNote;

use super::stored;
use crate::{error::CliError, pull::entry::Entry};

/// The version of JAMS.
const JAMS_VERSION: &str = "0.3.5";
/// The length of a note whose offset is unknown, in seconds: readers require an interval. Only the onset has a
/// meaning.
const LENGTH_UNKNOWN_S: f64 = 0.05;

/// The whole file.
pub(in crate::pull) fn jams(entry: &Entry) -> Result<Vec<u8>, CliError> {
    let annotation = &entry.manifest.annotation;
    let mut document = json!({
        "annotations": [
            notes(entry, "expected", &annotation.expected),
            notes(entry, "recognised", &annotation.recognized),
        ],
        "file_metadata": {
            "title": "",
            "artist": "",
            "release": "",
            "duration": entry.seconds(),
            "identifiers": {},
            "jams_version": JAMS_VERSION,
        },
        "sandbox": {
            "sample": entry.manifest.sample,
            "consent": entry.manifest.consent,
            "split": entry.split(),
            "trigger": entry.manifest.selection.trigger,
            "weight": entry.weight(),
        },
    });
    if let Some(tag) = &annotation.tag {
        document["sandbox"]["tag"] = json!(tag);
    }
    let mut bytes = serde_json::to_vec(&document).map_err(CliError::message)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// One list of notes as an annotation.
fn notes(entry: &Entry, which: &str, notes: &[Note]) -> Value {
    let stored::Notes { heard, .. } = stored::notes(entry, notes);
    let mut intervals: Vec<Interval> = heard
        .iter()
        .filter_map(|note| Interval::of(note, entry.seconds()))
        .collect();
    let ends_unknown = intervals.iter().filter(|note| !note.end_is_known).count();
    let left_out = notes.len() - intervals.len();
    intervals.sort_by(|one, other| one.time.total_cmp(&other.time));
    let data: Vec<Value> = intervals
        .iter()
        .map(|note| {
            json!({
                "time": note.time,
                "duration": note.duration,
                "value": note.midi,
                "confidence": null,
            })
        })
        .collect();
    json!({
        "namespace": "note_midi",
        "annotation_metadata": {
            "curator": {"name": "", "email": ""},
            "annotator": {},
            "version": "",
            "corpus": "",
            "annotation_tools": "",
            "annotation_rules": "",
            "validation": "",
            "data_source": which,
        },
        "data": data,
        "sandbox": {"notes": which, "left_out": left_out, "ends_unknown": ends_unknown},
        "time": 0.0,
        "duration": entry.seconds(),
    })
}

/// A note with a length, as JAMS requires.
#[derive(Debug, PartialEq)]
struct Interval {
    time: f64,
    duration: f64,
    midi: f64,
    end_is_known: bool,
}

impl Interval {
    /// `None` if the note begins after the sound's `end`.
    fn of(note: &TimedNote, end: f64) -> Option<Self> {
        let duration = note
            .offset
            .map_or(LENGTH_UNKNOWN_S, |offset| offset - note.onset);
        // The clock was changed by up to 0.1 %, so that the last note may begin after the end.
        let duration = duration.min(end - note.onset);
        (duration > 0.0).then_some(Self {
            time: note.onset,
            duration,
            midi: note.midi,
            end_is_known: note.offset.is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// An entry with these kept parts and notes, in seconds of the input.
    fn entry(kept: &[(f64, f64)], keep_time: bool, notes: &[(f64, Option<f64>)]) -> Entry {
        let seconds: f64 = match keep_time {
            true => 30.0,
            false => kept.iter().map(|part| part.1 - part.0).sum(),
        };
        let id = "0".repeat(32);
        let notes: Vec<Value> = notes
            .iter()
            .map(|&(onset, offset)| match offset {
                Some(offset) => json!({"midi": 60, "onset": onset, "offset": offset}),
                None => json!({"midi": 60, "onset": onset}),
            })
            .collect();
        let manifest = json!({
            "schema": 1, "sample": id, "purposes": ["quality-assurance"], "consent": id,
            "notice_version": 1, "week": "2026-W48", "sdk_version": "0.1.0", "platform": "linux",
            "input_rate": 16000, "rate": 16000, "kept": kept, "removed": [], "erased": [],
            "selection": {"trigger": "mark", "probability": 0.5},
            "annotation": {"expected": notes, "recognised": []},
            "anonymizer": {
                "version": "2", "detector": "net", "threshold": 0.5, "padding_s": 0.2, "gate": "net",
                "gate_threshold": 0.5, "shortest_kept_s": 0.5, "rate": 16000, "high_pass_hz": 30.0,
                "level_dbfs": -23.0, "ceiling_dbfs": -1.0, "keep_time": keep_time
            },
        });
        Entry {
            pulled_for: sordino::Purpose::QualityAssurance.into(),
            manifest: serde_json::from_value(manifest).unwrap(),
            shard: None,
            frames: Some((seconds * 16_000.0) as u64),
        }
    }

    fn expected(entry: &Entry) -> (Vec<(f64, f64)>, Value) {
        let document: Value = serde_json::from_slice(&jams(entry).unwrap()).unwrap();
        let annotation = &document["annotations"][0];
        let number = |value: &Value| value.as_f64().unwrap();
        let data = annotation["data"].as_array().unwrap().iter();
        let data = data.map(|note| (number(&note["time"]), number(&note["duration"])));
        (data.collect(), annotation["sandbox"].clone())
    }

    #[test]
    fn notes_are_at_their_time_in_the_stored_sound() {
        let parts = [(1.0, 3.0), (5.0, 6.0)];
        let notes = [
            (0.5, Some(1.5)), // begins in what was cut
            (1.5, Some(2.0)), // within the first part
            (2.5, Some(5.5)), // ends in another part
            (5.25, None),     // nobody knows its end
            (4.0, Some(5.5)), // begins in what was cut
        ];
        let (data, sandbox) = expected(&entry(&parts, false, &notes));
        assert_eq!(data, [(0.5, 0.5), (1.5, 0.5), (2.25, LENGTH_UNKNOWN_S)]);
        assert_eq!(
            (&sandbox["left_out"], &sandbox["ends_unknown"]),
            (&json!(2), &json!(1))
        );
        let (data, _) = expected(&entry(&parts, true, &notes));
        assert_eq!(data, [(1.5, 0.5), (2.5, 0.5), (5.25, LENGTH_UNKNOWN_S)]);
    }

    proptest! {
        /// After any cuts, each note is within the sound, has a length, and is not longer than before.
        #[test]
        fn every_note_is_within_the_stored_sound(
            gaps in prop::collection::vec((0.0..2.0, 0.01..4.0), 1..6),
            notes in prop::collection::vec((0.0..40.0, prop::option::of(0.0..5.0)), 0..20),
        ) {
            let mut at = 0.0;
            let kept: Vec<(f64, f64)> = gaps
                .iter()
                .map(|(gap, length): &(f64, f64)| {
                    let start = at + gap;
                    at = start + length;
                    (start, at)
                })
                .collect();
            let notes: Vec<(f64, Option<f64>)> = notes
                .iter()
                .map(|&(onset, length): &(f64, Option<f64>)| (onset, length.map(|length| onset + length)))
                .collect();
            let entry = entry(&kept, false, &notes);
            let (data, sandbox) = expected(&entry);
            prop_assert_eq!(data.len() as u64 + sandbox["left_out"].as_u64().unwrap(), notes.len() as u64);
            for (time, duration) in data {
                prop_assert!(time >= 0.0 && duration > 0.0);
                prop_assert!(time + duration <= entry.seconds() + 1e-9);
                prop_assert!(duration <= 5.0 + 1e-9);
            }
        }
    }
}
