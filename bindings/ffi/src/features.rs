//! What a build of the library can do. What is exported is the same in every build.

#[cfg(not(feature = "http"))]
use sordino::upload::UploadError;
use sordino::{Id, Sordino};

use crate::{Accesses, Error, UploadSummary};

/// What this build of the library can do by itself. What it cannot do raises an error that says so.
#[derive(uniffi::Record)]
pub struct LibraryFeatures {
    /// Whether it opens the machine's microphone: `listen_to_microphone` and `input_devices`, which raise `Capture`
    /// otherwise. An app feeds a library without it from its own audio path.
    pub microphone: bool,
    /// Whether it has an HTTP client: `upload_now` and `accesses`, which raise `Upload` otherwise. An app that uses a
    /// library without it sends what `next_request` gives by its own.
    pub http: bool,
}

/// What this build of the library can do by itself.
#[uniffi::export]
pub fn library_features() -> LibraryFeatures {
    LibraryFeatures {
        microphone: cfg!(feature = "microphone"),
        http: cfg!(feature = "http"),
    }
}

#[cfg(feature = "http")]
pub(crate) fn upload_now(engine: &Sordino) -> Result<UploadSummary, Error> {
    let client = sordino::upload::Client::default();
    Ok(engine.upload(&client)?.into())
}

#[cfg(not(feature = "http"))]
pub(crate) fn upload_now(_: &Sordino) -> Result<UploadSummary, Error> {
    Err(UploadError::NoClient.into())
}

#[cfg(feature = "http")]
pub(crate) fn accesses(engine: &Sordino, sample: Id) -> Result<Accesses, Error> {
    let client = sordino::upload::Client::default();
    Ok(engine.accesses(sample, &client)?.into())
}

#[cfg(not(feature = "http"))]
pub(crate) fn accesses(_: &Sordino, _: Id) -> Result<Accesses, Error> {
    Err(UploadError::NoClient.into())
}
