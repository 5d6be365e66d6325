//! `sordino evaluate`: scores a recognizer on a dataset, and compares it with a baseline.
//!
//! * **In**: a pulled dataset, a command that prints the notes of a WAV file, and perhaps the
//!   scores of an earlier run.
//! * **Out**: mir_eval's note metrics against what the app expected, weighted, by exercise; the
//!   difference to the baseline with its interval and its p.
//! * **Promises**: a sample for which the command fails is reported and counted, never scored; marked and random
//!   clips are never combined in one figure.

mod arguments;
mod process_group;
mod raw_note;
mod recognizer;
mod recognizer_output;
mod result;
mod summary;
mod text;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rayon::prelude::*;
use sordino::Id;
use sordino_scoring::{TimedNote, score};

use crate::{
    command_output::{self, CommandOutput},
    dataset::{Dataset, Sample},
    error::CliError,
    files,
    output_files::{OutputFile, OutputFiles},
    wav,
};
pub(crate) use arguments::EvaluateArgs;
use recognizer::RunError;
use recognizer_output::RecognizedNotes;
use result::{EvalResult, SampleResult};
use summary::{EvaluatedSample, Summary};

pub(crate) fn run(arguments: &EvaluateArgs, json: bool) -> Result<CommandOutput, CliError> {
    let dataset = Dataset::read_non_empty(&arguments.dir)?;
    let chosen = eligible_samples(&dataset, arguments.split.as_deref())?;
    // Fails before the recognizer runs, which may take hours.
    let output = result_output(&dataset, arguments)?;
    let baseline = Baseline::read(arguments)?.outcomes(&chosen, arguments)?;
    let evaluated = evaluate(&chosen, arguments, json)?;
    let summary = Summary::of(
        &evaluated,
        baseline.as_ref(),
        arguments.tolerance.tolerance_ms,
    );
    if summary.scored() == 0 {
        return Err(CliError::Message(format!(
            "the recognizer failed for every sample; {}",
            summary.failures().unwrap_or_default()
        )));
    }
    if let Some(output) = &output {
        let outcomes = evaluated
            .iter()
            .map(|found| (found.sample.id(), found.outcome.clone()));
        EvalResult::new(arguments.tolerance.tolerance_ms, outcomes.collect()).write(output)?;
    }
    let problem = match arguments.fail_if_worse {
        true => summary.regression(),
        false => None,
    };
    let note = match &problem {
        Some(_) => None,
        None => summary.failures(),
    };
    Ok(CommandOutput::new(text::render(&summary), &summary)?
        .with_note(note)
        .with_problem(problem))
}

/// The output for the scores. The result of an earlier run is replaced, unless this run is compared with it.
fn result_output(
    dataset: &Dataset,
    arguments: &EvaluateArgs,
) -> Result<Option<OutputFile>, CliError> {
    let mut inputs = dataset.files();
    inputs.extend(arguments.baseline.clone());
    let outputs = OutputFiles::new(inputs.iter().map(PathBuf::as_path), arguments.overwrite);
    let output = |path: &PathBuf| {
        let output = outputs.public(path)?.replace_if(EvalResult::is_result);
        output.checked()
    };
    arguments.out.as_ref().map(output).transpose()
}

/// A sample with at least one expected note in the kept parts.
struct EligibleSample<'a> {
    sample: Sample<'a>,
    expected: Vec<TimedNote>,
    /// The number of expected notes that began in removed parts.
    left_out: usize,
}

fn eligible_samples<'a>(
    dataset: &'a Dataset,
    split: Option<&str>,
) -> Result<Vec<EligibleSample<'a>>, CliError> {
    let refuse = |reason: String| Err(CliError::content(dataset.folder())(reason));
    let mut samples: Vec<Sample<'a>> = dataset.samples().collect();
    if let Some(split) = split {
        samples.retain(|sample| sample.split() == split);
        if samples.is_empty() {
            return refuse(format!("no sample of it is in the split `{split}`"));
        }
    }
    let chosen: Vec<EligibleSample<'a>> = samples
        .into_iter()
        .filter_map(|sample| {
            let notes = sample.expected();
            (!notes.heard.is_empty()).then_some(EligibleSample {
                sample,
                expected: notes.heard,
                left_out: notes.left_out,
            })
        })
        .collect();
    if chosen.is_empty() {
        return refuse(
            "no sample of it has expected notes that can be heard, so there is nothing to score; \
             apps give them with the annotation of a moment"
                .to_owned(),
        );
    }
    Ok(chosen)
}

/// The scores that a run is compared with.
enum Baseline {
    Nothing,
    /// The notes that the app's own recognizer reported.
    Manifest,
    Result(EvalResult),
}

impl Baseline {
    fn read(arguments: &EvaluateArgs) -> Result<Self, CliError> {
        match &arguments.baseline {
            None => Ok(Self::Nothing),
            Some(path) if path.as_os_str() == "manifest" => Ok(Self::Manifest),
            Some(path) => {
                EvalResult::read(path, arguments.tolerance.tolerance_ms).map(Self::Result)
            }
        }
    }

