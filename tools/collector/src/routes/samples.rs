//! Samples, from the device's side: sent, deleted, asked after.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, request::Parts},
};
use jiff::Timestamp;
use sordino::{Id, Purposes, Week};

use crate::{
    age_header,
    app_state::{AppState, PathId, PathIdAndSeen, this_week, today},
    limited_body::LimitedBody,
    database::{Accesses, Admission, UploadContext, NewSample, ReadRefusal, Refusal, RecipientCheck},
    digest::{CONTENT_DIGEST, Hasher, Sha256},
    blob_store::Upload,
    errors::{ProblemType, Problem},
    signature::RequestSignature,
};

const PURPOSES: &str = "sordino-purposes";
const RECIPIENTS: &str = "sordino-recipients";

/// `PUT /v1/samples/SAMPLE`: an age file.
pub(super) async fn put(
    State(app): State<AppState>,
    PathId(id): PathId,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = app.sample_body(&parts, body);
    let outcome = try_put(&app, id, &parts, &mut body).await;
    body.drain_and_respond(outcome).await
}

async fn try_put(
    app: &AppState,
    id: Id,
    parts: &Parts,
    body: &mut LimitedBody,
) -> Result<StatusCode, Problem> {
    let signature =
        RequestSignature::read(parts, &[CONTENT_DIGEST, PURPOSES, RECIPIENTS], &app.names)?;
    let sample = NewSample {
        id,
        consent: signature.record(),
        purposes: purposes(&parts.headers)?,
        sha256: Sha256::from_header(&parts.headers)?,
        week: this_week(),
    };
    let stated = recipients(&parts.headers)?;
    let known = app.storage.database.upload_context(&sample, stated, today());
    let UploadContext {
        key,
        recipients: sealing,
        admission,
        is_paused,
        limits,
        week,
    } = known.await?;
    signature.verify(&key.ok_or_else(super::unknown_record)?)?;
    app.check_record_limit(signature.record())?;
    if sealing == RecipientCheck::Rejected {
        return Err(ProblemType::WrongRecipients.with_detail(
            "it is sealed to other recipients than a plan in force names; fetch the plan",
        ));
    }
    // What cannot come in need not be sent in full. What can is asked again when it is here.
    let charge = match require_admitted(admission)? {
        Admission::Open if is_paused => return Err(super::paused()),
        Admission::Open => {
            let (record, bytes) = (signature.record(), body.declared_bytes());
            let charge = app
                .budgets
                .charge(record, bytes, limits, week, Timestamp::now());
            Some(charge?)
        }
        // It is here, and costs nothing more.
        _ => None,
    };

    let _room = app.reserve_upload(body.declared_bytes()).await?;
    let (upload, bytes) = receive(app, body, &sample, sealing).await?;
    match require_admitted(app.storage.store_sample(sample, upload, bytes).await?)? {
        Admission::Present => Ok(StatusCode::OK),
        _ => {
            if let Some(charge) = charge {
                charge.commit();
            }
            Ok(StatusCode::CREATED)
        }
    }
}

/// Writes a body to a file as it comes, and checks that it is what it is said to be.
async fn receive(
    app: &AppState,
    body: &mut LimitedBody,
    sample: &NewSample,
    sealing: RecipientCheck,
) -> Result<(Upload, u64), Problem> {
    let mut upload = app.storage.blob_store.begin(sample.id)?;
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
        ProblemType::NotSealed.with_detail("the body is no age v1 file sealed to X25519 recipients alone")
    })?;
    if matches!(sealing, RecipientCheck::To(asked) if asked != sealed_to) {
        return Err(ProblemType::WrongRecipients.with_detail(format!(
            "it is sealed to {sealed_to} recipients, not to as many as the plan names"
        )));
    }
    upload.finish().await?;
    Ok((upload, bytes))
}

