//! Routes of reviews: verdicts, assignments and quarantine.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts as _, Request, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sordino::{Id, Purpose};

use crate::{
    age_header,
    app_state::AppState,
    config::Verdicts,
    database::{ReadRefusal, Review, ReviewKind},
    dates::this_week,
    errors::{Problem, ProblemType},
    extractors::{limited_body::LimitedBody, pagination::PageQuery, path::PathId, reader::Reader},
};

/// The maximum size of a sealed verdict and of the JSON bodies of these routes, in bytes.
const MAX_BODY_BYTES: u64 = 16 << 10;
/// The maximum length of a note in a plain verdict, in characters.
const MAX_NOTE_CHARS: usize = 2000;
/// The maximum length of a reader's name, in characters, as for tokens.
const MAX_NAME_CHARS: usize = 100;
/// The maximum page of reviews, which is shorter than other pages because each may have [`MAX_BODY_BYTES`].
const MAX_REVIEWS_PAGE: u32 = 200;

/// `GET /v1/reviews`.
pub(super) async fn list(
    State(state): State<AppState>,
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
    let entries = state
        .storage
        .database
        .reviews(purpose, after, limit)
        .await?;
    let next = entries.last().map_or(after, |last| last.sequence);
    let (assignments, reviews): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|review| review.kind == ReviewKind::Assignment);
    let reviews: Vec<Value> = reviews.iter().map(verdict_json).collect();
    let assignments: Vec<Value> = assignments
        .iter()
        .map(|review| {
            let reader = (!review.reader.is_empty()).then_some(&review.reader);
            json!({"sample": review.sample, "reader": reader})
        })
        .collect();
    Ok(Json(json!({
        "verdicts": state.verdicts,
        "reader": reader.name,
        "reviews": reviews,
        "assignments": assignments,
        "next": format!("{KIND}{next}"),
    })))
}

fn verdict_json(review: &Review) -> Value {
    let Review {
        sample,
        reader,
        week,
        content,
        ..
    } = review;
    let mut verdict = json!({"sample": sample, "reader": reader, "week": week});
    match review.kind {
        ReviewKind::Plain => {
            verdict["plain"] = serde_json::from_str(content).unwrap_or(Value::Null);
        }
        _ => verdict["sealed"] = json!(content),
    }
    verdict
}

/// A request about one sample, from a reader who may use it for the purpose in the query.
pub(super) struct ReviewRequest {
    sample: Id,
    purpose: Purpose,
    reader: Reader,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl FromRequest<AppState> for ReviewRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let PathId(sample) = PathId::from_request_parts(&mut parts, state).await?;
        let reader = Reader::from_request_parts(&mut parts, state).await?;
        let purpose = reader.purpose(&parts)?;
        let mut body = LimitedBody::new(&parts.headers, body, MAX_BODY_BYTES, &state.limits);
        let outcome = body.read_all().await;
        Ok(Self {
            sample,
            purpose,
            reader,
            body: body.drain_and_respond(outcome).await?,
            headers: parts.headers,
        })
    }
}

impl ReviewRequest {
    fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body)
            .map_err(|error| ProblemType::Malformed.with_detail(format!("invalid body: {error}")))
    }

    /// Stores a review of the sample if it is available for the purpose.
    async fn put_review(
        &self,
        state: &AppState,
        kind: ReviewKind,
        reader: &str,
        content: &str,
    ) -> Result<StatusCode, Problem> {
        let mut session = state.storage.database.write().await?;
        session
            .available(self.sample, self.purpose)
            .await?
            .map_err(Problem::unavailable_sample)?;
        session
            .put_review(
                self.sample,
                self.purpose,
                kind,
                reader,
                this_week(),
                content,
            )
            .await?;
        session.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

/// A plain verdict.
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

/// `PUT /v1/reviews/SAMPLE`: a verdict, sealed or plain as configured.
pub(super) async fn put(
    State(state): State<AppState>,
    request: ReviewRequest,
) -> Result<StatusCode, Problem> {
    let (kind, content) = match state.verdicts {
        Verdicts::Sealed => (ReviewKind::Sealed, parse_sealed(&request.body)?),
        Verdicts::Plain => (ReviewKind::Plain, parse_plain(&request)?),
    };
    request
        .put_review(&state, kind, &request.reader.name, &content)
        .await
}

fn parse_sealed(body: &[u8]) -> Result<String, Problem> {
    let start = &body[..body.len().min(age_header::MAX_HEADER_BYTES)];
    match age_header::count_recipients(start, body.len() as u64) {
        Some(_) => Ok(BASE64.encode(body)),
        None => Err(ProblemType::NotSealed.with_detail(
            "the collector requires sealed verdicts: send an age v1 file with X25519 recipients only",
        )),
    }
}

fn parse_plain(request: &ReviewRequest) -> Result<String, Problem> {
    let is_json = request
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !is_json {
        return Err(
            ProblemType::Malformed.with_detail("the collector requires plain verdicts: send JSON")
        );
    }
    let PlainVerdict { verdict, note } = request.json()?;
    if note.chars().count() > MAX_NOTE_CHARS {
        return Err(ProblemType::Malformed.with_detail("a note may have at most 2000 characters"));
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
    State(state): State<AppState>,
    request: ReviewRequest,
) -> Result<StatusCode, Problem> {
    let assigned: Assignment = request.json()?;
    let name = assigned.reader.unwrap_or_default();
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(ProblemType::Malformed.with_detail(
            "a reader's name may have at most 100 characters and no control characters",
        ));
    }
    request
        .put_review(&state, ReviewKind::Assignment, &name, "")
        .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuarantineRequest {
    anonymizer: String,
}

/// `PUT /v1/samples/SAMPLE/quarantine`: a reader heard a voice.
pub(super) async fn quarantine(
    State(state): State<AppState>,
    request: ReviewRequest,
) -> Result<StatusCode, Problem> {
    let QuarantineRequest { anonymizer } = request.json()?;
    // The version becomes a metrics label.
    let is_version = (1..=40).contains(&anonymizer.len())
        && anonymizer
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte));
    if !is_version {
        return Err(ProblemType::Malformed.with_detail(
            "`anonymizer` must be the version in the manifest: 1 to 40 characters of A-Z a-z 0-9 . _ + -",
        ));
    }
    let mut session = state.storage.database.write().await?;
    match session.available(request.sample, request.purpose).await? {
        Ok(_) => {
            session.quarantine(request.sample, &anonymizer).await?;
            session.commit().await?;
            tracing::warn!(
                anonymizer,
                "a reader heard a voice in a sample; it was quarantined"
            );
            Ok(StatusCode::NO_CONTENT)
        }
        // Already quarantined or deleted.
        Err(ReadRefusal::Deleted) => Ok(StatusCode::NO_CONTENT),
        Err(refusal) => Err(Problem::unavailable_sample(refusal)),
    }
}
