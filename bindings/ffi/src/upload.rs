//! Upload: by the app's own HTTP client, or by the built-in one.

#[cfg(not(feature = "http"))]
use sordino::upload::UploadError;
use sordino::upload::{self, Body, TaskKind, TaskStatus, UploadTask, WaitingKind};

use crate::{engine::Engine, error::Error};

/// Upload by the app's own HTTP client, which may run while the app is suspended.
#[uniffi::export]
impl Engine {
    /// The next upload task that is due, as the request to send; `null` if none is due. Send it unchanged and pass the
    /// result to `process_upload_result`. Repeat until there is none.
    pub fn next_upload_task(&self) -> Result<Option<Request>, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.next_upload_task()?.map(Request::from)))
    }

    /// As `next_upload_task`, for an upload that the person requests: delays after failures are skipped,
    /// except those that the collector requested. `tried` are the tasks that have failed since the
    /// person asked.
    pub fn next_upload_task_now(&self, tried: Vec<UploadTask>) -> Result<Option<Request>, Error> {
        self.handle.with_engine(|engine| {
            let tried = tried.into_iter().collect();
            let request = engine.next_upload_task_now(&tried)?;
            Ok(request.map(Request::from))
        })
    }

    /// As `next_upload_task`, but withdrawals and deletions only: send them at once and over any network.
    pub fn next_urgent_upload_task(&self) -> Result<Option<Request>, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.next_urgent_upload_task()?.map(Request::from)))
    }

    /// As `next_upload_task`, but without withdrawals and deletions: these requests may wait until the system sends
    /// them.
    pub fn next_deferrable_upload_task(&self) -> Result<Option<Request>, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.next_deferrable_upload_task()?.map(Request::from)))
    }

    /// Whether the request for `task` should still be sent. An app that hands requests to the system cancels those
    /// for which this is false, whenever consent or samples change.
    pub fn is_still_wanted(&self, task: UploadTask) -> Result<bool, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.is_still_wanted(&task)?))
    }

    /// Processes the result of the request for `task`, which may have been sent before the app was restarted.
    pub fn process_upload_result(
        &self,
        task: UploadTask,
        result: UploadResult,
    ) -> Result<TaskStatus, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.process_upload_result(&task, result.into())?))
    }

    /// Asks the collector for a newer plan with the next requests, no matter how recently it was asked.
    pub fn renew_plan(&self) -> Result<(), Error> {
        self.handle.with_engine(|engine| Ok(engine.renew_plan()?))
    }
}

/// Upload by the built-in client.
#[uniffi::export]
impl Engine {
    /// Sends everything that is due and waits until it is done. It stops if the collector cannot be reached; the
    /// summary has the collector's errors.
    ///
    /// Raises `Upload` if the library has no HTTP client: see `library_features`.
    pub fn upload(&self) -> Result<UploadSummary, Error> {
        self.handle.with_engine(|engine| {
            #[cfg(feature = "http")]
            return Ok(engine.upload(&upload::Client::default())?.into());
            #[cfg(not(feature = "http"))]
            {
                let _ = engine;
                Err(UploadError::NoClient.into())
            }
        })
    }
}

/// An HTTP request that is due. Send it unchanged, without following redirects: the signature covers
/// the host.
#[derive(uniffi::Record)]
pub struct Request {
    /// Identifies the task, for `process_upload_result`.
    pub task: UploadTask,
    /// The kind of upload; `null` for a request that sends no data of the person, such as the one for a newer plan.
    pub kind: Option<WaitingKind>,
    /// Whether it is a withdrawal or a deletion. Such a request waits neither for other uploads nor for an unmetered
    /// network.
    pub urgent: bool,
    /// `GET`, `PUT` or `DELETE`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Headers to send unchanged. Add none that names the app, the device or a locale.
    pub headers: Vec<Header>,
    /// The body.
    pub body: RequestBody,
}

/// A header field.
#[derive(uniffi::Record)]
pub struct Header {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The body of a request.
#[derive(uniffi::Enum)]
pub enum RequestBody {
    /// No body.
    Empty,
    /// A small document.
    Document {
        /// Its bytes.
        content: Vec<u8>,
    },
    /// A file to stream. It may be missing after consent was withdrawn; then report `Unreachable`.
    File {
        /// Its path.
        path: String,
    },
}

/// The result of sending a request.
#[derive(uniffi::Enum)]
pub enum UploadResult {
    /// A response with any status.
    Response {
        /// The response.
        response: HttpResponse,
    },
    /// No response: no network, a broken connection, a timeout.
    Unreachable {
        /// The reason, in one line.
        reason: String,
    },
}

/// An HTTP response.
#[derive(uniffi::Record)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<Header>,
    /// The body, or its first MiB.
    pub body: Vec<u8>,
}

