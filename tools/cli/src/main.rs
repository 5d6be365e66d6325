//! `sordino`: the command-line tool for demo, QA and research.

mod api;
mod args;
mod audit;
mod command_output;
mod commands;
mod compliance;
mod dataset;
mod demo;
mod digest;
mod error;
mod evaluate;
mod files;
mod network;
mod notes;
mod output_files;
mod playback;
mod pull;
mod query;
mod recording;
mod report;
mod secrets;
mod table;
mod tolerance;
mod wav;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return command_output::usage_error(&error),
        Err(help) => help.exit(),
    };
    let json = cli.json;
    command_output::finish(cli.command.run(json), json)
}
