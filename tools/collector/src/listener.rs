//! Connections: taken, greeted with TLS where there is a certificate, served, ended. Whose they are is
//! known to the limiter alone, and only while a request is served.

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
    client_ip::Peer,
    config::Limits,
    connections::{ConnectionLimiter, RequestGuard, ConnectionSlot},
    write_timeout::WriteTimeout,
};

/// The wait after the system refused a connection, for want of file handles mostly.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// The most bytes of a request before its body, in all its lines. The longest that a device sends has some 700.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// The most fields of a request.
const MAX_HEADERS: usize = 64;

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
        let places = ConnectionLimiter::new(self.limits.connections, self.limits.connections_per_peer);
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
                let (stream, peer) = self.tcp.accept().await?;
                let place = places.acquire(peer.ip()).await;
                Ok::<_, io::Error>((stream, peer, place))
            };
            let accepted = tokio::select! {
                next = next => next,
                () = &mut stop => break,
            };
            // Connections that ended meanwhile.
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
                // The peer has as many requests under way as it may have connections.
                Ok((_, _, None)) => {}
                Err(error) => {
                    tracing::warn!("a connection could not be taken: {error}");
                    sleep(ACCEPT_RETRY_DELAY).await;
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

    fn serve_connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: ConnectionSlot,
        watcher: Watcher,
    ) -> impl Future<Output = Result<(), ConnectionError>> + Send + 'static {
        // Answers are small; waiting to fill a packet only delays them. A failure changes nothing else.
        let _ = stream.set_nodelay(true);
        let (tls, router, limits) = (self.tls.clone(), self.router.clone(), self.limits);
        let peer = Peer(peer.ip());
        let stream = WriteTimeout::new(stream, limits.write);
        async move {
            let place = Arc::new(place);
            let conversation = async {
                let place = place.clone();
                match tls {
                    None => serve_http(stream, router, peer, place, limits, watcher).await,
                    Some(tls) => {
                        let greeted = timeout(limits.handshake, tls.accept(stream)).await;
                        let stream = greeted.map_err(|_| ConnectionError::Handshake)?.map_err(ConnectionError::Tls)?;
                        serve_http(stream, router, peer, place, limits, watcher).await
                    }
                }
            };
            tokio::select! {
                ended = conversation => ended,
                () = place.evicted() => Err(ConnectionError::MadeRoom),
            }
        }
    }
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error("no TLS handshake in time")]
    Handshake,
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
    #[error("it was idle for longest, and made room for another")]
    MadeRoom,
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
        let served = place.begin_request().map(|serving| (serving, router.call(request)));
        async move {
            let (serving, answer) = served.ok_or(ConnectionError::MadeRoom)?;
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
        // Who has said everything may still want the answer.
        .half_close(true)
        .header_read_timeout(limits.headers)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    Ok(watcher.watch(connection).await?)
}

/// The body of an answer. Until it is written, its request is being served.
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
