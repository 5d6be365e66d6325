//! The command line of `query`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sordino::sampler::Trigger;
use sordino_scoring::{GroupBy, Metric};

use crate::tolerance::ToleranceArgs;

#[derive(Args)]
pub(crate) struct QueryArgs {
    /// The dataset's folder
    pub(crate) dir: PathBuf,
    /// What a row is of
    #[arg(long, value_enum, default_value = "note")]
    pub(crate) by: GroupByArgument,
    /// What is the worst
    #[arg(long, value_enum, default_value = "f1")]
    pub(crate) metric: MetricArgument,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) worst: usize,
    /// Only clips with this trigger; each trigger has a table of its own
    #[arg(long, value_enum)]
    pub(crate) trigger: Option<TriggerArgument>,
    #[command(flatten)]
    pub(crate) tolerance: ToleranceArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroupByArgument {
    Exercise,
    Note,
    #[value(name = "exercise,note", alias = "note,exercise")]
    Both,
}

impl From<GroupByArgument> for GroupBy {
    fn from(by: GroupByArgument) -> Self {
        match by {
            GroupByArgument::Exercise => Self::Exercise,
            GroupByArgument::Note => Self::Note,
            GroupByArgument::Both => Self::ExerciseAndNote,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MetricArgument {
    /// Of the notes expected, those for which nothing was recognized
    Missed,
    /// Of the notes recognized, those for which nothing was expected
    Extra,
    /// Of the notes expected, those for which another was recognized
    Wrong,
    /// Of the notes expected and recognized, those that are in both
    F1,
}

impl From<MetricArgument> for Metric {
    fn from(metric: MetricArgument) -> Self {
        match metric {
            MetricArgument::Missed => Self::Missed,
            MetricArgument::Extra => Self::Extra,
            MetricArgument::Wrong => Self::Wrong,
            MetricArgument::F1 => Self::F1,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TriggerArgument {
    /// Drawn: they stand for all that is played
    Random,
    /// Marked by the app: they stand for what it marks
    Mark,
}

impl TriggerArgument {
    pub(super) fn trigger(self) -> Trigger {
        match self {
            Self::Random => Trigger::Random,
            Self::Mark => Trigger::Mark,
        }
    }
}
