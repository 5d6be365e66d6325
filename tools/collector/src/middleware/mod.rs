//! The middleware around all routes: rate limits, metrics, the log line, and the headers that identify the collector.

pub(crate) mod client_ip;
pub(crate) mod rate_limit;

use std::{
    pin::Pin,
    sync::Once,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use hyper::body::{Frame, SizeHint};
use prometheus_client::metrics::counter::Counter;

use crate::{
    app_state::AppState,
    errors::{Problem, ProblemType},
    extractors::limited_body::LimitedBody,
    metrics::RouteLabels,
    middleware::{
        client_ip::{Peer, has_forwarding_header, network},
        rate_limit::{BucketKey, NetworkKey},
    },
};

/// Tells a device that the collector's database was restored.
const EPOCH: HeaderName = HeaderName::from_static("sordino-epoch");
/// Lets a device distinguish the collector's responses from those of a captive portal.
const PROTOCOL: HeaderName = HeaderName::from_static("sordino-protocol");
const PROTOCOL_VERSION: HeaderValue = HeaderValue::from_static("1");

/// Properties of a route for the middleware.
pub(crate) struct RouteInfo {
    /// The route template, as a metrics label.
    pub(crate) template: &'static str,
    /// Health checks must not be rejected, and must not use up a network's limit.
    pub(crate) is_exempt_from_limits: bool,
    /// Whether the request is a withdrawal or a deletion.
    pub(crate) is_erasure: bool,
}

/// Looks up the route of a request by its method and the matched template; `None` for an unknown path.
pub(crate) type RouteLookup = fn(&Method, &str) -> Option<RouteInfo>;

/// Wraps every route, including unknown paths.
pub(crate) async fn instrument_and_limit(
    State((state, lookup)): State<(AppState, RouteLookup)>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let info = path
        .as_ref()
        .and_then(|path| lookup(request.method(), path.as_str()));
    let route = RouteLabels {
        route: info.as_ref().map_or("unknown", |info| info.template),
        method: method_label(request.method()),
    };
    let network = network_key(&state, &mut request);
    let counter = state.metrics.received_bytes(&route);
    request = request.map(|body| Body::new(CountedBody { body, counter }));

    let allowed = match network {
        Some(key) if !info.as_ref().is_some_and(|info| info.is_exempt_from_limits) => {
            state.limiter.check_network(key)
        }
        _ => Ok(()),
    };
    let is_erasure = info.as_ref().is_some_and(|info| info.is_erasure);
    let mut response = match allowed {
        Ok(()) => next.run(request).await,
        // A withdrawal or deletion with a valid signature is never rejected because of its network. Only a few are
        // checked concurrently, which limits the cost.
        Err(problem) if is_erasure => {
            let _permit = state.limiter.erasure_permit().await;
            let response = next.run(request).await;
            match response.status().is_success() || response.status().is_server_error() {
                true => response,
                false => {
                    state.metrics.rate_limited("network");
                    problem.into_response()
                }
            }
        }
        Err(problem) => {
            state.metrics.rate_limited("network");
            reject(&state, request, problem).await
        }
    };
    if let Some(kind) = response.extensions().get::<ProblemType>().copied() {
        state.metrics.record_problem(kind);
        if let (Some(key), ProblemType::BadToken | ProblemType::BadSignature) = (network, kind) {
            state.limiter.penalize(key);
        }
    }
    // Not on unknown paths: a device must not mistake a wrong base URL for an unknown record.
    if info.is_some() {
        response.headers_mut().insert(PROTOCOL, PROTOCOL_VERSION);
        response
            .headers_mut()
            .insert(EPOCH, state.storage.epoch.to_header());
    }
    let status = response.status().as_u16();
    tracing::debug!(
        route = route.route,
        method = route.method,
        status,
        "request handled"
    );
    let sent = response.body().size_hint().lower();
    state
        .metrics
        .record_response(&route, status, started.elapsed(), sent);
    response
}

/// Responds to a request that is rejected before it reaches a route.
async fn reject(state: &AppState, request: Request, problem: Problem) -> Response {
    let (parts, body) = request.into_parts();
    let body = LimitedBody::new(&parts.headers, body, 0, &state.limits);
    body.drain_and_respond::<()>(Err(problem))
        .await
        .into_response()
}

/// Determines the rate-limit bucket of a request and removes the client's address from it.
fn network_key(state: &AppState, request: &mut Request) -> Option<BucketKey> {
    let peer = request.extensions_mut().remove::<Peer>()?;
    if state.proxies.trusted == 0 && has_forwarding_header(request.headers()) {
        static WARNED: Once = Once::new();
        WARNED.call_once(|| {
            tracing::warn!(
                "requests seem to come through a proxy; set --trusted-proxies to the number of proxies, or rate \
                 limits apply to the proxy's address instead of the client's network"
            );
        });
    }
    let key = state
        .limiter
        .network_key(network(peer, request.headers(), state.proxies)?);
    request.extensions_mut().insert(NetworkKey(key));
    Some(key)
}

/// The metrics label of a method; unknown methods share one.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

/// A body that counts its bytes as they arrive.
struct CountedBody {
    body: Body,
    counter: Counter,
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.counter.inc_by(bytes as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
