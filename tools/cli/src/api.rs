//! The collector's API for QA tools, as docs/protocol.md describes it.

mod responses;
mod retry;

use std::{
    collections::HashSet,
    io::Read as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sordino::{
    Purpose,
    upload::{AuditHead, Endpoint, NamedProxy, NetworkSettings},
};
use ureq::{Agent, http};

pub(crate) use self::responses::{
    ListedSample, ReviewPage, SamplePage, SampleResponse, StoredReview, WithdrawnPage,
};
use self::{responses::AuditPage, retry::RetryPolicy};
use crate::{digest::sha256, error::CliError, files, secrets::TOKEN_PREFIX};

const AUDIT_HEAD_PATH: &str = "/v1/audit/head";
/// The number of samples in a page.
const PAGE_SIZE: usize = 500;
/// The timeout of a whole response.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The header that distinguishes a collector's responses from a captive portal's.
const PROTOCOL_HEADER: &str = "sordino-protocol";
/// The header that names the epoch of the collector's database.
const EPOCH_HEADER: &str = "sordino-epoch";
/// The maximum size of a response, well above any sample.
const MAX_RESPONSE_BYTES: u64 = 8 << 20;
/// This much of a response is always read, enough for an error document.
const MIN_READ_BYTES: u64 = 64 << 10;

/// A collector, with the token that most requests need.
pub(crate) struct Api {
    agent: Agent,
    collector: Endpoint,
    /// The proxy, for error messages.
    proxy: Option<String>,
    authorization: Option<String>,
    /// The file of the token.
    token_file: Option<PathBuf>,
    /// Whether the collector has responded: later failures may be transient.
    has_answered: AtomicBool,
    /// Whether retries are stopped.
    retries_stopped: AtomicBool,
}

/// Reads the token in a file: its last word. Anything else, such as a private key given by mistake, is rejected and not
/// sent.
fn read_token(path: &Path) -> Result<String, CliError> {
    let text = files::read_text(path)?;
    let token = text.split_whitespace().next_back().unwrap_or_default();
    if !token.starts_with(TOKEN_PREFIX) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(CliError::content(path)(format!(
            "there is no token in it, which begins with `{TOKEN_PREFIX}`; `sordino-collector token create` prints one"
        )));
    }
    Ok(token.to_owned())
}

struct ApiResponse {
    status: u16,
    is_collector: bool,
    retry_after: Option<Duration>,
    epoch: Option<String>,
    body: Vec<u8>,
}

impl Api {
    /// A client with the token in a file, which keeps the connections of that many concurrent requests.
    pub(crate) fn new(
        collector: &Endpoint,
        network: &NetworkSettings,
        token_file: &Path,
        connections: usize,
    ) -> Result<Self, CliError> {
        Ok(Self {
            authorization: Some(format!("Bearer {}", read_token(token_file)?)),
            token_file: Some(token_file.to_owned()),
            ..Self::with_connections(collector, network, connections)
        })
    }

    /// A client without a token.
    pub(crate) fn unauthenticated(collector: &Endpoint, network: &NetworkSettings) -> Self {
        Self::with_connections(collector, network, 1)
    }

    fn with_connections(
        collector: &Endpoint,
        network: &NetworkSettings,
        connections: usize,
    ) -> Self {
        let agent = network
            .agent_for(collector)
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(connections + 1)
            .max_idle_connections_per_host(connections + 1)
            .build()
            .new_agent();
        Self {
            agent,
            collector: collector.clone(),
            proxy: network.proxy_for(collector).map(NamedProxy::to_string),
            authorization: None,
            token_file: None,
            has_answered: AtomicBool::new(false),
            retries_stopped: AtomicBool::new(false),
        }
    }

    /// Stops retries of requests in progress, after a permanent failure.
    pub(crate) fn stop_retrying(&self) {
        self.retries_stopped.store(true, Ordering::Relaxed);
    }

    /// Rejects the page at `cursor` if it is in `asked`: a list that returns to an earlier position
    /// never ends. A sample may occur twice, for example after it was released from quarantine.
    pub(crate) fn check_cursor(
        &self,
        asked: &mut HashSet<Option<String>>,
        cursor: Option<&str>,
    ) -> Result<(), CliError> {
        if asked.insert(cursor.map(str::to_owned)) {
            return Ok(());
        }
        Err(CliError::Message(format!(
            "the collector at {} lists the same page again and again; contact its operator",
            self.collector
        )))
    }

