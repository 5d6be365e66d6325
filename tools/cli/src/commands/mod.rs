//! One file a family of commands.

mod anonymize;
mod capture;
mod consent;
mod device;
mod keygen;
mod plan;
mod receipt;
mod report;
mod seal;
mod submit;

use crate::{
    args::Command, audit, command_output::CommandOutput, compliance, demo, error::CliError,
    evaluate, pull, query,
};

pub(crate) use consent::unnamed_notice;
pub(crate) use device::read_annotation;
pub(crate) use plan::{KEY_LABEL, example as example_plan, new_key, read as read_plan};
pub(crate) use report::{ReportArgs, view as view_of_sample};

/// Runs a command.
pub(crate) fn run(command: Command, json: bool) -> Result<CommandOutput, CliError> {
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
        } => capture::capture(&out, seconds, device, overwrite, json),
        Command::Devices => capture::devices(),
        Command::Keygen { out } => keygen::keygen(&out),
        Command::Seal {
            file,
            recipient,
            out,
            overwrite,
        } => seal::seal(&file, &recipient, &out, overwrite),
        Command::Open {
            file,
            identity,
            out,
            overwrite,
        } => seal::open(&file, &identity, &out, overwrite),
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
        } => compliance::run(&out, plan.as_deref(), overwrite),
    }
}
