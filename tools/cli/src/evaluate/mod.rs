//! `sordino evaluate`: how well a recognizer does on a dataset, and whether a change made it
//! better.
//!
//! * **In**: a pulled dataset, a command that prints the notes of a WAV file, and perhaps the
//!   scores of an earlier run.
//! * **Out**: mir_eval's note metrics against what the app expected, weighted, by exercise; the
//!   difference to the baseline with its interval and its p.
//! * **Promises**: a sample for which the command fails is told and counted, never scored; clips that
//!   the app marked and clips drawn at random never stand in one figure.

mod arguments;
mod group;
mod output;
mod result;
mod run;
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
    dataset::{Dataset, Sample},
    failure::Failure,
    files,
    output::{Output, Outputs},
    reply::{self, Reply},
    wav,
};
pub(crate) use arguments::{EvalArguments, milliseconds};
use output::Printed;
use result::{EvalResult, Outcome};
use run::RunError;
use summary::{Evaluated, Summary};

pub(crate) fn run(arguments: &EvalArguments, json: bool) -> Result<Reply, Failure> {
    let dataset = Dataset::read_filled(&arguments.dir)?;
    let chosen = choose(&dataset, arguments.split.as_deref())?;
    // Before the recognizer has its hours.
    let output = output_of(&dataset, arguments)?;
    let baseline = Baseline::read(arguments)?.outcomes(&chosen, arguments)?;
    let evaluated = evaluate(&chosen, arguments, json)?;
    let summary = Summary::of(&evaluated, baseline.as_ref(), arguments.tolerance);
    if summary.scored() == 0 {
        return Err(Failure::Said(format!(
            "the recognizer failed for every sample; {}",
            summary.failures().unwrap_or_default()
        )));
    }
    if let Some(output) = &output {
        let outcomes = evaluated
            .iter()
            .map(|found| (found.sample.id(), found.outcome.clone()));
        EvalResult::new(arguments.tolerance, outcomes.collect()).write(output)?;
    }
    let problem = match arguments.fail_if_worse {
        true => summary.worse(),
        false => None,
    };
    let note = match &problem {
        Some(_) => None,
        None => summary.failures(),
    };
    Ok(Reply::new(text::of(&summary), &summary)?
        .with_note(note)
        .with_problem(problem))
}

/// Where the scores go. The result of an earlier run is replaced, unless it is what this one is compared with.
fn output_of(dataset: &Dataset, arguments: &EvalArguments) -> Result<Option<Output>, Failure> {
    let mut inputs = dataset.files();
    inputs.extend(arguments.baseline.clone());
    let outputs = Outputs::new(inputs.iter().map(PathBuf::as_path), arguments.overwrite);
    let output = |path: &PathBuf| {
        let output = outputs.public(path)?.replacing(EvalResult::is_one);
        output.checked()
    };
    arguments.out.as_ref().map(output).transpose()
}

/// A sample in which something that can be heard is expected.
struct Chosen<'a> {
    sample: Sample<'a>,
    expected: Vec<TimedNote>,
    /// Expected notes that began in parts that were taken out.
    left_out: usize,
}

