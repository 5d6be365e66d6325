//! The review page: three files that are built from `page/` and lie in the program.
//!
//! The page opens samples in the reader's browser; no key comes near the collector. Its headers let it
//! load nothing from elsewhere, send nothing elsewhere, and run no script but its own.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Redirect},
    routing::get,
};

/// Written by the build beside the files that it fits.
const POLICY: &str = include_str!("../../page/dist/policy.txt");
const INDEX: &[u8] = include_bytes!("../../page/dist/index.html");
const SCRIPT: &[u8] = include_bytes!("../../page/dist/app.js");
const STYLE: &[u8] = include_bytes!("../../page/dist/style.css");

/// What of a browser the page has no use for.
const PERMISSIONS: &str = "accelerometer=(), camera=(), clipboard-read=(), \
    display-capture=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), magnetometer=(), \
    microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), \
    serial=(), usb=()";

/// Where the page lies: `/review/`.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        // Relative, so that it holds behind a proxy's path too.
        .route("/review", get(|| async { Redirect::permanent("review/") }))
        .route(
            "/review/",
            get(|| async { file("text/html; charset=utf-8", INDEX) }),
        )
        .route(
            "/review/app.js",
            get(|| async { file("text/javascript; charset=utf-8", SCRIPT) }),
        )
        .route(
            "/review/style.css",
            get(|| async { file("text/css; charset=utf-8", STYLE) }),
        )
}

fn file(kind: &'static str, bytes: &'static [u8]) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-embedder-policy"),
            "require-corp",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (headers, bytes)
}
