//! The text that a person agrees to.

use ring::digest::{SHA256, digest};

use super::NoticeReference;

/// A notice in one language. The record names it by version, language and hash, so that the very
/// text agreed to can be produced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    version: u32,
    language: String,
    text: String,
}

/// The text that comes with the SDK, for apps that have none of their own yet.
const BUNDLED_ENGLISH: &str = include_str!("notice.en.txt");

impl Notice {
    /// A notice of the app's own: `version` is the organisation's count, `language` a BCP 47 tag.
    pub fn new(version: u32, language: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            version,
            language: language.into(),
            text: text.into(),
        }
    }

    /// The English text that comes with the SDK, under the organisation's `version`.
    pub fn bundled(version: u32) -> Self {
        Self::new(version, "en", BUNDLED_ENGLISH)
    }

    /// What the person reads.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How a record names this text.
    pub fn reference(&self) -> NoticeReference {
        let hash = digest(&SHA256, self.text.as_bytes());
        NoticeReference {
            version: self.version,
            language: self.language.clone(),
            sha256: crate::hex::encode(hash.as_ref()),
        }
    }
}
