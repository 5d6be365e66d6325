//! The requests of a device, as listed in docs/protocol.md.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::digest::{SHA256, digest};

use super::{Body, Endpoint, Request, TaskKind, UploadError, signature};
use crate::{
    consent::{Grants, RecordIdentity},
    id::Id,
    outbox::SampleEntry,
    purpose::Purposes,
};

/// Fetches the plan, unless it is `known_version`.
pub(super) fn plan(endpoint: &Endpoint, known_version: u64) -> Request {
    Request {
        task: TaskKind::FetchPlan.for_collector(endpoint),
        method: "GET",
        url: endpoint.url_of("/v1/plan"),
        headers: vec![("if-none-match".to_owned(), format!("\"{known_version}\""))],
        body: Body::Empty,
    }
}

/// Queries the head of the access log, since every response states the epoch. The request does not
/// identify the device.
pub(super) fn epoch(endpoint: &Endpoint) -> Request {
    Request {
        task: TaskKind::AskEpoch.for_collector(endpoint),
        method: "GET",
        url: endpoint.url_of("/v1/audit/head"),
        headers: Vec::new(),
        body: Body::Empty,
    }
}

/// Registers the active record, for the first time or again, so that the collector can verify
/// samples under it.
pub(super) fn registration(
    endpoint: &Endpoint,
    grants: &Grants,
    task: TaskKind,
    document: String,
) -> Request {
    Draft {
        task,
        method: "PUT",
        resource: format!("/v1/consents/{}", grants.record()),
        body: Some(Content::json(document)),
        extra: Vec::new(),
    }
    .sign(endpoint, grants.identity())
}

/// Withdraws purposes of a record. It needs no grant.
pub(super) fn withdrawal(
    endpoint: &Endpoint,
    identity: &RecordIdentity,
    purposes: Purposes,
) -> Request {
    let record = identity.record;
    let names: Vec<&str> = purposes.iter().map(crate::Purpose::as_str).collect();
    let document = serde_json::json!({ "purposes": names }).to_string();
    Draft {
        task: TaskKind::Withdraw { record, purposes },
        method: "PUT",
        resource: withdrawal_of(record),
        body: Some(Content::json(document)),
        extra: Vec::new(),
    }
    .sign(endpoint, identity)
}

/// The resource of a record's withdrawal.
pub(super) fn withdrawal_of(record: Id) -> String {
    format!("/v1/consents/{record}/withdrawal")
}

/// Deletes one sample. It needs no grant.
pub(super) fn deletion(endpoint: &Endpoint, identity: &RecordIdentity, sample: Id) -> Request {
    Draft {
        task: TaskKind::Delete { sample },
        method: "DELETE",
        resource: format!("/v1/samples/{sample}"),
        body: None,
        extra: Vec::new(),
    }
    .sign(endpoint, identity)
}

/// Queries who opened a sample, with proofs for a device that last saw a log of `seen` entries.
pub(crate) fn accesses(
    endpoint: &Endpoint,
    identity: &RecordIdentity,
    sample: Id,
    seen: u64,
) -> Request {
    Draft {
        task: TaskKind::ReadAccesses { sample, seen },
        method: "GET",
        resource: format!("/v1/samples/{sample}/accesses/since/{seen}"),
        body: None,
        extra: Vec::new(),
    }
    .sign(endpoint, identity)
}

/// Uploads one sample, whose ciphertext is in `file`. It requires a valid grant for each of its
/// purposes, from the record under which it was sealed.
///
/// # Errors
/// [`UploadError::NotGranted`].
pub fn sample(
    endpoint: &Endpoint,
    grants: &Grants,
    sample: &SampleEntry,
    file: PathBuf,
) -> Result<Request, UploadError> {
    let granted = grants.is_live()
        && grants.record() == sample.consent
        && !sample.purposes.is_empty()
        && sample.purposes.is_subset(&grants.purposes());
    if !granted {
        return Err(UploadError::NotGranted(sample.id));
    }
    Ok(Draft {
        task: TaskKind::Send { sample: sample.id },
        method: "PUT",
        resource: format!("/v1/samples/{}", sample.id),
        body: Some(Content {
            kind: "application/octet-stream",
            sha256: sample.sha256.clone(),
            body: Body::File(file),
        }),
        extra: vec![
            ("sordino-purposes", sample.purposes.to_string()),
            ("sordino-recipients", sample.recipients.clone()),
        ],
    }
    .sign(endpoint, grants.identity()))
}

/// A request before it is signed.
struct Draft {
    task: TaskKind,
    method: &'static str,
    resource: String,
    body: Option<Content>,
    /// Additional headers that the signature covers.
    extra: Vec<(&'static str, String)>,
}

struct Content {
    kind: &'static str,
    /// Base64.
    sha256: String,
    body: Body,
}

impl Content {
    fn json(document: String) -> Self {
        let bytes = document.into_bytes();
        let sha256 = BASE64.encode(digest(&SHA256, &bytes).as_ref());
        Self {
            kind: "application/json",
            sha256,
            body: Body::Bytes(bytes),
        }
    }
}

impl Draft {
    fn sign(self, endpoint: &Endpoint, identity: &RecordIdentity) -> Request {
        let path = endpoint.path_of(&self.resource);
        // RFC 9530 section 2.
        let content_digest = self
            .body
            .as_ref()
            .map(|body| format!("sha-256=:{}:", body.sha256));
        let mut components = vec![
            ("@method", self.method),
            ("@authority", endpoint.authority()),
            ("@path", path.as_str()),
        ];
        components.extend(
            content_digest
                .as_deref()
                .map(|digest| ("content-digest", digest)),
        );
        components.extend(
            self.extra
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        let signature = signature::headers(&components, identity);

        let mut headers: Vec<(String, String)> = Vec::new();
        if let Some(content) = &self.body {
            headers.push(("content-type".to_owned(), content.kind.to_owned()));
        }
        headers.extend(content_digest.map(|digest| ("content-digest".to_owned(), digest)));
        headers.extend(
            self.extra
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        headers.extend(signature);
        Request {
            task: self.task.for_collector(endpoint),
            method: self.method,
            url: endpoint.url_of(&self.resource),
            headers,
            body: self.body.map_or(Body::Empty, |content| content.body),
        }
    }
}
