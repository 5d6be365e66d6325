//! The proxy for a collector.

use std::{ffi::OsString, fmt};

use ureq::{Proxy, ProxyProtocol, http::Uri};

use super::no_proxy::{Host, NoProxy, split_port};

/// The proxies of the environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    https: Option<NamedProxy>,
    http: Option<NamedProxy>,
    all: Option<NamedProxy>,
    no_proxy: NoProxy,
}

/// A proxy and the variable that configures it. Displayed without its user name and password.
#[derive(Clone, Debug)]
pub struct NamedProxy {
    variable: &'static str,
    proxy: Proxy,
}

/// Why a proxy is invalid. The value is not quoted, since it may contain a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// The value is not the URL of a proxy.
    #[error(
        "{variable} names no proxy: {reason}; set it to a URL like socks5h://HOST:PORT or http://HOST:PORT, or unset it"
    )]
    Url {
        /// The environment variable.
        variable: &'static str,
        /// The problem.
        reason: &'static str,
    },
    /// The proxy's protocol is not supported.
    #[error(
        "{variable} names a proxy of the protocol `{scheme}`, which is not supported; use http, https, socks4, socks4a, \
         socks5 or socks5h, or unset it"
    )]
    Protocol {
        /// The environment variable.
        variable: &'static str,
        /// The protocol.
        scheme: String,
    },
}

impl Proxies {
    pub(super) fn from_variables(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ProxyError> {
        // The order of curl and requests; an empty value counts as unset.
        let first = |names: [&'static str; 2]| {
            names
                .into_iter()
                .find_map(|name| Some((name, variable(name).filter(|value| !value.is_empty())?)))
        };
        let proxy = |names| {
            first(names)
                .map(|(name, value)| NamedProxy::new(name, &value))
                .transpose()
        };
        let no_proxy = first(["no_proxy", "NO_PROXY"]);
        Ok(Self {
            https: proxy(["https_proxy", "HTTPS_PROXY"])?,
            http: proxy(["http_proxy", "HTTP_PROXY"])?,
            all: proxy(["all_proxy", "ALL_PROXY"])?,
            no_proxy: no_proxy
                .map(|(_, value)| NoProxy::new(&value.to_string_lossy()))
                .unwrap_or_default(),
        })
    }

    /// The proxy for the host and port in `authority`.
    pub(super) fn proxy_for(&self, is_https: bool, authority: &str) -> Option<&NamedProxy> {
        let (own, default_port) = match is_https {
            true => (&self.https, 443),
            false => (&self.http, 80),
        };
        let proxy = own.as_ref().or(self.all.as_ref())?;
        // An unparsable host is never reached directly.
        let Some((host, port)) = split_port(authority) else {
            return Some(proxy);
        };
        let Some(host) = Host::new(host) else {
            return Some(proxy);
        };
        let is_direct = self.no_proxy.includes(&host, port.unwrap_or(default_port))
            || (!proxy.is_socks() && host.is_loopback());
        (!is_direct).then_some(proxy)
    }
}

impl NamedProxy {
    fn new(variable: &'static str, value: &OsString) -> Result<Self, ProxyError> {
        let wrong = |reason| ProxyError::Url { variable, reason };
        let text = value.to_str().ok_or_else(|| wrong("it is not UTF-8"))?;
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let protocol = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyProtocol::Http,
            "https" => ProxyProtocol::Https,
            // The proxy resolves names: resolving them here would reveal them to the DNS server.
            "socks4" | "socks4a" => ProxyProtocol::Socks4A,
            "socks" | "socks5" | "socks5h" => ProxyProtocol::Socks5h,
            _ => {
                let scheme = scheme.escape_default().to_string();
                return Err(ProxyError::Protocol { variable, scheme });
            }
        };
        // Only a complete URL is parsed correctly.
        let url = format!("{}://{rest}", protocol.to_string().to_ascii_lowercase());
        let uri: Uri = url.parse().map_err(|_| wrong("it is not a URL"))?;
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        let host_and_port = authority.as_str().rsplit('@').next().unwrap_or_default();
        let (host, port) =
            split_port(host_and_port).ok_or_else(|| wrong("its port is not a number"))?;
        if host.is_empty() || host == "[]" {
            return Err(wrong("it names no host"));
        }
        if port == Some(0) {
            return Err(wrong("its port is 0"));
        }
        if uri
            .path_and_query()
            .is_some_and(|path| path.as_str() != "/")
        {
            return Err(wrong("it has a path"));
        }
        let proxy = Proxy::new(&url).map_err(|_| wrong("it is not a URL"))?;
        Ok(Self { variable, proxy })
    }

    fn is_socks(&self) -> bool {
        !matches!(
            self.proxy.protocol(),
            ProxyProtocol::Http | ProxyProtocol::Https
        )
    }

    pub(in crate::upload) fn proxy(&self) -> Proxy {
        self.proxy.clone()
    }
}

impl fmt::Display for NamedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (self.proxy.host(), self.proxy.port());
        write!(
            f,
            "the {} proxy at {host}:{port} ({})",
            self.proxy.protocol(),
            self.variable
        )
    }
}
