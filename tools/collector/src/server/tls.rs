//! TLS by rustls with ring, with certificates that are reloaded at run time.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{sync::mpsc, time::sleep};
use tokio_rustls::TlsAcceptor;

use sordino::text::TextError;

use crate::{config::TlsFiles, digest::Sha256, startup::StartError};

/// The interval at which the files are checked for changes.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// An error of a certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file cannot be read.
    #[error("cannot read `{0}`: {1}")]
    File(PathBuf, io::Error),
    /// A file has other content.
    #[error("`{0}` is not a PEM file with {1}")]
    Pem(PathBuf, &'static str),
    /// Certificate and key do not match, or are of an unsupported kind.
    #[error("cannot use the certificate with the key: {0}")]
    Unusable(rustls::Error),
    /// rustls could not be configured.
    #[error("cannot set up TLS: {0}")]
    SetUp(rustls::Error),
}

impl From<TlsError> for StartError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error.to_string())
    }
}

/// The current certificate.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// # Errors
    /// [`TlsError`].
    pub(crate) fn load(files: &TlsFiles) -> Result<Arc<Self>, TlsError> {
        let certified = PemFiles::read(files)?.certified(files)?;
        Ok(Arc::new(Self {
            files: files.clone(),
            current: RwLock::new(Arc::new(certified)),
        }))
    }

    /// The acceptor for connections.
    ///
    /// # Errors
    /// [`TlsError::SetUp`].
    pub(crate) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::SetUp)?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Reloads the files when they change and on request. Ends with the sender.
    pub(crate) async fn reload_loop(self: Arc<Self>, mut requests: mpsc::Receiver<()>) {
        let mut seen = None;
        loop {
            let is_requested = tokio::select! {
                request = requests.recv() => match request {
                    Some(()) => true,
                    None => return,
                },
                () = sleep(POLL_INTERVAL) => false,
            };
            let this = self.clone();
            let reload = move || this.reload_if_changed(seen, is_requested);
            seen = match tokio::task::spawn_blocking(reload).await {
                Ok(now) => now,
                Err(_) => return,
            };
        }
    }

    /// Reads the files and uses them if they differ from `seen`. If they are invalid, a warning is logged once and the
    /// current certificate is kept.
    fn reload_if_changed(
        &self,
        seen: Option<[Sha256; 2]>,
        is_requested: bool,
    ) -> Option<[Sha256; 2]> {
        let contents = match PemFiles::read(&self.files) {
            Ok(contents) => contents,
            Err(error) => {
                // Most likely the renewal is in progress; the next check retries.
                tracing::debug!("cannot read the certificate: {error}");
                return seen;
            }
        };
        let now = Some(contents.digests());
        if seen == now && !is_requested {
            return seen;
        }
        match contents.certified(&self.files) {
            Ok(certified) => {
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                let is_new = current.cert != certified.cert;
                *current = Arc::new(certified);
                if is_new {
                    tracing::info!("the certificate was replaced");
                }
            }
            Err(error) => tracing::warn!("keeping the current certificate: {error}"),
        }
        now
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(current.clone())
    }
}

/// The content of the files.
struct PemFiles {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl PemFiles {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let failed = |path: &Path, error| TlsError::File(path.into(), error);
        let read = |path: &Path| {
            let bytes = fs::read(path).map_err(|error| failed(path, error))?;
            // PEM allows any text before it, except for a byte order mark.
            match sordino::text::decode(&bytes) {
                Err(error @ TextError::Utf16) => Err(failed(path, std::io::Error::other(error))),
                Ok(text) => Ok(text.as_bytes().to_vec()),
                Err(TextError::NotUtf8(_)) => Ok(bytes),
            }
        };
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
        })
    }

    /// The digests by which changes are detected, so that the key itself need not be kept.
    fn digests(&self) -> [Sha256; 2] {
        [&self.certificate, &self.key].map(|bytes| Sha256::digest(bytes))
    }

    fn certified(&self, files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .ok()
            .filter(|chain: &Vec<_>| !chain.is_empty())
            .ok_or_else(|| TlsError::Pem(files.certificate.clone(), "certificates"))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| TlsError::Pem(files.key.clone(), "a private key"))?;
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(TlsError::Unusable)
    }
}
