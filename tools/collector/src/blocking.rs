//! A collector for programs without an async runtime: it brings its own.

use std::net::SocketAddr;

use sordino::Purposes;
use tokio::runtime::{Builder, Runtime};

use crate::{
    config::Config,
    server::{Server, StartError},
    tokens::{Lifetime, Token, TokenError, create_token},
};

/// A running collector and the threads that it runs on. It stops when dropped.
#[derive(Debug)]
pub struct BlockingServer {
    /// Some until it is dropped.
    server: Option<Server>,
    runtime: Runtime,
    config: Config,
}

impl BlockingServer {
    /// Starts a collector on two threads. Once this returns, it answers at [`Self::address`].
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Panics
    /// Within an async runtime, where [`Server`] is the one to use.
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

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        match &self.server {
            Some(server) => server.address(),
            None => unreachable!("only drop takes the server"),
        }
    }

    /// The base URL for devices and tools.
    pub fn url(&self) -> String {
        match &self.server {
            Some(server) => server.url(),
            None => unreachable!("only drop takes the server"),
        }
    }

    /// Where the metrics are served, where that is a listener of its own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.server.as_ref().and_then(Server::metrics_address)
    }

    /// Makes a token for QA tools, good for 90 days.
    ///
    /// # Errors
    /// As [`create_token`].
    pub fn create_token(&self, name: &str, purposes: &Purposes) -> Result<Token, TokenError> {
        let token = create_token(&self.config, name, purposes, Lifetime::default());
        Ok(self.runtime.block_on(token)?.0)
    }

    /// Lets requests under way end, for at most ten seconds, and closes the database. Dropping does
    /// the same; this says so.
    pub fn stop(self) {}
}

impl Drop for BlockingServer {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}
