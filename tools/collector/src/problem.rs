//! Error answers: problem documents of RFC 9457.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{database::DatabaseError, objects::ObjectsError, storage::StorageError};

/// How long a client is asked to wait when the collector is busy, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

/// What is answered instead of what was asked for.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
}

/// The problems that docs/protocol.md names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
    BadDigest,
    NotSealed,
    WrongRecipients,
    Internal,
    Busy,
}

impl Kind {
    /// The problem with what was wrong, and what to do about it.
    pub(crate) fn because(self, detail: impl Into<String>) -> Problem {
        Problem {
            kind: self,
            detail: detail.into(),
        }
    }

    /// Status, name in the `type`, and title.
    fn facts(self) -> (StatusCode, &'static str, &'static str) {
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
            Self::BadDigest => (Status::UNPROCESSABLE_ENTITY, "bad-digest", "Bad digest"),
            Self::NotSealed => (Status::UNPROCESSABLE_ENTITY, "not-sealed", "Not sealed"),
            Self::WrongRecipients => (
                Status::UNPROCESSABLE_ENTITY,
                "wrong-recipients",
                "Wrong recipients",
            ),
            Self::Internal => (Status::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
            Self::Busy => (Status::SERVICE_UNAVAILABLE, "busy", "Busy"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title) = self.kind.facts();
        let document = json!({
            "type": format!("urn:sordino:problem:{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        let mut response = (status, document.to_string()).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        // RFC 9110 section 15.5.2 asks every 401 for a challenge.
        match self.kind {
            Kind::BadToken => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Kind::BadSignature => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Signature"),
                );
            }
            Kind::Busy => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            _ => {}
        }
        response
    }
}

impl From<StorageError> for Problem {
    /// What went wrong is for the operator's log, not for the client.
    fn from(error: StorageError) -> Self {
        tracing::error!("a request could not be served: {error}");
        match error {
            StorageError::Database(DatabaseError::Busy) => {
                Kind::Busy.because("the collector is busy; send it again later")
            }
            _ => Kind::Internal.because("the collector could not do it; send it again later"),
        }
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        StorageError::from(error).into()
    }
}

impl From<ObjectsError> for Problem {
    fn from(error: ObjectsError) -> Self {
        StorageError::from(error).into()
    }
}