    /// The head of the access log; needs no token.
    pub(crate) fn audit_head(&self) -> Result<AuditHead, CliError> {
        self.json(AUDIT_HEAD_PATH)
    }

    /// The epoch of the collector's database; `None` from an earlier version. Needs no token.
    pub(crate) fn epoch(&self) -> Result<Option<String>, CliError> {
        Ok(self.get(AUDIT_HEAD_PATH)?.epoch)
    }

    /// Entries of the access log after the one with this number; none if it is the last.
    pub(crate) fn audit_log(&self, after: u64) -> Result<Vec<Map<String, Value>>, CliError> {
        let page: AuditPage = self.json(&format!("/v1/audit/log?after={after}"))?;
        Ok(page.entries)
    }

    /// The purposes of the token.
    pub(crate) fn purposes(&self) -> Result<Vec<Purpose>, CliError> {
        let mut good = Vec::new();
        for purpose in Purpose::ALL {
            let answer = self.get(&format!("/v1/samples?purpose={purpose}&limit=1"))?;
            match answer.status {
                200 => good.push(purpose),
                403 => {}
                _ => return Err(self.response_error(&answer)),
            }
        }
        if good.is_empty() {
            return Err(CliError::Message(
                "the token is good for no purpose".to_owned(),
            ));
        }
        Ok(good)
    }

    /// Samples granted for `purpose`, from `after` on.
    pub(crate) fn list_samples(
        &self,
        purpose: Purpose,
        after: Option<&str>,
    ) -> Result<SamplePage, CliError> {
        self.json(&format!(
            "/v1/samples?purpose={purpose}&limit={PAGE_SIZE}{}",
            cursor(after)
        ))
    }

    /// Ids that may no longer be used for `purpose`, from `after` on.
    pub(crate) fn withdrawn(
        &self,
        purpose: Purpose,
        after: Option<&str>,
    ) -> Result<WithdrawnPage, CliError> {
        self.json(&format!("/v1/withdrawn?purpose={purpose}{}", cursor(after)))
    }

    /// Reviews of samples granted for `purpose`, from `after` on; `None` from a collector without reviews.
    pub(crate) fn reviews(
        &self,
        purpose: Purpose,
        after: Option<&str>,
    ) -> Result<Option<ReviewPage>, CliError> {
        let resource = format!("/v1/reviews?purpose={purpose}{}", cursor(after));
        let answer = self.get(&resource)?;
        match answer.status {
            404 => Ok(None),
            _ => self.read_json(&answer).map(Some),
        }
    }

    /// One sample's sealed bytes.
    pub(crate) fn sample(
        &self,
        purpose: Purpose,
        listed: &ListedSample,
    ) -> Result<SampleResponse, CliError> {
        let resource = format!("/v1/samples/{}?purpose={purpose}", listed.id);
        // One byte more, to detect a longer body.
        let most = listed
            .bytes
            .saturating_add(1)
            .clamp(MIN_READ_BYTES, MAX_RESPONSE_BYTES);
        let answer = self.get_with_limit(&resource, most)?;
        Ok(match answer.status {
            200 if is_digest(&listed.sha256, &answer.body) => SampleResponse::Sealed(answer.body),
            200 => SampleResponse::Other(format!(
                "the collector at {} sent other bytes than it listed",
                self.collector
            )),
            404 | 410 => SampleResponse::Gone,
            // The object is missing or damaged at the collector; the pull continues with other samples.
            500 => SampleResponse::Other(self.response_error(&answer).to_string()),
            _ => return Err(self.response_error(&answer)),
        })
    }

    fn json<T: DeserializeOwned>(&self, resource: &str) -> Result<T, CliError> {
        self.read_json(&self.get(resource)?)
    }

