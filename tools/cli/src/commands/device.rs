//! A headless device: the SDK with its state in a folder, a command at a time.

use std::{
    fs,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde_json::json;
use sordino::{
    Config, Id, Purpose, Purposes, Sordino,
    capture::Pace,
    consent::{ConsentResponse, ConsentState, Guardian, SignedRecord},
    outbox::{SampleEntry, SampleState},
    plan::Plan,
    sampler::{Annotation, Trigger},
    text::printable_line,
    upload::{Accesses, Client, Waiting, WaitingKind},
};

use super::{consent, receipt, submit};
use crate::{
    args::{DeviceCommand, NetworkArguments},
    command_output::CommandOutput,
    error::CliError,
    files,
    output_files::OutputFiles,
    playback,
};

pub(super) fn run(
    dir: &Path,
    command: DeviceCommand,
    json: bool,
) -> Result<CommandOutput, CliError> {
    run_command(dir, command, json).map_err(|failure| failure.with_device_hint(dir))
}

fn run_command(dir: &Path, command: DeviceCommand, json: bool) -> Result<CommandOutput, CliError> {
    if let DeviceCommand::Init {
        plan,
        plan_key,
        collector,
    } = command
    {
        return init(Config::new(dir, plan_key, collector), &plan);
    }
    if let DeviceCommand::Reset = command {
        return reset(dir);
    }
    let device = Sordino::open_existing(dir)?;
    match command {
        DeviceCommand::Init { .. } | DeviceCommand::Reset => unreachable!("answered above"),
        DeviceCommand::Status => status(&device),
        DeviceCommand::Consent {
            purpose,
            age_band,
            guardian_method,
            guardian_evidence,
            shown,
            receipt: saved,
            overwrite,
        } => {
            let mut inputs = state_files(dir);
            inputs.extend(guardian_evidence.clone());
            let outputs = OutputFiles::new(inputs.iter().map(PathBuf::as_path), overwrite);
            let outputs = outputs.with_option("--receipt");
            let checked = |path: &PathBuf| outputs.private(path)?.checked();
            let saved = saved.as_ref().map(checked).transpose()?;
            let bundled = consent::notice_of(&current_plan(&device)?, &shown)?;
            let evidence = guardian_evidence.as_deref().map(files::read).transpose()?;
            let answer = ConsentResponse {
                purposes: Purposes::from_iter(purpose),
                age_band,
                guardian: guardian_method.map(|method| Guardian {
                    method,
                    evidence: evidence.as_deref(),
                }),
                notice: bundled.notice(),
            };
            let receipt = device.give_consent(&answer)?;
            let note = bundled.fallback().map(|fallback| fallback.to_string());
            if let Some(saved) = &saved {
                saved.write(format!("{}\n", receipt.to_pretty_json()).as_bytes())?;
            }
            let is_read = saved.is_some() || io::stdout().is_terminal();
            Ok(consent_output(&device, &receipt, is_read)?.with_note(note))
        }
        DeviceCommand::Withdraw { purpose } => withdraw(&device, purpose),
        DeviceCommand::Offer {
            file,
            annotation,
            preview,
            yes,
            overwrite,
        } => {
            let review = submit::ReviewOptions {
                preview,
                yes,
                overwrite,
            };
            submit::run(&device, dir, &file, annotation.as_deref(), &review, json)
        }
        DeviceCommand::Listen {
            files,
            mark,
            real_time,
        } => listen(
            &device,
            &files,
            mark,
            if real_time {
                Pace::RealTime
            } else {
                Pace::Unthrottled
            },
        ),
        DeviceCommand::Upload(network) => upload(&device, &network),
        DeviceCommand::Samples => samples(&device),
        DeviceCommand::Delete { sample, .. } => delete(&device, sample),
        DeviceCommand::CameOfAge => {
            device.come_of_age()?;
            let state = device.consent()?.state;
            CommandOutput::new(
                format!("consent is {state}: ask the person anew, as an adult"),
                json!({ "consent": state }),
            )
        }
        DeviceCommand::Export { out, overwrite } => {
            let output = OutputFiles::new(state_files(dir).iter().map(PathBuf::as_path), overwrite);
            // Not checked before: of the same state comes the very same archive, and that is no obstacle.
            let output = output.private(&out)?;
            let archive = device.export_my_data()?;
            output.write(&archive)?;
            CommandOutput::new(
                format!("wrote {}", out.display()),
                json!({ "out": out, "bytes": archive.len() }),
            )
        }
        DeviceCommand::Accesses { sample, network } => {
            let client = Client::with_settings(&network.settings()?);
            let accesses = device.accesses(sample, &client)?;
            let broken = accesses.broken.map(|broken| broken.to_string());
            Ok(CommandOutput::new(accesses_text(&accesses), accesses)?.with_problem(broken))
        }
    }
}

/// The files of a device's state, which no command writes over.
pub(super) fn state_files(dir: &Path) -> Vec<PathBuf> {
    let folders = [dir.to_owned(), dir.join("outbox")];
    let listings = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let files = listings.flat_map(|listing| listing.flatten().map(|file| file.path()));
    files.filter(|file| file.is_file()).collect()
}

fn init(config: Config, plan: &Path) -> Result<CommandOutput, CliError> {
    let json = files::read_text(plan)?.into_bytes();
    let organization = config.organization;
    let collector = config.collector.to_string();
    let folder = config.folder.clone();
    // Checked before anything is made, so that a bad plan leaves no folder behind.
    let version = Plan::verify(&json, &organization)
        .and_then(|signed| {
            let plan = signed.content();
            plan.check_in_force(Timestamp::now())?;
            Ok(plan.version)
        })
        .map_err(CliError::content(plan))?;
    let device = Sordino::open(config)?;
    device.install_plan(&json)?;
    CommandOutput::new(
        format!(
            "device in {}: plan version {version}, collector {collector}",
            folder.display()
        ),
        json!({ "device": folder, "plan_version": version, "collector": collector }),
    )
}

fn current_plan(device: &Sordino) -> Result<Plan, CliError> {
    device.plan().ok_or_else(|| {
        CliError::Message(
            "no plan is in force on this device; run `device DIR init` again".to_owned(),
        )
    })
}

fn status(device: &Sordino) -> Result<CommandOutput, CliError> {
    let status = device.status()?;
    let purposes = match status.purposes.is_empty() {
        true => String::new(),
        false => format!(" ({})", status.purposes),
    };
    let text = format!(
        "consent            {}{purposes}\npending            {} samples, {} bytes\n\
         sent               {}\ndeletions pending  {}",
        status.consent, status.pending, status.pending_bytes, status.sent, status.deletions_pending
    );
    let lines = std::iter::once(text).chain(status.waiting.iter().map(waiting_line));
    CommandOutput::new(lines.collect::<Vec<_>>().join("\n"), status)
}

/// To a person who reads it, what was agreed to; to a script the receipt, in a line, and nothing else: saved to a file as
/// it is, it can be verified.
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

fn withdraw(device: &Sordino, purpose: Option<Purpose>) -> Result<CommandOutput, CliError> {
    let withdrawal = device.withdraw(purpose)?;
    let text = format!(
        "withdrawn; {} pending samples shredded, {} sent samples to be deleted by the collector",
        withdrawal.shredded, withdrawal.deletions_pending
    );
    CommandOutput::new(text, withdrawal)
}

/// Reads an app's annotation.
pub(crate) fn read_annotation(path: &Path) -> Result<Annotation, CliError> {
    Annotation::from_json(files::read_text(path)?.as_bytes()).map_err(CliError::content(path))
}

fn delete(device: &Sordino, sample: Option<Id>) -> Result<CommandOutput, CliError> {
    if let Some(sample) = sample {
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

fn reset(dir: &Path) -> Result<CommandOutput, CliError> {
    let goes_on = Sordino::reset(dir)?;
    let text = match goes_on {
        true => "all is forgotten; `upload` asks back what was sent",
        false => {
            "the state was damaged and all is forgotten; `init` the device again, and `upload` asks back \
             what was sent"
        }
    };
    CommandOutput::new(text, json!({ "settings_kept": goes_on }))
}

fn listen(
    device: &Sordino,
    recordings: &[PathBuf],
    mark: bool,
    pace: Pace,
) -> Result<CommandOutput, CliError> {
    let mut all = Vec::new();
    for file in recordings {
        let annotation = match mark {
            true => Some(read_annotation(&file.with_extension("json"))?),
            false => None,
        };
        let mut played = playback::play(device, file, annotation, pace)?;
        submit::discard_all(device, &mut played)?;
        all.push(played);
    }
    let lines: Vec<String> = all
        .iter()
        .map(|played| {
            let withheld: Vec<String> = played.withheld.iter().map(ToString::to_string).collect();
            let withheld = match withheld.is_empty() {
                true => String::new(),
                false => format!("; withheld: {}", withheld.join(", ")),
            };
            format!(
                "{}: {} queued{withheld}",
                printable_line(&played.file.display().to_string()),
                played.queued.len()
            )
        })
        .collect();
    let problem = all.iter().flat_map(|played| &played.failed).next().cloned();
    Ok(CommandOutput::new(lines.join("\n"), all)?.with_problem(problem))
}

fn upload(device: &Sordino, network: &NetworkArguments) -> Result<CommandOutput, CliError> {
    let due = || device.status().map_or(0, |status| status.deletions_pending);
    let asked = due();
    let client = Client::with_settings(&network.settings()?);
    let summary = device.upload(&client)?;
    // One withdrawal asks for many.
    let deleted = asked.saturating_sub(due());
    let text = format!(
        "{} registrations, {} samples, {} withdrawals and deletions acknowledged, which delete {deleted} samples; \
         {} refused, {} to be tried again",
        summary.registrations, summary.samples, summary.deletions, summary.refused, summary.failed
    );
    let lines: Vec<String> = summary.waiting.iter().map(waiting_line).collect();
    // What waits for something is no less unsent than what failed just now.
    let held_up = summary.waiting.iter().find(|some| some.reason.is_some());
    let problem = summary.problem.clone();
    let problem = problem.or_else(|| held_up.map(waiting_line));
    let text = std::iter::once(text).chain(lines).collect::<Vec<_>>();
    let mut json = serde_json::to_value(summary).map_err(CliError::message)?;
    json["deleted_samples"] = json!(deleted);
    Ok(CommandOutput::new(text.join("\n"), json)?.with_problem(problem))
}

/// What waits, why, and until when, in a line.
fn waiting_line(some: &Waiting) -> String {
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

fn accesses_text(accesses: &Accesses) -> String {
    if accesses.accesses.is_empty() {
        return "nobody has opened it".to_owned();
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
    // Of one that was taken back no purpose is left.
    let purposes = match entry.purposes.is_empty() {
        true => "no purpose".to_owned(),
        false => entry.purposes.to_string(),
    };
    format!(
        "{}  {}  {state:14}  {trigger}  {:4.1} s  {purposes}",
        entry.id, entry.week, entry.seconds
    )
}

fn samples(device: &Sordino) -> Result<CommandOutput, CliError> {
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
