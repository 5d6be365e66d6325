//! Routes of consent records: registration and withdrawal.

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
    app_state::AppState,
    database::{Registration, RegistrationRefusal},
    dates::today,
    digest::Sha256,
    errors::{Problem, ProblemType},
    extractors::{
        content_digest::CONTENT_DIGEST, limited_body::LimitedBody, path::PathId,
        signature::RequestSignature,
    },
};

/// `PUT /v1/consents/RECORD`, signed with the key of the record.
pub(super) async fn register(
    State(state): State<AppState>,
    PathId(id): PathId,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = LimitedBody::json(&parts.headers, body, &state.limits);
    let outcome = try_register(&state, id, &parts, &mut body).await;
    body.drain_and_respond(outcome).await
}

async fn try_register(
    state: &AppState,
    id: Id,
    parts: &Parts,
    body: &mut LimitedBody,
) -> Result<StatusCode, Problem> {
    let signature = signature_of(state, id, parts)?;
    let document = body
        .read_verified(Sha256::from_header(&parts.headers)?)
        .await?;
    let record = read_record(&document)?;
    signature.verify(&record.signer())?;
    state.check_record_limit(id)?;
    if state.storage.database.is_paused().await? {
        return Err(Problem::paused());
    }
    check_content(state, id, record.content()).await?;
    match state.storage.register(record).await? {
        Ok(Registration::New) => Ok(StatusCode::CREATED),
        Ok(Registration::Known | Registration::Revised) => Ok(StatusCode::OK),
        Err(RegistrationRefusal::OtherKey) => {
            Err(ProblemType::BadSignature
                .with_detail("the record was registered with another key, which cannot change"))
        }
        Err(RegistrationRefusal::Stale {
            revision,
            withdrawn,
        }) => Err(ProblemType::StaleRevision
            .with_detail("this or a higher revision is registered with other content; use a higher revision")
            .with_member("revision", revision)
            .with_purposes(&withdrawn)),
        Err(RegistrationRefusal::Withdrawn(purposes)) => Err(ProblemType::Withdrawn
            .with_detail("the record grants purposes that were withdrawn from it; create a new record for a new consent")
            .with_purposes(&purposes)),
    }
}

fn read_record(document: &[u8]) -> Result<SignedRecord, Problem> {
    Record::verify(document).map_err(|error| match error {
        SignedError::Shape(_) if names_unknown_purpose(document) => {
            ProblemType::UnknownPurpose.with_detail("the record contains an unknown purpose")
        }
        SignedError::Shape(_) => {
            ProblemType::Malformed.with_detail(format!("invalid consent record: {error}"))
        }
        SignedError::Unsigned | SignedError::WrongKey | SignedError::Forged => {
            ProblemType::BadSignature.with_detail(format!(
                "the signature of the consent record is invalid: {error}"
            ))
        }
    })
}

fn names_unknown_purpose(document: &[u8]) -> bool {
    let document: Value = serde_json::from_slice(document).unwrap_or_default();
    // Schema 1 lists the names; later schemas have a process for each purpose.
    let names = document["purposes"].as_array().into_iter().flatten();
    let processes = document["dpv:hasProcess"].as_array().into_iter().flatten();
    names
        .chain(processes.map(|process| &process["dct:identifier"]))
        .filter_map(Value::as_str)
        .any(|name| name.parse::<Purpose>().is_err())
}

async fn check_content(state: &AppState, id: Id, record: &Record) -> Result<(), Problem> {
    if record.id != id {
        return Err(
            ProblemType::Malformed.with_detail("the record in the body does not match the path")
        );
    }
    if record.purposes.is_empty() {
        return Err(
            ProblemType::Malformed.with_detail("the record grants no purpose; withdraw it instead")
        );
    }
    if record.age_band.needs_guardian() && record.guardian.is_none() {
        return Err(
            ProblemType::NotGranted.with_detail("a child's record requires a guardian's approval")
        );
    }
    let asked = state.storage.database.requested_purposes(today()).await?;
    match asked {
        Some(asked) if !record.purposes.is_subset(&asked) => {
            let beyond = record.purposes.difference(&asked);
            Err(ProblemType::UnknownPurpose
                .with_detail(format!("no current plan requests {beyond}")))
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
    State(state): State<AppState>,
    PathId(id): PathId,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = LimitedBody::json(&parts.headers, body, &state.limits);
    let outcome = try_withdraw(&state, id, &parts, &mut body).await;
    body.drain_and_respond(outcome).await
}

async fn try_withdraw(
    state: &AppState,
    id: Id,
    parts: &Parts,
    body: &mut LimitedBody,
) -> Result<Json<Value>, Problem> {
    let signature = signature_of(state, id, parts)?;
    // Withdrawals are not rate-limited.
    signature.verify(&state.key(id).await?)?;
    let body = body
        .read_verified(Sha256::from_header(&parts.headers)?)
        .await?;
    let Withdrawal { purposes } = serde_json::from_slice(&body).map_err(|error| {
        ProblemType::Malformed.with_detail(format!("invalid withdrawal: {error}"))
    })?;
    if purposes.is_empty() {
        return Err(ProblemType::Malformed.with_detail("the withdrawal lists no purpose"));
    }
    let summary = state.storage.withdraw(id, purposes).await?;
    let summary = summary.ok_or_else(Problem::unknown_record)?;
    state.metrics.withdrawn();
    Ok(Json(
        json!({"deleted": summary.deleted, "narrowed": summary.narrowed}),
    ))
}

/// Parses the signature of a request about a record, which the record itself must sign.
fn signature_of(state: &AppState, record: Id, parts: &Parts) -> Result<RequestSignature, Problem> {
    let signature = RequestSignature::read(parts, &[CONTENT_DIGEST], &state.names)?;
    if signature.record() != record {
        return Err(ProblemType::BadSignature
            .with_detail("the request must be signed with the key of the record"));
    }
    Ok(signature)
}
