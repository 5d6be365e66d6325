//! `sordino`: the command-line tool for demo, QA and research.

mod args;
mod commands;
mod demo;
mod failure;
mod files;
mod open;
mod playing;
mod pull;
mod reply;
mod report;
mod wav;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    let outcome = commands::run(arguments.command, arguments.json);
    reply::finish(outcome, arguments.json)
}
