//! Parses a recognizer's output: JSON, JAMS, or one line per note.
//!
//! JSON is `{"recognised": [{"midi": 60, "onset": 1.27, "offset": 1.7}]}`, with `hz` instead of `midi` for a frequency
//! and `offset` if it is known; other members are ignored. JAMS is read if it has notes ([`jams`]). A line is `onset
//! offset pitch` or `onset pitch`; `#` begins a comment. Times are seconds of the given file. If nothing is recognized,
//! the JSON has an empty list, or there is only a comment: no output at all is an error.
//!
//! Only a line may have a pitch without a unit: `440Hz` has one, else `--pitch` states it, else it is a MIDI note
//! number. mir_eval's own files have frequencies there, and those of low notes are MIDI note numbers too, so the notes
//! are kept in both readings for the caller to notice.

mod jams;

use serde::Deserialize;
use serde_json::Value;
use sordino_scoring::TimedNote;

use super::raw_note::{Pitch, RawNote};

/// The maximum number of notes for a sample: more than anyone plays in two minutes.
const MAX_NOTES: usize = 10_000;

/// The notes of a sample.
#[derive(Debug, PartialEq)]
pub(super) struct RecognizedNotes {
    pub(super) notes: Vec<TimedNote>,
    /// The notes if pitches without a unit, which are read as MIDI note numbers, are frequencies.
    pub(super) if_hz: Option<Vec<TimedNote>>,
}

/// The output is not a list of notes.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum OutputError {
    #[error("it printed nothing; where nothing is recognized print {{\"recognised\": []}}")]
    Empty,
    #[error("it printed something other than text")]
    NotText,
    #[error("it printed JSON that is not {{\"recognised\": [{{\"midi\", \"onset\"}}, …]}}: {0}")]
    Json(String),
    #[error("it printed JAMS without one list of notes: {0}")]
    Jams(String),
    #[error(
        "line {0} of its output is neither `onset offset pitch` nor `onset pitch`, with a pitch like `60` or `261.6Hz`"
    )]
    Line(usize),
    #[error("its note {0} has {1}")]
    Note(usize, &'static str),
    #[error("it printed more than {MAX_NOTES} notes")]
    TooMany,
}

/// Parses the output; `pitch` is the unit of pitches in plain lines.
pub(super) fn parse(printed: &[u8], pitch: Option<Pitch>) -> Result<RecognizedNotes, OutputError> {
    let text = std::str::from_utf8(printed).map_err(|_| OutputError::NotText)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(OutputError::Empty);
    }
    let notes = match text.starts_with(['{', '[']) {
        true => parse_json(text)?,
        false => parse_lines(text)?,
    };
    if notes.len() > MAX_NOTES {
        return Err(OutputError::TooMany);
    }
    let checked = |fallback: Pitch| {
        let notes = notes.iter().enumerate();
        notes
            .map(|(index, note)| {
                note.checked(fallback)
                    .map_err(|why| OutputError::Note(index + 1, why))
            })
            .collect::<Result<Vec<_>, _>>()
    };
    let is_open = pitch.is_none() && notes.iter().any(|note| note.pitch.is_none());
    Ok(RecognizedNotes {
        notes: checked(pitch.unwrap_or(Pitch::Midi))?,
        if_hz: is_open.then(|| checked(Pitch::Hz).ok()).flatten(),
    })
}

fn parse_json(text: &str) -> Result<Vec<RawNote>, OutputError> {
    #[derive(Deserialize)]
    struct Document {
        #[serde(rename = "recognised")]
        recognized: Vec<Note>,
    }
    #[derive(Deserialize)]
    struct Note {
        midi: Option<f64>,
        hz: Option<f64>,
        onset: f64,
        offset: Option<f64>,
    }
    let refuse = |error: serde_json::Error| OutputError::Json(error.to_string());
    let document: Value = serde_json::from_str(text).map_err(refuse)?;
    if document.get("annotations").is_some() && document.get("recognised").is_none() {
        return jams::notes(&document).map_err(OutputError::Jams);
    }
    // Parsed from the text again, so that the error has a position.
    let document: Document = serde_json::from_str(text).map_err(refuse)?;
    let notes = document.recognized.into_iter().enumerate();
    notes
        .map(|(index, note)| {
            let (value, pitch) = match (note.midi, note.hz) {
                (Some(midi), None) => (midi, Pitch::Midi),
                (None, Some(hz)) => (hz, Pitch::Hz),
                _ => {
                    return Err(OutputError::Json(format!(
                        "note {} has not just one of `midi` and `hz`",
                        index + 1
                    )));
                }
            };
            Ok(RawNote {
                value,
                pitch: Some(pitch),
                onset: note.onset,
                offset: note.offset,
            })
        })
        .collect()
}

