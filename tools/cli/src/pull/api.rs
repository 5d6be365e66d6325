//! The collector's side for QA tools, as docs/protocol.md lists it.

use std::{io::Read as _, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, de::DeserializeOwned};
use sordino::{Id, Purpose, Purposes, upload::Endpoint};
use ureq::{Agent, http};

use crate::failure::Failure;

/// How many samples a page lists.
const PAGE: usize = 200;
/// The longest wait for a whole answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The header by which a collector's answers are told from a captive portal's.
const PROTOCOL_HEADER: &str = "sordino-protocol";
/// The largest answer that is read: well above any sample.
const MOST: u64 = 8 << 20;

/// A collector, and the token that it wants.
pub(super) struct Api {
    agent: Agent,
    collector: Endpoint,
    authorization: String,
}

/// A sample in a list.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) id: Id,
    pub(super) sha256: String,
    pub(super) purposes: Purposes,
}

/// A page of samples.
#[derive(Debug, Deserialize)]
pub(super) struct Samples {
    pub(super) samples: Vec<Listed>,
    pub(super) next: String,
}

/// A page of ids that are no longer to be used.
#[derive(Debug, Deserialize)]
pub(super) struct Withdrawn {
    pub(super) ids: Vec<Id>,
    pub(super) next: String,
}

struct Answer {
    status: u16,
    is_collector: bool,
    body: Vec<u8>,
}

impl Api {
    pub(super) fn new(collector: &Endpoint, token: &str) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build()
            .new_agent();
        Self {
            agent,
            collector: collector.clone(),
            authorization: format!("Bearer {token}"),
        }
    }

    /// The purposes that the token is good for.
    pub(super) fn purposes(&self) -> Result<Vec<Purpose>, Failure> {
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
    pub(super) fn list(&self, purpose: Purpose, after: Option<&str>) -> Result<Samples, Failure> {
        self.json(&format!(
            "/v1/samples?purpose={purpose}&limit={PAGE}{}",
            cursor(after)
        ))
    }

    /// Ids that are no longer to be used for `purpose`, from `after` on.
    pub(super) fn withdrawn(
        &self,
        purpose: Purpose,
        after: Option<&str>,
    ) -> Result<Withdrawn, Failure> {
        self.json(&format!("/v1/withdrawn?purpose={purpose}{}", cursor(after)))
    }

    /// One sample's sealed bytes, which are just those that the list named; `None` where it is gone.
    pub(super) fn sample(
        &self,
        purpose: Purpose,
        listed: &Listed,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let answer = self.get(&format!("/v1/samples/{}?purpose={purpose}", listed.id))?;
        match answer.status {
            200 if is_digest(&listed.sha256, &answer.body) => Ok(Some(answer.body)),
            200 => Err(Failure::Said(format!(
                "the collector at {} sent other bytes for sample {} than it listed; try again",
                self.collector, listed.id
            ))),
            404 | 410 => Ok(None),
            _ => Err(self.problem(&answer)),
        }
    }

    fn json<T: DeserializeOwned>(&self, resource: &str) -> Result<T, Failure> {
        let answer = self.get(resource)?;
        if answer.status != 200 {
            return Err(self.problem(&answer));
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            Failure::Said(format!(
                "{} does not answer as a collector: {error}",
                self.collector
            ))
        })
    }

    fn get(&self, resource: &str) -> Result<Answer, Failure> {
        let url = self.collector.url_of(resource);
        let answer = self
            .try_get(&url)
            .map_err(|error| Failure::Said(format!("cannot reach {}: {error}", self.collector)))?;
        match answer.is_collector {
            true => Ok(answer),
            false => Err(Failure::Said(format!(
                "{} answers with status {} but is no collector; check the URL and the network",
                self.collector, answer.status
            ))),
        }
    }

    fn try_get(&self, url: &str) -> Result<Answer, ureq::Error> {
        let request = http::Request::get(url)
            .header(http::header::AUTHORIZATION, &self.authorization)
            .body(())?;
        let mut response = self.agent.run(request)?;
        let is_collector = response.headers().contains_key(PROTOCOL_HEADER);
        let mut body = Vec::new();
        response
            .body_mut()
            .as_reader()
            .take(MOST)
            .read_to_end(&mut body)?;
        Ok(Answer {
            status: response.status().as_u16(),
            is_collector,
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
        Failure::Said(format!(
            "the collector at {} refuses with status {}: {detail}",
            self.collector, answer.status
        ))
    }
}

fn cursor(after: Option<&str>) -> String {
    after.map_or_else(String::new, |after| format!("&after={after}"))
}

/// Whether `bytes` have the SHA-256 that the collector named, in hexadecimal or base64.
fn is_digest(named: &str, bytes: &[u8]) -> bool {
    let digest = digest(&SHA256, bytes);
    let hex: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    named == hex || named == BASE64.encode(digest.as_ref())
}
