//! The state of a device: creation, status, export and erasure.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use sordino::{Config, Sordino, plan::Plan, signed::PublicKey, upload::Endpoint};

use super::upload::waiting_line;
use crate::{
    command_output::CommandOutput,
    error::CliError,
    files,
    output_files::{OutputFiles, Overwrite},
};

#[derive(Args)]
pub(crate) struct InitArgs {
    /// The signed plan
    #[arg(long)]
    plan: PathBuf,
    /// The organization's public key
    #[arg(long)]
    plan_key: PublicKey,
    /// The collector's URL
    #[arg(long)]
    collector: Endpoint,
}

#[derive(Args)]
pub(crate) struct ExportArgs {
    /// The zip file to write, readable by its owner only
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// The files of a device's state, which no command overwrites.
pub(super) fn state_files(dir: &Path) -> Vec<PathBuf> {
    let folders = [dir.to_owned(), dir.join("outbox")];
    let listings = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let files = listings.flat_map(|listing| listing.flatten().map(|file| file.path()));
    files.filter(|file| file.is_file()).collect()
}

pub(super) fn init(dir: &Path, args: InitArgs) -> Result<CommandOutput, CliError> {
    let plan = args.plan.as_path();
    let config = Config::new(dir, args.plan_key, args.collector);
    let json = files::read_text(plan)?.into_bytes();
    let organization = config.organization;
    let collector = config.collector.to_string();
    let folder = config.folder.clone();
    // Checked first, so that an invalid plan leaves no folder behind.
    let version = Plan::verify(&json, &organization)
        .and_then(|signed| {
            let plan = signed.content();
            plan.check_in_force(Timestamp::now())?;
            Ok(plan.version)
        })
        .map_err(CliError::content(plan))?;
    let device = Sordino::open(config)?;
    device.install_plan(&json)?;
    CommandOutput::new(
        format!(
            "device in {}: plan version {version}, collector {collector}",
            folder.display()
        ),
        json!({ "device": folder, "plan_version": version, "collector": collector }),
    )
}

pub(super) fn status(device: &Sordino) -> Result<CommandOutput, CliError> {
    let status = device.status()?;
    let purposes = match status.purposes.is_empty() {
        true => String::new(),
        false => format!(" ({})", status.purposes),
    };
    let text = format!(
        "consent            {}{purposes}\npending            {} samples, {} bytes\n\
         sent               {}\ndeletions pending  {}",
        status.consent, status.pending, status.pending_bytes, status.sent, status.deletions_pending
    );
    let lines = std::iter::once(text).chain(status.waiting.iter().map(waiting_line));
    CommandOutput::new(lines.collect::<Vec<_>>().join("\n"), status)
}

pub(super) fn reset(dir: &Path) -> Result<CommandOutput, CliError> {
    let goes_on = Sordino::reset(dir)?;
    let text = match goes_on {
        true => "all state is erased; `upload` requests the deletion of what was sent",
        false => {
            "the state was corrupt and is erased; `init` the device again, and `upload` requests the \
             deletion of what was sent"
        }
    };
    CommandOutput::new(text, json!({ "settings_kept": goes_on }))
}

pub(super) fn export(
    device: &Sordino,
    dir: &Path,
    args: &ExportArgs,
) -> Result<CommandOutput, CliError> {
    let out = &args.out;
    let state = state_files(dir);
    let outputs = OutputFiles::new(state.iter().map(PathBuf::as_path), args.overwrite);
    // Not checked earlier: the same state gives the same archive, which may be written again.
    let output = outputs.private(out)?;
    let archive = device.export_my_data()?;
    output.write(&archive)?;
    CommandOutput::new(
        format!("wrote {}", out.display()),
        json!({ "out": out, "bytes": archive.len() }),
    )
}