fn parse_lines(text: &str) -> Result<Vec<RawNote>, OutputError> {
    let mut notes = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        // A unit belongs to the pitch, which is last; `440 Hz` equals `440Hz`.
        let without_unit = line
            .len()
            .checked_sub(2)
            .filter(|&at| line.is_char_boundary(at) && line[at..].eq_ignore_ascii_case("hz"))
            .map(|at| &line[..at]);
        let pitch = without_unit.map(|_| Pitch::Hz);
        let numbers = without_unit.unwrap_or(line).split_whitespace();
        let numbers: Result<Vec<f64>, _> = numbers.map(str::parse).collect();
        let (onset, offset, value) = match (numbers.as_deref(), line) {
            (Ok([]), "") => continue,
            (Ok(&[onset, value]), _) => (onset, None, value),
            (Ok(&[onset, offset, value]), _) => (onset, Some(offset), value),
            _ => return Err(OutputError::Line(index + 1)),
        };
        notes.push(RawNote {
            value,
            pitch,
            onset,
            offset,
        });
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_and_lines_give_the_same_notes() {
        let json = br#" {"recognised": [{"midi": 60, "onset": 1.5, "offset": 2, "x": 1},
            {"midi": 61.5, "onset": 2.0}], "model": "v2"}"#;
        let lines = b"# onset offset midi\n1.5 2.0 60\n\n2\t61.5 # unsure\n";
        let due = [
            TimedNote {
                midi: 60.0,
                onset: 1.5,
                offset: Some(2.0),
            },
            TimedNote {
                midi: 61.5,
                onset: 2.0,
                offset: None,
            },
        ];
        let plain = |printed: &[u8]| parse(printed, None).unwrap().notes;
        assert_eq!(plain(json), due);
        assert_eq!(plain(lines), due);
        assert_eq!(plain(b"{\"recognised\": []}"), []);
        assert_eq!(plain(b"# nothing\n"), []);
    }

    /// A2 is 110 Hz and MIDI note number 45.
    #[test]
    fn the_unit_of_a_pitch_is_read_from_the_output() {
        let midi = |printed: &str, pitch| -> Vec<f64> {
            let printed = parse(printed.as_bytes(), pitch).unwrap();
            printed.notes.iter().map(|note| note.midi).collect()
        };
        for says_hz in [
            "1 2 110Hz",
            "1 2 110.0 hz # low",
            r#"{"recognised": [{"hz": 110, "onset": 1}]}"#,
            r#"{"annotations": [{"namespace": "note_hz", "data": [
                {"time": 1.0, "duration": 0.5, "value": 110.0, "confidence": null}]}]}"#,
        ] {
            for pitch in [None, Some(Pitch::Midi), Some(Pitch::Hz)] {
                assert_eq!(midi(says_hz, pitch), [45.0], "{says_hz}");
            }
            assert_eq!(parse(says_hz.as_bytes(), None).unwrap().if_hz, None);
        }
        for says_midi in [
            r#"{"recognised": [{"midi": 110.0, "onset": 1}]}"#,
            r#"{"annotations": [{"namespace": "note_midi", "data": [
                {"time": 1.0, "duration": 0.5, "value": 110.0}]}]}"#,
        ] {
            assert_eq!(midi(says_midi, Some(Pitch::Hz)), [110.0], "{says_midi}");
        }
        assert_eq!(midi("1 2 110.0", Some(Pitch::Hz)), [45.0]);
        assert_eq!(midi("1 2 110.0", Some(Pitch::Midi)), [110.0]);
        let open = parse(b"1 2 110.0", None).unwrap();
        assert_eq!(
            (open.notes[0].midi, open.if_hz.unwrap()[0].midi),
            (110.0, 45.0)
        );
    }

    #[test]
    fn invalid_output_is_an_error_and_never_an_empty_list() {
        for (printed, says) in [
            (&b""[..], "printed nothing"),
            (b" \n", "printed nothing"),
            (b"\xff\xfe", "other than text"),
            (b"[]", "JSON"),
            (b"{}", "JSON"),
            (b"{\"recognised\": [{\"midi\": NaN, \"onset\": 1}]}", "JSON"),
            (b"{\"recognised\": [{\"midi\": 60}]}", "JSON"),
            (b"Traceback (most recent call last):", "line 1"),
            (b"1.0 2.0 60\n1.0 60 70 80", "line 2"),
            (b"1.0 2.0 60\n60", "line 2"),
            (b"nan 60", "note 1 has an `onset`"),
            (b"-0.1 60", "note 1 has an `onset`"),
            (b"inf 60", "note 1 has an `onset`"),
            (b"1 0.5 60", "note 1 has an `offset`"),
            (b"1 nan 60", "note 1 has an `offset`"),
            (b"1 2 60\n1 2 128", "note 2 has a `midi`"),
            (b"1 2 nan", "note 1 has a `midi`"),
            (b"1 2 440", "--pitch hz"),
            (b"1 2 0Hz", "note 1 has a frequency"),
            (b"Hz", "line 1"),
            (
                b"{\"recognised\": [{\"midi\": 60, \"hz\": 60, \"onset\": 1}]}",
                "just one",
            ),
            (b"{\"annotations\": []}", "note_midi"),
            (
                b"{\"annotations\": [{\"namespace\": \"pitch_hz\", \"data\": []}]}",
                "pitch_hz",
            ),
        ] {
            let error = parse(printed, None).unwrap_err().to_string();
            assert!(
                error.contains(says),
                "{}: {error}",
                String::from_utf8_lossy(printed)
            );
        }
        assert_eq!(
            parse("1 60\n".repeat(10_001).as_bytes(), None),
            Err(OutputError::TooMany)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_valid_notes_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(printed) = parse(&bytes, None) {
                for note in printed.notes {
                    prop_assert!(note.onset >= 0.0 && note.midi >= 0.0 && note.offset.is_none_or(|end| end > note.onset));
                }
            }
        }
    }
}
