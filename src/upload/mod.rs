//! Upload: which requests are due, and processing their results.
//!
//! * **Input**: the outbox, the consent records and the plan; the result of each request.
//! * **Output**: one [`Request`] at a time, ready to be sent by the host's own HTTP (only it may upload
//!   while the app sleeps) or by the built-in [`Client`].
//! * **Guarantees**: a sample's request is only made from [`crate::consent::Grants`] that are valid
//!   at that instant; withdrawals and deletions need no grant and are sent before everything else;
//!   repeating a request does no harm; nothing counts as done until the collector has acknowledged
//!   it.
//! * **Never**: does network I/O itself, or sends a name, a device id or a clock time.

mod access_check;
mod accesses;
#[cfg(feature = "http")]
mod client;
mod hash;
pub mod merkle;
#[cfg(feature = "http")]
mod network;
mod problem;
mod protocol;
mod request;
mod retry;
mod revocation;
mod signature;
mod task;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

pub use accesses::{
    Access, Accesses, AuditHead, AuditRoot, LogInconsistency, ParseAuditHeadError,
    ParseAuditRootError,
};
#[cfg(feature = "http")]
pub use client::Client;
pub use hash::{EntryHash, ParseHashError, TreeHash};
#[cfg(feature = "http")]
pub use network::{NamedProxy, NetworkError, NetworkSettings, ProxyError};
pub use request::sample as sample_request;
pub use task::{ParseUploadTaskError, TaskKind, UploadTask};

pub(crate) use access_check::{ReportedAccess, check_accesses};
#[cfg(test)]
pub(crate) use protocol::ProcessedResult;
pub(crate) use protocol::{Protocol, Scope, Urgency};
pub use protocol::{Waiting, WaitingKind};
pub(crate) use request::accesses as accesses_request;

pub use crate::endpoint::{Endpoint, EndpointError};

use crate::{
    consent::ConsentError, id::Id, outbox::OutboxError, plan::PlanError, state::StateError,
};

/// The header that distinguishes a collector's responses from a captive portal's.
pub(crate) const PROTOCOL_HEADER: &str = "sordino-protocol";
/// The protocol version of this SDK, the header's value.
pub(crate) const PROTOCOL_VERSION: &str = "1";
/// The header with the epoch of a collector's database; a changed epoch means that the database was
/// restored from a backup.
pub(crate) const EPOCH_HEADER: &str = "sordino-epoch";

/// A collector's response to a plan request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanResponse<'a> {
    /// The plan; `None` if the collector has no newer one.
    pub(crate) plan: Option<&'a [u8]>,
    /// The header with the newest freshness statement.
    pub(crate) freshness: Option<&'a str>,
}

/// One request that is due.
#[derive(Debug)]
pub struct Request {
    /// The task; the host passes it back with the result, after a restart too.
    pub task: UploadTask,
    /// `GET`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// Headers to send as they are, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// The body of a [`Request`].
#[derive(Debug)]
pub enum Body {
    /// No body.
    Empty,
    /// A small document.
    Bytes(Vec<u8>),
    /// A file to stream; its content is fixed by the `content-digest` header.
    File(PathBuf),
}

/// The result of sending a [`Request`].
#[derive(Debug)]
pub enum UploadResult {
    /// The server responded.
    Response(HttpResponse),
    /// No response: no network, a broken connection, a timeout.
    Unreachable(String),
}

/// An HTTP response.
#[derive(Debug, Default)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, or its first MiB.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// The `Retry-After` of the collector (RFC 9110 section 10.2.3, in seconds; the date form is
    /// ignored, since the device's clock may be wrong).
    fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?
            .trim()
            .parse()
            .ok()
            .map(Duration::from_secs)
    }
}

/// The status of a task after [`crate::Sordino::process_upload_result`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// Done and acknowledged.
    Done,
    /// Failed for now; the task will be due again.
    Retry {
        /// Why it failed.
        reason: String,
    },
    /// The collector refuses it permanently.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The collector's reason.
        reason: String,
    },
}

/// An error of this device while uploading. Failures of a request are not errors: see
/// [`TaskStatus`].
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Consent could not be read.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// The outbox could not be read.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The state could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The collector's plan was rejected.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The collector did not report who opened a sample.
    #[error("cannot determine who opened the sample: {0}")]
    Accesses(String),
    /// The task is not that of an access query.
    #[error("`{0}` does not ask who opened a sample; hand over the task of the request that does")]
    NotAnAccessTask(UploadTask),
    /// Since the request was made, another response changed the stored head of the access log.
    #[error(
        "another answer about the access log was read meanwhile; ask again who opened sample {0}"
    )]
    AccessesOutdated(Id),
    /// This build of the library has no HTTP client: its feature `http` is off.
    #[error(
        "this library was built without the feature `http`: send what `next_upload_task` gives by the app's own HTTP, or \
         use a library that has the feature"
    )]
    NoClient,
    /// The sample has no valid grant.
    #[error("sample {0} has no valid grant")]
    NotGranted(Id),
}
