//! Routes of samples for devices: upload, deletion and access reports.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, request::Parts},
};
use jiff::Timestamp;
use sordino::{Id, Purposes, Week};

use crate::{
    age_header,
    app_state::AppState,
    blob_store::Upload,
    database::{
        Accesses, Admission, NewSample, ReadRefusal, RecipientCheck, Refusal, UploadContext,
    },
    dates::{this_week, today},
    digest::{Hasher, Sha256},
    errors::{Problem, ProblemType},
    extractors::{
        content_digest::CONTENT_DIGEST,
        limited_body::LimitedBody,
        path::{PathId, PathIdAndSeen},
        signature::RequestSignature,
    },
};

const PURPOSES: &str = "sordino-purposes";
const RECIPIENTS: &str = "sordino-recipients";

/// `PUT /v1/samples/SAMPLE`: an age file.
pub(super) async fn put(
    State(state): State<AppState>,
    PathId(id): PathId,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = LimitedBody::sample(&parts.headers, body, &state.limits);
    let outcome = try_put(&state, id, &parts, &mut body).await;
    body.drain_and_respond(outcome).await
}

async fn try_put(
    state: &AppState,
    id: Id,
    parts: &Parts,
    body: &mut LimitedBody,
) -> Result<StatusCode, Problem> {
    let signature =
        RequestSignature::read(parts, &[CONTENT_DIGEST, PURPOSES, RECIPIENTS], &state.names)?;
    let sample = NewSample {
        id,
        consent: signature.record(),
        purposes: purposes(&parts.headers)?,
        sha256: Sha256::from_header(&parts.headers)?,
        week: this_week(),
    };
    let stated = recipients(&parts.headers)?;
    let known = state
        .storage
        .database
        .upload_context(&sample, stated, today());
    let UploadContext {
        key,
        recipients: check,
        admission,
        is_paused,
        limits,
        week,
    } = known.await?;
    signature.verify(&key.ok_or_else(Problem::unknown_record)?)?;
    state.check_record_limit(signature.record())?;
    if check == RecipientCheck::Rejected {
        return Err(ProblemType::WrongRecipients.with_detail(
            "the sample is sealed to recipients that no current plan lists; fetch the plan",
        ));
    }
    // A refused sample need not be received. An admitted one is checked again after it arrived.
    let charge = match require_admitted(admission)? {
        Admission::Open if is_paused => return Err(Problem::paused()),
        Admission::Open => {
            let (record, bytes) = (signature.record(), body.declared_bytes());
            let charge = state
                .budgets
                .charge(record, bytes, limits, week, Timestamp::now());
            Some(charge?)
        }
        // Already stored, so it is not charged.
        _ => None,
    };

    let _permit = state.reserve_upload(body.declared_bytes()).await?;
    let (upload, bytes) = receive(state, body, &sample, check).await?;
    match require_admitted(state.storage.store_sample(sample, upload, bytes).await?)? {
        Admission::Present => Ok(StatusCode::OK),
        _ => {
            if let Some(charge) = charge {
                charge.commit();
            }
            Ok(StatusCode::CREATED)
        }
    }
}

/// Writes a body to the object storage as it arrives and verifies its digest and recipients.
async fn receive(
    state: &AppState,
    body: &mut LimitedBody,
    sample: &NewSample,
    check: RecipientCheck,
) -> Result<(Upload, u64), Problem> {
    let mut upload = state.storage.blob_store.begin(sample.id)?;
    let mut hasher = Hasher::new();
    let mut start = Vec::new();
    let mut bytes = 0;
    while let Some(piece) = body.next_chunk().await? {
        hasher.update(&piece);
        let missing = age_header::MAX_HEADER_BYTES - start.len();
        start.extend_from_slice(&piece[..piece.len().min(missing)]);
        bytes += piece.len() as u64;
        upload.write(&piece).await?;
    }
    hasher.finish().verify(sample.sha256)?;
    let sealed_to = age_header::count_recipients(&start, bytes).ok_or_else(|| {
        ProblemType::NotSealed
            .with_detail("the body is not an age v1 file with X25519 recipients only")
    })?;
    if matches!(check, RecipientCheck::Accepted(count) if count != sealed_to) {
        return Err(ProblemType::WrongRecipients.with_detail(format!(
            "the sample has {sealed_to} recipients, unlike the plan"
        )));
    }
    upload.finish().await?;
    Ok((upload, bytes))
}

