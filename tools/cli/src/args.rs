//! The command line: the commands and their dispatch.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{
    audit::{self, AuditCommand},
    command_output::CommandOutput,
    commands::{
        anonymize::{self, AnonymizeArgs},
        capture::{self, CaptureArgs},
        consent::{self, ConsentCommand},
        device::{self, DeviceCommand},
        keygen::{self, KeygenArgs},
        plan::{self, PlanCommand},
        report::{self, ReportArgs},
        seal::{self, OpenArgs, SealArgs},
    },
    compliance,
    demo::{self, DemoArgs},
    error::CliError,
    evaluate::{self, EvaluateArgs},
    output_files::Overwrite,
    pull::{self, PullArgs},
    query::{self, QueryArgs},
};

/// Samples of music practice: anonymous, encrypted, and only with consent.
#[derive(Parser)]
#[command(name = "sordino", version, propagate_version = true)]
pub(crate) struct Cli {
    /// Print one JSON document on standard output, and nothing else there
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the whole pipeline on recordings, with a temporary collector
    Demo(DemoArgs),
    /// Remove voices from recordings: writes NAME.wav and NAME.json for each
    Anonymize(AnonymizeArgs),
    /// Record the microphone to a WAV file, to check the capture path
    Capture(CaptureArgs),
    /// List input devices
    Devices,
    /// Generate an age identity that opens samples; print its recipient
    Keygen(KeygenArgs),
    /// Anonymize and seal one recording
    Seal(SealArgs),
    /// Open a sealed sample: writes manifest.json and audio.wav
    Open(OpenArgs),
    /// Manage the organization's key and its signed sampling plans
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Print consent notices and verify receipts
    #[command(subcommand)]
    Consent(ConsentCommand),
    /// Run a headless device whose state is in DIR
    Device {
        /// The state folder
        dir: PathBuf,
        #[command(subcommand)]
        command: DeviceCommand,
    },
    /// Pull and decrypt the samples granted for a purpose; remove local copies of withdrawn ones
    Pull(PullArgs),
    /// Fetch and verify the collector's access log, which lists every download of a sample
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Run a recognizer over a pulled dataset, score it, and compare it with a baseline
    #[command(alias = "recognise-eval")]
    Evaluate(EvaluateArgs),
    /// List the notes or exercises with the highest error rates of the app's recognizer, with intervals
    Query(QueryArgs),
    /// Write report.html for a pulled dataset
    Report(ReportArgs),
    /// Write the compliance documents that an app's owner needs: impact assessment, store answers, notices
    Papers {
        /// The folder to write to
        #[arg(long)]
        out: PathBuf,
        /// The signed plan to take the figures from, instead of the example plan
        #[arg(long)]
        plan: Option<PathBuf>,
        #[command(flatten)]
        overwrite: Overwrite,
    },
}

impl Command {
    /// Runs the command; `json` selects output for scripts.
    pub(crate) fn run(self, json: bool) -> Result<CommandOutput, CliError> {
        match self {
            Self::Demo(args) => demo::run(&args, json),
            Self::Anonymize(args) => anonymize::run(&args, json),
            Self::Capture(args) => capture::capture(args, json),
            Self::Devices => capture::devices(),
            Self::Keygen(args) => keygen::keygen(&args),
            Self::Seal(args) => seal::seal(&args),
            Self::Open(args) => seal::open(&args),
            Self::Plan(command) => plan::run(command),
            Self::Consent(command) => consent::run(command),
            Self::Device { dir, command } => device::run(&dir, command, json),
            Self::Pull(args) => pull::run(&args, json),
            Self::Audit(command) => audit::run(command),
            Self::Evaluate(args) => evaluate::run(&args, json),
            Self::Query(args) => query::run(&args),
            Self::Report(args) => report::run(&args),
            Self::Papers {
                out,
                plan,
                overwrite,
            } => compliance::run(&out, plan.as_deref(), overwrite),
        }
    }
}
