//! Error responses: problem documents (RFC 9457).

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use sordino::{Purpose, Purposes};

use crate::{
    blob_store::BlobStoreError,
    database::{DatabaseError, ReadRefusal},
    storage::error::StorageError,
};

/// The `Retry-After` of a busy collector.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(10);

/// The `Retry-After` while the plan pauses sampling.
const PAUSED_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// An error response.
#[derive(Debug)]
pub(crate) struct Problem {
    problem_type: ProblemType,
    detail: String,
    retry_after: Option<Duration>,
    /// Extension members (RFC 9457 section 3.2).
    members: Map<String, Value>,
}

/// The problem types of docs/protocol.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ProblemType {
    Malformed,
    BadSignature,
    BadToken,
    NotGranted,
    NotYours,
    UnknownPurpose,
    WrongPurpose,
    NoPlan,
    UnknownPath,
    UnknownRecord,
    UnknownSample,
    MethodNotAllowed,
    TooSlow,
    DifferentContent,
    StaleRevision,
    Deleted,
    Withdrawn,
    TooLarge,
    Misdirected,
    BadDigest,
    NotSealed,
    WrongRecipients,
    TooManyRequests,
    OverBudget,
    Internal,
    Busy,
    NotReady,
    Paused,
}

impl ProblemType {
    /// All types.
    pub(crate) const ALL: [Self; 28] = [
        Self::Malformed,
        Self::BadSignature,
        Self::BadToken,
        Self::NotGranted,
        Self::NotYours,
        Self::UnknownPurpose,
        Self::WrongPurpose,
        Self::NoPlan,
        Self::UnknownPath,
        Self::UnknownRecord,
        Self::UnknownSample,
        Self::MethodNotAllowed,
        Self::TooSlow,
        Self::DifferentContent,
        Self::StaleRevision,
        Self::Deleted,
        Self::Withdrawn,
        Self::TooLarge,
        Self::Misdirected,
        Self::BadDigest,
        Self::NotSealed,
        Self::WrongRecipients,
        Self::TooManyRequests,
        Self::OverBudget,
        Self::Internal,
        Self::Busy,
        Self::NotReady,
        Self::Paused,
    ];

    /// A problem with a detail: what is wrong and what to do about it.
    pub(crate) fn with_detail(self, detail: impl Into<String>) -> Problem {
        Problem {
            problem_type: self,
            detail: detail.into(),
            retry_after: (self == Self::Busy).then_some(BUSY_RETRY_AFTER),
            members: Map::new(),
        }
    }

    /// A problem with a detail and a `Retry-After`.
    pub(crate) fn with_retry_after(self, wait: Duration, detail: impl Into<String>) -> Problem {
        Problem {
            retry_after: Some(wait),
            ..self.with_detail(detail)
        }
    }

    /// The name in the `type`.
    pub(crate) fn name(self) -> &'static str {
        self.spec().1
    }

    /// Status, name in the `type`, and title.
    fn spec(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as Status;
        match self {
            Self::Malformed => (Status::BAD_REQUEST, "malformed", "Malformed request"),
            Self::BadSignature => (Status::UNAUTHORIZED, "bad-signature", "Bad signature"),
            Self::BadToken => (Status::UNAUTHORIZED, "bad-token", "Bad token"),
            Self::NotGranted => (Status::FORBIDDEN, "not-granted", "Not granted"),
            Self::NotYours => (Status::FORBIDDEN, "not-yours", "Another record's sample"),
            Self::UnknownPurpose => (Status::FORBIDDEN, "unknown-purpose", "Unknown purpose"),
            Self::WrongPurpose => (Status::FORBIDDEN, "wrong-purpose", "Wrong purpose"),
            Self::NoPlan => (Status::NOT_FOUND, "no-plan", "No plan"),
            Self::UnknownPath => (Status::NOT_FOUND, "unknown-path", "Unknown path"),
            Self::UnknownRecord => (Status::NOT_FOUND, "unknown-record", "Unknown record"),
            Self::UnknownSample => (Status::NOT_FOUND, "unknown-sample", "Unknown sample"),
            Self::MethodNotAllowed => (
                Status::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method not allowed",
            ),
            Self::TooSlow => (Status::REQUEST_TIMEOUT, "too-slow", "Too slow"),
            Self::DifferentContent => (Status::CONFLICT, "different-content", "Different content"),
            Self::StaleRevision => (Status::CONFLICT, "stale-revision", "Stale revision"),
            Self::Deleted => (Status::GONE, "deleted", "Deleted"),
            Self::Withdrawn => (Status::GONE, "withdrawn", "Consent withdrawn"),
            Self::TooLarge => (Status::PAYLOAD_TOO_LARGE, "too-large", "Too large"),
            Self::Misdirected => (
                Status::MISDIRECTED_REQUEST,
                "misdirected",
                "Misdirected request",
            ),
            Self::BadDigest => (Status::UNPROCESSABLE_ENTITY, "bad-digest", "Bad digest"),
            Self::NotSealed => (Status::UNPROCESSABLE_ENTITY, "not-sealed", "Not sealed"),
            Self::WrongRecipients => (
                Status::UNPROCESSABLE_ENTITY,
                "wrong-recipients",
                "Wrong recipients",
            ),
            Self::TooManyRequests => (
                Status::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many requests",
            ),
            Self::OverBudget => (Status::TOO_MANY_REQUESTS, "over-budget", "Over budget"),
            Self::Internal => (Status::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
            Self::Busy => (Status::SERVICE_UNAVAILABLE, "busy", "Busy"),
            Self::NotReady => (Status::SERVICE_UNAVAILABLE, "not-ready", "Not ready"),
            Self::Paused => (Status::SERVICE_UNAVAILABLE, "paused", "Paused"),
        }
    }
}

