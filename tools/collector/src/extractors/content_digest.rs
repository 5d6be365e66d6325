//! The header `Content-Digest` (RFC 9530).

use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::structured_fields::Dictionary;
use crate::{
    digest::Sha256,
    errors::{Problem, ProblemType},
};

/// The name of the header.
pub(crate) const CONTENT_DIGEST: &str = "content-digest";

impl Sha256 {
    /// The digest in a request's `Content-Digest`. Other algorithms in it are ignored.
    ///
    /// # Errors
    /// `malformed` if there is none.
    pub(crate) fn from_header(headers: &HeaderMap) -> Result<Self, Problem> {
        let lines: Result<Vec<&str>, _> = headers
            .get_all(CONTENT_DIGEST)
            .iter()
            .map(|line| line.to_str())
            .collect();
        let digests = lines
            .ok()
            .and_then(|lines| Dictionary::parse(&lines.join(", ")).ok());
        let bytes = digests
            .as_ref()
            .and_then(|digests| digests.bytes("sha-256"))
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self::from).ok_or_else(|| {
            ProblemType::Malformed
                .with_detail("the body requires `Content-Digest: sha-256=:BASE64:`")
        })
    }

    /// The value of `Content-Digest`.
    pub(crate) fn to_header(self) -> String {
        format!("sha-256=:{}:", BASE64.encode(self.as_bytes()))
    }

    /// Compares the computed digest with the declared one.
    ///
    /// # Errors
    /// `bad-digest`.
    pub(crate) fn verify(self, declared: Self) -> Result<(), Problem> {
        match self == declared {
            true => Ok(()),
            false => Err(ProblemType::BadDigest
                .with_detail("the body does not match `Content-Digest`; send it again")),
        }
    }
}
