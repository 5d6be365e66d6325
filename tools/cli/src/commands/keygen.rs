//! `sordino keygen`: keys of QA engineers.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use sordino::open;

use crate::{command_output::CommandOutput, error::CliError};

#[derive(Args)]
pub(crate) struct KeygenArgs {
    /// The file to write, readable by its owner only
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn keygen(args: &KeygenArgs) -> Result<CommandOutput, CliError> {
    let out = &args.out;
    let recipient = open::keygen(out).map_err(CliError::message)?;
    CommandOutput::new(
        format!("wrote {}\nrecipient: {recipient}", out.display()),
        json!({ "identity": out, "recipient": recipient.to_string() }),
    )
}
