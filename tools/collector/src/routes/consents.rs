//! Consent records: registered and withdrawn.

use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, request::Parts},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sordino::{
    Id, Purpose, Purposes,
    consent::{Record, SignedRecord},
    signed::SignedError,
};

use crate::{
    app_state::{AppState, PathId, today},
    limited_body::LimitedBody,
    database::{Registration, RegistrationRefusal},
    digest::{CONTENT_DIGEST, Sha256},
    errors::{ProblemType, Problem},
    signature::RequestSignature,
};

/// `PUT /v1/consents/RECORD`, signed with the key that signed the record.
pub(super) async fn register(
    State(app): State<AppState>,
    PathId(id): PathId,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = app.json_body(&parts, body);
    let outcome = try_register(&app, id, &parts, &mut body).await;
    body.drain_and_respond(outcome).await
}

async fn try_register(
    app: &AppState,
    id: Id,
    parts: &Parts,
    body: &mut LimitedBody,
) -> Result<StatusCode, Problem> {
    let signature = signature_of(app, id, parts)?;
    let document = body.read_verified(Sha256::from_header(&parts.headers)?).await?;
    let record = read_record(&document)?;
    signature.verify(&record.signer())?;
    app.check_record_limit(id)?;
    if app.storage.database.is_paused().await? {
        return Err(super::paused());
    }
    check_content(app, id, record.content()).await?;
    match app.storage.register(record).await? {
        Ok(Registration::New) => Ok(StatusCode::CREATED),
        Ok(Registration::Known | Registration::Revised) => Ok(StatusCode::OK),
        Err(RegistrationRefusal::OtherKey) => {
            Err(ProblemType::BadSignature
                .with_detail("the record was registered with another key, and keeps it"))
        }
        Err(RegistrationRefusal::Stale {
            revision,
            withdrawn,
        }) => Err(ProblemType::StaleRevision
            .with_detail("this revision, or a higher one, is registered with other content; raise it")
            .with_member("revision", revision)
            .with_purposes(&withdrawn)),
        Err(RegistrationRefusal::Withdrawn(purposes)) => Err(ProblemType::Withdrawn
            .with_detail("what it grants was withdrawn from this record; a new consent is a new record")
            .with_purposes(&purposes)),
    }
}

fn read_record(document: &[u8]) -> Result<SignedRecord, Problem> {
    Record::verify(document).map_err(|error| match error {
        SignedError::Shape(_) if names_unknown_purpose(document) => ProblemType::UnknownPurpose
            .with_detail("the record names a purpose that this collector does not know"),
        SignedError::Shape(_) => ProblemType::Malformed.with_detail(format!("the consent record is {error}")),
        SignedError::Unsigned | SignedError::WrongKey | SignedError::Forged => {
            ProblemType::BadSignature.with_detail(format!("the consent record is refused: {error}"))
        }
    })
}

fn names_unknown_purpose(document: &[u8]) -> bool {
    let document: Value = serde_json::from_slice(document).unwrap_or_default();
    // Schema 1 lists their names, later ones a process each.
    let names = document["purposes"].as_array().into_iter().flatten();
    let processes = document["dpv:hasProcess"].as_array().into_iter().flatten();
    names
        .chain(processes.map(|process| &process["dct:identifier"]))
        .filter_map(Value::as_str)
        .any(|name| name.parse::<Purpose>().is_err())
}

async fn check_content(app: &AppState, id: Id, record: &Record) -> Result<(), Problem> {
    if record.id != id {
        return Err(ProblemType::Malformed.with_detail("the record in the body is not the one in the path"));
    }
    if record.purposes.is_empty() {
        return Err(ProblemType::Malformed.with_detail("the record grants nothing; withdraw it instead"));
    }
    if record.age_band.needs_guardian() && record.guardian.is_none() {
        return Err(ProblemType::NotGranted.with_detail("a child's record needs a guardian's approval"));
    }
    let asked = app.storage.database.requested_purposes(today()).await?;
    match asked {
        Some(asked) if !record.purposes.is_subset(&asked) => {
            let beyond = record.purposes.difference(&asked);
            Err(ProblemType::UnknownPurpose.with_detail(format!("no plan in force asks for {beyond}")))
        }
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdrawal {
    purposes: Purposes,
}

/// `PUT /v1/consents/RECORD/withdrawal`.
pub(super) async fn withdraw(
    State(app): State<AppState>,
    PathId(id): PathId,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = app.json_body(&parts, body);
    let outcome = try_withdraw(&app, id, &parts, &mut body).await;
    body.drain_and_respond(outcome).await
}

async fn try_withdraw(
    app: &AppState,
    id: Id,
    parts: &Parts,
    body: &mut LimitedBody,
) -> Result<Json<Value>, Problem> {
    let signature = signature_of(app, id, parts)?;
    // Not counted against the record's limit: a "no" is never one request too many.
    signature.verify(&app.key(id).await?)?;
    let body = body.read_verified(Sha256::from_header(&parts.headers)?).await?;
    let Withdrawal { purposes } = serde_json::from_slice(&body)
        .map_err(|error| ProblemType::Malformed.with_detail(format!("the body is no withdrawal: {error}")))?;
    if purposes.is_empty() {
        return Err(ProblemType::Malformed.with_detail("the withdrawal names no purpose"));
    }
    let taken_back = app.storage.withdraw(id, purposes).await?;
    let taken_back = taken_back.ok_or_else(super::unknown_record)?;
    app.metrics.withdrawn();
    Ok(Json(
        json!({"deleted": taken_back.deleted, "narrowed": taken_back.narrowed}),
    ))
}

/// The signature of a request about a record, which must be the record's own.
fn signature_of(app: &AppState, record: Id, parts: &Parts) -> Result<RequestSignature, Problem> {
    let signature = RequestSignature::read(parts, &[CONTENT_DIGEST], &app.names)?;
    if signature.record() != record {
        return Err(ProblemType::BadSignature.with_detail("only the record itself may sign for the record"));
    }
    Ok(signature)
}
