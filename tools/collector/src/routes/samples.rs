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
    app::{App, PathId, PathIdAndSeen, this_week, today},
    body::Incoming,
    database::{Accesses, Admission, Known, NewSample, ReadRefusal, Refusal, Sealing},
    digest::{CONTENT_DIGEST, Hasher, Sha256},
    objects::Upload,
    problem::{Kind, Problem},
    signature::RequestSignature,
};

const PURPOSES: &str = "sordino-purposes";
const RECIPIENTS: &str = "sordino-recipients";

/// `PUT /v1/samples/SAMPLE`: an age file.
pub(super) async fn put(
    State(app): State<App>,
    PathId(id): PathId,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = app.sample_body(&parts, body);
    let outcome = try_put(&app, id, &parts, &mut body).await;
    body.answer(outcome).await
}

async fn try_put(
    app: &App,
    id: Id,
    parts: &Parts,
    body: &mut Incoming,
) -> Result<StatusCode, Problem> {
    let signature =
        RequestSignature::read(parts, &[CONTENT_DIGEST, PURPOSES, RECIPIENTS], &app.names)?;
    let sample = NewSample {
        id,
        consent: signature.record(),
        purposes: purposes(&parts.headers)?,
        sha256: Sha256::stated(&parts.headers)?,
        week: this_week(),
    };
    let stated = recipients(&parts.headers)?;
    let known = app.storage.database.known_of(&sample, stated, today());
    let Known {
        key,
        sealing,
        admission,
        is_paused,
        limits,
        week,
    } = known.await?;
    signature.verify(&key.ok_or_else(super::unknown_record)?)?;
    app.count_for(signature.record())?;
    if sealing == Sealing::Refused {
        return Err(Kind::WrongRecipients.because(
            "it is sealed to other recipients than a plan in force names; fetch the plan",
        ));
    }
    // What cannot come in need not be sent in full. What can is asked again when it is here.
    let charge = match refuse(admission)? {
        Admission::Open if is_paused => return Err(super::paused()),
        Admission::Open => {
            let (record, bytes) = (signature.record(), body.stated_bytes());
            let charge = app
                .budgets
                .charge(record, bytes, limits, week, Timestamp::now());
            Some(charge?)
        }
        // It is here, and costs nothing more.
        _ => None,
    };

    let _room = app.room(body.stated_bytes()).await?;
    let (upload, bytes) = receive(app, body, &sample, sealing).await?;
    match refuse(app.storage.keep(sample, upload, bytes).await?)? {
        Admission::Present => Ok(StatusCode::OK),
        _ => {
            if let Some(charge) = charge {
                charge.keep();
            }
            Ok(StatusCode::CREATED)
        }
    }
}

/// Writes a body to a file as it comes, and checks that it is what it is said to be.
async fn receive(
    app: &App,
    body: &mut Incoming,
    sample: &NewSample,
    sealing: Sealing,
) -> Result<(Upload, u64), Problem> {
    let mut upload = app.storage.objects.begin(sample.id)?;
    let mut hasher = Hasher::new();
    let mut start = Vec::new();
    let mut bytes = 0;
    while let Some(piece) = body.next().await? {
        hasher.update(&piece);
        let missing = age_header::LONGEST - start.len();
        start.extend_from_slice(&piece[..piece.len().min(missing)]);
        bytes += piece.len() as u64;
        upload.write(&piece).await?;
    }
    hasher.finish().check(sample.sha256)?;
    let sealed_to = age_header::recipients(&start, bytes).ok_or_else(|| {
        Kind::NotSealed.because("the body is no age v1 file sealed to X25519 recipients alone")
    })?;
    if matches!(sealing, Sealing::To(asked) if asked != sealed_to) {
        return Err(Kind::WrongRecipients.because(format!(
            "it is sealed to {sealed_to} recipients, not to as many as the plan names"
        )));
    }
    upload.finish().await?;
    Ok((upload, bytes))
}

/// `DELETE /v1/samples/SAMPLE`.
pub(super) async fn delete(
    State(app): State<App>,
    PathId(id): PathId,
    parts: Parts,
) -> Result<StatusCode, Problem> {
    let record = verified(&app, &parts).await?;
    // A "no" to what is held is never one request too many. One to what never came is buried, and so is counted.
    if let Err(problem) = app.count_for(record)
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
    State(app): State<App>,
    PathId(id): PathId,
    parts: Parts,
) -> Result<Json<Accesses>, Problem> {
    told(&app, id, None, &parts).await
}

/// `GET /v1/samples/SAMPLE/accesses/since/N`.
pub(super) async fn proven_accesses(
    State(app): State<App>,
    PathIdAndSeen(id, seen): PathIdAndSeen,
    parts: Parts,
) -> Result<Json<Accesses>, Problem> {
    told(&app, id, Some(seen), &parts).await
}

async fn told(
    app: &App,
    sample: Id,
    seen: Option<u64>,
    parts: &Parts,
) -> Result<Json<Accesses>, Problem> {
    let record = signer(app, parts).await?;
    let accesses = app.storage.database.accesses(sample, record, seen);
    match accesses.await? {
        Ok(accesses) => Ok(Json(accesses)),
        Err(ReadRefusal::NotYours) => Err(not_yours()),
        Err(_) => Err(Kind::UnknownSample.because("no sample was ever sent under this id")),
    }
}

/// The record that signed a request without a body, counted against its limit.
async fn signer(app: &App, parts: &Parts) -> Result<Id, Problem> {
    let record = verified(app, parts).await?;
    app.count_for(record)?;
    Ok(record)
}

/// The record that signed a request without a body.
async fn verified(app: &App, parts: &Parts) -> Result<Id, Problem> {
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
            Kind::Malformed
                .because("`Sordino-Purposes` must list known purposes, sorted, each once")
        })
}

fn recipients(headers: &HeaderMap) -> Result<Sha256, Problem> {
    let text = headers
        .get(RECIPIENTS)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.parse()
        .map_err(|error| Kind::Malformed.because(format!("`Sordino-Recipients` is {error}")))
}

fn refuse(admission: Admission) -> Result<Admission, Problem> {
    match admission {
        Admission::Refused(refusal) => Err(refused(refusal)),
        admission => Ok(admission),
    }
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::UnknownRecord => super::unknown_record(),
        Refusal::Withdrawn => Kind::Withdrawn.because("the consent was withdrawn"),
        Refusal::Expired(week) => expired(week),
        Refusal::NotGranted(purposes) => Kind::NotGranted
            .because("the record does not grant each purpose of the sample")
            .of_purposes(&purposes),
        Refusal::Deleted => Kind::Deleted.because("this sample was deleted, and stays so"),
        Refusal::NotYours => not_yours(),
        Refusal::DifferentContent => {
            Kind::DifferentContent.because("other bytes are here under this id; make a new one")
        }
    }
}

fn expired(week: Week) -> Problem {
    Kind::NotGranted.because(format!("the consent held until {week}; ask again"))
}

fn not_yours() -> Problem {
    Kind::NotYours.because("the sample was sent under another consent record")
}
