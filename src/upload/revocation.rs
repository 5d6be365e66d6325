//! The content of a revocation record: the signed withdrawal request, ready to be sent.

use serde::{Deserialize, Serialize};

use super::{Body, Endpoint, Request, TaskKind, request};
use crate::{consent::RecordIdentity, id::Id, purpose::Purposes, state::StateError};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// The revocation record of a consent record.
pub(super) fn to_bytes(endpoint: &Endpoint, identity: &RecordIdentity) -> Vec<u8> {
    let everything = Purposes::all();
    let Request {
        url, headers, body, ..
    } = request::withdrawal(endpoint, identity, everything);
    let body = match body {
        Body::Bytes(bytes) => String::from_utf8(bytes).unwrap_or_default(),
        Body::Empty | Body::File(_) => String::new(),
    };
    let document = Document { url, headers, body };
    serde_json::to_vec(&document).unwrap_or_default()
}

/// The request in the revocation record of `record`.
///
/// # Errors
/// It is corrupt.
pub(super) fn from_bytes(record: Id, revocation: &[u8]) -> Result<Request, StateError> {
    let damaged =
        |reason| StateError::Damaged(format!("the revocation record of {record}: {reason}"));
    let document: Document =
        serde_json::from_slice(revocation).map_err(|error| damaged(error.to_string()))?;
    let collector = Endpoint::serving(&document.url, &request::withdrawal_of(record))
        .ok_or_else(|| damaged("its URL is not that of a withdrawal".to_owned()))?;
    let kind = TaskKind::Withdraw {
        record,
        purposes: Purposes::all(),
    };
    Ok(Request {
        task: kind.for_collector(&collector),
        method: "PUT",
        url: document.url,
        headers: document.headers,
        body: Body::Bytes(document.body.into_bytes()),
    })
}
