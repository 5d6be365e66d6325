//! `sordino anonymize`: voices out of recordings, on all cores.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde::Serialize;
use sordino::{
    anonymize::{
        AnonymizeError, Anonymizer, AnonymousClip, Removal, Settings, Span, WithheldReason,
    },
    capture,
    sampler::{Annotation, RawClip, Selection, Trigger},
};

use crate::{
    failure::Failure,
    files,
    reply::{self, Reply},
    wav,
};

/// What stands in NAME.json.
#[derive(Serialize)]
struct Sidecar<'a> {
    /// Which parts of the input stand in the output, in its order; seconds of the input.
    kept: &'a [Span],
    /// Which parts were taken out, and why; seconds of the input.
    removed: &'a [Removal],
    /// Out of which parts of what was kept a voice was erased; seconds of the input.
    erased: &'a [Span],
    /// Whether nothing safe was left, and so no WAV written.
    withheld: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<WithheldReason>,
}

/// What became of one file.
#[derive(Serialize)]
struct Done {
    file: PathBuf,
    withheld: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<WithheldReason>,
    kept_s: f64,
    removed_s: f64,
}

pub(super) fn run(
    recordings: &[PathBuf],
    out: &Path,
    keep_time: bool,
    json: bool,
) -> Result<Reply, Failure> {
    let names = names_of(recordings)?;
    files::make_folder(out)?;
    let settings = Settings { keep_time };
    let bar = reply::progress(recordings.len(), "anonymising", json);
    let outcomes: Vec<Result<Done, Failure>> = names
        .par_iter()
        .map_init(Anonymizer::new, |anonymizer, (name, file)| {
            let outcome = one(anonymizer, file, &out.join(name), settings);
            bar.inc(1);
            outcome
        })
        .collect();
    bar.finish_and_clear();

    let mut done = Vec::new();
    let mut problem = None;
    for outcome in outcomes {
        match outcome {
            Ok(one) => done.push(one),
            Err(failure) => {
                problem.get_or_insert_with(|| failure.to_string());
            }
        }
    }
    let lines: Vec<String> = done.iter().map(Done::line).collect();
    Ok(Reply::new(lines.join("\n"), done)?.with_problem(problem))
}

/// The output's name of each file; two files must not want the same.
fn names_of(recordings: &[PathBuf]) -> Result<Vec<(String, &PathBuf)>, Failure> {
    let mut taken = BTreeMap::new();
    for file in recordings {
        let name = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .ok_or_else(|| Failure::content(file)("its name cannot name an output"))?;
        if let Some(other) = taken.insert(name.to_owned(), file) {
            return Err(Failure::content(file)(format!(
                "{} would be written over by it; give them different names",
                other.display()
            )));
        }
    }
    Ok(taken.into_iter().collect())
}

/// `stem` is the output's path without its ending.
fn one(
    anonymizer: &mut Result<Anonymizer, AnonymizeError>,
    file: &Path,
    stem: &Path,
    settings: Settings,
) -> Result<Done, Failure> {
    let anonymizer = anonymizer
        .as_mut()
        .map_err(|error| Failure::said(&*error))?;
    let clip = read_clip(file, Annotation::default())?;
    let (wav_path, json_path) = (with_ending(stem, "wav"), with_ending(stem, "json"));
    match anonymizer.anonymize(clip, settings) {
        Ok(anonymous) => {
            files::write(
                &wav_path,
                &wav::encode(anonymous.samples(), anonymous.rate())?,
            )?;
            let sidecar = Sidecar {
                kept: anonymous.kept(),
                removed: anonymous.removed(),
                erased: anonymous.erased(),
                withheld: false,
                reason: None,
            };
            sidecar.write(&json_path)?;
            Ok(Done::kept(file, &anonymous))
        }
        Err(withheld) => {
            remove_stale(&wav_path)?;
            let sidecar = Sidecar {
                kept: &[],
                removed: &withheld.removed,
                erased: &[],
                withheld: true,
                reason: Some(withheld.reason),
            };
            sidecar.write(&json_path)?;
            Ok(Done {
                file: file.to_owned(),
                withheld: true,
                reason: Some(withheld.reason),
                kept_s: 0.0,
                removed_s: seconds_of(&withheld.removed),
            })
        }
    }
}

/// A whole recording as a clip.
pub(super) fn read_clip(file: &Path, annotation: Annotation) -> Result<RawClip, Failure> {
    let selection = Selection {
        trigger: Trigger::Mark,
        probability: 1.0,
    };
    let recording = capture::read_wav(file).map_err(Failure::said)?;
    RawClip::new(recording.samples, recording.rate, selection, annotation)
        .map_err(Failure::content(file))
}

impl Sidecar<'_> {
    fn write(&self, path: &Path) -> Result<(), Failure> {
        let json = serde_json::to_vec_pretty(self).map_err(Failure::said)?;
        files::write(path, &json)
    }
}

/// What an earlier run kept must not stand beside the word that nothing is safe to keep.
fn remove_stale(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Unlike `Path::with_extension`, which would take `.2` off `take.2`.
fn with_ending(stem: &Path, ending: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    path.into()
}

fn seconds_of(removed: &[Removal]) -> f64 {
    // Not `sum`: that of nothing is -0.
    removed.iter().fold(0.0, |seconds, removal| {
        seconds + removal.end_s - removal.start_s
    })
}

impl Done {
    fn kept(file: &Path, anonymous: &AnonymousClip) -> Self {
        Self {
            file: file.to_owned(),
            withheld: false,
            reason: None,
            kept_s: anonymous
                .kept()
                .iter()
                .map(|Span(start, end)| end - start)
                .sum(),
            removed_s: seconds_of(anonymous.removed()),
        }
    }

    fn line(&self) -> String {
        let file = self.file.display();
        match self.reason {
            Some(reason) => format!("{file}: withheld ({reason})"),
            None => format!(
                "{file}: {:.1} s kept, {:.1} s removed",
                self.kept_s, self.removed_s
            ),
        }
    }
}
