//! Routes of QA tools: lists, downloads and withdrawals.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::State,
    http::{header, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use crate::{
    app_state::AppState,
    database::NewAccess,
    dates::this_week,
    errors::Problem,
    extractors::{
        content_digest::CONTENT_DIGEST,
        pagination::PageQuery,
        path::PathId,
        reader::{FormerReader, Reader},
    },
};

/// `GET /v1/samples`.
pub(super) async fn list(
    State(state): State<AppState>,
    reader: Reader,
    parts: Parts,
) -> Result<Json<Value>, Problem> {
    const KIND: &str = "s";
    let PageQuery {
        purpose,
        after,
        limit,
    } = PageQuery::for_reader(&reader, &parts, KIND)?;
    let samples = state
        .storage
        .database
        .samples(purpose, after, limit)
        .await?;
    let next = samples.last().map_or(after, |sample| sample.sequence);
    Ok(Json(
        json!({"samples": samples, "next": format!("{KIND}{next}")}),
    ))
}

/// `GET /v1/withdrawn`: for every token that was ever created, even if it is expired, revoked or for another purpose,
/// because its holder may have copies. It reveals only random ids and which of them are quarantined.
pub(super) async fn withdrawn(
    State(state): State<AppState>,
    _: FormerReader,
    parts: Parts,
) -> Result<Json<Value>, Problem> {
    const KIND: &str = "w";
    let PageQuery {
        purpose,
        after,
        limit,
    } = PageQuery::parse(&parts, KIND)?;
    let entries = state
        .storage
        .database
        .withdrawn(purpose, after, limit)
        .await?;
    let next = entries.last().map_or(after, |entry| entry.sequence);
    let quarantined: BTreeSet<&str> = entries
        .iter()
        .filter(|entry| entry.is_quarantined)
        .map(|entry| entry.id.as_str())
        .collect();
    let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    Ok(Json(
        json!({"ids": ids, "quarantined": quarantined, "next": format!("{KIND}{next}")}),
    ))
}

/// `GET /v1/samples/SAMPLE`.
pub(super) async fn download(
    State(state): State<AppState>,
    PathId(id): PathId,
    reader: Reader,
    parts: Parts,
) -> Result<Response, Problem> {
    let purpose = reader.purpose(&parts)?;
    let hand_out = NewAccess {
        sample: id,
        purpose,
        week: this_week(),
        reader: reader.name,
    };
    match state.storage.download(&hand_out).await? {
        Ok(opened) => {
            let headers = [
                (
                    header::CONTENT_TYPE.as_str(),
                    "application/octet-stream".to_owned(),
                ),
                (header::CACHE_CONTROL.as_str(), "no-store".to_owned()),
                (CONTENT_DIGEST, opened.sha256.to_header()),
            ];
            Ok((headers, opened.bytes).into_response())
        }
        Err(refusal) => Err(Problem::unavailable_sample(refusal)),
    }
}
