//! A collector with its own async runtime, for synchronous programs.

use std::net::SocketAddr;

use sordino::Purposes;
use tokio::runtime::{Builder, Runtime};

use crate::{
    admin::tokens::{Lifetime, Token, TokenError, create_token},
    config::Config,
    server::Server,
    startup::StartError,
};

/// A running collector with its own threads. Dropping it stops the collector.
#[derive(Debug)]
pub struct BlockingServer {
    /// `Some` until it is dropped.
    server: Option<Server>,
    runtime: Runtime,
    config: Config,
}

impl BlockingServer {
    /// Starts a collector on two threads. When this returns, it accepts requests at [`Self::address`].
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Panics
    /// If called within an async runtime; use [`Server`] there.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("sordino-collector")
            .enable_all()
            .build()
            .map_err(StartError::Threads)?;
        let server = runtime.block_on(Server::start(config.clone()))?;
        Ok(Self {
            server: Some(server),
            runtime,
            config,
        })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        match &self.server {
            Some(server) => server.address(),
            None => unreachable!("only drop takes the server"),
        }
    }

    /// The base URL for devices and QA tools.
    pub fn url(&self) -> String {
        match &self.server {
            Some(server) => server.url(),
            None => unreachable!("only drop takes the server"),
        }
    }

    /// The address of the separate metrics listener, if there is one.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.server.as_ref().and_then(Server::metrics_address)
    }

    /// Creates a token for QA tools that is valid for 90 days.
    ///
    /// # Errors
    /// As [`create_token`].
    pub fn create_token(&self, name: &str, purposes: &Purposes) -> Result<Token, TokenError> {
        let token = create_token(&self.config, name, purposes, Lifetime::default());
        Ok(self.runtime.block_on(token)?.0)
    }

    /// Waits up to ten seconds for requests in progress and closes the database, as dropping does.
    pub fn stop(self) {}
}

impl Drop for BlockingServer {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}
