//! For whoever keeps the collector running.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use crate::{
    app_state::AppState,
    metrics::CONTENT_TYPE,
    errors::{ProblemType, Problem},
    tokens::Reader,
};

/// `GET /healthz`: the process lives.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// `GET /readyz`: requests can be served.
pub(super) async fn readyz(State(app): State<AppState>) -> Result<Json<Value>, Problem> {
    app.readiness.check(&app.storage).await?;
    Ok(Json(json!({"status": "ready"})))
}

/// `GET /metrics` beside devices' requests. For every token, whatever its purposes: the page tells how
/// much is sent and read, which is nobody's business who has none.
pub(super) async fn metrics(State(app): State<AppState>, _: Reader) -> Result<Response, Problem> {
    open_metrics(State(app)).await
}

/// `GET /metrics` on a listener of its own, for whoever gets there.
pub(super) async fn open_metrics(State(app): State<AppState>) -> Result<Response, Problem> {
    let page = app.metrics.encode(&app.storage.database).await;
    let page =
        page.map_err(|_| ProblemType::Internal.with_detail("the page could not be written; ask again"))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response())
}
