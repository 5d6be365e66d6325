//! The built-in HTTP client, for hosts without their own: ureq over rustls with ring.
//!
//! It uses the proxies of the environment ([`NetworkSettings::from_env`]), and sends nothing if one
//! of them is invalid.

use std::{fs::File, io::Read as _, time::Duration};

use ureq::{Agent, AsSendBody, Proxy, SendBody, http};

use super::{
    Body, HttpResponse, Request, UploadResult,
    network::{NamedProxy, NetworkSettings},
};

/// The timeout for connecting.
const MAX_CONNECT_TIME: Duration = Duration::from_secs(10);
/// The timeout for a whole request: a sample is about 200 kB.
const MAX_REQUEST_TIME: Duration = Duration::from_secs(60);
/// The maximum length of a response. A plan is a few kilobytes.
const MAX_RESPONSE_BYTES: u64 = 1 << 20;

/// Sends requests, one after another.
#[derive(Debug, Clone)]
pub struct Client {
    /// Or the reason why nothing can be sent.
    ready: Result<Ready, String>,
}

#[derive(Debug, Clone)]
struct Ready {
    agent: Agent,
    settings: NetworkSettings,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(MAX_REQUEST_TIME)
    }
}

impl Client {
    /// A client with that timeout for each request, and with the proxies and certificates of the
    /// environment. If these are invalid, each request results in [`UploadResult::Unreachable`]
    /// with the reason.
    pub fn new(timeout: Duration) -> Self {
        match NetworkSettings::from_env() {
            Ok(settings) => Self::with(timeout, &settings),
            Err(error) => Self {
                ready: Err(error.to_string()),
            },
        }
    }

    /// A client with these proxies and certificates, and a timeout of a minute for each request.
    pub fn with_settings(settings: &NetworkSettings) -> Self {
        Self::with(MAX_REQUEST_TIME, settings)
    }

    fn with(timeout: Duration, settings: &NetworkSettings) -> Self {
        let agent = settings
            .agent()
            .timeout_connect(Some(MAX_CONNECT_TIME.min(timeout)))
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // A redirect would leave the authority that the signature covers.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // No version of the SDK or of the library: it would distinguish devices.
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .build()
            .new_agent();
        let settings = settings.clone();
        Self {
            ready: Ok(Ready { agent, settings }),
        }
    }

    /// Sends one request and waits for the result.
    pub fn send(&self, request: &Request) -> UploadResult {
        match &self.ready {
            Ok(ready) => ready.send(request),
            Err(reason) => UploadResult::Unreachable(reason.clone()),
        }
    }
}

impl Ready {
    fn send(&self, request: &Request) -> UploadResult {
        let proxy = self.settings.proxy_for(&request.task.collector);
        match self.try_send(request, proxy.map(NamedProxy::proxy)) {
            Ok(response) => UploadResult::Response(response),
            Err(error) => UploadResult::Unreachable(match proxy {
                Some(proxy) => format!("{error}, through {proxy}"),
                None => error.to_string(),
            }),
        }
    }

    fn try_send(
        &self,
        request: &Request,
        proxy: Option<Proxy>,
    ) -> Result<HttpResponse, ureq::Error> {
        let mut builder = http::Request::builder()
            .method(request.method)
            .uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let mut response = match &request.body {
            Body::Empty => self.run(builder.body(())?, proxy)?,
            Body::Bytes(bytes) => self.run(builder.body(bytes.as_slice())?, proxy)?,
            Body::File(path) => {
                let file = File::open(path)?;
                let length = file.metadata()?.len();
                // With a content length, the body is not sent in chunks.
                let builder = builder.header(http::header::CONTENT_LENGTH, length);
                let body = SendBody::from_owned_reader(file.take(length));
                self.run(builder.body(body)?, proxy)?
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
            .take(MAX_RESPONSE_BYTES)
            .read_to_end(&mut body)?;
        Ok(HttpResponse {
            status: response.status().as_u16(),
            headers,
            body,
        })
    }

    fn run(
        &self,
        request: http::Request<impl AsSendBody>,
        proxy: Option<Proxy>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let request = self.agent.configure_request(request).proxy(proxy).build();
        self.agent.run(request)
    }
}
