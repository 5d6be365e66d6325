//! Routes of the access log.

use axum::{Json, extract::State, http::request::Parts};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::extractors::pagination::{page_limit, parse_cursor};
use crate::{
    app_state::AppState,
    database::Head,
    errors::Problem,
    extractors::{query::query, reader::Reader},
};

#[derive(Deserialize)]
struct Page {
    after: Option<String>,
    limit: Option<u32>,
}

/// `GET /v1/audit/head`. Public: it reveals only the number of accesses.
pub(super) async fn head(State(state): State<AppState>) -> Result<Json<Head>, Problem> {
    Ok(Json(state.storage.database.head().await?))
}

/// `GET /v1/audit/log`. For every token, whatever its purposes, because the chain covers all purposes.
pub(super) async fn log(
    State(state): State<AppState>,
    _: Reader,
    parts: Parts,
) -> Result<Json<Value>, Problem> {
    let Page { after, limit } = query(&parts)?;
    // The cursor is the number of an entry, so that a reader of the log can continue after it.
    let after = parse_cursor(after.as_deref(), "")?;
    let entries = state
        .storage
        .database
        .log(after, page_limit(limit)?)
        .await?;
    let next = entries.last().map_or(after, |entry| entry.sequence());
    Ok(Json(json!({"entries": entries, "next": next.to_string()})))
}
