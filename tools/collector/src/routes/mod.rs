//! The routes, as docs/protocol.md lists them.

mod consents;
mod plan;
mod samples;
mod tools;

use axum::{
    Json, Router,
    http::{HeaderName, HeaderValue, Method, Uri},
    middleware::map_response,
    response::{IntoResponse as _, Response},
    routing::{get, put},
};
use serde_json::{Value, json};
use sordino::{Id, signed::PublicKey};

use crate::{
    app::App,
    problem::{Kind, Problem},
};

/// By this header a device tells the collector's answers from a captive portal's.
const PROTOCOL: HeaderName = HeaderName::from_static("sordino-protocol");
const PROTOCOL_VERSION: HeaderValue = HeaderValue::from_static("1");

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/v1/consents/{record}", put(consents::register))
        .route("/v1/consents/{record}/withdrawal", put(consents::withdraw))
        .route("/v1/samples", get(tools::list))
        .route(
            "/v1/samples/{sample}",
            put(samples::put)
                .delete(samples::delete)
                .get(tools::hand_out),
        )
        .route("/v1/samples/{sample}/accesses", get(samples::accesses))
        .route("/v1/withdrawn", get(tools::withdrawn))
        .route("/v1/plan", get(plan::in_force))
        .route("/healthz", get(healthz))
        .method_not_allowed_fallback(method_not_allowed)
        // Not on unknown paths: a device must not take a wrong base URL for an unknown record.
        .route_layer(map_response(stamp))
        .fallback(unknown_path)
        .with_state(app)
}

async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

async fn unknown_path(uri: Uri) -> Problem {
    Kind::UnknownPath.because(format!("there is nothing at `{}`", uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Kind::MethodNotAllowed.because(format!("`{}` does not take {method}", uri.path()))
}

fn unknown_record() -> Problem {
    Kind::UnknownRecord.because("the consent record was never registered; register it first")
}

impl App {
    /// The key of a registered record.
    async fn key(&self, record: Id) -> Result<PublicKey, Problem> {
        self.storage
            .database
            .key(record)
            .await?
            .ok_or_else(unknown_record)
    }
}

async fn stamp(response: Response) -> Response {
    tracing::debug!(status = response.status().as_u16(), "answered");
    ([(PROTOCOL, PROTOCOL_VERSION)], response).into_response()
}
