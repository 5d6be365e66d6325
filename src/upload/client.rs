//! The built-in HTTP client, for hosts that have none of their own: ureq over rustls with ring.

use std::{fs::File, io::Read as _, time::Duration};

use ureq::{Agent, SendBody, http};

use super::{Answer, Body, Outcome, Request};

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest wait for a whole request: a sample is some 200 kB.
const WHOLE: Duration = Duration::from_secs(60);
/// How much of an answer is read. A plan is a few kilobytes.
const MOST_ANSWER: u64 = 1 << 20;

/// Sends requests, one after another.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(WHOLE)
    }
}

impl Client {
    /// A client that gives each request `timeout`.
    pub fn new(timeout: Duration) -> Self {
        let agent = Agent::config_builder()
            .timeout_connect(Some(CONNECT.min(timeout)))
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // A redirect would leave the authority that the signature names.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // No version of ours or of the library's: it would tell devices apart.
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .build()
            .new_agent();
        Self { agent }
    }

    /// Sends one request and waits for what comes of it.
    pub fn send(&self, request: &Request) -> Outcome {
        match self.try_send(request) {
            Ok(answer) => Outcome::Answered(answer),
            Err(error) => Outcome::Unreachable(error.to_string()),
        }
    }

    fn try_send(&self, request: &Request) -> Result<Answer, ureq::Error> {
        let mut builder = http::Request::builder()
            .method(request.method)
            .uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let mut response = match &request.body {
            Body::Empty => self.agent.run(builder.body(())?)?,
            Body::Bytes(bytes) => self.agent.run(builder.body(bytes.as_slice())?)?,
            Body::File(path) => {
                let file = File::open(path)?;
                let length = file.metadata()?.len();
                // With its length named, the body is not sent in chunks.
                let builder = builder.header(http::header::CONTENT_LENGTH, length);
                self.agent
                    .run(builder.body(SendBody::from_owned_reader(file.take(length)))?)?
            }
        };
        let headers = response.headers().iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let headers = headers.collect();
        let mut body = Vec::new();
        response
            .body_mut()
            .as_reader()
            .take(MOST_ANSWER)
            .read_to_end(&mut body)?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers,
            body,
        })
    }
}
