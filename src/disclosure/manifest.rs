//! `manifest.json` in a sealed sample: what whoever holds the QA key reads, and nobody else.

use super::{
    field::{Field, Personal, Shape},
    registration::{ID, PURPOSE_NAMES, WEEK},
};
use crate::sampler::MAX_NOTES;

/// A clip of 30 s has at most so many parts: none is shorter than a frame of the detector, 32 ms.
const MOST_SPANS: usize = 1_000;
/// A clip is at most 30 s long; its clock is changed by up to 0.1 %.
const SECONDS: Shape = Shape::Number(0.0, 31.0);
/// What [`crate::sampler::Annotation`] takes.
const NOTE_SECONDS: Shape = Shape::Number(0.0, 3600.0);

/// Each member of the manifest; docs/manifest.schema.json states the same ones.
pub const MANIFEST: &[Field] = &[
    Field {
        name: "schema",
        holds: "the version of this shape",
        shape: Shape::Whole(1, 1),
        personal: Personal::No,
        why: "a reader refuses a shape that it does not know",
    },
    Field {
        name: "sample",
        holds: "the sample's id, random",
        shape: Shape::Text(ID),
        personal: Personal::Links,
        why: "deletion and withdrawal name it",
    },
    Field {
        name: "purposes",
        holds: "what the sample may be used for",
        shape: Shape::List(2),
        personal: Personal::About,
        why: "no copy of a sample is without it",
    },
    Field {
        name: "purposes[]",
        holds: "one use",
        shape: Shape::OneOf(PURPOSE_NAMES),
        personal: Personal::About,
        why: "each is granted by itself",
    },
    Field {
        name: "consent",
        holds: "the id of the consent record",
        shape: Shape::Text(ID),
        personal: Personal::Links,
        why: "a withdrawal finds the sample; one person's samples stay on one side of a research split",
    },
    Field {
        name: "notice_version",
        holds: "the version of the text that was agreed to",
        shape: Shape::Whole(1, 0xffff_ffff),
        personal: Personal::No,
        why: "which text was agreed to",
    },
    Field {
        name: "week",
        holds: "the week in which it was sealed; no finer time is known",
        shape: Shape::Text(WEEK),
        personal: Personal::About,
        why: "recognizers change; a week is enough to tell which one erred",
    },
    Field {
        name: "sdk_version",
        holds: "the version of the SDK",
        shape: Shape::Text("[0-9]+\\.[0-9]+\\.[0-9]+[0-9A-Za-z.+-]{0,32}"),
        personal: Personal::No,
        why: "which code made the sample",
    },
    Field {
        name: "platform",
        holds: "the family of the system, never a model or a version",
        shape: Shape::OneOf(&["android", "ios", "macos", "linux", "windows", "other"]),
        personal: Personal::About,
        why: "microphone paths differ by it",
    },
    Field {
        name: "input_rate",
        holds: "samples a second that the microphone delivered",
        shape: Shape::Whole(8_000, 384_000),
        personal: Personal::About,
        why: "what could be heard at all",
    },
    Field {
        name: "rate",
        holds: "samples a second of audio.flac",
        shape: Shape::Whole(8_000, 384_000),
        personal: Personal::No,
        why: "a reader needs it",
    },
    Field {
        name: "kept",
        holds: "which parts of the input stand in audio.flac",
        shape: Shape::List(MOST_SPANS),
        personal: Personal::About,
        why: "notes are found again in the sound",
    },
    Field {
        name: "kept[]",
        holds: "one part, `[start, end]`",
        shape: Shape::List(2),
        personal: Personal::About,
        why: "notes are found again in the sound",
    },
    Field {
        name: "kept[][]",
        holds: "seconds of the input",
        shape: SECONDS,
        personal: Personal::About,
        why: "notes are found again in the sound",
    },
    Field {
        name: "removed",
        holds: "which parts were taken out, and why; where somebody spoke is known from it",
        shape: Shape::List(MOST_SPANS),
        personal: Personal::About,
        why: "whoever judges a recognizer has to know what is missing",
    },
    Field {
        name: "removed[]",
        holds: "one part",
        shape: Shape::Object,
        personal: Personal::About,
        why: "whoever judges a recognizer has to know what is missing",
    },
    Field {
        name: "removed[].start_s",
        holds: "seconds of the input",
        shape: SECONDS,
        personal: Personal::About,
        why: "whoever judges a recognizer has to know what is missing",
    },
    Field {
        name: "removed[].end_s",
        holds: "seconds of the input",
        shape: SECONDS,
        personal: Personal::About,
        why: "whoever judges a recognizer has to know what is missing",
    },
    Field {
        name: "removed[].reason",
        holds: "a voice, or a piece too short to keep between two that went",
        shape: Shape::OneOf(&["voice", "fragment"]),
        personal: Personal::About,
        why: "whoever judges a recognizer has to know what is missing",
    },
    Field {
        name: "erased",
        holds: "out of which parts a voice was erased",
        shape: Shape::List(MOST_SPANS),
        personal: Personal::About,
        why: "the music there has lost something too",
    },
    Field {
        name: "erased[]",
        holds: "one part, `[start, end]`",
        shape: Shape::List(2),
        personal: Personal::About,
        why: "the music there has lost something too",
    },
    Field {
        name: "erased[][]",
        holds: "seconds of the input",
        shape: SECONDS,
        personal: Personal::About,
        why: "the music there has lost something too",
    },
    Field {
        name: "selection",
        holds: "why the moment was chosen",
        shape: Shape::Object,
        personal: Personal::No,
        why: "an unbiased estimate needs weights",
    },
    Field {
        name: "selection.trigger",
        holds: "the app's mark or the plan's random draw",
        shape: Shape::OneOf(&["mark", "random"]),
        personal: Personal::No,
        why: "an unbiased estimate needs weights",
    },
    Field {
        name: "selection.probability",
        holds: "how likely such a moment is chosen",
        shape: Shape::Number(0.0, 1.0),
        personal: Personal::No,
        why: "an unbiased estimate needs weights",
    },
    Field {
        name: "annotation",
        holds: "what the app knows of the moment",
        shape: Shape::Object,
        personal: Personal::About,
        why: "without it nobody can tell what the recognizer got wrong",
    },
    Field {
        name: "annotation.expected",
        holds: "the notes that the exercise asks for",
        shape: Shape::List(MAX_NOTES),
        personal: Personal::About,
        why: "without it nobody can tell what the recognizer got wrong",
    },
    Field {
        name: "annotation.expected[]",
        holds: "one note",
        shape: Shape::Object,
        personal: Personal::About,
        why: "without it nobody can tell what the recognizer got wrong",
    },
    Field {
        name: "annotation.expected[].midi",
        holds: "its pitch",
        shape: Shape::Whole(0, 127),
        personal: Personal::About,
        why: "without it nobody can tell what the recognizer got wrong",
    },
    Field {
        name: "annotation.expected[].onset",
        holds: "its beginning, in seconds of the input",
        shape: NOTE_SECONDS,
        personal: Personal::About,
        why: "without it nobody can tell what the recognizer got wrong",
    },
    Field {
        name: "annotation.expected[].offset",
        holds: "its end; may be absent",
        shape: NOTE_SECONDS,
        personal: Personal::About,
        why: "without it nobody can tell what the recognizer got wrong",
    },
    Field {
        name: "annotation.recognised",
        holds: "the notes that the recognizer reported",
        shape: Shape::List(MAX_NOTES),
        personal: Personal::About,
        why: "without it nobody can tell what the recognizer got wrong",
    },
    Field {
        name: "annotation.recognised[]",
        holds: "one note",
        shape: Shape::Object,
        personal: Personal::About,
        why: "without it nobody can tell what the recognizer got wrong",
    },
    Field {
        name: "annotation.recognised[].midi",
        holds: "its pitch",
        shape: Shape::Whole(0, 127),
        personal: Personal::About,
        why: "without it nobody can tell what the recognizer got wrong",
    },
    Field {
        name: "annotation.recognised[].onset",
        holds: "its beginning, in seconds of the input",
        shape: NOTE_SECONDS,
        personal: Personal::About,
        why: "without it nobody can tell what the recognizer got wrong",
    },
    Field {
        name: "annotation.recognised[].offset",
        holds: "its end; may be absent",
        shape: NOTE_SECONDS,
        personal: Personal::About,
        why: "without it nobody can tell what the recognizer got wrong",
    },
    Field {
        name: "annotation.tag",
        holds: "the exercise, by the app's own name for it; may be absent",
        shape: Shape::Text("[a-z0-9._/-]{0,64}"),
        personal: Personal::About,
        why: "errors are sorted by exercise; the app must put no name of a person there",
    },
    Field {
        name: "anonymizer",
        holds: "what took out the voices, and how it was set; the same on every device",
        shape: Shape::Object,
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.version",
        holds: "the version of the method",
        shape: Shape::Text("[0-9A-Za-z._-]{1,32}"),
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.detector",
        holds: "what found and erased voices",
        shape: Shape::Text("[0-9A-Za-z ._-]{1,64}"),
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.threshold",
        holds: "when a frame counts as a voice",
        shape: Shape::Number(0.0, 1.0),
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.padding_s",
        holds: "what goes with a voice on either side, in seconds",
        shape: SECONDS,
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.gate",
        holds: "the second detector, which hears the finished clip",
        shape: Shape::Text("[0-9A-Za-z ._-]{1,64}"),
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.gate_threshold",
        holds: "when a frame counts as a voice for it",
        shape: Shape::Number(0.0, 1.0),
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.shortest_kept_s",
        holds: "the shortest part that is kept, in seconds",
        shape: SECONDS,
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.rate",
        holds: "samples a second of what comes out",
        shape: Shape::Whole(8_000, 384_000),
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.high_pass_hz",
        holds: "where the high-pass is 3 dB down, in Hz",
        shape: Shape::Number(0.0, 1000.0),
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.level_dbfs",
        holds: "the level that comes out",
        shape: Shape::Number(-120.0, 0.0),
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.ceiling_dbfs",
        holds: "what no peak exceeds",
        shape: Shape::Number(-120.0, 0.0),
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
    Field {
        name: "anonymizer.keep_time",
        holds: "whether silence stands where something was taken out",
        shape: Shape::Flag,
        personal: Personal::No,
        why: "what a sample can and cannot show",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Where a member stands, and the names that it can take.
    type Member = (String, BTreeSet<String>);

    /// The schema is held to the code by tests of its own.
    #[test]
    fn the_table_has_each_member_and_each_name_that_the_schema_has_and_no_other() {
        let schema: Value =
            serde_json::from_str(include_str!("../../docs/manifest.schema.json")).unwrap();
        let mut stated = BTreeSet::new();
        collect(&schema, &schema, "", &mut stated);
        let listed: BTreeSet<_> = MANIFEST
            .iter()
            .map(|field| {
                let names = match field.shape {
                    Shape::OneOf(names) => names.iter().map(|name| (*name).to_owned()).collect(),
                    _ => BTreeSet::new(),
                };
                (field.name.to_owned(), names)
            })
            .collect();
        assert_eq!(listed, stated);
        assert_eq!(listed.len(), MANIFEST.len(), "one stands twice");
    }

    fn collect(root: &Value, schema: &Value, at: &str, into: &mut BTreeSet<Member>) {
        if let Some(name) = schema["$ref"].as_str() {
            let definition = &root["$defs"][name.trim_start_matches("#/$defs/")];
            return collect(root, definition, at, into);
        }
        if !at.is_empty() {
            let names = schema["enum"].as_array().into_iter().flatten();
            let names = names.map(|name| name.as_str().unwrap().to_owned());
            into.insert((at.to_owned(), names.collect()));
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let separator = if at.is_empty() { "" } else { "." };
            collect(root, member, &format!("{at}{separator}{name}"), into);
        }
        let elements = match &schema["prefixItems"] {
            Value::Array(first) => first.first(),
            _ => Some(&schema["items"]).filter(|items| items.is_object()),
        };
        if let Some(element) = elements {
            collect(root, element, &format!("{at}[]"), into);
        }
    }
}
