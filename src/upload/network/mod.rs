//! Network settings: the proxies and the trusted certificates of HTTP clients.
//!
//! * **Input**: the environment variables that curl, Go and Python's requests read, and a file of certificates.
//! * **Output**: the settings of a [`ureq`] agent, for one collector.
//! * **Guarantees**: a configured proxy is used or rejected; a request is never sent directly because
//!   a proxy could not be parsed. The name of a collector behind a SOCKS proxy is resolved by the
//!   proxy, never here.

mod no_proxy;
mod proxy;

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use ureq::{
    config::{Config, ConfigBuilder},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
    typestate::AgentScope,
};

pub use proxy::{NamedProxy, ProxyError};

use super::Endpoint;
use proxy::Proxies;

/// The variable that names a file of certificates, as for OpenSSL.
const CA_FILE_VARIABLE: &str = "SSL_CERT_FILE";
/// The size limit of a certificate file in bytes; a system's bundle has about 250 kB.
const MAX_CA_FILE_BYTES: u64 = 4 << 20;

/// Proxies and trusted certificates of a client.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sordino::upload::{Client, NetworkSettings};
///
/// let client = Client::with_settings(&NetworkSettings::from_env()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NetworkSettings {
    proxies: Proxies,
    roots: RootCerts,
}

/// Why the network settings are invalid. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A configured proxy is invalid.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The file of certificates cannot be read.
    #[error("the certificates in {} ({named_by}) cannot be read: {error}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// The option or the variable with its path.
        named_by: &'static str,
        /// The system's error.
        error: io::Error,
    },
    /// The file holds no certificate.
    #[error(
        "{} ({named_by}) holds no certificate in PEM (-----BEGIN CERTIFICATE-----); convert one in DER with \
         `openssl x509 -inform der`",
        path.display()
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
        /// The option or the variable with its path.
        named_by: &'static str,
    },
    /// A part of the file is damaged.
    #[error("{} ({named_by}) is damaged: {reason}", path.display())]
    DamagedCaFile {
        /// The file.
        path: PathBuf,
        /// The option or the variable with its path.
        named_by: &'static str,
        /// The problem.
        reason: String,
    },
}

impl NetworkSettings {
    /// No proxy, and Mozilla's root certificates: for a collector on this machine.
    pub fn direct() -> Self {
        Self {
            proxies: Proxies::default(),
            roots: RootCerts::WebPki,
        }
    }

    /// The settings of the environment.
    ///
    /// * `https_proxy`, `http_proxy`, `all_proxy`, or the same in capitals if the first is not set: the proxy for
    ///   collectors at `https://…`, at `http://…`, and for all without one of these. An empty value counts as unset.
    /// * `no_proxy`, `NO_PROXY`: the hosts that are reached directly, separated by commas: names (with all below them),
    ///   `.name` or `*.name` (only names below), addresses, networks (`10.0.0.0/8`, `fe80::/10`), each with a `:PORT`
    ///   if it is for one port only; `*` for all.
    /// * `SSL_CERT_FILE`: trusted root certificates in PEM, in place of Mozilla's.
    ///
    /// A proxy's scheme is `http` (the default), `https`, `socks4`, `socks4a`, `socks5` or `socks5h`. An HTTP proxy is
    /// not used for this machine (`localhost`, 127.0.0.0/8, ::1), since the proxy would resolve these to itself; a SOCKS
    /// proxy is used for every host that `no_proxy` does not name. curl reads the variables in the same way, except for
    /// names (a SOCKS proxy resolves them, with any scheme) and for this machine (as Go's
    /// [httpproxy](https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config.ProxyFunc) does).
    ///
    /// # Errors
    /// A variable is invalid, or the certificates cannot be read.
    pub fn from_env() -> Result<Self, NetworkError> {
        Self::from_variables(|name| env::var_os(name), None)
    }

    /// The settings of the environment, but only the root certificates in the PEM file at `path`
    /// are trusted. `named_by` is the option that named the file, for errors.
    ///
    /// # Errors
    /// As for [`Self::from_env`], and if the file cannot be read, is damaged, or holds no certificate.
    pub fn from_env_and_ca_file(path: &Path, named_by: &'static str) -> Result<Self, NetworkError> {
        Self::from_variables(|name| env::var_os(name), Some((path, named_by)))
    }

    fn from_variables(
        variable: impl Fn(&str) -> Option<OsString>,
        ca_file: Option<(&Path, &'static str)>,
    ) -> Result<Self, NetworkError> {
        let named = variable(CA_FILE_VARIABLE).filter(|path| !path.is_empty());
        let named = named.map(PathBuf::from);
        let ca_file = ca_file.or_else(|| Some((named.as_deref()?, CA_FILE_VARIABLE)));
        Ok(Self {
            proxies: Proxies::from_variables(&variable)?,
            roots: match ca_file {
                Some((path, named_by)) => RootCerts::from(read_certificates(path, named_by)?),
                None => RootCerts::WebPki,
            },
        })
    }

    /// The proxy for `collector`; `None` if it is reached directly.
    pub fn proxy_for(&self, collector: &Endpoint) -> Option<&NamedProxy> {
        self.proxies
            .proxy_for(collector.is_https(), collector.authority())
    }

    /// An agent's settings for requests to `collector`, to which limits can be added.
    pub fn agent_for(&self, collector: &Endpoint) -> ConfigBuilder<AgentScope> {
        let proxy = self.proxy_for(collector).map(NamedProxy::proxy);
        self.agent().proxy(proxy)
    }

    /// An agent's settings without a proxy: each request adds the one of its collector.
    pub(super) fn agent(&self) -> ConfigBuilder<AgentScope> {
        let tls = TlsConfig::builder().root_certs(self.roots.clone()).build();
        // Otherwise ureq reads the environment itself and skips invalid values.
        Config::builder().proxy(None).tls_config(tls)
    }
}

fn read_certificates(
    path: &Path,
    named_by: &'static str,
) -> Result<Vec<Certificate<'static>>, NetworkError> {
    let unreadable = |error| NetworkError::CaFile {
        path: path.to_owned(),
        named_by,
        error,
    };
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_CA_FILE_BYTES + 1).read_to_end(&mut pem))
        .map_err(unreadable)?;
    if pem.len() as u64 > MAX_CA_FILE_BYTES {
        return Err(unreadable(io::Error::other(format!(
            "it is larger than {MAX_CA_FILE_BYTES} bytes"
        ))));
    }
    let mut certificates = Vec::new();
    // Some editors put a byte order mark before text.
    let pem = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&pem);
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => {
                return Err(NetworkError::DamagedCaFile {
                    path: path.to_owned(),
                    named_by,
                    reason: error.to_string(),
                });
            }
        }
    }
    if certificates.is_empty() {
        return Err(NetworkError::NoCertificate {
            path: path.to_owned(),
            named_by,
        });
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests;
