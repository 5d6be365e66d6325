use sordino::upload::{self, Body, HttpResponse, UploadTask, WaitingKind};

/// One HTTP request that is due. Send it as it is, without following redirects: the signature names
/// the host.
#[derive(uniffi::Record)]
pub struct Request {
    /// What it is about, for `finish`.
    pub task: UploadTask,
    /// Whether it takes something back. Such a request waits neither for other uploads nor for a cheap network.
    pub urgent: bool,
    /// `GET`, `PUT` or `DELETE`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Headers to send as they are; add none that names the app, the device or a locale.
    pub headers: Vec<Header>,
    /// What to send.
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
    /// None at all.
    Empty,
    /// A small document.
    Document {
        /// Its bytes.
        content: Vec<u8>,
    },
    /// A file to stream. It may be gone once the person withdrew; then say that nothing came of it.
    File {
        /// Where it lies.
        path: String,
    },
}

/// What came of a request.
#[derive(uniffi::Enum)]
pub enum Outcome {
    /// An answer came, whatever it says.
    Answered {
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<Header>,
        /// The body, or its first MiB.
        body: Vec<u8>,
    },
    /// None came: no network, a connection that broke, a timeout.
    Unreachable {
        /// One line.
        reason: String,
    },
}

impl From<upload::Request> for Request {
    fn from(request: upload::Request) -> Self {
        let headers = request.headers.into_iter();
        Self {
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
                    // The host named the folder in text; below it all names are ours.
                    path: path.to_string_lossy().into_owned(),
                },
            },
        }
    }
}

impl From<Outcome> for upload::UploadResult {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Answered {
                status,
                headers,
                body,
            } => Self::Response(HttpResponse {
                status,
                headers: headers
                    .into_iter()
                    .map(|header| (header.name.to_ascii_lowercase(), header.value))
                    .collect(),
                body,
            }),
            Outcome::Unreachable { reason } => Self::Unreachable(reason),
        }
    }
}

/// One hand-out of a sample to a reader.
#[derive(uniffi::Record)]
pub struct Access {
    /// What it was handed out for.
    pub purpose: sordino::Purpose,
    /// When.
    pub week: sordino::Week,
    /// The name of the reader's token.
    pub reader: String,
    /// Its number in the collector's access log; none where the collector keeps no chain yet.
    pub entry: Option<u64>,
    /// The entry's hash in that log, 64 hexadecimal digits; none likewise.
    pub hash: Option<String>,
}

impl From<upload::Access> for Access {
    fn from(access: upload::Access) -> Self {
        Self {
            purpose: access.purpose,
            week: access.week,
            reader: access.reader,
            entry: access.entry,
            hash: access.hash.map(|hash| hash.to_string()),
        }
    }
}

/// Who opened a sample, as the collector's access log tells.
#[derive(uniffi::Record)]
pub struct Accesses {
    /// Oldest first.
    pub accesses: Vec<Access>,
    /// The head of the log, `ENTRIES:HASH`; none where the collector keeps no chain yet.
    pub head: Option<String>,
    /// The root of the log's Merkle tree, `ENTRIES:ROOT`; none where the collector keeps no tree yet.
    pub root: Option<String>,
    /// What is wrong with the log or with what was told of it, in one line: it does not continue the one that this
    /// device saw before, an access is not in it or was left out, or the collector proves nothing.
    pub broken: Option<String>,
}

impl From<upload::Accesses> for Accesses {
    fn from(accesses: upload::Accesses) -> Self {
        Self {
            accesses: accesses.accesses.into_iter().map(Access::from).collect(),
            head: accesses.head.map(|head| head.to_string()),
            root: accesses
                .head
                .and_then(|head| head.audit_root())
                .map(|root| root.to_string()),
            broken: accesses.broken.map(|broken| broken.to_string()),
        }
    }
}

/// What waits on this device.
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

/// Some that wait for the same reason.
#[derive(uniffi::Record)]
pub struct Waiting {
    /// What they are.
    pub kind: WaitingKind,
    /// How many.
    pub count: u64,
    /// Why they wait; none where they are due now.
    pub reason: Option<String>,
    /// When the first of them is due again, in seconds since 1970 by the system's clock; none where they are due now,
    /// or where time alone does not make them due.
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

/// What one round of uploads did.
#[derive(uniffi::Record)]
pub struct UploadSummary {
    /// Consent records that the collector registered.
    pub registrations: u64,
    /// Samples that it took.
    pub samples: u64,
    /// Withdrawals and deletions that it acknowledged.
    pub deletions: u64,
    /// Requests that it will not have.
    pub refused: u64,
    /// Requests that are due again later.
    pub failed: u64,
    /// Why, for the first that was refused or failed.
    pub problem: Option<String>,
    /// What still waits here after the round, why, and until when.
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
