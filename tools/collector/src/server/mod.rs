//! Starts and stops the service.

pub(crate) mod blocking;
mod connections;
mod listener;
mod tls;
mod write_timeout;

use std::{fmt, io, net::SocketAddr, sync::Arc};

use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
};

use self::{listener::Listener, tls::Certificate};
use crate::{
    admin::retention::retention_loop,
    app_state::{AppState, upload_budget_kibibytes},
    budgets::Budgets,
    config::Config,
    extractors::signature::ServerNames,
    metrics::Metrics,
    middleware::rate_limit::RateLimiter,
    readiness::Readiness,
    router,
    startup::{StartError, load_plan, open_storage, warn_of_stale_plan},
};

/// A running collector. Dropping it stops it without waiting.
pub struct Server {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    /// Requests a reload of the certificate; `None` without TLS.
    reload: Option<mpsc::Sender<()>>,
}

impl Server {
    /// Starts a collector. When this returns, it accepts requests at [`Self::address`].
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let certificate = config.tls.as_ref().map(Certificate::load).transpose()?;
        let acceptor = certificate
            .as_ref()
            .map(Certificate::acceptor)
            .transpose()?;
        let storage = open_storage(&config).await?;
        load_plan(&config, &storage.database).await?;
        warn_of_stale_plan(&storage.database).await;
        let tcp = bind(&config.listen).await?;
        let address = tcp.local_addr().map_err(listen_error(&config.listen))?;

        let (stop, stopping) = watch::channel(false);
        let state = AppState {
            storage: storage.clone(),
            limits: config.limits,
            verdicts: config.verdicts,
            proxies: config.proxies,
            limiter: Arc::new(RateLimiter::new(config.rates, &config.clock)),
            metrics: Metrics::new(),
            readiness: Arc::new(Readiness::new(stopping.clone(), config.clock)),
            budgets: Budgets::new(),
            names: ServerNames::new(&config.names),
            upload_budget: Arc::new(Semaphore::new(
                upload_budget_kibibytes(&config.limits) as usize
            )),
        };
        let mut metrics_address = None;
        if let Some(listen) = &config.metrics {
            let tcp = bind(listen).await?;
            metrics_address = Some(tcp.local_addr().map_err(listen_error(listen))?);
            let listener = Listener {
                tcp,
                tls: None,
                router: router::operators_router(state.clone()),
                limits: config.limits,
            };
            tokio::spawn(listener.serve(stopping.clone()));
        }
        let mut limits = config.limits;
        if config.proxies.trusted > 0 {
            // All connections come from the proxy, which must limit its own clients.
            limits.connections_per_peer = limits.connections;
        }
        let listener = Listener {
            tcp,
            tls: acceptor,
            router: router::router(state),
            limits,
        };
        let reload = certificate.map(|certificate| {
            let (reload, requests) = mpsc::channel(1);
            tokio::spawn(certificate.reload_loop(requests));
            reload
        });
        if let Some(interval) = config.maintenance_interval {
            tokio::spawn(retention_loop(storage.clone(), interval, stopping.clone()));
        }
        let serving = tokio::spawn(async move {
            listener.serve(stopping).await;
            storage.database.close().await;
        });
        Ok(Self {
            address,
            metrics_address,
            stop,
            serving,
            reload,
        })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL for devices and QA tools.
    pub fn url(&self) -> String {
        let scheme = if self.reload.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// The address of the separate metrics listener, if there is one.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Reloads the certificate's files. Changes are also detected automatically within seconds.
    pub fn reload_certificate(&self) {
        if let Some(reload) = &self.reload {
            // If the channel is full, a reload is already pending.
            let _ = reload.try_send(());
        }
    }

    /// Shuts down: reports not ready (`/readyz`), accepts connections for [`Limits::drain`], waits for requests in
    /// progress for [`Limits::grace`], and closes the database. If the future is dropped, the shutdown continues in the
    /// background without accepting further connections.
    ///
    /// [`Limits::drain`]: crate::Limits::drain
    /// [`Limits::grace`]: crate::Limits::grace
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        if self.serving.await.is_err() {
            tracing::error!("the service task panicked");
        }
    }
}

async fn bind(listen: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(listen)
        .await
        .map_err(listen_error(listen))
}

fn listen_error(listen: &str) -> impl Fn(io::Error) -> StartError {
    let listen = listen.to_owned();
    move |reason| StartError::Listen {
        listen: listen.clone(),
        reason,
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
