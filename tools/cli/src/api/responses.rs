//! The responses of a collector.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value};
use sordino::{Id, Purposes, Week};

/// A sample in a list.
#[derive(Debug, Deserialize)]
pub(crate) struct ListedSample {
    pub(crate) id: Id,
    /// The record whose key signed the upload.
    pub(crate) consent: Id,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) purposes: Purposes,
}

/// The response to a request for a sample.
#[derive(Debug)]
pub(crate) enum SampleResponse {
    /// The sealed bytes, with the digest from the list.
    Sealed(Vec<u8>),
    /// The sample was deleted.
    Gone,
    /// Another response, described.
    Other(String),
}

/// A page of samples.
#[derive(Debug, Deserialize)]
pub(crate) struct SamplePage {
    pub(crate) samples: Vec<ListedSample>,
    pub(crate) next: String,
}

/// A page of ids that may no longer be used.
#[derive(Debug, Deserialize)]
pub(crate) struct WithdrawnPage {
    pub(crate) ids: Vec<Id>,
    /// The quarantined ones among `ids`. Earlier collectors omit the member.
    #[serde(default)]
    pub(crate) quarantined: HashSet<Id>,
    pub(crate) next: String,
}

/// A page of reviews from the review page.
#[derive(Debug, Deserialize)]
pub(crate) struct ReviewPage {
    pub(crate) reviews: Vec<StoredReview>,
    pub(crate) assignments: Vec<Value>,
    pub(crate) next: String,
}

/// A review as the collector stores it.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredReview {
    pub(crate) sample: Id,
    pub(crate) reader: String,
    pub(crate) week: Week,
    /// An age file in base64.
    #[serde(default)]
    pub(crate) sealed: Option<String>,
    #[serde(default)]
    pub(crate) plain: Option<Value>,
}

/// A page of the access log.
#[derive(Debug, Deserialize)]
pub(super) struct AuditPage {
    pub(super) entries: Vec<Map<String, Value>>,
}
