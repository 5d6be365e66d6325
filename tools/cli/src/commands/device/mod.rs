//! `sordino device`: the SDK with its state in a folder, one command at a time.

mod consent;
mod listen;
mod samples;
mod state;
mod submit;
mod upload;

use std::path::Path;

use clap::Subcommand;
use sordino::{Purpose, Sordino};

use crate::{command_output::CommandOutput, error::CliError, network::NetworkArgs};
use consent::ConsentArgs;
use listen::ListenArgs;
use samples::DeleteArgs;
use state::{ExportArgs, InitArgs};
use submit::SubmitArgs;
use upload::AccessesArgs;

#[derive(Subcommand)]
pub(crate) enum DeviceCommand {
    /// Make the device, or install a newer plan on it
    Init(InitArgs),
    /// Print the state of consent, the queue and deletions
    Status,
    /// Record a person's consent to purposes; print the receipt, or a summary on a terminal
    Consent(ConsentArgs),
    /// Withdraw consent, for one purpose or for all
    Withdraw {
        /// Only this purpose
        #[arg(long)]
        purpose: Option<Purpose>,
    },
    /// Submit one recording, like an app that marks a moment
    #[command(visible_alias = "offer")]
    Submit(SubmitArgs),
    /// Play recordings to the device like a microphone; its plan selects the moments
    Listen(ListenArgs),
    /// Upload the registrations, samples and deletions that are due
    Upload(NetworkArgs),
    /// List all samples with their state
    Samples,
    /// Delete one sample or all: on the device at once, at the collector with the next upload
    Delete(DeleteArgs),
    /// Record that a child who consented has come of age: sampling stops until they consent as an adult
    CameOfAge,
    /// Write the person's records, receipts, notices and list of samples to a zip file
    Export(ExportArgs),
    /// Erase all state, even if it is corrupt; the next upload asks the collector to delete what was sent
    Reset,
    /// Ask the collector who downloaded a sample
    Accesses(AccessesArgs),
}

pub(crate) fn run(
    dir: &Path,
    command: DeviceCommand,
    json: bool,
) -> Result<CommandOutput, CliError> {
    run_command(dir, command, json).map_err(|error| error.with_device_hint(dir))
}

fn run_command(dir: &Path, command: DeviceCommand, json: bool) -> Result<CommandOutput, CliError> {
    let open = || Ok::<_, CliError>(Sordino::open_existing(dir)?);
    match command {
        DeviceCommand::Init(args) => state::init(dir, args),
        DeviceCommand::Reset => state::reset(dir),
        DeviceCommand::Status => state::status(&open()?),
        DeviceCommand::Consent(args) => consent::consent(&open()?, dir, args),
        DeviceCommand::Withdraw { purpose } => consent::withdraw(&open()?, purpose),
        DeviceCommand::Submit(args) => submit::run(&open()?, dir, &args, json),
        DeviceCommand::Listen(args) => listen::listen(&open()?, &args),
        DeviceCommand::Upload(network) => upload::upload(&open()?, &network),
        DeviceCommand::Samples => samples::samples(&open()?),
        DeviceCommand::Delete(args) => samples::delete(&open()?, &args),
        DeviceCommand::CameOfAge => consent::came_of_age(&open()?),
        DeviceCommand::Export(args) => state::export(&open()?, dir, &args),
        DeviceCommand::Accesses(args) => upload::accesses(&open()?, &args),
    }
}
