//! The samples of a device.

use clap::{ArgGroup, Args};
use serde_json::json;
use sordino::{
    Id, Sordino,
    outbox::{SampleEntry, SampleState},
    sampler::Trigger,
};

use crate::{command_output::CommandOutput, error::CliError};

#[derive(Args)]
#[command(group(ArgGroup::new("which").required(true).args(["sample", "all"])))]
pub(crate) struct DeleteArgs {
    /// The sample, as `samples` names it
    sample: Option<Id>,
    /// All samples
    #[arg(long)]
    all: bool,
}

fn sample_line(entry: &SampleEntry) -> String {
    let state = match entry.state {
        SampleState::Pending => "pending",
        SampleState::Sent => "sent",
        SampleState::DeletionAsked => "deletion asked",
        SampleState::Deleted => "deleted",
        SampleState::Dropped => "dropped",
        SampleState::Refused => "refused",
    };
    let trigger = match entry.selection.trigger {
        Trigger::Mark => "marked",
        Trigger::Random => "random",
    };
    // A withdrawn sample has no purposes.
    let purposes = match entry.purposes.is_empty() {
        true => "no purpose".to_owned(),
        false => entry.purposes.to_string(),
    };
    format!(
        "{}  {}  {state:14}  {trigger}  {:4.1} s  {purposes}",
        entry.id, entry.week, entry.seconds
    )
}

pub(super) fn samples(device: &Sordino) -> Result<CommandOutput, CliError> {
    let entries = device.samples()?;
    let text = match entries.is_empty() {
        true => "there are no samples".to_owned(),
        false => entries
            .iter()
            .map(sample_line)
            .collect::<Vec<_>>()
            .join("\n"),
    };
    CommandOutput::new(text, entries)
}

pub(super) fn delete(device: &Sordino, args: &DeleteArgs) -> Result<CommandOutput, CliError> {
    if let Some(sample) = args.sample {
        let entry = device.delete(sample)?;
        return CommandOutput::new(sample_line(&entry), entry);
    }
    device.delete_all()?;
    let status = device.status()?;
    let text = format!(
        "all samples deleted here; {} sent samples to be deleted by the collector",
        status.deletions_pending
    );
    CommandOutput::new(
        text,
        json!({ "deletions_pending": status.deletions_pending }),
    )
}
