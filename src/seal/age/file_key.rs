//! The file key, and the keys derived from it by HKDF-SHA-256 (RFC 5869):
//! <https://c2sp.org/age#file-key>.
//!
//! ```text
//! HMAC key    = HKDF-SHA-256(ikm = file key, salt = empty, info = "header")
//! payload key = HKDF-SHA-256(ikm = file key, salt = nonce, info = "payload")
//! ```

use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

use super::NONCE_BYTES;
use crate::rng::{self, RngError};

/// Bytes of a file key.
pub(super) const FILE_KEY_BYTES: usize = 16;

/// Bytes of every key that is derived.
const KEY_BYTES: usize = 32;

/// The random key of one file. Wipes itself on drop.
pub(super) struct FileKey(Zeroizing<[u8; FILE_KEY_BYTES]>);

/// A key that HKDF gave, for one use. Wipes itself on drop.
pub(super) struct DerivedKey(Zeroizing<[u8; KEY_BYTES]>);

impl FileKey {
    /// A new one from the system's random source.
    pub(super) fn random() -> Result<Self, RngError> {
        let mut key = Zeroizing::new([0; FILE_KEY_BYTES]);
        rng::fill(key.as_mut_slice())?;
        Ok(Self(key))
    }

    /// The secret itself, for wrapping.
    pub(super) fn expose(&self) -> &[u8; FILE_KEY_BYTES] {
        &self.0
    }

    /// The key of the header's MAC.
    pub(super) fn header_key(&self) -> DerivedKey {
        DerivedKey::new(self.expose(), &[], b"header")
    }

    /// The key of the payload that follows `nonce`.
    pub(super) fn payload_key(&self, nonce: &[u8; NONCE_BYTES]) -> DerivedKey {
        DerivedKey::new(self.expose(), nonce, b"payload")
    }

    #[cfg(test)]
    pub(super) fn for_test(bytes: [u8; FILE_KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl DerivedKey {
    /// HKDF-SHA-256 of `secret`.
    pub(super) fn new(secret: &[u8], salt: &[u8], info: &[u8]) -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        Salt::new(HKDF_SHA256, salt)
            .extract(secret)
            .expand(&[info], Length)
            .and_then(|output| output.fill(key.as_mut_slice()))
            .expect("HKDF-SHA-256 gives up to 8160 bytes, and the output is as long as asked for");
        Self(key)
    }

    /// The secret itself, for a cipher or a MAC.
    pub(super) fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

/// Tells ring how long a derived key is.
struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}
