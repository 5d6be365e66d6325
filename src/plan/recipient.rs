//! An age X25519 recipient: the public key of a person who opens samples.
//!
//! Bech32 (BIP 173) of 32 bytes with the prefix `age`:
//! <https://c2sp.org/age#the-x25519-recipient-type>.

use std::{fmt, str::FromStr};

use bech32::{Bech32, Hrp, primitives::decode::CheckedHrpstring};
use serde::{Deserialize, Serialize};

const PREFIX: Hrp = Hrp::parse_unchecked("age");

/// A recipient of samples; written `age1…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recipient([u8; 32]);

/// The text is not a recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an age X25519 recipient (`age1…`): {reason}")]
pub struct RecipientError {
    text: String,
    reason: String,
}

impl Recipient {
    /// The X25519 public key (RFC 7748).
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Recipient {
    fn from(public_key: [u8; 32]) -> Self {
        Self(public_key)
    }
}

impl FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, RecipientError> {
        // From a file that an editor saved.
        let text = text.trim_start_matches('\u{feff}');
        let wrong = |reason: &dyn fmt::Display| RecipientError {
            // A pasted secret key must not appear in an error message.
            text: if text
                .trim_start()
                .to_ascii_uppercase()
                .starts_with("AGE-SECRET-KEY-")
            {
                "AGE-SECRET-KEY-…".to_owned()
            } else {
                text.to_owned()
            },
            reason: reason.to_string(),
        };
        if let Some(reason) = other_kind(text) {
            return Err(wrong(&reason));
        }
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(wrong(&"it must be in lower case"));
        }
        let checked = CheckedHrpstring::new::<Bech32>(text).map_err(|error| wrong(&error))?;
        if checked.hrp() != PREFIX {
            return Err(wrong(&"its prefix is not `age`"));
        }
        let bytes: Vec<u8> = checked.byte_iter().collect();
        let public_key = bytes
            .try_into()
            .map_err(|_| wrong(&"it does not hold 32 bytes"))?;
        Ok(Self(public_key))
    }
}

/// The kind of key that a text is instead of an X25519 recipient, judged by its beginning, and what to do.
fn other_kind(text: &str) -> Option<&'static str> {
    let lower = text.trim_start().to_ascii_lowercase();
    let begins = |with: &str| lower.starts_with(with);
    match () {
        () if begins("age-secret-key-") => Some(
            "it is an identity, the secret half; give its recipient, and keep the identity secret",
        ),
        () if begins("ssh-") || begins("ecdsa-sha2-") || begins("sk-ssh-") => Some(
            "it is a public key of SSH, which samples are not sealed to; make an age identity with `sordino keygen`",
        ),
        () if begins("age-plugin-") => {
            Some("it is an identity of an age plugin, which is not supported")
        }
        () if begins("age1pq1") || begins("age1tagpq1") => {
            Some("it is a post-quantum recipient of age, which is not supported")
        }
        // `age1NAME1…`: the last `1` separates the data from the prefix (BIP 173).
        () if begins("age1") && lower.rmatches('1').count() > 1 => Some(
            "it is a recipient of an age plugin, such as a hardware token, which devices have no plugin to seal to; \
             make an X25519 identity with `sordino keygen`",
        ),
        () if begins("-----begin pgp") => Some(
            "it is a key of OpenPGP, which samples are not sealed to; make an age identity with `sordino keygen`",
        ),
        () if begins("-----begin") => {
            Some("it is a key in PEM; make an age identity with `sordino keygen`")
        }
        () => None,
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<Bech32, _>(f, PREFIX, &self.0).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({self})")
    }
}

impl Serialize for Recipient {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
