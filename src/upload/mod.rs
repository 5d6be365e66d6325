//! Upload: what is due to be sent, and what came of it.
//!
//! * **In**: the outbox, the consent records and the plan; the outcome of each request.
//! * **Out**: one [`Request`] at a time, ready to be sent by the host's own HTTP (only it may upload
//!   while the app sleeps) or by the built-in [`Client`].
//! * **Promises**: a sample's request is made only from [`crate::consent::Grants`] that stand at that
//!   instant; "no" is sent without any and before everything else; a request repeated does no harm;
//!   nothing is taken as done that the collector itself did not acknowledge.
//! * **Never**: does I/O on the network, and never sends a name, an id of the device or a clock time.

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

/// The header by which a collector's answers are told from a captive portal's.
pub(crate) const PROTOCOL_HEADER: &str = "sordino-protocol";
/// The version of the protocol that is spoken here, which it states.
pub(crate) const PROTOCOL_VERSION: &str = "1";
/// The header that names the epoch of a collector's database; another one than before means that the
/// database was put back from a backup.
pub(crate) const EPOCH_HEADER: &str = "sordino-epoch";

/// What a collector says when it is asked for the plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanResponse<'a> {
    /// The plan; `None` where it has none that the device lacks.
    pub(crate) plan: Option<&'a [u8]>,
    /// The header with the newest freshness statement.
    pub(crate) freshness: Option<&'a str>,
}

/// One request that is due.
#[derive(Debug)]
pub struct Request {
    /// What it is about; the host hands it back with the outcome, after a restart too.
    pub task: UploadTask,
    /// `GET`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// Headers to send as they are, names in lower case.
    pub headers: Vec<(String, String)>,
    /// What to send.
    pub body: Body,
}

/// The body of a [`Request`].
#[derive(Debug)]
pub enum Body {
    /// None at all.
    Empty,
    /// A small document.
    Bytes(Vec<u8>),
    /// A file to stream; its content is fixed by the `content-digest` header.
    File(PathBuf),
}

/// What came of a [`Request`].
#[derive(Debug)]
pub enum UploadResult {
    /// An answer came.
    Response(HttpResponse),
    /// None came: no network, a connection that broke, a timeout.
    Unreachable(String),
}

/// An HTTP answer.
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

    /// How long the collector asks to wait (RFC 9110 section 10.2.3, in seconds; the date form is
    /// not taken, since the device's clock may be wrong).
    fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?
            .trim()
            .parse()
            .ok()
            .map(Duration::from_secs)
    }
}

/// What [`crate::Sordino::process_upload_result`] made of an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// Done and acknowledged.
    Done,
    /// Not now; it is due again later.
    Retry {
        /// What stood in the way.
        reason: String,
    },
    /// The collector will not have it, and asking again would not change that.
    Refused {
        /// The answer's status.
        status: u16,
        /// What the collector said.
        reason: String,
    },
}

/// Why the upload could not go on. It concerns this device; what the collector says is an
/// [`UploadResult`].
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
    /// The plan that the collector offered was not taken.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The collector did not tell who opened a sample.
    #[error("who opened the sample cannot be told: {0}")]
    Accesses(String),
    /// An answer was read that came of another request than the one that asks who opened a sample.
    #[error("`{0}` does not ask who opened a sample; hand over the task of the request that does")]
    NotAnAccessTask(UploadTask),
    /// Since the request was made, another answer moved the head of the access log that this device remembers.
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
    /// The request asks for something that is not granted.
    #[error("there is no live grant for sample {0}")]
    NotGranted(Id),
}
