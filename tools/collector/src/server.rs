//! The service as a whole: started, reachable, stopped.

use std::{fmt, fs, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use sordino::plan::{PlanError, SignedPlan};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    app::{App, today},
    config::{Config, Limits},
    database::{Database, PlanRefusal},
    objects::{Objects, create_private},
    routes,
    storage::Storage,
};

/// How long requests under way may take to end when the service stops.
const GRACE: Duration = Duration::from_secs(10);
/// The wait after the system refused a connection, for want of file handles mostly.
const AFTER_REFUSED_CONNECTION: Duration = Duration::from_millis(100);

/// A collector that is running. Dropped, it stops too, but nobody waits for it.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// Why a collector did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder cannot be made or read.
    #[error("the folder `{path}` cannot be used: {reason}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The database cannot be opened, or not be brought up to date.
    #[error("the database `{path}` cannot be used: {reason}")]
    Database {
        /// Which.
        path: PathBuf,
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
        let storage = open_storage(&config).await?;
        load_plan(&config, &storage.database).await?;
        let refused = |reason| StartError::Listen {
            listen: config.listen.clone(),
            reason,
        };
        let listener = TcpListener::bind(&config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;

        let (stop, stopping) = watch::channel(false);
        let router = routes::router(App {
            storage: storage.clone(),
            limits: config.limits,
        });
        let serving = tokio::spawn(async move {
            accept(listener, router, config.limits, stopping).await;
            storage.database.close().await;
        });
        Ok(Self {
            address,
            stop,
            serving,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets requests under way end, for at most ten seconds, and closes the database.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        if self.serving.await.is_err() {
            tracing::error!("the service ended with a panic");
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

async fn open_storage(config: &Config) -> Result<Storage, StartError> {
    let folder = |path: &std::path::Path, reason: String| StartError::Folder {
        path: path.to_owned(),
        reason,
    };
    create_private(&config.data).map_err(|error| folder(&config.data, error.to_string()))?;
    let path = config.database_path();
    let database = Database::open(&path)
        .await
        .map_err(|error| StartError::Database {
            path,
            reason: error.to_string(),
        })?;
    let path = config.objects_folder();
    let objects = Objects::open(path).map_err(|error| folder(path, error.to_string()))?;
    let storage = Storage { database, objects };
    storage
        .sweep()
        .await
        .map_err(|error| folder(path, error.to_string()))?;
    Ok(storage)
}

/// The collector has no organisation's key to check a plan by; devices have. It checks that the plan
/// is whole and within bounds, so that it serves none that every device would refuse.
async fn load_plan(config: &Config, database: &Database) -> Result<(), StartError> {
    let Some(path) = &config.plan else {
        return Ok(());
    };
    let wrong = |reason: String| StartError::Plan {
        path: path.clone(),
        reason,
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
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
    match session.load_plan(&plan, &text).await.map_err(failed)? {
        Ok(()) => session.commit().await.map_err(failed),
        Err(PlanRefusal::Older(in_force)) => {
            Err(wrong(PlanError::Older { offered, in_force }.to_string()))
        }
        Err(PlanRefusal::SameVersion) => Err(wrong(PlanError::SameVersion(offered).to_string())),
    }
}

/// Serves connections until told to stop. Whose they are is forgotten at once.
async fn accept(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let next = async |connections: Arc<Semaphore>| {
        // The semaphore is never closed.
        let place = connections.acquire_owned().await.ok();
        (place, listener.accept().await)
    };
    loop {
        let (place, accepted) = tokio::select! {
            next = next(connections.clone()) => next,
            // Told to, or the handle was dropped.
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = graceful.watch(serve(stream, router.clone(), limits));
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!("a connection ended early: {error}");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!("a connection could not be taken: {error}");
                sleep(AFTER_REFUSED_CONNECTION).await;
            }
        }
    }
    drop(listener);
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way when the service stopped");
    }
}

fn serve(
    stream: TcpStream,
    router: Router,
    limits: Limits,
) -> http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>> {
    // Answers are small; waiting to fill a packet only delays them. A failure changes nothing else.
    let _ = stream.set_nodelay(true);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}