fn choose<'a>(dataset: &'a Dataset, split: Option<&str>) -> Result<Vec<Chosen<'a>>, Failure> {
    let refuse = |reason: String| Err(Failure::content(dataset.folder())(reason));
    let mut samples: Vec<Sample<'a>> = dataset.samples().collect();
    if let Some(split) = split {
        samples.retain(|sample| sample.split() == split);
        if samples.is_empty() {
            return refuse(format!("no sample of it is in the split `{split}`"));
        }
    }
    let chosen: Vec<Chosen<'a>> = samples
        .into_iter()
        .filter_map(|sample| {
            let notes = sample.expected();
            (!notes.heard.is_empty()).then_some(Chosen {
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

/// What a run is compared with.
enum Baseline {
    Nothing,
    /// What the app's own recognizer reported.
    Manifest,
    Result(EvalResult),
}

impl Baseline {
    fn read(arguments: &EvalArguments) -> Result<Self, Failure> {
        match &arguments.baseline {
            None => Ok(Self::Nothing),
            Some(path) if path.as_os_str() == "manifest" => Ok(Self::Manifest),
            Some(path) => EvalResult::read(path, arguments.tolerance).map(Self::Result),
        }
    }

    /// Its outcome for each sample that it knows.
    fn outcomes(
        self,
        chosen: &[Chosen<'_>],
        arguments: &EvalArguments,
    ) -> Result<Option<BTreeMap<Id, Outcome>>, Failure> {
        let result = match self {
            Self::Nothing => return Ok(None),
            Self::Manifest => {
                let of = |found: &Chosen<'_>| {
                    let recognized = found.sample.recognized().heard;
                    let tolerance = arguments.tolerance / 1e3;
                    let score = score(&found.expected, &recognized, tolerance);
                    (found.sample.id(), Outcome::Scored(score))
                };
                return Ok(Some(chosen.iter().map(of).collect()));
            }
            Self::Result(result) => result,
        };
        let path = arguments.baseline.as_deref().unwrap_or(Path::new(""));
        let refuse = |reason: String| Err(Failure::content(path)(reason));
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
                     baseline anew on this dataset",
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
    chosen: &[Chosen<'a>],
    arguments: &EvalArguments,
    json: bool,
) -> Result<Vec<Evaluated<'a>>, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::said)?;
    let bar = reply::progress(chosen.len(), "recognizing", json);
    // Whatever stops one for good stops all.
    let stopped = AtomicBool::new(false);
    let one = |chosen: &Chosen<'a>| {
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
        .map_err(Failure::said)?;
    let found: Vec<_> = pool.install(|| chosen.par_iter().with_max_len(1).map(one).collect());
    bar.finish_and_clear();
    // An error stands before the first sample that was passed over for it, or after: take it.
    let (done, passed): (Vec<_>, Vec<_>) = found.into_iter().partition(Option::is_some);
    let done = done.into_iter().flatten().collect::<Result<Vec<_>, _>>()?;
    debug_assert!(passed.is_empty(), "only an error passes samples over");
    let (evaluated, if_hz): (Vec<_>, Vec<usize>) = done.into_iter().unzip();
    refuse_frequencies(&evaluated, if_hz.iter().sum())?;
    Ok(evaluated)
}

/// What came of a sample, and how many notes would fit if pitches without a unit were frequencies.
fn evaluate_one<'a>(
    chosen: &Chosen<'a>,
    arguments: &EvalArguments,
    folder: &Path,
) -> Result<(Evaluated<'a>, usize), Failure> {
    let sample = chosen.sample;
    let (samples, rate) = sample.sound()?;
    let path = folder.join(format!("{}.wav", sample.id()));
    files::write_private(&path, &wav::encode(&samples, rate)?)?;
    let limit = Duration::from_secs_f64(arguments.timeout);
    let printed = run::run(&arguments.recognizer, &path, limit);
    fs::remove_file(&path).map_err(Failure::file("remove", &path))?;
    let notes = match printed {
        Err(error @ RunError::NotStarted { .. }) => return Err(Failure::said(error)),
        Err(error) => Err(error.to_string()),
        Ok(printed) => output::notes(&printed, arguments.pitch).map_err(|error| error.to_string()),
    };
    let tolerance = arguments.tolerance / 1e3;
    let if_hz = match &notes {
        Ok(Printed {
            if_hz: Some(notes), ..
        }) => score(&chosen.expected, notes, tolerance).notes.matched,
        _ => 0,
    };
    let evaluated = Evaluated {
        sample,
        expected: chosen.expected.len(),
        left_out: chosen.left_out,
        outcome: match notes {
            Ok(printed) => Outcome::Scored(score(&chosen.expected, &printed.notes, tolerance)),
            Err(failed) => Outcome::Failed { failed },
        },
    };
    Ok((evaluated, if_hz))
}

/// Refuses to score frequencies as MIDI note numbers: where nothing says what pitches are counted in, and more of them
/// fit what is expected as frequencies, `if_hz`, they are no MIDI note numbers.
fn refuse_frequencies(evaluated: &[Evaluated<'_>], if_hz: usize) -> Result<(), Failure> {
    let scores = evaluated.iter().filter_map(|found| found.outcome.score());
    let as_midi: usize = scores.map(|score| score.notes.matched).sum();
    match if_hz > as_midi {
        false => Ok(()),
        true => Err(Failure::Said(format!(
            "the recognizer's pitches have no unit: {if_hz} of them fit the expected notes as frequencies in Hz, {as_midi} as \
             MIDI note numbers; give --pitch hz or --pitch midi"
        ))),
    }
}
