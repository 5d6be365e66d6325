//! The environment of the demo: a collector, its QA token, a QA key, an organization's plan.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use sordino::{
    Config, Sordino, open,
    plan::{Plan, SignedPlan},
    signed::PublicKey,
    upload::{Endpoint, NetworkSettings},
};

use super::collector::Collector;
use crate::{
    commands::{example_plan, new_key},
    error::CliError,
    files,
    network::NetworkArgs,
    pull::{self, DatasetFormat, PullArgs, Summary},
};

/// The probability of random clips in the demo.
const RANDOM_PROBABILITY: f64 = 0.1;

/// The environment of the four devices, in a temporary folder.
pub(super) struct Environment {
    // Dropped before the folder.
    collector: Collector,
    folder: tempfile::TempDir,
    plan: SignedPlan,
    organization: PublicKey,
    identity: PathBuf,
    token: PathBuf,
}

impl Environment {
    pub(super) fn new() -> Result<Self, CliError> {
        let folder = tempfile::tempdir().map_err(CliError::message)?;
        let identity = folder.path().join("qa.key");
        let recipient = open::keygen(&identity).map_err(CliError::message)?;

        let (_, key) = new_key()?;
        let mut plan = example_plan()?;
        plan.recipients = vec![recipient.to_string().parse().map_err(CliError::message)?];
        plan.triggers.random_probability = RANDOM_PROBABILITY;
        let plan = SignedPlan::sign(plan, &key).map_err(CliError::message)?;
        let plan_file = folder.path().join("plan.json");
        files::write_private(&plan_file, plan.to_json().as_bytes())?;

        let collector = Collector::start(&folder.path().join("collector"), &plan_file)?;
        let token = folder.path().join("token");
        files::write_secret(&token, collector.token()?.as_bytes())?;
        Ok(Self {
            collector,
            folder,
            plan,
            organization: PublicKey::from_key_pair(&key),
            identity,
            token,
        })
    }

    pub(super) fn collector(&self) -> SocketAddr {
        self.collector.address()
    }

    /// The collector's address, as devices and datasets store it.
    pub(super) fn endpoint(&self) -> Result<Endpoint, CliError> {
        self.collector.url().parse().map_err(CliError::message)
    }

    pub(super) fn plan(&self) -> &Plan {
        self.plan.content()
    }

    /// The state folder of the device `name`.
    pub(super) fn device_folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A device with the plan, for the collector at `url`.
    pub(super) fn device(&self, name: &str, url: &str) -> Result<Sordino, CliError> {
        let collector: Endpoint = url.parse().map_err(CliError::message)?;
        let config = Config::new(self.device_folder(name), self.organization, collector);
        let device = Sordino::open(config)?;
        device.install_plan(self.plan.to_json().as_bytes())?;
        Ok(device)
    }

    /// Pulls with the QA key and token.
    pub(super) fn pull(&self, dataset: &Path) -> Result<Summary, CliError> {
        pull::pull(
            &PullArgs {
                collector: self.endpoint()?,
                token_file: self.token.clone(),
                identity: self.identity.clone(),
                out: dataset.to_owned(),
                purpose: None,
                format: DatasetFormat::AudioFolder,
                jobs: 4,
                retry_unreadable: false,
                network: NetworkArgs::default(),
            },
            &NetworkSettings::direct(),
            true,
        )
    }

    /// The number of sealed samples at the collector.
    pub(super) fn objects(&self) -> Result<usize, CliError> {
        let folder = self.folder.path().join("collector");
        let listing = fs::read_dir(&folder).map_err(CliError::file("read", &folder))?;
        let is_object =
            |file: &fs::DirEntry| file.path().extension().is_some_and(|end| end == "age");
        Ok(listing.flatten().filter(is_object).count())
    }
}
