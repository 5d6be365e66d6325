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
    plan::PlanCommand,
    quarantine::QuarantineCommand,
    serve::Serve,
    token::TokenCommand,
    maintenance::{Check, Delete, RenewEpoch, Retention, Withdraw},
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
    /// The tokens that QA tools show.
    #[command(subcommand)]
    Token(TokenCommand),
    /// The plan that devices are served.
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Compare database and objects; exit status 1 where something is wrong. A collector may be running.
    Check(Check),
    /// Delete samples for a person who asks for it by another way than the app.
    Delete(Delete),
    /// Withdraw a consent record for a person who has only the receipt left.
    Withdraw(Withdraw),
    /// Have every device say again what it took back: the database was put back by other means than `restore`.
    RenewEpoch(RenewEpoch),
    /// Take back what the plan in force says is to be kept no longer, as the service does every hour.
    Retention(Retention),
    /// Samples in which a reader heard a voice: held back from everybody.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Write everything into a new folder. A collector may be running.
    Backup(Backup),
    /// Put a backup into an empty database, before a collector is started on it.
    Restore(Restore),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let said = error.render().to_string();
            let _ = write!(io::stderr(), "{}", printable(&said));
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
            // Nothing is left to be told where stderr is gone.
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
