//! `sordino anonymize`: removes voices from recordings, on all cores.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sordino::{
    anonymize::{
        AnonymizeError, Anonymizer, AnonymousClip, RejectionReason, Removal, Settings, Span,
    },
    sampler::{Annotation, RawClip, Selection, Trigger},
    text::printable_line,
};

use crate::{
    command_output::{self, CommandOutput},
    digest::sha256,
    error::CliError,
    files,
    output_files::{OutputFile, OutputFiles, Overwrite, check_distinct},
    recording, wav,
};

#[derive(Args)]
pub(crate) struct AnonymizeArgs {
    /// The recordings: WAV, FLAC, MP3, M4A, AAC, Ogg Vorbis, AIFF or CAF; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The folder to write to
    #[arg(long)]
    out: PathBuf,
    /// Replace removed parts by silence, so that times stay aligned
    #[arg(long)]
    keep_time: bool,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// The content of NAME.json.
#[derive(Serialize)]
struct Sidecar<'a> {
    /// The parts of the input that are in the output, in its order; seconds of the input.
    kept: &'a [Span],
    /// The removed parts with the reasons; seconds of the input.
    removed: &'a [Removal],
    /// The kept parts from which a voice was erased; seconds of the input.
    erased: &'a [Span],
    /// Whether too little was left, so that there is no WAV file.
    withheld: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<RejectionReason>,
    /// SHA-256 of NAME.wav, in hexadecimal. A later run recognizes the file by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    wav_sha256: Option<String>,
}

/// The result of one file.
#[derive(Serialize)]
#[serde(untagged)]
enum FileResult {
    Read {
        file: String,
        withheld: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<RejectionReason>,
        kept_s: f64,
        removed_s: f64,
    },
    Failed {
        file: String,
        error: String,
    },
}

/// The output files of a recording.
struct FileOutputs {
    wav: OutputFile,
    json: OutputFile,
}

pub(crate) fn run(args: &AnonymizeArgs, json: bool) -> Result<CommandOutput, CliError> {
    let recordings = &args.files;
    let work = plan(recordings, &args.out, args.overwrite)?;
    let settings = Settings {
        keep_time: args.keep_time,
    };
    let bar = command_output::progress(recordings.len(), "anonymizing", json);
    let done: Vec<FileResult> = work
        .into_par_iter()
        .map_init(Anonymizer::new, |anonymizer, (file, work)| {
            let done = work.and_then(|work| anonymize_file(anonymizer, file, &work, settings));
            bar.inc(1);
            done.unwrap_or_else(|failure| FileResult::Failed {
                file: file.display().to_string(),
                error: failure.to_string(),
            })
        })
        .collect();
    bar.finish_and_clear();
    let problem = problem(&done);
    // For a single recording, the error is printed by itself.
    let is_said =
        |done: &&FileResult| recordings.len() > 1 || matches!(done, FileResult::Read { .. });
    let lines: Vec<String> = done.iter().filter(is_said).map(FileResult::line).collect();
    Ok(CommandOutput::new(lines.join("\n"), done)?.with_problem(problem))
}

/// A recording, and its outputs or the error that prevents them.
type Planned<'a> = (&'a Path, Result<FileOutputs, CliError>);

/// Checks all outputs before the first recording is read. An error of one recording does not affect the others.
fn plan<'a>(
    recordings: &'a [PathBuf],
    out: &Path,
    overwrite: Overwrite,
) -> Result<Vec<Planned<'a>>, CliError> {
    let inputs = || recordings.iter().map(PathBuf::as_path);
    let mut files: Vec<(Option<&OsStr>, &Path)> = inputs()
        .map(|file| (recording::name_of(file), file))
        .collect();
    files.sort();
    let shares_name = |at: usize| {
        let others = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
        let mut others = others.filter_map(|other| files.get(other));
        others
            .find(|other| other.0 == files[at].0)
            .map(|other| other.1)
    };
    files::make_private_folder(out)?;
    let alone = (0..files.len()).filter(|&at| shares_name(at).is_none());
    check_distinct(
        out,
        alone.filter_map(|at| Some((files[at].0?, files[at].1))),
    )?;
    let outputs = OutputFiles::new(inputs(), overwrite);
    let planned = files.iter().enumerate().map(|(at, &(name, file))| {
        let work = match (name, shares_name(at)) {
            (None, _) => Err(CliError::content(file)("its name cannot name an output")),
            (Some(name), Some(other)) => Err(CliError::content(file)(format!(
                "its output would be that of {} too, {}; give them different names",
                other.display(),
                out.join(name).display()
            ))),
            (Some(name), None) => FileOutputs::new(&outputs, out, name),
        };
        (file, work)
    });
    Ok(planned.collect())
}

impl FileOutputs {
    fn new(outputs: &OutputFiles, out: &Path, name: &OsStr) -> Result<Self, CliError> {
        let path = |ending| out.join(with_extension(name, ending));
        let made = PreviousSidecar::read(&path("json"));
        let wav = outputs
            .private(&path("wav"))?
            .replace_if(move |bytes| made.as_ref().is_some_and(|made| made.has_made(bytes)));
        let json = outputs
            .private(&path("json"))?
            .replace_if(|bytes| PreviousSidecar::of(bytes).is_some());
        Ok(Self {
            wav: wav.checked()?,
            json: json.checked()?,
        })
    }
}