    fn read_json<T: DeserializeOwned>(&self, answer: &ApiResponse) -> Result<T, CliError> {
        if answer.status != 200 {
            return Err(self.response_error(answer));
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            CliError::Message(format!(
                "{} does not respond like a collector: {error}",
                self.collector
            ))
        })
    }

    fn get(&self, resource: &str) -> Result<ApiResponse, CliError> {
        self.get_with_limit(resource, MAX_RESPONSE_BYTES)
    }

    /// Sends a request, with retries after transient failures.
    fn get_with_limit(&self, resource: &str, most: u64) -> Result<ApiResponse, CliError> {
        let url = self.collector.url_of(resource);
        let mut patience = RetryPolicy::new(self.has_answered.load(Ordering::Relaxed));
        loop {
            let (failure, asked) = match self.try_get(&url, most) {
                Ok(answer) if answer.is_collector => match answer.status {
                    429 | 503 => (self.response_error(&answer), answer.retry_after),
                    _ => {
                        self.has_answered.store(true, Ordering::Relaxed);
                        return Ok(answer);
                    }
                },
                Ok(answer) => {
                    let failure = CliError::Message(format!(
                        "{} responds with status {} but is not a collector; check the URL and the network",
                        self.collector, answer.status
                    ));
                    // A proxy's answer while its collector is unavailable.
                    match self.has_answered() && matches!(answer.status, 502..=504) {
                        true => (failure, answer.retry_after),
                        false => return Err(failure),
                    }
                }
                Err(error) => {
                    let through = self.proxy.as_ref();
                    let through = through.map_or_else(String::new, |by| format!(" through {by}"));
                    let collector = &self.collector;
                    let failure =
                        CliError::Message(format!("cannot reach {collector}{through}: {error}"));
                    match self.has_answered() && is_transient(&error) {
                        true => (failure, None),
                        false => return Err(failure),
                    }
                }
            };
            if !patience.wait(asked, &self.retries_stopped) {
                return Err(match asked.filter(|_| patience.exceeds_max_delay(asked)) {
                    Some(asked) => CliError::Message(format!(
                        "{failure}; it asks for no requests for {} s",
                        asked.as_secs()
                    )),
                    None => failure,
                });
            }
        }
    }

    fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    fn try_get(&self, url: &str, most: u64) -> Result<ApiResponse, ureq::Error> {
        let mut request = http::Request::get(url);
        if let Some(authorization) = &self.authorization {
            request = request.header(http::header::AUTHORIZATION, authorization);
        }
        let request = request.body(())?;
        let mut response = self.agent.run(request)?;
        let headers = response.headers();
        let is_collector = headers.contains_key(PROTOCOL_HEADER);
        let retry_after = headers
            .get(http::header::RETRY_AFTER)
            .and_then(|seconds| seconds.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let epoch = headers.get(EPOCH_HEADER);
        let epoch = epoch.and_then(|epoch| Some(epoch.to_str().ok()?.to_owned()));
        let length = response.body().content_length().unwrap_or_default();
        // One byte more, so that the end is detected without another allocation.
        let mut body = Vec::with_capacity((length.min(most) + 1) as usize);
        response
            .body_mut()
            .as_reader()
            .take(most)
            .read_to_end(&mut body)?;
        Ok(ApiResponse {
            status: response.status().as_u16(),
            is_collector,
            retry_after,
            epoch,
            body,
        })
    }

    fn response_error(&self, answer: &ApiResponse) -> CliError {
        #[derive(Deserialize)]
        struct Problem {
            detail: String,
        }
        let detail = serde_json::from_slice(&answer.body).map_or_else(
            |_| "it does not say why".to_owned(),
            |problem: Problem| problem.detail,
        );
        if let (401, Some(token_file)) = (answer.status, &self.token_file) {
            return CliError::Message(format!(
                "the collector at {} refuses the token in {} with status 401: {detail}; make another with \
                 `sordino-collector token create`, where the collector runs",
                self.collector,
                token_file.display()
            ));
        }
        CliError::Message(format!(
            "the collector at {} refuses with status {}: {detail}",
            self.collector, answer.status
        ))
    }
}

/// Whether a retry may succeed.
fn is_transient(error: &ureq::Error) -> bool {
    use ureq::Error;
    matches!(
        error,
        Error::Io(_) | Error::Timeout(_) | Error::ConnectionFailed | Error::Protocol(_)
    )
}

fn cursor(after: Option<&str>) -> String {
    after.map_or_else(String::new, |after| format!("&after={after}"))
}

/// Whether `bytes` have the SHA-256 that the collector stated, in hexadecimal or base64.
fn is_digest(named: &str, bytes: &[u8]) -> bool {
    named == sha256(bytes) || named == BASE64.encode(digest(&SHA256, bytes))
}
