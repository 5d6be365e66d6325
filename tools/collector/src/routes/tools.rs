//! Samples, from the side of QA tools: listed, handed out, taken back.

use axum::{
    Json,
    extract::State,
    http::{header, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sordino::Purpose;

use crate::{
    app::{App, PathId, query, this_week},
    database::ReadRefusal,
    digest::CONTENT_DIGEST,
    problem::{Kind, Problem},
    tokens::Reader,
};

/// How many entries a page holds at most, and unless told otherwise.
const LONGEST_PAGE: u32 = 1000;

#[derive(Deserialize)]
struct Page {
    purpose: Purpose,
    after: Option<String>,
    limit: Option<u32>,
}

impl Page {
    /// The place in the order after which the page begins. `kind` keeps cursors of one order out of
    /// the other.
    fn after(&self, kind: &str) -> Result<i64, Problem> {
        let Some(cursor) = &self.after else {
            return Ok(0);
        };
        let sequence = cursor
            .strip_prefix(kind)
            .and_then(|number| number.parse().ok());
        sequence.filter(|sequence| *sequence >= 0).ok_or_else(|| {
            Kind::Malformed.because("`after` is no cursor of this list; leave it out to begin anew")
        })
    }

    fn limit(&self) -> Result<u32, Problem> {
        match self.limit.unwrap_or(LONGEST_PAGE) {
            0 => Err(Kind::Malformed.because("`limit` must be at least 1")),
            limit => Ok(limit.min(LONGEST_PAGE)),
        }
    }
}

/// `GET /v1/samples`.
pub(super) async fn list(
    State(app): State<App>,
    reader: Reader,
    parts: Parts,
) -> Result<Json<Value>, Problem> {
    const KIND: &str = "s";
    let page: Page = query(&parts)?;
    reader.check(page.purpose)?;
    let after = page.after(KIND)?;
    let samples = app
        .storage
        .database
        .samples(page.purpose, after, page.limit()?)
        .await?;
    let next = samples.last().map_or(after, |sample| sample.sequence);
    Ok(Json(
        json!({"samples": samples, "next": format!("{KIND}{next}")}),
    ))
}

/// `GET /v1/withdrawn`.
pub(super) async fn withdrawn(
    State(app): State<App>,
    reader: Reader,
    parts: Parts,
) -> Result<Json<Value>, Problem> {
    const KIND: &str = "w";
    let page: Page = query(&parts)?;
    reader.check(page.purpose)?;
    let after = page.after(KIND)?;
    let entries = app
        .storage
        .database
        .withdrawn(page.purpose, after, page.limit()?)
        .await?;
    let next = entries.last().map_or(after, |(sequence, _)| *sequence);
    let ids: Vec<String> = entries.into_iter().map(|(_, id)| id).collect();
    Ok(Json(json!({"ids": ids, "next": format!("{KIND}{next}")})))
}

#[derive(Deserialize)]
struct HandOut {
    purpose: Purpose,
}

/// `GET /v1/samples/SAMPLE`.
pub(super) async fn hand_out(
    State(app): State<App>,
    PathId(id): PathId,
    reader: Reader,
    parts: Parts,
) -> Result<Response, Problem> {
    let HandOut { purpose } = query(&parts)?;
    reader.check(purpose)?;
    match app
        .storage
        .hand_out(id, purpose, reader.name, this_week())
        .await?
    {
        Ok(opened) => {
            let headers = [
                (
                    header::CONTENT_TYPE.as_str(),
                    "application/octet-stream".to_owned(),
                ),
                (header::CACHE_CONTROL.as_str(), "no-store".to_owned()),
                (CONTENT_DIGEST, opened.sha256.to_field()),
            ];
            Ok((headers, opened.bytes).into_response())
        }
        Err(ReadRefusal::Deleted) => Err(Kind::Deleted
            .because("the sample may no longer be used for this purpose; remove copies of it")),
        Err(_) => Err(Kind::UnknownSample.because("there is no such sample for this purpose")),
    }
}
