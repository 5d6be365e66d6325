//! What every request passes first and every answer last: the limit of its network, the counters, the
//! log's line, and the header by which devices tell the collector.

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
    limited_body::LimitedBody,
    client_ip::{Peer, has_forwarding_header, network},
    metrics::RouteLabels,
    errors::{ProblemType, Problem},
    rate_limit::BucketKey,
    routes,
};

/// By this header a device tells that the collector's database was put back.
const EPOCH: HeaderName = HeaderName::from_static("sordino-epoch");
/// By this header a device tells the collector's answers from a captive portal's.
const PROTOCOL: HeaderName = HeaderName::from_static("sordino-protocol");
const PROTOCOL_VERSION: HeaderValue = HeaderValue::from_static("1");

/// Where the network's bucket of a request is found; not there for this machine's own requests.
#[derive(Clone, Copy)]
pub(crate) struct NetworkKey(pub(crate) BucketKey);

/// Around every route, unknown paths included.
pub(crate) async fn instrument_and_limit(
    State(app): State<AppState>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let template = path
        .as_ref()
        .and_then(|path| routes::template(path.as_str()));
    let route = RouteLabels {
        route: template.unwrap_or("unknown"),
        method: method_label(request.method()),
    };
    let network = network_key(&app, &mut request);
    let counter = app.metrics.received_bytes(&route);
    request = request.map(|body| Body::new(CountedBody { body, counter }));

    let allowed = match network {
        Some(key) if !template.is_some_and(routes::is_exempt_from_limits) => app.limiter.check_network(key),
        _ => Ok(()),
    };
    let says_no = template.is_some_and(|template| routes::is_erasure(request.method(), template));
    let mut response = match allowed {
        Ok(()) => next.run(request).await,
        // A "no" whose signature is good is never refused for its network. Few are looked at together, so that
        // this stays cheap.
        Err(problem) if says_no => {
            let _turn = app.limiter.erasure_permit().await;
            let response = next.run(request).await;
            match response.status().is_success() || response.status().is_server_error() {
                true => response,
                false => {
                    app.metrics.rate_limited("network");
                    problem.into_response()
                }
            }
        }
        Err(problem) => {
            app.metrics.rate_limited("network");
            reject(&app, request, problem).await
        }
    };
    if let Some(kind) = response.extensions().get::<ProblemType>().copied() {
        app.metrics.record_problem(kind);
        if let (Some(key), ProblemType::BadToken | ProblemType::BadSignature) = (network, kind) {
            app.limiter.penalize(key);
        }
    }
    // Not on unknown paths: a device must not take a wrong base URL for an unknown record.
    if template.is_some() {
        response.headers_mut().insert(PROTOCOL, PROTOCOL_VERSION);
        response
            .headers_mut()
            .insert(EPOCH, app.storage.epoch.to_header());
    }
    let status = response.status().as_u16();
    tracing::debug!(
        route = route.route,
        method = route.method,
        status,
        "answered"
    );
    let sent = response.body().size_hint().lower();
    app.metrics.record_response(&route, status, begun.elapsed(), sent);
    response
}

/// What the answer is to a request that is refused before anybody looks at it.
async fn reject(app: &AppState, request: Request, problem: Problem) -> Response {
    let (parts, body) = request.into_parts();
    let body = LimitedBody::new(&parts.headers, body, 0, &app.limits);
    body.drain_and_respond::<()>(Err(problem)).await.into_response()
}

/// Forgets the address of a request, once its network's bucket is known.
fn network_key(app: &AppState, request: &mut Request) -> Option<BucketKey> {
    let peer = request.extensions_mut().remove::<Peer>()?;
    if app.proxies.trusted == 0 && has_forwarding_header(request.headers()) {
        static TOLD: Once = Once::new();
        TOLD.call_once(|| {
            tracing::warn!(
                "a proxy seems to stand in front; name how many by --trusted-proxies, or requests \
                 are limited by the proxy's address instead of the client's network"
            );
        });
    }
    let key = app
        .limiter
        .network_key(network(peer, request.headers(), app.proxies)?);
    request.extensions_mut().insert(NetworkKey(key));
    Some(key)
}

/// A method as a label: whatever else clients make up is one.
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

/// A body whose bytes are counted as they come.
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