impl Problem {
    /// Adds an extension member.
    pub(crate) fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds the purposes that were withdrawn or never granted.
    pub(crate) fn with_purposes(self, purposes: &Purposes) -> Self {
        let names: Vec<&str> = purposes.iter().map(Purpose::as_str).collect();
        self.with_member("purposes", names)
    }
}

impl Problem {
    /// A record that was never registered.
    pub(crate) fn unknown_record() -> Self {
        ProblemType::UnknownRecord
            .with_detail("the consent record was never registered; register it first")
    }

    /// The current plan pauses everything except withdrawals and deletions.
    pub(crate) fn paused() -> Self {
        ProblemType::Paused.with_retry_after(
            PAUSED_RETRY_AFTER,
            "the current plan pauses sampling; retry when a newer plan resumes it",
        )
    }

    /// A sample that is not available for the requested purpose.
    pub(crate) fn unavailable_sample(refusal: ReadRefusal) -> Self {
        match refusal {
            ReadRefusal::Deleted => ProblemType::Deleted.with_detail(
                "the sample may no longer be used for this purpose; delete all copies of it",
            ),
            ReadRefusal::Unknown | ReadRefusal::NotYours => {
                ProblemType::UnknownSample.with_detail("no such sample for this purpose")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title) = self.problem_type.spec();
        let mut document = json!({
            "type": format!("urn:sordino:problem:{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        if let Value::Object(document) = &mut document {
            document.extend(self.members);
        }
        let mut response = (status, document.to_string()).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        // RFC 9110 section 15.5.2 requires a challenge in every 401.
        match self.problem_type {
            ProblemType::BadToken => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ProblemType::BadSignature => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Signature"),
                );
            }
            _ => {}
        }
        if let Some(wait) = self.retry_after {
            // Whole seconds (RFC 9110 section 10.2.3), rounded up.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        // Read by the middleware for metrics.
        response.extensions_mut().insert(self.problem_type);
        response
    }
}

impl From<StorageError> for Problem {
    /// The cause is logged for the operator and not sent to the client.
    fn from(error: StorageError) -> Self {
        tracing::error!("a request failed: {error}");
        match error.is_unavailable() {
            true => ProblemType::Busy.with_detail("the collector is busy; retry later"),
            false => ProblemType::Internal.with_detail("internal error; retry later"),
        }
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        StorageError::from(error).into()
    }
}

impl From<BlobStoreError> for Problem {
    fn from(error: BlobStoreError) -> Self {
        StorageError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn problem_types_match_the_documents() {
        let document: Value =
            serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
        let listed = &document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
        let listed: BTreeSet<&str> = listed
            .as_array()
            .unwrap()
            .iter()
            .flat_map(Value::as_str)
            .collect();
        let names = ProblemType::ALL
            .map(|problem_type| format!("urn:sordino:problem:{}", problem_type.name()));
        assert_eq!(listed, names.iter().map(String::as_str).collect());

        let protocol = include_str!("../../../docs/protocol.md");
        for problem_type in ProblemType::ALL {
            let (status, name, _) = problem_type.spec();
            let (before, _) = protocol.split_once(&format!("`{name}`")).expect(name);
            // The last three digits before its name are its status.
            let digits: Vec<char> = before
                .chars()
                .rev()
                .filter(char::is_ascii_digit)
                .take(3)
                .collect();
            let stated: String = digits.into_iter().rev().collect();
            assert_eq!(stated, status.as_str(), "{name}");
        }
    }
}