/// `DELETE /v1/samples/SAMPLE`.
pub(super) async fn delete(
    State(state): State<AppState>,
    PathId(id): PathId,
    parts: Parts,
) -> Result<StatusCode, Problem> {
    let record = verify_signer(&state, &parts).await?;
    // Deletions of stored samples are not rate-limited. Those of unknown ids are, because each creates a tombstone.
    if let Err(problem) = state.check_record_limit(record)
        && state.storage.database.owner(id).await? != Some(record)
    {
        return Err(problem);
    }
    match state.storage.delete(id, record).await? {
        Ok(()) => {
            state.metrics.deleted();
            Ok(StatusCode::NO_CONTENT)
        }
        Err(_) => Err(not_yours()),
    }
}

/// `GET /v1/samples/SAMPLE/accesses`.
pub(super) async fn accesses(
    State(state): State<AppState>,
    PathId(id): PathId,
    parts: Parts,
) -> Result<Json<Accesses>, Problem> {
    accesses_of(&state, id, None, &parts).await
}

/// `GET /v1/samples/SAMPLE/accesses/since/N`.
pub(super) async fn proven_accesses(
    State(state): State<AppState>,
    PathIdAndSeen(id, seen): PathIdAndSeen,
    parts: Parts,
) -> Result<Json<Accesses>, Problem> {
    accesses_of(&state, id, Some(seen), &parts).await
}

async fn accesses_of(
    state: &AppState,
    sample: Id,
    seen: Option<u64>,
    parts: &Parts,
) -> Result<Json<Accesses>, Problem> {
    let record = verify_and_count(state, parts).await?;
    let accesses = state.storage.database.accesses(sample, record, seen);
    match accesses.await? {
        Ok(accesses) => Ok(Json(accesses)),
        Err(ReadRefusal::NotYours) => Err(not_yours()),
        Err(_) => {
            Err(ProblemType::UnknownSample.with_detail("no sample was ever sent with this id"))
        }
    }
}

/// Verifies the signature of a request without a body and counts it against the record's limit.
async fn verify_and_count(state: &AppState, parts: &Parts) -> Result<Id, Problem> {
    let record = verify_signer(state, parts).await?;
    state.check_record_limit(record)?;
    Ok(record)
}

/// Verifies the signature of a request without a body and returns its record.
async fn verify_signer(state: &AppState, parts: &Parts) -> Result<Id, Problem> {
    let signature = RequestSignature::read(parts, &[], &state.names)?;
    signature.verify(&state.key(signature.record()).await?)?;
    Ok(signature.record())
}

fn purposes(headers: &HeaderMap) -> Result<Purposes, Problem> {
    let text = headers
        .get(PURPOSES)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.parse()
        .ok()
        .filter(|purposes: &Purposes| purposes.to_string() == text)
        .ok_or_else(|| {
            ProblemType::Malformed
                .with_detail("`Sordino-Purposes` must list known purposes in order, each once")
        })
}

fn recipients(headers: &HeaderMap) -> Result<Sha256, Problem> {
    let text = headers
        .get(RECIPIENTS)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.parse().map_err(|error| {
        ProblemType::Malformed.with_detail(format!("invalid `Sordino-Recipients`: {error}"))
    })
}

fn require_admitted(admission: Admission) -> Result<Admission, Problem> {
    match admission {
        Admission::Refused(refusal) => Err(refusal_problem(refusal)),
        admission => Ok(admission),
    }
}

fn refusal_problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::UnknownRecord => Problem::unknown_record(),
        Refusal::Withdrawn => ProblemType::Withdrawn.with_detail("the consent was withdrawn"),
        Refusal::Expired(week) => expired(week),
        Refusal::NotGranted(purposes) => ProblemType::NotGranted
            .with_detail("the record does not grant all purposes of the sample")
            .with_purposes(&purposes),
        Refusal::Deleted => ProblemType::Deleted.with_detail("the sample was deleted"),
        Refusal::NotYours => not_yours(),
        Refusal::DifferentContent => ProblemType::DifferentContent
            .with_detail("another sample is stored with this id; use a new id"),
    }
}

fn expired(week: Week) -> Problem {
    ProblemType::NotGranted.with_detail(format!(
        "the consent expired after {week}; request a new one"
    ))
}

fn not_yours() -> Problem {
    ProblemType::NotYours.with_detail("the sample belongs to another consent record")
}
