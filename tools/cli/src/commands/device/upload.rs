//! Requests of a device to its collector.

use clap::Args;
use serde_json::json;
use sordino::{
    Id, Sordino,
    text::printable_line,
    upload::{Accesses, Client, Waiting, WaitingKind},
};

use crate::{command_output::CommandOutput, error::CliError, network::NetworkArgs};

#[derive(Args)]
pub(crate) struct AccessesArgs {
    /// The sample
    sample: Id,
    #[command(flatten)]
    network: NetworkArgs,
}

pub(super) fn upload(device: &Sordino, network: &NetworkArgs) -> Result<CommandOutput, CliError> {
    let due = || device.status().map_or(0, |status| status.deletions_pending);
    let asked = due();
    let client = Client::with_settings(&network.settings()?);
    let summary = device.upload(&client)?;
    // One withdrawal may delete many samples.
    let deleted = asked.saturating_sub(due());
    let text = format!(
        "{} registrations, {} samples, {} withdrawals and deletions acknowledged, which delete {deleted} samples; \
         {} refused, {} to be tried again",
        summary.registrations, summary.samples, summary.deletions, summary.refused, summary.failed
    );
    let lines: Vec<String> = summary.waiting.iter().map(waiting_line).collect();
    // Waiting tasks are unsent too, like failed ones.
    let held_up = summary.waiting.iter().find(|some| some.reason.is_some());
    let problem = summary.problem.clone();
    let problem = problem.or_else(|| held_up.map(waiting_line));
    let text = std::iter::once(text).chain(lines).collect::<Vec<_>>();
    let mut json = serde_json::to_value(summary).map_err(CliError::message)?;
    json["deleted_samples"] = json!(deleted);
    Ok(CommandOutput::new(text.join("\n"), json)?.with_problem(problem))
}

/// A waiting task with its reason and time, in one line.
pub(super) fn waiting_line(some: &Waiting) -> String {
    let (one, many) = match some.kind {
        WaitingKind::Withdrawal => ("withdrawal", "withdrawals"),
        WaitingKind::Deletion => ("deletion", "deletions"),
        WaitingKind::Registration => ("registration", "registrations"),
        WaitingKind::Sample => ("sample", "samples"),
    };
    let (what, waits) = match some.count {
        1 => (one, "waits"),
        _ => (many, "wait"),
    };
    let until = some.until.map(|until| format!(" until {until:.0}"));
    let why = match &some.reason {
        Some(reason) => format!(": {reason}"),
        None => ", due now".to_owned(),
    };
    let count = some.count;
    format!("{count} {what} {waits}{}{why}", until.unwrap_or_default())
}

pub(super) fn accesses(device: &Sordino, args: &AccessesArgs) -> Result<CommandOutput, CliError> {
    let client = Client::with_settings(&args.network.settings()?);
    let accesses = device.accesses(args.sample, &client)?;
    let broken = accesses.broken.map(|broken| broken.to_string());
    Ok(CommandOutput::new(accesses_text(&accesses), accesses)?.with_problem(broken))
}

fn accesses_text(accesses: &Accesses) -> String {
    if accesses.accesses.is_empty() {
        return "nobody has downloaded it".to_owned();
    }
    let lines = accesses.accesses.iter().map(|access| {
        let entry = access.entry.zip(access.hash);
        let entry = entry.map_or_else(String::new, |(entry, hash)| {
            format!("  entry {entry} of the log, {hash}")
        });
        format!(
            "{}  {}  {}{entry}",
            access.week,
            access.purpose,
            printable_line(&access.reader)
        )
    });
    let head = accesses.head.map(|head| format!("head of the log  {head}"));
    let root = accesses.head.and_then(|head| head.audit_root());
    let root = root.map(|root| format!("root of the log  {root}"));
    lines.chain(head).chain(root).collect::<Vec<_>>().join("\n")
}
