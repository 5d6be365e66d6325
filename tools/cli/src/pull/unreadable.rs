//! Unreadable samples, recorded so that they are not fetched again at every pull.
//!
//! Anyone who knows the plan's recipients can send samples that no key opens. Such a sample does not change, so it is
//! fetched again only for another reader (other identities, another version of sordino), or on request.

use serde::{Deserialize, Serialize};
use sordino::{Purposes, open::Identity};

use crate::digest::sha256;

/// The identities and the version with which samples are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReaderVersion {
    /// The version of sordino.
    version: String,
    /// SHA-256, in hexadecimal, of the identities' recipients, sorted, one a line.
    recipients: String,
}

impl ReaderVersion {
    pub(super) fn new(identities: &[Identity]) -> Self {
        let mut recipients: Vec<String> = identities
            .iter()
            .map(|identity| format!("{}\n", identity.to_public()))
            .collect();
        recipients.sort();
        recipients.dedup();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            recipients: sha256(recipients.concat().as_bytes()),
        }
    }
}

/// A sample that could not be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Unreadable {
    /// The purposes for which it was fetched.
    pub(super) purposes: Purposes,
    /// The digest of its bytes, as the collector lists it.
    pub(super) sha256: String,
    /// The reason.
    pub(super) reason: String,
    reader: ReaderVersion,
}

impl Unreadable {
    pub(super) fn new(
        purposes: Purposes,
        sha256: String,
        reason: String,
        reader: &ReaderVersion,
    ) -> Self {
        Self {
            purposes,
            sha256,
            reason,
            reader: reader.clone(),
        }
    }

    /// Whether `reader` failed to read it.
    pub(super) fn is_by(&self, reader: &ReaderVersion) -> bool {
        self.reader == *reader
    }
}
