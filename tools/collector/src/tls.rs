//! TLS by rustls with ring, and certificates that are renewed while the collector runs.

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

use crate::digest::Sha256;

/// How often the files are looked at. Few kilobytes are read; a renewal is in force at once.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Where the certificate lies, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, then those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file cannot be read.
    #[error("`{0}` cannot be read: {1}")]
    File(PathBuf, io::Error),
    /// A file holds something else.
    #[error("`{0}` is no PEM file with {1}")]
    Pem(PathBuf, &'static str),
    /// They do not go together, or are of a kind that cannot be used.
    #[error("the certificate cannot be used with the key: {0}")]
    Unusable(rustls::Error),
    /// rustls does not start.
    #[error("TLS cannot be set up: {0}")]
    SetUp(rustls::Error),
}

/// The certificate in force.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: TlsFiles,
    in_force: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// # Errors
    /// [`TlsError`].
    pub(crate) fn load(files: &TlsFiles) -> Result<Arc<Self>, TlsError> {
        let certified = PemFiles::read(files)?.certified(files)?;
        Ok(Arc::new(Self {
            files: files.clone(),
            in_force: RwLock::new(Arc::new(certified)),
        }))
    }

    /// What greets connections with it.
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

    /// Takes the files anew when they change, or when it is told to. Ends with the sender.
    pub(crate) async fn reload_loop(self: Arc<Self>, mut told: mpsc::Receiver<()>) {
        let mut seen = None;
        loop {
            let is_told = tokio::select! {
                told = told.recv() => match told {
                    Some(()) => true,
                    None => return,
                },
                () = sleep(POLL_INTERVAL) => false,
            };
            let this = self.clone();
            let look = move || this.reload_if_changed(seen, is_told);
            seen = match tokio::task::spawn_blocking(look).await {
                Ok(now) => now,
                Err(_) => return,
            };
        }
    }

    /// Reads the files; where they are others than `seen`, they are in force from now on. Files that
    /// cannot be used are told of once, and the certificate in force stays.
    fn reload_if_changed(&self, seen: Option<[Sha256; 2]>, is_told: bool) -> Option<[Sha256; 2]> {
        let contents = match PemFiles::read(&self.files) {
            Ok(contents) => contents,
            Err(error) => {
                // Half renewed, most likely: the next look will tell.
                tracing::debug!("the certificate's files: {error}");
                return seen;
            }
        };
        let now = Some(contents.digests());
        if seen == now && !is_told {
            return seen;
        }
        match contents.certified(&self.files) {
            Ok(certified) => {
                let mut in_force = self
                    .in_force
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                let is_new = in_force.cert != certified.cert;
                *in_force = Arc::new(certified);
                if is_new {
                    tracing::info!("another certificate is in force");
                }
            }
            Err(error) => tracing::warn!("the certificate in force stays: {error}"),
        }
        now
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let in_force = self.in_force.read().unwrap_or_else(PoisonError::into_inner);
        Some(in_force.clone())
    }
}

/// What the files hold.
struct PemFiles {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl PemFiles {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let failed = |path: &Path, error| TlsError::File(path.into(), error);
        let read = |path: &Path| {
            let bytes = fs::read(path).map_err(|error| failed(path, error))?;
            // PEM may have any text before it, but for the mark that some editors put there.
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

    /// What two looks are compared by; the key itself need not be kept for that.
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
