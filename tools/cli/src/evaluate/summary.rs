//! The summary of a run: estimates by trigger and exercise.

use std::collections::BTreeMap;

use serde::Serialize;
use sordino::{Id, sampler::Trigger};
use sordino_scoring::{
    Change, MatchCounts, NoteScore, PairedScore, Ratio, min_records_for_significance, weighted_mean,
};

use super::result::SampleResult;
use crate::dataset::{Sample, trigger_name};

/// A sample for which the recognizer was run.
pub(super) struct EvaluatedSample<'a> {
    pub(super) sample: Sample<'a>,
    /// Expected notes in the kept parts.
    pub(super) expected: usize,
    /// Expected notes that began in removed parts.
    pub(super) left_out: usize,
    pub(super) outcome: SampleResult,
}

/// The whole summary.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) tolerance_ms: f64,
    /// Samples for which the recognizer was run.
    pub(super) samples: usize,
    /// Consent records of these samples.
    pub(super) records: usize,
    /// Expected notes in the kept parts.
    pub(super) expected: usize,
    /// Expected notes that began in removed parts.
    pub(super) left_out: usize,
    /// Samples for which it failed; they are excluded from all figures.
    pub(super) failed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failure: Option<String>,
    /// Failed samples that the baseline scored.
    newly_failed: usize,
    /// Scored samples that the baseline does not have or failed for; they are excluded from differences.
    pub(super) without_baseline: usize,
    /// Clips of one trigger each: the two estimate different things.
    pub(super) groups: Vec<Group>,
}

/// Clips of one trigger.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    pub(super) trigger: &'static str,
    pub(super) all: Estimates,
    pub(super) exercises: BTreeMap<String, Estimates>,
}

/// The estimates from some clips.
#[derive(Debug, Serialize)]
pub(super) struct Estimates {
    pub(super) samples: usize,
    pub(super) records: usize,
    pub(super) precision: Option<Ratio>,
    pub(super) recall: Option<Ratio>,
    pub(super) f1: Option<Ratio>,
    /// F1 with offsets, of the samples whose notes all have one.
    pub(super) f1_with_offset: Option<Ratio>,
    pub(super) overlap: Option<Ratio>,
    /// Comparison on the samples that the baseline scored too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) change: Option<Change>,
}

/// A difference with a p-value below this, divided by the number of tested groups, is
/// significant.
const SIGNIFICANCE_LEVEL: f64 = 0.05;

impl Summary {
    pub(super) fn of(
        evaluated: &[EvaluatedSample<'_>],
        baseline: Option<&BTreeMap<Id, SampleResult>>,
        tolerance_ms: f64,
    ) -> Self {
        let scored_before = |found: &EvaluatedSample<'_>| {
            baseline?
                .get(&found.sample.id())
                .and_then(SampleResult::score)
        };
        let failures: Vec<(&EvaluatedSample<'_>, &str)> = evaluated
            .iter()
            .filter_map(|found| match &found.outcome {
                SampleResult::Failed { failed } => Some((found, failed.as_str())),
                SampleResult::Scored(_) => None,
            })
            .collect();
        let first = failures.first();
        let pairs: Vec<Pair<'_>> = evaluated
            .iter()
            .filter_map(|found| {
                Some(Pair {
                    sample: found.sample,
                    after: *found.outcome.score()?,
                    before: scored_before(found).copied(),
                })
            })
            .collect();
        let groups = [Trigger::Random, Trigger::Mark].into_iter();
        Self {
            tolerance_ms,
            samples: evaluated.len(),
            records: records(evaluated.iter().map(|found| found.sample)),
            expected: evaluated.iter().map(|found| found.expected).sum(),
            left_out: evaluated.iter().map(|found| found.left_out).sum(),
            failed: failures.len(),
            first_failure: first.map(|(found, why)| format!("sample {}: {why}", found.sample.id())),
            newly_failed: failures
                .iter()
                .filter(|(found, _)| scored_before(found).is_some())
                .count(),
            without_baseline: match baseline {
                Some(_) => pairs.iter().filter(|pair| pair.before.is_none()).count(),
                None => 0,
            },
            groups: groups
                .filter_map(|trigger| Group::of(trigger, &pairs))
                .collect(),
        }
    }

    pub(super) fn scored(&self) -> usize {
        self.samples - self.failed
    }

    /// A message about failed samples, in one line.
    pub(super) fn failures(&self) -> Option<String> {
        let first = self.first_failure.as_ref()?;
        Some(format!(
            "{} of {} samples failed and are in no figure; the first, {first}",
            self.failed, self.samples
        ))
    }

    /// A message about the regression against the baseline, in one line.
    pub(super) fn regression(&self) -> Option<String> {
        if self.newly_failed > 0 {
            return Some(format!(
                "worse than the baseline: it fails for {} samples that the baseline scored; the \
                 first failure, {}",
                self.newly_failed,
                self.first_failure.as_deref().unwrap_or_default()
            ));
        }
        let changes = || {
            let changes = self.groups.iter();
            changes.filter_map(|group| Some((group, group.all.change.as_ref()?)))
        };
        // Two tests at half the level each keep the rate of false alarms at one in twenty.
        let testable = changes().filter(|(_, change)| is_testable(change)).count();
        let level = SIGNIFICANCE_LEVEL / testable.max(1) as f64;
        changes()
            .filter(|(_, change)| change.comparison.difference < 0.0 && change.comparison.p < level)
            .map(|(group, change)| {
                format!(
                    "worse than the baseline: F1 of {} clips fell from {:.3} to {:.3}, p = {:.2}",
                    group.trigger,
                    change.before,
                    change.after,
                    // Rounded down, so that a p-value below the level is not shown as the level.
                    (change.comparison.p * 1e4).floor() / 1e4
                )
            })
            .next()
    }
}

/// Whether a change has enough consent records for a significant difference.
pub(super) fn is_testable(change: &Change) -> bool {
    change.records >= min_records_for_significance(SIGNIFICANCE_LEVEL)
}

/// A sample with both scores.
#[derive(Clone, Copy)]
struct Pair<'a> {
    sample: Sample<'a>,
    after: NoteScore,
    before: Option<NoteScore>,
}

