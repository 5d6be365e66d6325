//! The collector's address.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};

/// The collector's base URL: `https://…`, or `http://…` on this machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    /// Host and port as in RFC 9421 section 2.2.3: lower case, without the default port.
    authority: String,
    /// Starts with `/` or is empty; never ends with one.
    path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Scheme {
    Http,
    Https,
}

/// A URL that is not allowed for a collector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` cannot be a collector's URL: {reason}")]
pub struct EndpointError {
    url: String,
    reason: &'static str,
}

impl Endpoint {
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether it uses TLS.
    #[cfg(feature = "http")]
    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// The path of `resource` (which starts with `/`), below the base path.
    pub(crate) fn path_of(&self, resource: &str) -> String {
        format!("{}{resource}", self.path)
    }

    /// The whole URL of `resource`.
    pub fn url_of(&self, resource: &str) -> String {
        format!("{self}{resource}")
    }

    /// The collector that serves `resource` at `url`, if that is a collector's URL.
    pub(crate) fn serving(url: &str, resource: &str) -> Option<Self> {
        url.strip_suffix(resource)?.parse().ok()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(url: &str) -> Result<Self, EndpointError> {
        let wrong = |reason| EndpointError {
            url: url.to_owned(),
            reason,
        };
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            _ => return Err(wrong("it must begin with https://")),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err(wrong("it names no host"));
        }
        if url
            .bytes()
            .any(|byte| !byte.is_ascii_graphic() || b"?#@".contains(&byte))
        {
            return Err(wrong("it may hold no query, fragment, user name or blank"));
        }
        let authority = authority.to_ascii_lowercase();
        let default_port = if scheme == Scheme::Https {
            ":443"
        } else {
            ":80"
        };
        let authority = authority
            .strip_suffix(default_port)
            .unwrap_or(&authority)
            .to_owned();
        if scheme == Scheme::Http && !is_loopback(&authority) {
            return Err(wrong("without https:// it must be on this very machine"));
        }
        Ok(Self {
            scheme,
            authority,
            path: path.trim_end_matches('/').to_owned(),
        })
    }
}

impl Serialize for Endpoint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_only_allowed_on_loopback() {
        for url in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:9/base/",
        ] {
            assert!(url.parse::<Endpoint>().is_ok(), "{url}");
        }
        for url in [
            "http://collector.example",
            "http://192.168.0.2",
            "http://127.0.0.1.example",
        ] {
            assert!(url.parse::<Endpoint>().is_err(), "{url}");
        }
    }

    #[test]
    fn the_authority_is_normalized_as_in_rfc_9421() {
        let endpoint: Endpoint = "https://Collector.Example:443/qa/".parse().unwrap();
        assert_eq!(endpoint.authority(), "collector.example");
        assert_eq!(endpoint.path_of("/v1/plan"), "/qa/v1/plan");
        assert_eq!(
            endpoint.url_of("/v1/plan"),
            "https://collector.example/qa/v1/plan"
        );
    }

    #[test]
    fn a_collector_is_derived_from_a_resource_url() {
        let endpoint: Endpoint = "https://collector.example/qa".parse().unwrap();
        let url = endpoint.url_of("/v1/plan");
        assert_eq!(Endpoint::serving(&url, "/v1/plan"), Some(endpoint));
        assert_eq!(Endpoint::serving(&url, "/v1/samples"), None);
        assert_eq!(Endpoint::serving("/v1/plan", "/v1/plan"), None);
    }

    #[test]
    fn invalid_base_urls_are_rejected() {
        for url in [
            "",
            "ftp://x",
            "https://",
            "https://a@b",
            "https://a/?q",
            "https://a b",
        ] {
            assert!(url.parse::<Endpoint>().is_err(), "{url}");
        }
    }
}
