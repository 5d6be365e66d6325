//! The X25519 recipient stanza: <https://c2sp.org/age#the-x25519-recipient-type>.
//!
//! ```text
//! shared secret = X25519(ephemeral secret, recipient)
//! wrap key      = HKDF-SHA-256(ikm = shared secret, salt = ephemeral share || recipient,
//!                              info = "age-encryption.org/v1/X25519")
//! body          = ChaCha20-Poly1305(key = wrap key, nonce = 0, plaintext = file key)
//! ```

use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral},
};

use super::{
    AgeError,
    file_key::{DerivedKey, FILE_KEY_BYTES, FileKey},
};
use crate::{
    plan::Recipient,
    rng::{self, RngError},
};

const INFO: &[u8] = b"age-encryption.org/v1/X25519";

/// Bytes of a public key (RFC 7748).
const POINT_BYTES: usize = 32;
/// Bytes of the tag of ChaCha20-Poly1305 (RFC 8439).
const TAG_BYTES: usize = 16;

/// The file key, wrapped for one recipient.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stanza {
    pub(super) share: [u8; POINT_BYTES],
    pub(super) body: [u8; FILE_KEY_BYTES + TAG_BYTES],
}

impl Stanza {
    /// Wraps `file_key` with a fresh ephemeral key, which ring lets be used just once.
    ///
    /// # Errors
    /// No randomness, or a recipient of low order: ring refuses a shared secret that is all zero.
    pub(super) fn wrap(file_key: &FileKey, recipient: &Recipient) -> Result<Self, AgeError> {
        let ephemeral =
            EphemeralPrivateKey::generate(&X25519, &rng::system()).map_err(|_| RngError)?;
        let mut share = [0; POINT_BYTES];
        share.copy_from_slice(
            ephemeral
                .compute_public_key()
                .map_err(|_| RngError)?
                .as_ref(),
        );
        let recipient_key = UnparsedPublicKey::new(&X25519, recipient.as_bytes());
        agree_ephemeral(ephemeral, &recipient_key, |shared_secret| {
            Self::wrap_with(file_key, recipient, share, shared_secret)
        })
        .map_err(|_| AgeError::LowOrder(*recipient))
    }

    /// The part after the key agreement, which depends on nothing random.
    pub(super) fn wrap_with(
        file_key: &FileKey,
        recipient: &Recipient,
        share: [u8; POINT_BYTES],
        shared_secret: &[u8],
    ) -> Self {
        let salt = [share, *recipient.as_bytes()].concat();
        let wrap_key = DerivedKey::new(shared_secret, &salt, INFO);
        let mut body = [0; FILE_KEY_BYTES + TAG_BYTES];
        let (wrapped, tag) = body.split_at_mut(FILE_KEY_BYTES);
        wrapped.copy_from_slice(file_key.expose());
        // The nonce may be fixed because the wrap key is new with each ephemeral key.
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let sealed = UnboundKey::new(&CHACHA20_POLY1305, wrap_key.expose())
            .map(LessSafeKey::new)
            .and_then(|key| key.seal_in_place_separate_tag(nonce, Aad::empty(), wrapped))
            .expect("the key has 32 bytes, and 16 bytes are far below the cipher's limit");
        tag.copy_from_slice(sealed.as_ref());
        Self { share, body }
    }
}