impl Group {
    fn of(trigger: Trigger, pairs: &[Pair<'_>]) -> Option<Self> {
        let mut of_trigger = pairs.to_vec();
        of_trigger.retain(|pair| pair.sample.trigger() == trigger);
        if of_trigger.is_empty() {
            return None;
        }
        let mut exercises: BTreeMap<String, Vec<Pair<'_>>> = BTreeMap::new();
        for pair in &of_trigger {
            let exercise = pair.sample.exercise().to_owned();
            exercises.entry(exercise).or_default().push(*pair);
        }
        let exercises = exercises.into_iter();
        Some(Self {
            trigger: trigger_name(trigger),
            all: Estimates::of(&of_trigger),
            exercises: exercises
                .map(|(exercise, pairs)| (exercise, Estimates::of(&pairs)))
                .collect(),
        })
    }
}

impl Estimates {
    fn of(pairs: &[Pair<'_>]) -> Self {
        let notes = |of: fn(&MatchCounts) -> f64| mean(pairs, |pair| Some(of(&pair.after.notes)));
        Self {
            samples: pairs.len(),
            records: records(pairs.iter().map(|pair| pair.sample)),
            precision: notes(MatchCounts::precision),
            recall: notes(MatchCounts::recall),
            f1: notes(MatchCounts::f1),
            f1_with_offset: mean(pairs, |pair| Some(pair.after.with_offset()?.f1())),
            overlap: mean(pairs, |pair| pair.after.overlap),
            change: change(pairs),
        }
    }
}

/// The weighted mean over clips of the value that `of` returns; clips without a value are excluded.
fn mean(pairs: &[Pair<'_>], of: impl Fn(&Pair<'_>) -> Option<f64>) -> Option<Ratio> {
    weighted_mean(pairs.iter().filter_map(|pair| {
        let value = of(pair)?;
        Some((pair.sample.record(), pair.sample.weight(), value))
    }))
}

fn change(pairs: &[Pair<'_>]) -> Option<Change> {
    Change::new(pairs.iter().filter_map(|pair| {
        Some(PairedScore {
            record: pair.sample.record(),
            weight: pair.sample.weight(),
            before: pair.before.as_ref()?.notes.f1(),
            after: pair.after.notes.f1(),
        })
    }))
}

fn records<'a>(samples: impl Iterator<Item = Sample<'a>>) -> usize {
    let all: std::collections::BTreeSet<Id> = samples.map(|sample| sample.record()).collect();
    all.len()
}
