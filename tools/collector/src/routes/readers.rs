//! Samples, from the side of QA tools: listed, handed out, taken back.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::State,
    http::{header, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{not_for_purpose, pagination::PageQuery, purpose};
use crate::{
    app_state::{AppState, PathId, this_week},
    database::NewAccess,
    digest::CONTENT_DIGEST,
    errors::Problem,
    tokens::{FormerReader, Reader},
};

/// `GET /v1/samples`.
pub(super) async fn list(
    State(app): State<AppState>,
    reader: Reader,
    parts: Parts,
) -> Result<Json<Value>, Problem> {
    const KIND: &str = "s";
    let PageQuery {
        purpose,
        after,
        limit,
    } = PageQuery::for_reader(&reader, &parts, KIND)?;
    let samples = app.storage.database.samples(purpose, after, limit).await?;
    let next = samples.last().map_or(after, |sample| sample.sequence);
    Ok(Json(
        json!({"samples": samples, "next": format!("{KIND}{next}")}),
    ))
}

/// `GET /v1/withdrawn`: for every token that was ever made, and whatever it is good for, since its holder may have
/// copies. Ids are random; which of them are only held back is all else that it says.
pub(super) async fn withdrawn(
    State(app): State<AppState>,
    _: FormerReader,
    parts: Parts,
) -> Result<Json<Value>, Problem> {
    const KIND: &str = "w";
    let PageQuery {
        purpose,
        after,
        limit,
    } = PageQuery::parse(&parts, KIND)?;
    let entries = app
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
    State(app): State<AppState>,
    PathId(id): PathId,
    reader: Reader,
    parts: Parts,
) -> Result<Response, Problem> {
    let purpose = purpose(&reader, &parts)?;
    let hand_out = NewAccess {
        sample: id,
        purpose,
        week: this_week(),
        reader: reader.name,
    };
    match app.storage.download(&hand_out).await? {
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
        Err(refusal) => Err(not_for_purpose(refusal)),
    }
}
