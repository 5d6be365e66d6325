//! SHA-256, and `Content-Digest` (RFC 9530).

use std::fmt;

use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::digest::{Context, SHA256, digest};

use crate::{
    errors::{ProblemType, Problem},
    structured_fields::Dictionary,
};

/// The name of the field.
pub(crate) const CONTENT_DIGEST: &str = "content-digest";

/// A SHA-256; displayed in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sha256([u8; 32]);

impl Sha256 {
    pub(crate) fn digest(bytes: &[u8]) -> Self {
        Self::from_ring(digest(&SHA256, bytes))
    }

    /// The digest that a request states of its body. Other algorithms beside are left alone.
    ///
    /// # Errors
    /// `malformed` where there is none.
    pub(crate) fn from_header(headers: &HeaderMap) -> Result<Self, Problem> {
        let lines: Result<Vec<&str>, _> = headers
            .get_all(CONTENT_DIGEST)
            .iter()
            .map(|line| line.to_str())
            .collect();
        let stated = lines
            .ok()
            .and_then(|lines| Dictionary::parse(&lines.join(", ")).ok());
        let bytes = stated.as_ref().and_then(|digests| digests.bytes("sha-256"));
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| {
                ProblemType::Malformed.with_detail("the body needs `Content-Digest: sha-256=:BASE64:`")
            })
    }

    /// What `Content-Digest` says of it.
    pub(crate) fn to_header(self) -> String {
        format!("sha-256=:{}:", BASE64.encode(self.0))
    }

    /// `bad-digest` unless `self`, which was computed, is what was `stated`.
    pub(crate) fn verify(self, stated: Self) -> Result<(), Problem> {
        match self == stated {
            true => Ok(()),
            false => Err(ProblemType::BadDigest.with_detail(
                "the body that arrived is not the one in `Content-Digest`; send it again",
            )),
        }
    }

    fn from_ring(digest: ring::digest::Digest) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for Sha256 {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 64 || !text.bytes().all(is_digit) {
            return Err(ParseDigestError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| ParseDigestError)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| ParseDigestError)?;
        }
        Ok(Self(bytes))
    }
}

/// Text that is no SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 of 64 lower-case hexadecimal digits")]
pub(crate) struct ParseDigestError;

/// Takes a SHA-256 bit by bit.
pub(crate) struct Hasher(Context);

impl Hasher {
    pub(crate) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Sha256 {
        Sha256::from_ring(self.0.finish())
    }
}
