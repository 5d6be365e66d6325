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
    /// Group rows by
    #[arg(long, value_enum, default_value = "note")]
    pub(crate) by: GroupByArgument,
    /// The metric to sort by
    #[arg(long, value_enum, default_value = "f1")]
    pub(crate) metric: MetricArgument,
    /// Number of rows of each trigger
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) worst: usize,
    /// Only clips with this trigger; there is one table per trigger
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
    /// Expected notes for which nothing was recognized
    Missed,
    /// Recognized notes for which nothing was expected
    Extra,
    /// Expected notes for which another pitch was recognized
    Wrong,
    /// Expected and recognized notes that match
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
    /// Drawn at random: they represent all that is played
    Random,
    /// Marked by the app: they represent what it marks
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