/// `DELETE /v1/samples/SAMPLE`.
pub(super) async fn delete(
    State(app): State<AppState>,
    PathId(id): PathId,
    parts: Parts,
) -> Result<StatusCode, Problem> {
    let record = verify_signer(&app, &parts).await?;
    // A "no" to what is held is never one request too many. One to what never came is buried, and so is counted.
    if let Err(problem) = app.check_record_limit(record)
        && app.storage.database.owner(id).await? != Some(record)
    {
        return Err(problem);
    }
    match app.storage.delete(id, record).await? {
        Ok(()) => {
            app.metrics.deleted();
            Ok(StatusCode::NO_CONTENT)
        }
        Err(_) => Err(not_yours()),
    }
}

/// `GET /v1/samples/SAMPLE/accesses`.
pub(super) async fn accesses(
    State(app): State<AppState>,
    PathId(id): PathId,
    parts: Parts,
) -> Result<Json<Accesses>, Problem> {
    accesses_of(&app, id, None, &parts).await
}

/// `GET /v1/samples/SAMPLE/accesses/since/N`.
pub(super) async fn proven_accesses(
    State(app): State<AppState>,
    PathIdAndSeen(id, seen): PathIdAndSeen,
    parts: Parts,
) -> Result<Json<Accesses>, Problem> {
    accesses_of(&app, id, Some(seen), &parts).await
}

async fn accesses_of(
    app: &AppState,
    sample: Id,
    seen: Option<u64>,
    parts: &Parts,
) -> Result<Json<Accesses>, Problem> {
    let record = verify_and_count(app, parts).await?;
    let accesses = app.storage.database.accesses(sample, record, seen);
    match accesses.await? {
        Ok(accesses) => Ok(Json(accesses)),
        Err(ReadRefusal::NotYours) => Err(not_yours()),
        Err(_) => Err(ProblemType::UnknownSample.with_detail("no sample was ever sent under this id")),
    }
}

/// The record that signed a request without a body, counted against its limit.
async fn verify_and_count(app: &AppState, parts: &Parts) -> Result<Id, Problem> {
    let record = verify_signer(app, parts).await?;
    app.check_record_limit(record)?;
    Ok(record)
}

/// The record that signed a request without a body.
async fn verify_signer(app: &AppState, parts: &Parts) -> Result<Id, Problem> {
    let signature = RequestSignature::read(parts, &[], &app.names)?;
    signature.verify(&app.key(signature.record()).await?)?;
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
                .with_detail("`Sordino-Purposes` must list known purposes, sorted, each once")
        })
}

fn recipients(headers: &HeaderMap) -> Result<Sha256, Problem> {
    let text = headers
        .get(RECIPIENTS)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.parse()
        .map_err(|error| ProblemType::Malformed.with_detail(format!("`Sordino-Recipients` is {error}")))
}

fn require_admitted(admission: Admission) -> Result<Admission, Problem> {
    match admission {
        Admission::Refused(refusal) => Err(refusal_problem(refusal)),
        admission => Ok(admission),
    }
}

fn refusal_problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::UnknownRecord => super::unknown_record(),
        Refusal::Withdrawn => ProblemType::Withdrawn.with_detail("the consent was withdrawn"),
        Refusal::Expired(week) => expired(week),
        Refusal::NotGranted(purposes) => ProblemType::NotGranted
            .with_detail("the record does not grant each purpose of the sample")
            .with_purposes(&purposes),
        Refusal::Deleted => ProblemType::Deleted.with_detail("this sample was deleted, and stays so"),
        Refusal::NotYours => not_yours(),
        Refusal::DifferentContent => {
            ProblemType::DifferentContent.with_detail("other bytes are here under this id; make a new one")
        }
    }
}

fn expired(week: Week) -> Problem {
    ProblemType::NotGranted.with_detail(format!("the consent held until {week}; ask again"))
}

fn not_yours() -> Problem {
    ProblemType::NotYours.with_detail("the sample was sent under another consent record")
}
