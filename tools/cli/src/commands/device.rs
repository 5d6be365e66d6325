//! A headless device: the SDK with its state in a folder, a command at a time.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;
use sordino::{
    Config, Offer, Purpose, Purposes, Sordino,
    capture::Pace,
    consent::{Answer, ConsentState, Notice, SignedRecord},
    outbox::{SampleEntry, SampleState},
    plan::Plan,
    sampler::Annotation,
    upload::Client,
};

use super::anonymize::read_clip;
use crate::{args::DeviceCommand, failure::Failure, files, playing, reply::Reply};

pub(super) fn run(dir: &Path, command: DeviceCommand) -> Result<Reply, Failure> {
    if let DeviceCommand::Init {
        plan,
        plan_key,
        collector,
    } = command
    {
        return init(Config::new(dir, plan_key, collector), &plan);
    }
    let device = Sordino::open_existing(dir)?;
    match command {
        DeviceCommand::Init { .. } => unreachable!("answered above"),
        DeviceCommand::Status => status(&device),
        DeviceCommand::Consent {
            purpose,
            age_band,
            guardian_method,
        } => {
            let plan = plan_of(&device)?;
            let notice = Notice::bundled(plan.notice_version);
            let answer = Answer {
                purposes: Purposes::from_iter(purpose),
                age_band,
                guardian: guardian_method,
                notice: &notice,
            };
            let receipt = device.give_consent(&answer)?;
            consented(&device, &receipt)
        }
        DeviceCommand::Withdraw { purpose } => withdraw(&device, purpose),
        DeviceCommand::Offer { file, annotation } => offer(&device, &file, annotation.as_deref()),
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
                Pace::AsTaken
            },
        ),
        DeviceCommand::Upload => upload(&device),
        DeviceCommand::Samples => samples(&device),
        DeviceCommand::Delete { sample } => {
            let entry = device.delete(sample)?;
            Reply::new(line_of(&entry), entry)
        }
        DeviceCommand::Accesses { sample } => {
            let accesses = device.accesses(sample, &Client::default())?;
            let lines: Vec<String> = accesses
                .accesses
                .iter()
                .map(|access| format!("{}  {}  {}", access.week, access.purpose, access.reader))
                .collect();
            let text = match lines.is_empty() {
                true => "nobody has opened it".to_owned(),
                false => lines.join("\n"),
            };
            Reply::new(text, accesses)
        }
    }
}

fn init(config: Config, plan: &Path) -> Result<Reply, Failure> {
    let json = files::read(plan)?;
    let organisation = config.organisation;
    let collector = config.collector.to_string();
    let folder = config.folder.clone();
    // Checked before anything is made, so that a bad plan leaves no folder behind.
    let version = Plan::verify(&json, &organisation)
        .and_then(|signed| {
            let plan = signed.content();
            plan.check_in_force(Timestamp::now())?;
            Ok(plan.version)
        })
        .map_err(Failure::content(plan))?;
    let device = Sordino::open(config)?;
    device.install_plan(&json)?;
    Reply::new(
        format!(
            "device in {}: plan version {version}, collector {collector}",
            folder.display()
        ),
        json!({ "device": folder, "plan_version": version, "collector": collector }),
    )
}

fn plan_of(device: &Sordino) -> Result<Plan, Failure> {
    device.plan().ok_or_else(|| {
        Failure::Said("no plan is in force on this device; run `device DIR init` again".to_owned())
    })
}

fn status(device: &Sordino) -> Result<Reply, Failure> {
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
    Reply::new(text, status)
}

fn consented(device: &Sordino, receipt: &SignedRecord) -> Result<Reply, Failure> {
    let json: serde_json::Value =
        serde_json::from_str(&receipt.to_json()).map_err(Failure::said)?;
    let state = device.consent()?.state;
    let hint = match state {
        ConsentState::AwaitingGuardian => {
            "\nnothing is sampled until a guardian approves: consent … --guardian-method METHOD"
        }
        _ => "",
    };
    Reply::new(
        format!("{}\nconsent is {state}{hint}", receipt.to_pretty_json()),
        json,
    )
}

fn withdraw(device: &Sordino, purpose: Option<Purpose>) -> Result<Reply, Failure> {
    let withdrawal = device.withdraw(purpose)?;
    let text = format!(
        "withdrawn; {} pending samples shredded, {} deletions to be acknowledged by the collector",
        withdrawal.shredded, withdrawal.deletions_pending
    );
    Reply::new(text, withdrawal)
}

fn offer(device: &Sordino, file: &Path, annotation: Option<&Path>) -> Result<Reply, Failure> {
    // Without leave to sample, the sound is not even read.
    if let Some(reason) = device.may_sample()? {
        return offered(Offer::Withheld { reason });
    }
    let annotation = annotation
        .map(annotation_of)
        .transpose()?
        .unwrap_or_default();
    offered(device.offer(read_clip(file, annotation)?)?)
}

/// Reads an app's annotation.
pub(crate) fn annotation_of(path: &Path) -> Result<Annotation, Failure> {
    Annotation::from_json(&files::read(path)?).map_err(Failure::content(path))
}

fn offered(offer: Offer) -> Result<Reply, Failure> {
    let text = match offer {
        Offer::Queued { sample_id } => format!("queued as {sample_id}"),
        Offer::Withheld { reason } => format!("withheld: {reason}"),
    };
    Reply::new(text, offer)
}

fn listen(
    device: &Sordino,
    recordings: &[PathBuf],
    mark: bool,
    pace: Pace,
) -> Result<Reply, Failure> {
    let mut all = Vec::new();
    for file in recordings {
        let annotation = match mark {
            true => Some(annotation_of(&file.with_extension("json"))?),
            false => None,
        };
        all.push(playing::play(device, file, annotation, pace)?);
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
                played.file.display(),
                played.queued.len()
            )
        })
        .collect();
    let problem = all.iter().flat_map(|played| &played.failed).next().cloned();
    Ok(Reply::new(lines.join("\n"), all)?.with_problem(problem))
}

fn upload(device: &Sordino) -> Result<Reply, Failure> {
    let summary = device.upload_now(&Client::default())?;
    let text = format!(
        "{} registrations, {} samples, {} deletions acknowledged; {} refused, {} to be tried again",
        summary.registrations, summary.samples, summary.deletions, summary.refused, summary.failed
    );
    let problem = summary.problem.clone();
    Ok(Reply::new(text, summary)?.with_problem(problem))
}

fn line_of(entry: &SampleEntry) -> String {
    let state = match entry.state {
        SampleState::Pending => "pending",
        SampleState::Sent => "sent",
        SampleState::DeletionAsked => "deletion asked",
        SampleState::Deleted => "deleted",
        SampleState::Dropped => "dropped",
        SampleState::Refused => "refused",
    };
    format!(
        "{}  {}  {state:14}  {:4.1} s  {}",
        entry.id, entry.week, entry.seconds, entry.purposes
    )
}

fn samples(device: &Sordino) -> Result<Reply, Failure> {
    let entries = device.samples()?;
    let text = match entries.is_empty() {
        true => "no sample was ever made".to_owned(),
        false => entries.iter().map(line_of).collect::<Vec<_>>().join("\n"),
    };
    Reply::new(text, entries)
}