impl From<upload::Request> for Request {
    fn from(request: upload::Request) -> Self {
        let headers = request.headers.into_iter();
        Self {
            kind: kind_of(&request.task.kind),
            urgent: request.task.kind.is_urgent(),
            task: request.task,
            method: request.method.to_owned(),
            url: request.url,
            headers: headers
                .map(|(name, value)| Header { name, value })
                .collect(),
            body: match request.body {
                Body::Empty => RequestBody::Empty,
                Body::Bytes(content) => RequestBody::Document { content },
                Body::File(path) => RequestBody::File {
                    // The app gave the folder as text, and all names below it are the SDK's.
                    path: path.to_string_lossy().into_owned(),
                },
            },
        }
    }
}

/// The kind under which [`UploadSummary`] counts a task.
fn kind_of(task: &TaskKind) -> Option<WaitingKind> {
    match task {
        TaskKind::Register { .. } => Some(WaitingKind::Registration),
        TaskKind::Send { .. } => Some(WaitingKind::Sample),
        TaskKind::Withdraw { .. } => Some(WaitingKind::Withdrawal),
        TaskKind::Delete { .. } => Some(WaitingKind::Deletion),
        TaskKind::FetchPlan
        | TaskKind::AskEpoch
        | TaskKind::Confirm { .. }
        | TaskKind::ReadAccesses { .. } => None,
    }
}

impl From<UploadResult> for upload::UploadResult {
    fn from(result: UploadResult) -> Self {
        match result {
            UploadResult::Response { response } => Self::Response(upload::HttpResponse {
                status: response.status,
                headers: response
                    .headers
                    .into_iter()
                    .map(|header| (header.name.to_ascii_lowercase(), header.value))
                    .collect(),
                body: response.body,
            }),
            UploadResult::Unreachable { reason } => Self::Unreachable(reason),
        }
    }
}

/// Kinds of uploads that wait on this device.
#[uniffi::remote(Enum)]
pub enum WaitingKind {
    /// The withdrawal of a consent record.
    Withdrawal,
    /// The deletion of a sample.
    Deletion,
    /// The registration of a consent record.
    Registration,
    /// A sample.
    Sample,
}

/// Uploads of one kind that wait for the same reason.
#[derive(uniffi::Record)]
pub struct Waiting {
    /// The kind of these uploads.
    pub kind: WaitingKind,
    /// The number of these uploads.
    pub count: u64,
    /// The reason for waiting; `null` if they are due now.
    pub reason: Option<String>,
    /// The time when the first of them is due again, in seconds since 1970 by the system's clock; `null` if they are due now,
    /// or if no time makes them due.
    pub until: Option<i64>,
}

impl From<upload::Waiting> for Waiting {
    fn from(waiting: upload::Waiting) -> Self {
        Self {
            kind: waiting.kind,
            count: waiting.count as u64,
            reason: waiting.reason,
            until: waiting.until.map(|until| until.as_second()),
        }
    }
}

/// The result of one upload.
#[derive(uniffi::Record)]
pub struct UploadSummary {
    /// The number of consent records that the collector registered.
    pub registrations: u64,
    /// The number of samples that it accepted.
    pub samples: u64,
    /// The number of withdrawals and deletions that it acknowledged.
    pub deletions: u64,
    /// The number of requests that it refused permanently.
    pub refused: u64,
    /// The number of requests that failed and are due again later.
    pub failed: u64,
    /// The reason of the first request that was refused or failed.
    pub problem: Option<String>,
    /// The uploads that still wait on this device, with the reason and the time of each.
    pub waiting: Vec<Waiting>,
}

impl From<sordino::UploadSummary> for UploadSummary {
    fn from(summary: sordino::UploadSummary) -> Self {
        Self {
            registrations: summary.registrations as u64,
            samples: summary.samples as u64,
            deletions: summary.deletions as u64,
            refused: summary.refused as u64,
            failed: summary.failed as u64,
            problem: summary.problem,
            waiting: summary.waiting.into_iter().map(Waiting::from).collect(),
        }
    }
}
