//! The service as a whole: started, reachable, stopped.

use std::{fmt, fs, io, net::SocketAddr, path::PathBuf, sync::Arc};

use sordino::plan::{PlanError, SignedPlan};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
};

use crate::{
    app_state::{AppState, upload_budget_kibibytes, today},
    budgets::Budgets,
    config::Config,
    database::{Database, DeletedSamples, PlanRefusal},
    listener::Listener,
    metrics::Metrics,
    rate_limit::RateLimiter,
    readiness::Readiness,
    retention::retention_loop,
    routes,
    signature::ServerNames,
    storage::{Storage, StorageError},
    tls::{Certificate, TlsError},
};

/// A collector that is running. Dropped, it stops too, but nobody waits for it.
pub struct Server {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    /// Tells that the certificate's files are to be read anew; `None` without TLS.
    renew: Option<mpsc::Sender<()>>,
}

/// Why a collector did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The objects' place cannot be made or read.
    #[error("`{objects}` cannot be used for objects: {reason}")]
    Objects {
        /// Which.
        objects: String,
        /// What it says.
        reason: String,
    },
    /// The database cannot be opened, or not be brought up to date.
    #[error("the database `{database}` cannot be used: {reason}")]
    Database {
        /// Which; without user and password.
        database: String,
        /// What it says.
        reason: String,
    },
    /// The plan cannot be served.
    #[error("the plan `{path}` cannot be used: {reason}")]
    Plan {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The address is taken or not this machine's.
    #[error("cannot listen on `{listen}`: {reason}")]
    Listen {
        /// Which.
        listen: String,
        /// What the system says.
        reason: io::Error,
    },
    /// The certificate cannot be used.
    #[error("{0}; give a certificate and its key, both in PEM")]
    Tls(String),
    /// The system gave no threads to run on.
    #[error("cannot start threads: {0}")]
    Threads(io::Error),
}

impl Server {
    /// Starts a collector. Once this returns, it answers at [`Self::address`].
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
        let app = AppState {
            storage: storage.clone(),
            limits: config.limits,
            verdicts: config.verdicts,
            proxies: config.proxies,
            limiter: Arc::new(RateLimiter::new(config.rates, &config.clock)),
            metrics: Metrics::new(),
            readiness: Arc::new(Readiness::new(stopping.clone(), config.clock)),
            budgets: Budgets::new(),
            names: ServerNames::new(&config.names),
            upload_budget: Arc::new(Semaphore::new(upload_budget_kibibytes(&config.limits) as usize)),
        };
        let mut metrics_address = None;
        if let Some(listen) = &config.metrics {
            let tcp = bind(listen).await?;
            metrics_address = Some(tcp.local_addr().map_err(listen_error(listen))?);
            let listener = Listener {
                tcp,
                tls: None,
                router: routes::operators_router(app.clone()),
                limits: config.limits,
            };
            tokio::spawn(listener.serve(stopping.clone()));
        }
        let mut limits = config.limits;
        if config.proxies.trusted > 0 {
            // All connections are the proxy's, which bounds those of one client itself.
            limits.connections_per_peer = limits.connections;
        }
        let listener = Listener {
            tcp,
            tls: acceptor,
            router: routes::router(app),
            limits,
        };
        let renew = certificate.map(|certificate| {
            let (renew, told) = mpsc::channel(1);
            tokio::spawn(certificate.reload_loop(told));
            renew
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
            renew,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL for devices and tools.
    pub fn url(&self) -> String {
        let scheme = if self.renew.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// Where the metrics are served, where that is a listener of its own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Reads the certificate's files anew. It does so by itself within seconds of their change.
    pub fn reload_certificate(&self) {
        if let Some(renew) = &self.renew {
            // Full, it is about to do so.
            let _ = renew.try_send(());
        }
    }

    /// Says that it stops (`/readyz`), takes connections as long as [`Limits::drain`] says, lets
    /// requests under way end for as long as [`Limits::grace`] says, and closes the database. Dropped
    /// before it is done, it takes no more connections and does the rest with nobody waiting.
    ///
    /// [`Limits::drain`]: crate::Limits::drain
    /// [`Limits::grace`]: crate::Limits::grace
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        if self.serving.await.is_err() {
            tracing::error!("the service ended with a panic");
        }
    }
}

impl From<TlsError> for StartError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error.to_string())
    }
}

async fn bind(listen: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(listen).await.map_err(listen_error(listen))
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

pub(crate) async fn open_storage(config: &Config) -> Result<Storage, StartError> {
    let opened = async {
        let storage = Storage::open(config).await?;
        storage.blob_store.probe().await?;
        storage.remove_deleted(DeletedSamples::All).await?;
        Ok(storage)
    };
    opened.await.map_err(|error: StorageError| match error {
        StorageError::Database(error) => StartError::Database {
            database: config.database_url().to_string(),
            reason: error.to_string(),
        },
        error => StartError::Objects {
            objects: config.objects_url().to_string(),
            reason: error.to_string(),
        },
    })
}

/// Devices stop sampling then, and nobody else would see why.
async fn warn_of_stale_plan(database: &Database) {
    let last = match database.plan_in_force().await {
        Ok(plan) => plan.map(|plan| plan.fresh_through()).transpose(),
        Err(error) => Err(error),
    };
    match last.map(Option::flatten) {
        Ok(Some(last)) if last < today() => tracing::warn!(
            "devices go by the plan no longer since {last}: sign a statement with `sordino plan refresh`, and give it to \
             `sordino-collector plan refresh`"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!("until when the plan is fresh cannot be told: {error}"),
    }
}

/// The collector has no organization's key to check a plan by; devices have. It checks that the plan
/// is whole and within bounds, so that it serves none that every device would refuse.
async fn load_plan(config: &Config, database: &Database) -> Result<(), StartError> {
    let Some(path) = &config.plan else {
        return Ok(());
    };
    let wrong = |reason: String| StartError::Plan {
        path: path.clone(),
        reason,
    };
    let bytes = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    // As it is served: a byte order mark is none of it.
    let text = sordino::text::decode(&bytes).map_err(|error| wrong(error.to_string()))?;
    let plan = SignedPlan::verify_any(text.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    plan.content()
        .check_bounds()
        .map_err(|error| wrong(error.to_string()))?;
    let offered = plan.content().version;
    if plan.content().expires <= today() {
        // Withdrawals must be served all the same.
        tracing::warn!("{}", PlanError::Expired(plan.content().expires));
    }
    let failed = |error: crate::database::DatabaseError| wrong(error.to_string());
    let mut session = database.write().await.map_err(failed)?;
    match session.load_plan(&plan, text).await.map_err(failed)? {
        Ok(()) => session.commit().await.map_err(failed),
        Err(PlanRefusal::Older(in_force)) => {
            Err(wrong(PlanError::Older { offered, in_force }.to_string()))
        }
        Err(PlanRefusal::SameVersion) => Err(wrong(PlanError::SameVersion(offered).to_string())),
    }
}
