//! `sordino`: the command-line tool for demo, QA and research.

mod api;
mod args;
mod audit;
mod commands;
mod dataset;
mod demo;
mod digest;
mod evaluate;
mod failure;
mod files;
mod notes;
mod output;
mod papers;
mod playing;
mod pull;
mod query;
mod recording;
mod reply;
mod report;
mod table;
mod wav;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => return reply::misused(&error),
        Err(help) => help.exit(),
    };
    let outcome = commands::run(arguments.command, arguments.json);
    reply::finish(outcome, arguments.json)
}