/// NAME.json of an earlier run.
#[derive(Deserialize)]
struct PreviousSidecar {
    #[serde(rename = "kept")]
    _kept: Vec<Span>,
    #[serde(rename = "removed")]
    _removed: Vec<Removal>,
    #[serde(rename = "withheld")]
    _withheld: bool,
    #[serde(default)]
    wav_sha256: Option<String>,
}

impl PreviousSidecar {
    fn of(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    fn read(path: &Path) -> Option<Self> {
        Self::of(&fs::read(path).ok()?)
    }

    fn has_made(&self, wav: &[u8]) -> bool {
        self.wav_sha256.as_deref() == Some(&sha256(wav))
    }
}

/// The number of failures, with the first error.
fn problem(done: &[FileResult]) -> Option<String> {
    let mut failed = done.iter().filter_map(|done| match done {
        FileResult::Failed { error, .. } => Some(error),
        FileResult::Read { .. } => None,
    });
    let first = failed.next()?;
    Some(match (failed.count() + 1, done.len()) {
        (1, 1) => first.clone(),
        (1, all) => format!("1 of {all} recordings failed: {first}"),
        (count, all) => format!("{count} of {all} recordings failed, the first of them: {first}"),
    })
}

fn anonymize_file(
    anonymizer: &mut Result<Anonymizer, AnonymizeError>,
    file: &Path,
    work: &FileOutputs,
    settings: Settings,
) -> Result<FileResult, CliError> {
    let anonymizer = anonymizer
        .as_mut()
        .map_err(|error| CliError::message(&*error))?;
    let clip = read_clip(file, Annotation::default())?;
    match anonymizer.anonymize(clip, settings) {
        Ok(anonymous) => {
            let sound = wav::encode(anonymous.samples(), anonymous.rate())?;
            let sidecar = Sidecar {
                kept: anonymous.kept(),
                removed: anonymous.removed(),
                erased: anonymous.erased(),
                withheld: false,
                reason: None,
                wav_sha256: Some(sha256(&sound)),
            };
            // The JSON file first: the next run would not recognize a WAV file without one.
            let (json, wav) = (work.json.stage(&sidecar.bytes()?)?, work.wav.stage(&sound)?);
            json.commit()?;
            wav.commit()?;
            Ok(FileResult::kept(file, &anonymous))
        }
        Err(withheld) => {
            // Output of an earlier run must not remain next to a report that the recording is withheld.
            work.wav.remove()?;
            let sidecar = Sidecar {
                kept: &[],
                removed: &withheld.removed,
                erased: &[],
                withheld: true,
                reason: Some(withheld.reason),
                wav_sha256: None,
            };
            work.json.write(&sidecar.bytes()?)?;
            Ok(FileResult::Read {
                file: file.display().to_string(),
                withheld: true,
                reason: Some(withheld.reason),
                kept_s: 0.0,
                removed_s: seconds_of(&withheld.removed),
            })
        }
    }
}

/// A whole recording as a clip.
pub(super) fn read_clip(file: &Path, annotation: Annotation) -> Result<RawClip, CliError> {
    let selection = Selection {
        trigger: Trigger::Mark,
        probability: 1.0,
    };
    let recording = recording::read(file)?;
    RawClip::new(recording.samples, recording.rate, selection, annotation)
        .map_err(CliError::content(file))
}

impl Sidecar<'_> {
    fn bytes(&self) -> Result<Vec<u8>, CliError> {
        serde_json::to_vec_pretty(self).map_err(CliError::message)
    }
}

/// Appends an extension, unlike `Path::with_extension`, which would replace `.2` in `take.2`.
fn with_extension(stem: &OsStr, ending: &str) -> OsString {
    let mut name = stem.to_owned();
    name.push(".");
    name.push(ending);
    name
}

fn seconds_of(removed: &[Removal]) -> f64 {
    // Not `sum`, which returns -0 for no values.
    removed.iter().fold(0.0, |seconds, removal| {
        seconds + removal.end_s - removal.start_s
    })
}

impl FileResult {
    fn kept(file: &Path, anonymous: &AnonymousClip) -> Self {
        Self::Read {
            file: file.display().to_string(),
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
        let line = match self {
            Self::Read {
                file,
                reason: Some(reason),
                ..
            } => format!("{file}: withheld ({reason})"),
            Self::Read {
                file,
                kept_s,
                removed_s,
                ..
            } => format!("{file}: {kept_s:.1} s kept, {removed_s:.1} s removed"),
            // Most errors begin with the file.
            Self::Failed { file, error } => match error.contains(file.as_str()) {
                true => format!("failed: {error}"),
                false => format!("{file}: failed: {error}"),
            },
        };
        printable_line(&line).into_owned()
    }
}
