//! The annotation of a clip by the app. It has no free text, so that it cannot contain personal data.

use serde::{Deserialize, Deserializer, Serialize};

use crate::text;

/// The maximum number of notes in each list of an [`Annotation`].
pub const MAX_NOTES: usize = 512;
/// The maximum length of a tag, in bytes.
pub const MAX_TAG_BYTES: usize = 64;

/// A note: `midi` 0–127 (60 is middle C), `onset` and `offset` in seconds from the clip's start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// MIDI note number, 0–127; in JSON a whole number may be written as `60.0` too.
    #[serde(deserialize_with = "whole_number")]
    pub midi: u8,
    /// Seconds from the clip's start.
    pub onset: f64,
    /// Seconds from the clip's start; absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<f64>,
}

/// An integer from 0 to 255, also written as a float: programs that store pitches as floats, such as JAMS readers,
/// write `60.0`.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let number = f64::deserialize(deserializer)?;
    let is_whole = number.fract() == 0.0 && (0.0..=255.0).contains(&number);
    match is_whole {
        true => Ok(number as u8),
        false => Err(serde::de::Error::custom(format!(
            "`midi` is {number}, but MIDI note numbers are whole, 0 to 127; 440 Hz is 69"
        ))),
    }
}

/// The app's annotation of a moment: the notes of the exercise, the notes that its recognizer reported, and the
/// exercise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Annotation {
    /// The notes of the exercise.
    #[serde(default)]
    pub expected: Vec<Note>,
    /// The notes that the recognizer reported.
    #[serde(default, rename = "recognised")]
    pub recognized: Vec<Note>,
    /// The exercise: at most 64 characters of `a-z 0-9 . _ / -`, so that it can name a bar of a
    /// piece but no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// Why an annotation is invalid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnnotationError {
    /// The tag is too long, or has characters that could spell a name or an address.
    #[error("invalid tag `{0}`: at most 64 characters of a-z 0-9 . _ / - are allowed")]
    Tag(String),
    /// A note is invalid.
    #[error("{list} note {index}: {reason}")]
    Note {
        /// `expected` or `recognized`.
        list: &'static str,
        /// Position in that list, from 0.
        index: usize,
        /// The problem.
        reason: &'static str,
    },
    /// A list has too many notes.
    #[error("{list} has {count} notes; the maximum is {MAX_NOTES}")]
    TooMany {
        /// `expected` or `recognized`.
        list: &'static str,
        /// Their number.
        count: usize,
    },
    /// The JSON is not an annotation.
    #[error("invalid annotation: {0}")]
    Json(String),
}

impl Annotation {
    /// Reads an annotation from JSON and checks it.
    pub fn from_json(json: &[u8]) -> Result<Self, AnnotationError> {
        let text = text::decode(json).map_err(|error| AnnotationError::Json(error.to_string()))?;
        let annotation: Self =
            serde_json::from_str(text).map_err(|error| AnnotationError::Json(error.to_string()))?;
        annotation.check()?;
        Ok(annotation)
    }

    /// Checks the tag and the notes.
    pub fn check(&self) -> Result<(), AnnotationError> {
        if let Some(tag) = &self.tag {
            let plain = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._/-".contains(&byte)
            };
            if tag.len() > MAX_TAG_BYTES || !tag.bytes().all(plain) {
                return Err(AnnotationError::Tag(tag.clone()));
            }
        }
        for (list, notes) in [
            ("expected", &self.expected),
            ("recognised", &self.recognized),
        ] {
            if notes.len() > MAX_NOTES {
                return Err(AnnotationError::TooMany {
                    list,
                    count: notes.len(),
                });
            }
            for (index, note) in notes.iter().enumerate() {
                if let Some(reason) = note.fault() {
                    return Err(AnnotationError::Note {
                        list,
                        index,
                        reason,
                    });
                }
            }
        }
        Ok(())
    }
}

impl Annotation {
    /// Moves the start of the clip `seconds` later; notes with an earlier onset are removed.
    pub(super) fn shift(&mut self, seconds: f64) {
        for notes in [&mut self.expected, &mut self.recognized] {
            notes.retain(|note| note.onset >= seconds);
            for note in notes {
                note.onset -= seconds;
                note.offset = note.offset.map(|offset| offset - seconds);
            }
        }
    }
}

impl Note {
    fn fault(&self) -> Option<&'static str> {
        let is_out_of_range = |seconds: f64| !(0.0..=3600.0).contains(&seconds);
        if self.midi > 127 {
            Some("midi is above 127")
        } else if is_out_of_range(self.onset) {
            Some("onset is not within 0 to 3600 s")
        } else if self
            .offset
            .is_some_and(|offset| is_out_of_range(offset) || offset < self.onset)
        {
            Some("offset is before the onset or not within 3600 s")
        } else {
            None
        }
    }
}
