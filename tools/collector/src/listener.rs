//! Connections: taken, greeted with TLS where there is a certificate, served, ended. Whose they are is
//! known to the limiter alone, and only while a request is served.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::Request};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::{client::Peer, config::Limits};

/// The wait after the system refused a connection, for want of file handles mostly.
const AFTER_REFUSED_CONNECTION: Duration = Duration::from_millis(100);

/// Where connections come in, and what serves them.
pub(crate) struct Listener {
    pub(crate) tcp: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) router: Router,
    pub(crate) limits: Limits,
}

impl Listener {
    /// Serves connections until told to stop; then takes them for as long as the limits say, ends
    /// those that are idle, lets requests under way end for as long as they say, and cuts the rest.
    pub(crate) async fn serve(self, mut stopping: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let stop = async {
            // Told to, or the handle was dropped.
            let told = stopping.wait_for(|stop| *stop).await.is_ok();
            if told {
                // Until the time is over, or the handle is dropped.
                let dropped = async { while stopping.changed().await.is_ok() {} };
                let _ = timeout(self.limits.drain, dropped).await;
            }
        };
        tokio::pin!(stop);
        loop {
            let next = async {
                // The semaphore is never closed.
                let place = places.clone().acquire_owned().await.ok();
                (place, self.tcp.accept().await)
            };
            let (place, accepted) = tokio::select! {
                next = next => next,
                () = &mut stop => break,
            };
            // Connections that ended meanwhile.
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, peer)) => {
                    let connection = self.connection(stream, peer, graceful.watcher());
                    connections.spawn(async move {
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
        drop(self.tcp);
        if timeout(self.limits.grace, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("requests were still under way when the service stopped; they are cut");
        }
        connections.shutdown().await;
    }

    fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
    ) -> impl Future<Output = Result<(), Ended>> + Send + 'static {
        // Answers are small; waiting to fill a packet only delays them. A failure changes nothing else.
        let _ = stream.set_nodelay(true);
        let (tls, router, limits) = (self.tls.clone(), self.router.clone(), self.limits);
        let peer = Peer(peer.ip());
        async move {
            match tls {
                None => converse(stream, router, peer, limits, watcher).await,
                Some(tls) => {
                    let greeted = timeout(limits.handshake, tls.accept(stream)).await;
                    let stream = greeted.map_err(|_| Ended::Handshake)?.map_err(Ended::Tls)?;
                    converse(stream, router, peer, limits, watcher).await
                }
            }
        }
    }
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("no TLS handshake in time")]
    Handshake,
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    peer: Peer,
    limits: Limits,
    watcher: Watcher,
) -> Result<(), Ended> {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Who has said everything may still want the answer.
        .half_close(true)
        .header_read_timeout(limits.headers)
        .serve_connection(TokioIo::new(stream), service);
    Ok(watcher.watch(connection).await?)
}
