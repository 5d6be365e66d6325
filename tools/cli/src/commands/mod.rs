//! One file a family of commands.

mod anonymize;
mod device;
mod keys;
mod microphone;
mod plan;
mod report;
mod sealing;

use crate::{args::Command, demo, failure::Failure, pull, reply::Reply};

pub(crate) use device::annotation_of;
pub(crate) use plan::{example as example_plan, new_key};
pub(crate) use report::view as view_of_sample;

/// Runs a command.
pub(crate) fn run(command: Command, json: bool) -> Result<Reply, Failure> {
    match command {
        Command::Demo { out, recordings } => demo::run(&out, &recordings, json),
        Command::Anonymize {
            files,
            out,
            keep_time,
        } => anonymize::run(&files, &out, keep_time, json),
        Command::Capture {
            out,
            seconds,
            device,
        } => microphone::capture(&out, seconds, device, json),
        Command::Devices => microphone::devices(),
        Command::Keygen { out } => keys::keygen(&out),
        Command::Seal {
            file,
            recipient,
            out,
        } => sealing::seal(&file, &recipient, &out),
        Command::Open {
            file,
            identity,
            out,
        } => sealing::open(&file, &identity, &out),
        Command::Plan(command) => plan::run(command),
        Command::Device { dir, command } => device::run(&dir, command),
        Command::Pull(arguments) => pull::run(&arguments, json),
        Command::Report { dir, out } => report::run(&dir, out.as_deref()),
    }
}
