//! Network settings: proxy and certificates.

use std::path::PathBuf;

use clap::Args;
use sordino::upload::NetworkSettings;

use crate::error::CliError;

/// The network options of every command that connects to a collector.
#[derive(Args, Default)]
pub(crate) struct NetworkArgs {
    /// Trust the root certificates in this PEM file, and no others [default: $SSL_CERT_FILE, or Mozilla's]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

impl NetworkArgs {
    /// The settings, with the proxies from the environment.
    pub(crate) fn settings(&self) -> Result<NetworkSettings, CliError> {
        match &self.ca_file {
            Some(path) => NetworkSettings::from_env_and_ca_file(path, "--ca-file"),
            None => NetworkSettings::from_env(),
        }
        .map_err(CliError::message)
    }
}
