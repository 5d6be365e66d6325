//! Routes for operators: health, readiness and metrics.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use crate::{
    app_state::AppState,
    errors::{Problem, ProblemType},
    extractors::reader::Reader,
    metrics::CONTENT_TYPE,
};

/// `GET /healthz`: the process is running.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// `GET /readyz`: the collector can serve requests.
pub(super) async fn readyz(State(state): State<AppState>) -> Result<Json<Value>, Problem> {
    state.readiness.check(&state.storage).await?;
    Ok(Json(json!({"status": "ready"})))
}

/// `GET /metrics` on the public listener. It requires a token, of any purpose, because the metrics reveal the amount of
/// traffic.
pub(super) async fn metrics(State(state): State<AppState>, _: Reader) -> Result<Response, Problem> {
    open_metrics(State(state)).await
}

/// `GET /metrics` on the separate listener, without authentication.
pub(super) async fn open_metrics(State(state): State<AppState>) -> Result<Response, Problem> {
    let page = state.metrics.encode(&state.storage.database).await;
    let page =
        page.map_err(|_| ProblemType::Internal.with_detail("cannot encode the metrics; retry"))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response())
}
