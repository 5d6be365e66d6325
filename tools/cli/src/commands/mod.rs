//! One file a family of commands.

mod anonymize;
mod consent;
mod device;
mod keys;
mod microphone;
mod offer;
mod plan;
mod receipt;
mod report;
mod sealing;

use crate::{
    args::Command, audit, demo, evaluate, failure::Failure, papers, pull, query, reply::Reply,
};

pub(crate) use consent::unnamed_notice;
pub(crate) use device::annotation_of;
pub(crate) use plan::{KEY_LABEL, example as example_plan, new_key, read as read_plan};
pub(crate) use report::{ReportArguments, view as view_of_sample};

/// Runs a command.
pub(crate) fn run(command: Command, json: bool) -> Result<Reply, Failure> {
    match command {
        Command::Demo {
            out,
            recordings,
            overwrite,
        } => demo::run(&out, &recordings, overwrite, json),
        Command::Anonymize {
            files,
            out,
            keep_time,
            overwrite,
        } => anonymize::run(&files, &out, keep_time, overwrite, json),
        Command::Capture {
            out,
            seconds,
            device,
            overwrite,
        } => microphone::capture(&out, seconds, device, overwrite, json),
        Command::Devices => microphone::devices(),
        Command::Keygen { out } => keys::keygen(&out),
        Command::Seal {
            file,
            recipient,
            out,
            overwrite,
        } => sealing::seal(&file, &recipient, &out, overwrite),
        Command::Open {
            file,
            identity,
            out,
            overwrite,
        } => sealing::open(&file, &identity, &out, overwrite),
        Command::Plan(command) => plan::run(command),
        Command::Consent(command) => consent::run(command),
        Command::Device { dir, command } => device::run(&dir, command, json),
        Command::Pull(arguments) => pull::run(&arguments, json),
        Command::Audit(command) => audit::run(command),
        Command::Evaluate(arguments) => evaluate::run(&arguments, json),
        Command::Query(arguments) => query::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Papers {
            out,
            plan,
            overwrite,
        } => papers::run(&out, plan.as_deref(), overwrite),
    }
}
