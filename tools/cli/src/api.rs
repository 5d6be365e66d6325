//! The collector's side for QA tools, as docs/protocol.md lists it.

mod patience;

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
    Id, Purpose, Purposes, Week,
    upload::{AuditHead, Endpoint, NamedProxy, NetworkSettings},
};
use ureq::{Agent, http};

use self::patience::Patience;
use crate::{digest::sha256, failure::Failure, files};

/// What every token begins with.
pub(crate) const TOKEN_PREFIX: &str = "sordino_";
const HEAD: &str = "/v1/audit/head";
/// How many samples a page lists.
const PAGE: usize = 500;
/// The longest wait for a whole answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The header by which a collector's answers are told from a captive portal's.
const PROTOCOL_HEADER: &str = "sordino-protocol";
/// The header that names the epoch of the collector's database.
const EPOCH_HEADER: &str = "sordino-epoch";
/// The largest answer that is read: well above any sample.
const MOST: u64 = 8 << 20;
/// So much of an answer is always read: an error's document.
const LEAST: u64 = 64 << 10;

/// A collector, and the token that most of it wants.
pub(crate) struct Api {
    agent: Agent,
    collector: Endpoint,
    /// The proxy through which the collector is reached, as errors name it.
    proxy: Option<String>,
    authorization: Option<String>,
    /// Where the token is from.
    token_file: Option<PathBuf>,
    /// It has answered as a collector does: what goes wrong from then on may be mended.
    has_answered: AtomicBool,
    /// Nothing is tried again any more.
    is_hurried: AtomicBool,
}

/// A sample in a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    pub(crate) id: Id,
    /// The record under which it came, by whose key it was signed.
    pub(crate) consent: Id,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) purposes: Purposes,
}

/// What came of asking for a sample.
#[derive(Debug)]
pub(crate) enum Handed {
    /// Its sealed bytes, which are just those that the list named.
    Sealed(Vec<u8>),
    /// It is gone.
    Gone,
    /// Something else, and what.
    Other(String),
}

/// A page of samples.
#[derive(Debug, Deserialize)]
pub(crate) struct Samples {
    pub(crate) samples: Vec<Listed>,
    pub(crate) next: String,
}

/// A page of ids that are no longer to be used.
#[derive(Debug, Deserialize)]
pub(crate) struct Withdrawn {
    pub(crate) ids: Vec<Id>,
    /// Those of them that are only held back, since a voice was heard; an earlier collector does not say.
    #[serde(default)]
    pub(crate) quarantined: HashSet<Id>,
    pub(crate) next: String,
}

/// A page of what readers said of samples in the review page.
#[derive(Debug, Deserialize)]
pub(crate) struct Reviews {
    pub(crate) reviews: Vec<StoredReview>,
    pub(crate) assignments: Vec<Value>,
    pub(crate) next: String,
}

/// What a reader said of a sample, as the collector keeps it.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredReview {
    pub(crate) sample: Id,
    pub(crate) reader: String,
    pub(crate) week: Week,
    /// An age file in base64.
    #[serde(default)]
    pub(crate) sealed: Option<String>,
    #[serde(default)]
    pub(crate) plain: Option<Value>,
}

/// The token in a file: its last word. Nothing else is sent, such as a private key whose file was given by mistake.
fn read_token(path: &Path) -> Result<String, Failure> {
    let text = files::read_text(path)?;
    let token = text.split_whitespace().next_back().unwrap_or_default();
    if !token.starts_with(TOKEN_PREFIX) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::content(path)(format!(
            "there is no token in it, which begins with `{TOKEN_PREFIX}`; `sordino-collector token create` prints one"
        )));
    }
    Ok(token.to_owned())
}

/// A page of the access log.
#[derive(Debug, Deserialize)]
struct Entries {
    entries: Vec<Map<String, Value>>,
}

struct Answer {
    status: u16,
    is_collector: bool,
    retry_after: Option<Duration>,
    epoch: Option<String>,
    body: Vec<u8>,
}

