//! Consent on a device: giving and withdrawing it.

use std::{
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::json;
use sordino::{
    Purpose, Purposes, Sordino,
    consent::{AgeBand, ConsentResponse, ConsentState, Guardian, GuardianMethod, SignedRecord},
    plan::Plan,
};

use super::state::state_files;
use crate::{
    command_output::CommandOutput,
    commands::{
        consent::{NoticeArgs, notice_of},
        receipt,
    },
    error::CliError,
    files,
    output_files::{OutputFiles, Overwrite},
};

#[derive(Args)]
pub(crate) struct ConsentArgs {
    /// The purposes that the person consents to
    #[arg(long, required = true, num_args = 1..)]
    purpose: Vec<Purpose>,
    /// Whether a guardian must consent too; `unknown` counts as `child`
    #[arg(long, value_name = "adult|child|unknown", value_parser = parse_name::<AgeBand>, default_value = "unknown")]
    age_band: AgeBand,
    /// Method by which the app verified the guardian's consent
    #[arg(long, value_parser = parse_name::<GuardianMethod>)]
    guardian_method: Option<GuardianMethod>,
    #[command(flatten)]
    shown: NoticeArgs,
    /// Evidence of the guardian's consent, at least 16 random bytes; only its hash is stored
    #[arg(long, value_name = "FILE", requires = "guardian_method")]
    guardian_evidence: Option<PathBuf>,
    /// Write the receipt to this file, and print a summary instead, as on a terminal
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// Parses a value by its name in files, so that both names are always the same.
fn parse_name<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}

pub(super) fn consent(
    device: &Sordino,
    dir: &Path,
    args: ConsentArgs,
) -> Result<CommandOutput, CliError> {
    let mut inputs = state_files(dir);
    inputs.extend(args.guardian_evidence.clone());
    let outputs = OutputFiles::new(inputs.iter().map(PathBuf::as_path), args.overwrite);
    let outputs = outputs.with_option("--receipt");
    let checked = |path: &PathBuf| outputs.private(path)?.checked();
    let saved = args.receipt.as_ref().map(checked).transpose()?;
    let bundled = notice_of(&current_plan(device)?, &args.shown)?;
    let evidence = args.guardian_evidence.as_deref();
    let evidence = evidence.map(files::read).transpose()?;
    let response = ConsentResponse {
        purposes: Purposes::from_iter(args.purpose),
        age_band: args.age_band,
        guardian: args.guardian_method.map(|method| Guardian {
            method,
            evidence: evidence.as_deref(),
        }),
        notice: bundled.notice(),
    };
    let receipt = device.give_consent(&response)?;
    let note = bundled.fallback().map(|fallback| fallback.to_string());
    if let Some(saved) = &saved {
        saved.write(format!("{}\n", receipt.to_pretty_json()).as_bytes())?;
    }
    let is_read = saved.is_some() || io::stdout().is_terminal();
    Ok(consent_output(device, &receipt, is_read)?.with_note(note))
}

pub(super) fn came_of_age(device: &Sordino) -> Result<CommandOutput, CliError> {
    device.come_of_age()?;
    let state = device.consent()?.state;
    CommandOutput::new(
        format!("consent is {state}: ask the person again, as an adult"),
        json!({ "consent": state }),
    )
}

/// A summary for a person; for a script the receipt alone, in one line, which can be saved and verified.
fn consent_output(
    device: &Sordino,
    receipt: &SignedRecord,
    is_read: bool,
) -> Result<CommandOutput, CliError> {
    let text = match is_read {
        true => receipt::agreed(receipt).join("\n"),
        false => receipt.to_json(),
    };
    let json: serde_json::Value =
        serde_json::from_str(&receipt.to_json()).map_err(CliError::message)?;
    let awaits = device.consent()?.state == ConsentState::AwaitingGuardian;
    let hint = awaits.then(|| {
        "nothing is sampled until a guardian approves: consent … --guardian-method METHOD"
            .to_owned()
    });
    Ok(CommandOutput::new(text, json)?.with_hint(hint))
}

pub(super) fn withdraw(
    device: &Sordino,
    purpose: Option<Purpose>,
) -> Result<CommandOutput, CliError> {
    let withdrawal = device.withdraw(purpose)?;
    let text = format!(
        "withdrawn; {} pending samples shredded, {} sent samples to be deleted by the collector",
        withdrawal.shredded, withdrawal.deletions_pending
    );
    CommandOutput::new(text, withdrawal)
}

fn current_plan(device: &Sordino) -> Result<Plan, CliError> {
    device.plan().ok_or_else(|| {
        CliError::Message("the device has no plan; run `device DIR init` again".to_owned())
    })
}