    /// The outcome of each sample in it.
    fn outcomes(
        self,
        chosen: &[EligibleSample<'_>],
        arguments: &EvaluateArgs,
    ) -> Result<Option<BTreeMap<Id, SampleResult>>, CliError> {
        let result = match self {
            Self::Nothing => return Ok(None),
            Self::Manifest => {
                let of = |found: &EligibleSample<'_>| {
                    let recognized = found.sample.recognized().heard;
                    let tolerance = arguments.tolerance.seconds();
                    let score = score(&found.expected, &recognized, tolerance);
                    (found.sample.id(), SampleResult::Scored(score))
                };
                return Ok(Some(chosen.iter().map(of).collect()));
            }
            Self::Result(result) => result,
        };
        let path = arguments.baseline.as_deref().unwrap_or(Path::new(""));
        let refuse = |reason: String| Err(CliError::content(path)(reason));
        let known = chosen
            .iter()
            .filter_map(|found| Some((found, result.samples.get(&found.sample.id())?)));
        let mut common = 0;
        for (found, before) in known {
            let Some(score) = before.score() else {
                continue;
            };
            common += 1;
            if score.notes.expected != found.expected.len() {
                return refuse(format!(
                    "it expects {} notes in sample {}, where the dataset expects {}; evaluate the \
                     baseline again on this dataset",
                    score.notes.expected,
                    found.sample.id(),
                    found.expected.len()
                ));
            }
        }
        if common == 0 {
            return refuse(
                "it scored no sample of this dataset; evaluate the baseline on this dataset"
                    .to_owned(),
            );
        }
        Ok(Some(result.samples))
    }
}

/// Runs the recognizer on each sample.
fn evaluate<'a>(
    chosen: &[EligibleSample<'a>],
    arguments: &EvaluateArgs,
    json: bool,
) -> Result<Vec<EvaluatedSample<'a>>, CliError> {
    let folder = tempfile::tempdir().map_err(CliError::message)?;
    let bar = command_output::progress(chosen.len(), "recognizing", json);
    // A fatal error stops all workers.
    let stopped = AtomicBool::new(false);
    let one = |chosen: &EligibleSample<'a>| {
        if stopped.load(Ordering::Relaxed) {
            return None;
        }
        let found = evaluate_one(chosen, arguments, folder.path());
        bar.inc(1);
        stopped.fetch_or(found.is_err(), Ordering::Relaxed);
        Some(found)
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.jobs.map_or(0, usize::from))
        .build()
        .map_err(CliError::message)?;
    let found: Vec<_> = pool.install(|| chosen.par_iter().with_max_len(1).map(one).collect());
    bar.finish_and_clear();
    // The error may be before or after the samples that were skipped because of it.
    let (done, passed): (Vec<_>, Vec<_>) = found.into_iter().partition(Option::is_some);
    let done = done.into_iter().flatten().collect::<Result<Vec<_>, _>>()?;
    debug_assert!(passed.is_empty(), "only an error passes samples over");
    let (evaluated, if_hz): (Vec<_>, Vec<usize>) = done.into_iter().unzip();
    refuse_frequencies(&evaluated, if_hz.iter().sum())?;
    Ok(evaluated)
}

/// The result of a sample, and the number of matches if pitches without a unit were frequencies.
fn evaluate_one<'a>(
    chosen: &EligibleSample<'a>,
    arguments: &EvaluateArgs,
    folder: &Path,
) -> Result<(EvaluatedSample<'a>, usize), CliError> {
    let sample = chosen.sample;
    let (samples, rate) = sample.sound()?;
    let path = folder.join(format!("{}.wav", sample.id()));
    files::write_private(&path, &wav::encode(&samples, rate)?)?;
    let limit = Duration::from_secs_f64(arguments.timeout);
    let printed = recognizer::run(&arguments.recognizer, &path, limit);
    fs::remove_file(&path).map_err(CliError::file("remove", &path))?;
    let notes = match printed {
        Err(error @ RunError::NotStarted { .. }) => return Err(CliError::message(error)),
        Err(error) => Err(error.to_string()),
        Ok(printed) => {
            recognizer_output::parse(&printed, arguments.pitch).map_err(|error| error.to_string())
        }
    };
    let tolerance = arguments.tolerance.seconds();
    let if_hz = match &notes {
        Ok(RecognizedNotes {
            if_hz: Some(notes), ..
        }) => score(&chosen.expected, notes, tolerance).notes.matched,
        _ => 0,
    };
    let evaluated = EvaluatedSample {
        sample,
        expected: chosen.expected.len(),
        left_out: chosen.left_out,
        outcome: match notes {
            Ok(printed) => SampleResult::Scored(score(&chosen.expected, &printed.notes, tolerance)),
            Err(failed) => SampleResult::Failed { failed },
        },
    };
    Ok((evaluated, if_hz))
}

/// Rejects frequencies that would be scored as MIDI note numbers: if the unit of pitches is not stated, and more of
/// them match as frequencies, `if_hz`, they are not MIDI note numbers.
fn refuse_frequencies(evaluated: &[EvaluatedSample<'_>], if_hz: usize) -> Result<(), CliError> {
    let scores = evaluated.iter().filter_map(|found| found.outcome.score());
    let as_midi: usize = scores.map(|score| score.notes.matched).sum();
    match if_hz > as_midi {
        false => Ok(()),
        true => Err(CliError::Message(format!(
            "the recognizer's pitches have no unit: {if_hz} of them fit the expected notes as frequencies in Hz, {as_midi} as \
             MIDI note numbers; give --pitch hz or --pitch midi"
        ))),
    }
}