impl Api {
    /// With the token in a file, for so many requests at once, whose connections are kept.
    pub(crate) fn new(
        collector: &Endpoint,
        network: &NetworkSettings,
        token_file: &Path,
        connections: usize,
    ) -> Result<Self, Failure> {
        Ok(Self {
            authorization: Some(format!("Bearer {}", read_token(token_file)?)),
            token_file: Some(token_file.to_owned()),
            ..Self::with_connections(collector, network, connections)
        })
    }

    /// For what needs no token.
    pub(crate) fn open_to_all(collector: &Endpoint, network: &NetworkSettings) -> Self {
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
            is_hurried: AtomicBool::new(false),
        }
    }

    /// Something has failed for good: what is under way is not tried again.
    pub(crate) fn hurry(&self) {
        self.is_hurried.store(true, Ordering::Relaxed);
    }

    /// Refuses to ask for the page at `cursor` where `asked` holds it: a list that goes back to where
    /// it was never ends. Samples may come twice, as one that was released from quarantine does.
    pub(crate) fn onwards(
        &self,
        asked: &mut HashSet<Option<String>>,
        cursor: Option<&str>,
    ) -> Result<(), Failure> {
        if asked.insert(cursor.map(str::to_owned)) {
            return Ok(());
        }
        Err(Failure::Said(format!(
            "the collector at {} lists the same again and again; tell whoever runs it",
            self.collector
        )))
    }

    /// The head of the access log; needs no token.
    pub(crate) fn head(&self) -> Result<AuditHead, Failure> {
        self.json(HEAD)
    }

    /// The epoch of the collector's database; `None` from a collector that has none yet. Needs no token.
    pub(crate) fn epoch(&self) -> Result<Option<String>, Failure> {
        Ok(self.get(HEAD)?.epoch)
    }

    /// Entries of the access log after the one with this number; none where that is the last.
    pub(crate) fn log(&self, after: u64) -> Result<Vec<Map<String, Value>>, Failure> {
        let page: Entries = self.json(&format!("/v1/audit/log?after={after}"))?;
        Ok(page.entries)
    }

    /// The purposes that the token is good for.
    pub(crate) fn purposes(&self) -> Result<Vec<Purpose>, Failure> {
        let mut good = Vec::new();
        for purpose in Purpose::ALL {
            let answer = self.get(&format!("/v1/samples?purpose={purpose}&limit=1"))?;
            match answer.status {
                200 => good.push(purpose),
                403 => {}
                _ => return Err(self.problem(&answer)),
            }
        }
        if good.is_empty() {
            return Err(Failure::Said("the token is good for no purpose".to_owned()));
        }
        Ok(good)
    }

    /// Samples granted for `purpose`, from `after` on.
    pub(crate) fn list(&self, purpose: Purpose, after: Option<&str>) -> Result<Samples, Failure> {
        self.json(&format!(
            "/v1/samples?purpose={purpose}&limit={PAGE}{}",
            cursor(after)
        ))
    }

    /// Ids that are no longer to be used for `purpose`, from `after` on.
    pub(crate) fn withdrawn(
        &self,
        purpose: Purpose,
        after: Option<&str>,
    ) -> Result<Withdrawn, Failure> {
        self.json(&format!("/v1/withdrawn?purpose={purpose}{}", cursor(after)))
    }

    /// What readers said of samples granted for `purpose`, from `after` on; none from a collector that does not know of
    /// reviews.
    pub(crate) fn reviews(
        &self,
        purpose: Purpose,
        after: Option<&str>,
    ) -> Result<Option<Reviews>, Failure> {
        let resource = format!("/v1/reviews?purpose={purpose}{}", cursor(after));
        let answer = self.get(&resource)?;
        match answer.status {
            404 => Ok(None),
            _ => self.read_json(&answer).map(Some),
        }
    }

    /// One sample's sealed bytes.
    pub(crate) fn sample(&self, purpose: Purpose, listed: &Listed) -> Result<Handed, Failure> {
        let resource = format!("/v1/samples/{}?purpose={purpose}", listed.id);
        // One byte more tells that there is more.
        let most = listed.bytes.saturating_add(1).clamp(LEAST, MOST);
        let answer = self.get_at_most(&resource, most)?;
        Ok(match answer.status {
            200 if is_digest(&listed.sha256, &answer.body) => Handed::Sealed(answer.body),
            200 => Handed::Other(format!(
                "the collector at {} sent other bytes than it listed",
                self.collector
            )),
            404 | 410 => Handed::Gone,
            // Its object is missing or damaged there; that must not keep others away.
            500 => Handed::Other(self.problem(&answer).to_string()),
            _ => return Err(self.problem(&answer)),
        })
    }

    fn json<T: DeserializeOwned>(&self, resource: &str) -> Result<T, Failure> {
        self.read_json(&self.get(resource)?)
    }

    fn read_json<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        if answer.status != 200 {
            return Err(self.problem(answer));
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            Failure::Said(format!(
                "{} does not answer as a collector: {error}",
                self.collector
            ))
        })
    }

    fn get(&self, resource: &str) -> Result<Answer, Failure> {
        self.get_at_most(resource, MOST)
    }

    /// The answer to a request, tried again where that may help.
    fn get_at_most(&self, resource: &str, most: u64) -> Result<Answer, Failure> {
        let url = self.collector.url_of(resource);
        let mut patience = Patience::new(self.has_answered.load(Ordering::Relaxed));
        loop {
            let (failure, asked) = match self.try_get(&url, most) {
                Ok(answer) if answer.is_collector => match answer.status {
                    429 | 503 => (self.problem(&answer), answer.retry_after),
                    _ => {
                        self.has_answered.store(true, Ordering::Relaxed);
                        return Ok(answer);
                    }
                },
                Ok(answer) => {
                    let failure = Failure::Said(format!(
                        "{} answers with status {} but is no collector; check the URL and the network",
                        self.collector, answer.status
                    ));
                    // What a proxy says while the collector behind it is away.
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
                        Failure::Said(format!("cannot reach {collector}{through}: {error}"));
                    match self.has_answered() && is_passing(&error) {
                        true => (failure, None),
                        false => return Err(failure),
                    }
                }
            };
            if !patience.wait(asked, &self.is_hurried) {
                return Err(match asked.filter(|_| patience.is_asked_too_much(asked)) {
                    Some(asked) => Failure::Said(format!(
                        "{failure}; it asks to be left alone for {} s",
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

    fn try_get(&self, url: &str, most: u64) -> Result<Answer, ureq::Error> {
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
        // A byte more, so that the end is seen without more room being made.
        let mut body = Vec::with_capacity((length.min(most) + 1) as usize);
        response
            .body_mut()
            .as_reader()
            .take(most)
            .read_to_end(&mut body)?;
        Ok(Answer {
            status: response.status().as_u16(),
            is_collector,
            retry_after,
            epoch,
            body,
        })
    }

    fn problem(&self, answer: &Answer) -> Failure {
        #[derive(Deserialize)]
        struct Problem {
            detail: String,
        }
        let detail = serde_json::from_slice(&answer.body).map_or_else(
            |_| "it does not say why".to_owned(),
            |problem: Problem| problem.detail,
        );
        if let (401, Some(token_file)) = (answer.status, &self.token_file) {
            return Failure::Said(format!(
                "the collector at {} refuses the token in {} with status 401: {detail}; make another with \
                 `sordino-collector token create`, where the collector runs",
                self.collector,
                token_file.display()
            ));
        }
        Failure::Said(format!(
            "the collector at {} refuses with status {}: {detail}",
            self.collector, answer.status
        ))
    }
}

/// Whether the same request may go through a moment later.
fn is_passing(error: &ureq::Error) -> bool {
    use ureq::Error;
    matches!(
        error,
        Error::Io(_) | Error::Timeout(_) | Error::ConnectionFailed | Error::Protocol(_)
    )
}

fn cursor(after: Option<&str>) -> String {
    after.map_or_else(String::new, |after| format!("&after={after}"))
}

/// Whether `bytes` have the SHA-256 that the collector named, in hexadecimal or base64.
fn is_digest(named: &str, bytes: &[u8]) -> bool {
    named == sha256(bytes) || named == BASE64.encode(digest(&SHA256, bytes))
}
