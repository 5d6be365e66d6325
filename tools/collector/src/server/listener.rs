//! Accepts and serves connections, with TLS if there is a certificate. The peer's address is used only for limits, and
//! only while a request is handled.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::Request,
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
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
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    config::Limits,
    middleware::client_ip::Peer,
    server::{
        connections::{ConnectionLimiter, ConnectionSlot, RequestGuard},
        write_timeout::WriteTimeout,
    },
};

/// The delay after a failed accept, which is mostly caused by a lack of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// The maximum size of a request's head. The longest head that a device sends has some 700 bytes.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// The maximum number of header fields.
const MAX_HEADERS: usize = 64;

/// A listening socket and its router.
pub(crate) struct Listener {
    pub(crate) tcp: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) router: Router,
    pub(crate) limits: Limits,
}

impl Listener {
    /// Serves connections until shutdown. Then it accepts connections for `limits.drain`, closes idle ones, waits for
    /// requests in progress for `limits.grace`, and aborts the rest.
    pub(crate) async fn serve(self, mut stopping: watch::Receiver<bool>) {
        let places =
            ConnectionLimiter::new(self.limits.connections, self.limits.connections_per_peer);
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let stop = async {
            // A shutdown was requested, or the handle was dropped.
            let is_requested = stopping.wait_for(|stop| *stop).await.is_ok();
            if is_requested {
                // Ends with the drain time, or when the handle is dropped.
                let dropped = async { while stopping.changed().await.is_ok() {} };
                let _ = timeout(self.limits.drain, dropped).await;
            }
        };
        tokio::pin!(stop);
        loop {
            let next = async {
                let (stream, peer) = self.tcp.accept().await?;
                let place = places.acquire(peer.ip()).await;
                Ok::<_, io::Error>((stream, peer, place))
            };
            let accepted = tokio::select! {
                next = next => next,
                () = &mut stop => break,
            };
            // Removes finished connections.
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, peer, Some(place))) => {
                    let connection = self.serve_connection(stream, peer, place, graceful.watcher());
                    connections.spawn(async move {
                        if let Err(error) = connection.await {
                            tracing::debug!("a connection ended early: {error}");
                        }
                    });
                }
                // All connections that the peer may have are busy.
                Ok((_, _, None)) => {}
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
        drop(self.tcp);
        if timeout(self.limits.grace, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!(
                "requests were still in progress at the end of the grace period; aborting them"
            );
        }
        connections.shutdown().await;
    }

    fn serve_connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: ConnectionSlot,
        watcher: Watcher,
    ) -> impl Future<Output = Result<(), ConnectionError>> + Send + 'static {
        // Responses are small, so Nagle's algorithm only delays them. Failure is harmless.
        let _ = stream.set_nodelay(true);
        let (tls, router, limits) = (self.tls.clone(), self.router.clone(), self.limits);
        let peer = Peer(peer.ip());
        let stream = WriteTimeout::new(stream, limits.write);
        async move {
            let place = Arc::new(place);
            let serving = async {
                let place = place.clone();
                match tls {
                    None => serve_http(stream, router, peer, place, limits, watcher).await,
                    Some(tls) => {
                        let accepted = timeout(limits.handshake, tls.accept(stream)).await;
                        let stream = accepted
                            .map_err(|_| ConnectionError::Handshake)?
                            .map_err(ConnectionError::Tls)?;
                        serve_http(stream, router, peer, place, limits, watcher).await
                    }
                }
            };
            tokio::select! {
                ended = serving => ended,
                () = place.evicted() => Err(ConnectionError::Evicted),
            }
        }
    }
}

/// An error that ended a connection.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error("the TLS handshake timed out")]
    Handshake,
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
    #[error("it was closed in favor of a new connection, because it had been idle the longest")]
    Evicted,
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

async fn serve_http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    peer: Peer,
    place: Arc<ConnectionSlot>,
    limits: Limits,
    watcher: Watcher,
) -> Result<(), ConnectionError> {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let served = place
            .begin_request()
            .map(|serving| (serving, router.call(request)));
        async move {
            let (serving, answer) = served.ok_or(ConnectionError::Evicted)?;
            let answer = match answer.await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            Ok::<_, ConnectionError>(answer.map(|body| TrackedBody {
                body,
                _serving: serving,
            }))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // A client may close its sending half and still read the response.
        .half_close(true)
        .header_read_timeout(limits.headers)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    Ok(watcher.watch(connection).await?)
}

/// The body of a response. Its request counts as in progress until the body is written.
struct TrackedBody {
    body: Body,
    _serving: RequestGuard,
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
