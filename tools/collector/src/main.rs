//! `sordino-collector`: the service, and the tokens of QA tools.

mod command;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use sordino::text::{printable, printable_line};

use crate::command::{
    CommandResult,
    backup::{Backup, Restore},
    log::Log,
    maintenance::{Check, Delete, RenewEpoch, Retention, Withdraw},
    plan::PlanCommand,
    quarantine::QuarantineCommand,
    serve::Serve,
    token::TokenCommand,
};

/// Receives Sordino's sealed samples, hands them to QA tools, and honors withdrawals.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON document on stdout and nothing else.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    log: Log,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service until SIGINT or SIGTERM.
    Serve(Serve),
    /// Manage the tokens of QA tools.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manage the plan that is served to devices.
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Compare the database with the stored objects; exit with status 1 on a mismatch. A collector may be running.
    Check(Check),
    /// Delete samples for a person who requests it outside the app.
    Delete(Delete),
    /// Withdraw a consent record for a person who has only the receipt.
    Withdraw(Withdraw),
    /// Make every device repeat its withdrawals and deletions, after the database was restored by other means than
    /// `restore`.
    RenewEpoch(RenewEpoch),
    /// Delete samples whose retention period under the current plan has ended, as the service does every hour.
    Retention(Retention),
    /// Manage the samples that a reader quarantined because of an audible voice.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Write a backup to a new folder. A collector may be running.
    Backup(Backup),
    /// Restore a backup into an empty database, before a collector is started on it.
    Restore(Restore),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let message = error.render().to_string();
            let _ = write!(io::stderr(), "{}", printable(&message));
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    cli.log.start();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = error.to_string().replace(['\n', '\r'], " ");
            let line = printable_line(&line);
            // An error of stderr itself cannot be reported.
            let _ = writeln!(io::stderr(), "error: {line}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: &Cli) -> CommandResult {
    match &cli.command {
        Command::Serve(serve) => serve.run(cli.json).await,
        Command::Token(token) => token.run(cli.json).await,
        Command::Plan(plan) => plan.run(cli.json).await,
        Command::Check(check) => check.run(cli.json).await,
        Command::Delete(delete) => delete.run(cli.json).await,
        Command::Withdraw(withdraw) => withdraw.run(cli.json).await,
        Command::RenewEpoch(renew) => renew.run(cli.json).await,
        Command::Retention(retention) => retention.run(cli.json).await,
        Command::Quarantine(quarantine) => quarantine.run(cli.json).await,
        Command::Backup(backup) => backup.run(cli.json).await,
        Command::Restore(restore) => restore.run(cli.json).await,
    }
}
