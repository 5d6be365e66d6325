//! The access log, for whoever wants to check it.

use axum::{Json, extract::State, http::request::Parts};
use serde::Deserialize;
use serde_json::{Value, json};

use super::pagination;
use crate::{
    app_state::{AppState, query},
    database::Head,
    errors::Problem,
    tokens::Reader,
};

#[derive(Deserialize)]
struct Page {
    after: Option<String>,
    limit: Option<u32>,
}

/// `GET /v1/audit/head`. For everybody: it tells how many hand-outs there were and nothing of them.
pub(super) async fn head(State(app): State<AppState>) -> Result<Json<Head>, Problem> {
    Ok(Json(app.storage.database.head().await?))
}

/// `GET /v1/audit/log`. For every token, whatever its purposes: the chain is one.
pub(super) async fn log(
    State(app): State<AppState>,
    _: Reader,
    parts: Parts,
) -> Result<Json<Value>, Problem> {
    let Page { after, limit } = query(&parts)?;
    // An entry's own number, so that whoever holds the log up to it can go on from there.
    let after = pagination::parse_cursor(after.as_deref(), "")?;
    let entries = app
        .storage
        .database
        .log(after, pagination::page_limit(limit)?)
        .await?;
    let next = entries.last().map_or(after, |entry| entry.sequence());
    Ok(Json(json!({"entries": entries, "next": next.to_string()})))
}
