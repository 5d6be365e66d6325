//! What readers say of samples: verdicts, who is to look at one, and that a voice was heard.

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header, request::Parts},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use serde_json::{Value, json};
use sordino::{Id, Purpose};

use super::{not_for_purpose, pagination::PageQuery, purpose};
use crate::{
    age_header,
    app_state::{AppState, PathId, this_week},
    limited_body::LimitedBody,
    config::Verdicts,
    database::{ReadRefusal, Review, SaidKind, Session},
    errors::{ProblemType, Problem},
    tokens::Reader,
};

/// The largest sealed verdict, and the largest JSON of these routes, in bytes.
const MAX_BODY_BYTES: u64 = 16 << 10;
/// The longest note in a plain verdict, in characters.
const MAX_NOTE_CHARS: usize = 2000;
/// The longest name of a reader, in characters; a token's is no longer.
const MAX_NAME_CHARS: usize = 100;
/// A page of verdicts is shorter than other pages: each may hold [`LONGEST`] bytes.
const MAX_REVIEWS_PAGE: u32 = 200;

/// `GET /v1/reviews`.
pub(super) async fn list(
    State(app): State<AppState>,
    reader: Reader,
    parts: Parts,
) -> Result<Json<Value>, Problem> {
    const KIND: &str = "r";
    let PageQuery {
        purpose,
        after,
        limit,
    } = PageQuery::for_reader(&reader, &parts, KIND)?;
    let limit = limit.min(MAX_REVIEWS_PAGE);
    let said = app.storage.database.reviews(purpose, after, limit).await?;
    let next = said.last().map_or(after, |last| last.sequence);
    let (assignments, reviews): (Vec<_>, Vec<_>) = said
        .into_iter()
        .partition(|said| said.kind == SaidKind::Assignment);
    let reviews: Vec<Value> = reviews.iter().map(verdict_json).collect();
    let assignments: Vec<Value> = assignments
        .iter()
        .map(|said| {
            let reader = (!said.reader.is_empty()).then_some(&said.reader);
            json!({"sample": said.sample, "reader": reader})
        })
        .collect();
    Ok(Json(json!({
        "verdicts": app.verdicts,
        "reader": reader.name,
        "reviews": reviews,
        "assignments": assignments,
        "next": format!("{KIND}{next}"),
    })))
}

fn verdict_json(said: &Review) -> Value {
    let Review {
        sample,
        reader,
        week,
        content,
        ..
    } = said;
    let mut verdict = json!({"sample": sample, "reader": reader, "week": week});
    match said.kind {
        SaidKind::Plain => {
            verdict["plain"] = serde_json::from_str(content).unwrap_or(Value::Null);
        }
        _ => verdict["sealed"] = json!(content),
    }
    verdict
}

/// A verdict that the collector can read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainVerdict {
    verdict: Verdict,
    #[serde(default)]
    note: String,
}

#[derive(Clone, Copy, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    #[serde(rename = "recogniser-wrong")]
    RecognizerWrong,
    ExpectationWrong,
    PlayerWrong,
    Unusable,
}

/// `PUT /v1/reviews/SAMPLE`: a verdict, sealed or plain as the operator set it.
pub(super) async fn put(
    State(app): State<AppState>,
    PathId(sample): PathId,
    reader: Reader,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let purpose = purpose(&reader, &parts)?;
    let body = receive(&app, &parts, body).await?;
    let (kind, content) = match app.verdicts {
        Verdicts::Sealed => (SaidKind::Sealed, parse_sealed(&body)?),
        Verdicts::Plain => (SaidKind::Plain, parse_plain(&parts, &body)?),
    };
    let mut session = begin_review(&app, sample, purpose).await?;
    session
        .put_review(sample, purpose, kind, &reader.name, this_week(), &content)
        .await?;
    session.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse_sealed(body: &[u8]) -> Result<String, Problem> {
    let start = &body[..body.len().min(age_header::MAX_HEADER_BYTES)];
    match age_header::count_recipients(start, body.len() as u64) {
        Some(_) => Ok(BASE64.encode(body)),
        None => Err(ProblemType::NotSealed.with_detail(
            "verdicts are kept sealed here: send an age v1 file to X25519 recipients alone",
        )),
    }
}

fn parse_plain(parts: &Parts, body: &[u8]) -> Result<String, Problem> {
    let is_json = parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !is_json {
        return Err(ProblemType::Malformed.with_detail("verdicts are kept plain here: send JSON"));
    }
    let PlainVerdict { verdict, note } = from_json(body)?;
    if note.chars().count() > MAX_NOTE_CHARS {
        return Err(ProblemType::Malformed.with_detail("a note has at most 2000 characters"));
    }
    Ok(json!({"verdict": verdict, "note": note}).to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assignment {
    reader: Option<String>,
}

/// `PUT /v1/reviews/SAMPLE/assignment`.
pub(super) async fn assign(
    State(app): State<AppState>,
    PathId(sample): PathId,
    reader: Reader,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let purpose = purpose(&reader, &parts)?;
    let assigned: Assignment = from_json(&receive(&app, &parts, body).await?)?;
    let name = assigned.reader.unwrap_or_default();
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(ProblemType::Malformed
            .with_detail("a reader's name has at most 100 characters, none of which controls"));
    }
    let mut session = begin_review(&app, sample, purpose).await?;
    session
        .put_review(
            sample,
            purpose,
            SaidKind::Assignment,
            &name,
            this_week(),
            "",
        )
        .await?;
    session.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuarantineRequest {
    anonymizer: String,
}

/// `PUT /v1/samples/SAMPLE/quarantine`: a voice was heard.
pub(super) async fn quarantine(
    State(app): State<AppState>,
    PathId(sample): PathId,
    reader: Reader,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let purpose = purpose(&reader, &parts)?;
    let QuarantineRequest { anonymizer } = from_json(&receive(&app, &parts, body).await?)?;
    // It becomes a metric's label.
    let is_version = (1..=40).contains(&anonymizer.len())
        && anonymizer
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte));
    if !is_version {
        return Err(ProblemType::Malformed.with_detail(
            "`anonymizer` is the version that the manifest states, 1 to 40 of A-Z a-z 0-9 . _ + -",
        ));
    }
    let mut session = app.storage.database.write().await?;
    match session.available(sample, purpose).await? {
        Ok(_) => {
            session.quarantine(sample, &anonymizer).await?;
            session.commit().await?;
            tracing::warn!(
                anonymizer,
                "a voice was heard in a sample; it is quarantined"
            );
            Ok(StatusCode::NO_CONTENT)
        }
        // Sent twice, or gone anyway: what was asked for is so.
        Err(ReadRefusal::Deleted) => Ok(StatusCode::NO_CONTENT),
        Err(refusal) => Err(not_for_purpose(refusal)),
    }
}

/// A transaction in which the sample can be spoken of for the purpose.
async fn begin_review(app: &AppState, sample: Id, purpose: Purpose) -> Result<Session, Problem> {
    let mut session = app.storage.database.write().await?;
    match session.available(sample, purpose).await? {
        Ok(_) => Ok(session),
        Err(refusal) => Err(not_for_purpose(refusal)),
    }
}

async fn receive(app: &AppState, parts: &Parts, body: Body) -> Result<Vec<u8>, Problem> {
    let mut body = LimitedBody::new(&parts.headers, body, MAX_BODY_BYTES, &app.limits);
    let outcome = body.read_all().await;
    body.drain_and_respond(outcome).await
}

fn from_json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        ProblemType::Malformed.with_detail(format!("the body is not what it should be: {error}"))
    })
}
