//! What a recogniser prints: JSON, or a line a note.
//!
//! JSON is `{"recognised": [{"midi": 60, "onset": 1.27, "offset": 1.7}]}`, `offset` where it is
//! known; other members are passed over. A line is `onset offset midi` or `onset midi`; `#` begins a
//! comment. Times are seconds of the file that was given. Where nothing is recognised, the JSON has
//! an empty list, or a comment alone says so: no output at all is a recogniser that did not work.

use serde::Deserialize;

use crate::score::TimedNote;

/// Notes that are taken for a sample: more than anybody plays in two minutes.
const MOST_NOTES: usize = 10_000;
/// The latest time, in seconds, as in annotations.
const LATEST: f64 = 3_600.0;

/// Why output is no list of notes.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum OutputError {
    #[error("it printed nothing; where nothing is recognised print {{\"recognised\": []}}")]
    Nothing,
    #[error("it printed what is no text")]
    NoText,
    #[error("it printed JSON that is not {{\"recognised\": [{{\"midi\", \"onset\"}}, …]}}: {0}")]
    Json(String),
    #[error("line {0} of its output is neither `onset offset midi` nor `onset midi`")]
    Line(usize),
    #[error("its note {0} has {1}")]
    Note(usize, &'static str),
    #[error("it printed more than {MOST_NOTES} notes")]
    TooMany,
}

/// Reads what was printed.
pub(super) fn notes(printed: &[u8]) -> Result<Vec<TimedNote>, OutputError> {
    let text = std::str::from_utf8(printed).map_err(|_| OutputError::NoText)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(OutputError::Nothing);
    }
    let notes = match text.starts_with(['{', '[']) {
        true => of_json(text)?,
        false => of_lines(text)?,
    };
    if notes.len() > MOST_NOTES {
        return Err(OutputError::TooMany);
    }
    let checked = notes.into_iter().enumerate();
    checked
        .map(|(index, note)| check(note).map_err(|why| OutputError::Note(index + 1, why)))
        .collect()
}

#[derive(Deserialize)]
struct Printed {
    recognised: Vec<PrintedNote>,
}

#[derive(Clone, Copy, Deserialize)]
struct PrintedNote {
    midi: f64,
    onset: f64,
    #[serde(default)]
    offset: Option<f64>,
}

fn of_json(text: &str) -> Result<Vec<PrintedNote>, OutputError> {
    let printed: Printed =
        serde_json::from_str(text).map_err(|error| OutputError::Json(error.to_string()))?;
    Ok(printed.recognised)
}

fn of_lines(text: &str) -> Result<Vec<PrintedNote>, OutputError> {
    let mut notes = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
        match numbers.as_deref() {
            Ok([]) => {}
            Ok(&[onset, midi]) => notes.push(PrintedNote {
                midi,
                onset,
                offset: None,
            }),
            Ok(&[onset, offset, midi]) => notes.push(PrintedNote {
                midi,
                onset,
                offset: Some(offset),
            }),
            _ => return Err(OutputError::Line(index + 1)),
        }
    }
    Ok(notes)
}

fn check(note: PrintedNote) -> Result<TimedNote, &'static str> {
    let time = |time: f64| (0.0..=LATEST).contains(&time);
    let PrintedNote {
        midi,
        onset,
        offset,
    } = note;
    if !(0.0..=127.0).contains(&midi) {
        return Err("a `midi` that is not 0 to 127");
    }
    if !time(onset) {
        return Err("an `onset` that is not 0 to 3600 seconds");
    }
    if !offset.is_none_or(|offset| time(offset) && offset >= onset) {
        return Err("an `offset` that is before its `onset` or after 3600 seconds");
    }
    Ok(TimedNote {
        midi,
        onset,
        offset: offset.filter(|&offset| offset > onset),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_say_the_same() {
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
        assert_eq!(notes(json).unwrap(), due);
        assert_eq!(notes(lines).unwrap(), due);
        assert_eq!(notes(b"{\"recognised\": []}").unwrap(), []);
        assert_eq!(notes(b"# nothing\n").unwrap(), []);
    }

    #[test]
    fn what_is_no_list_of_notes_is_told_and_never_taken_for_an_empty_one() {
        for (printed, says) in [
            (&b""[..], "printed nothing"),
            (b" \n", "printed nothing"),
            (b"\xff\xfe", "no text"),
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
        ] {
            let told = notes(printed).unwrap_err().to_string();
            assert!(
                told.contains(says),
                "{}: {told}",
                String::from_utf8_lossy(printed)
            );
        }
        assert_eq!(
            notes("1 60\n".repeat(10_001).as_bytes()),
            Err(OutputError::TooMany)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_notes_in_their_bounds_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(notes) = notes(&bytes) {
                for note in notes {
                    prop_assert!(note.onset >= 0.0 && note.midi >= 0.0 && note.offset.is_none_or(|end| end > note.onset));
                }
            }
        }
    }
}
