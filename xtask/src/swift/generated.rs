//! Hides the internals of the generated Swift file, so that apps see only records and enums.

use std::fs;

use anyhow::Result;
use regex::{Captures, Regex};

use super::{PACKAGE, PRIVACY_MANIFEST};
use crate::{
    bindings::{self, Generate, LIBRARY, Language, Library, copy_if_new},
    process::{empty_folder, root, target},
};

pub fn write(library: Library) -> Result<()> {
    let out = target().join("swift/generated");
    empty_folder(&out)?;
    bindings::generate(&Generate {
        language: Language::Swift,
        out: out.clone(),
        library,
    })?;
    let swift = out.join("Sordino.swift");
    fs::write(&swift, hide_plumbing(&fs::read_to_string(&swift)?)?)?;

    let package = root().join(PACKAGE);
    copy_if_new(
        &swift,
        &package.join("Sources/Sordino/Generated/Engine.swift"),
    )?;
    copy_if_new(
        &out.join("SordinoC.h"),
        &package.join("Sources/SordinoC/SordinoC.h"),
    )?;
    // A copy: SwiftPM would copy a symbolic link into a bundle where its target does not exist.
    copy_if_new(
        &root().join(PRIVACY_MANIFEST),
        &package.join("Sources/Sordino/PrivacyInfo.xcprivacy"),
    )?;
    copy_if_new(&out.join(LIBRARY), &package.join("Library").join(LIBRARY))
}

/// The replacements in each line, in this order.
const REPLACEMENTS: [(&str, &str); 11] = [
    (
        r"^public (struct FfiConverter|struct EngineFrame|func |protocol )",
        "$1",
    ),
    // Types of functions that uniffi.toml excludes.
    (
        r"^public ((?:struct|enum) (?:AnonymizedSound|SoundSpan|RemovedSpan|RemovalReason|RejectionReason|OpenedSound|SampleSound|AnnotatedClip|NoteErrorRow|NotePair|NoteAlignment)\b)",
        "$1",
    ),
    (r"^open class", "final class"),
    (r"\bopen func", "func"),
    (r"^func reset\(", "func engineReset("),
    (r"^func bundledNotice\(", "func engineNotice("),
    (r"^func inputDevices\(", "func engineInputDevices("),
    (r"^(\s*)public protocol", "${1}protocol"),
    // UniFFI does not rename these.
    (
        r"FfiConverterTypeSordino(Builder|Error|)_lift",
        "FfiConverterTypeEngine${1}_lift",
    ),
    (r"`null`", "`nil`"),
    (r"\bRaises\b", "Throws"),
];
/// The replacements in lines of documentation.
const IN_DOCS: std::ops::Range<usize> = 9..11;

fn hide_plumbing(text: &str) -> Result<String> {
    let replacements = REPLACEMENTS
        .iter()
        .map(|(pattern, to)| Ok((Regex::new(pattern)?, *to)))
        .collect::<Result<Vec<_>>>()?;
    let docs = Regex::new(r"^\s*/?\*")?;
    let snake_case = Regex::new(r"`([a-z]+(?:_[a-z]+)+)`")?;
    let constructor = Regex::new(r"-> Sordino(Builder)?\b")?;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        // The visibility of errors is on a separate line.
        if line.trim_end() == "public" {
            continue;
        }
        let mut line = line.to_owned();
        let is_docs = docs.is_match(&line);
        for (index, (pattern, to)) in replacements.iter().enumerate() {
            if is_docs || !IN_DOCS.contains(&index) {
                line = pattern.replace_all(&line, *to).into_owned();
            }
        }
        if line.contains("static func") {
            line = constructor.replace_all(&line, "-> Engine$1").into_owned();
        }
        if is_docs {
            line = snake_case.replace_all(&line, camel_case).into_owned();
        }
        out.push_str(&line);
        out.push('\n');
    }
    Ok(out)
}

fn camel_case(name: &Captures<'_>) -> String {
    let mut parts = name[1].split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part[..1].to_uppercase() + &part[1..]);
    format!("`{}`", rest.fold(first, |all, part| all + &part))
}
