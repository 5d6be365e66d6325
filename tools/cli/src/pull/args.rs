//! The command line of `pull`.

use std::path::PathBuf;

use clap::Args;
use sordino::{Purpose, upload::Endpoint};

use super::format::DatasetFormat;
use crate::network::NetworkArgs;

#[derive(Args)]
pub(crate) struct PullArgs {
    /// The collector's URL
    #[arg(long)]
    pub(crate) collector: Endpoint,
    /// The file with the token
    #[arg(long)]
    pub(crate) token_file: PathBuf,
    /// The age identity
    #[arg(long)]
    pub(crate) identity: PathBuf,
    /// The dataset's folder
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Only this purpose [default: all purposes of the token]
    #[arg(long)]
    pub(crate) purpose: Option<Purpose>,
    /// The layout of the dataset
    #[arg(long, value_enum, default_value = "audiofolder")]
    pub(crate) format: DatasetFormat,
    /// Number of parallel downloads
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: u8,
    /// Retry samples that could not be read before; automatic when the identity or the version of sordino changes
    #[arg(long)]
    pub(crate) retry_unreadable: bool,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}
