//! Keys of QA engineers.

use std::path::Path;

use serde_json::json;

use sordino::open;

use crate::{command_output::CommandOutput, error::CliError};

pub(super) fn keygen(out: &Path) -> Result<CommandOutput, CliError> {
    let recipient = open::keygen(out).map_err(CliError::message)?;
    CommandOutput::new(
        format!("wrote {}\nrecipient: {recipient}", out.display()),
        json!({ "identity": out, "recipient": recipient.to_string() }),
    )
}
