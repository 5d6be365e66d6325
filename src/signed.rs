//! Signed JSON documents: sampling plans, consent records.
//!
//! A document is a JSON object with a member `signature`. What is signed is the same object without
//! that member, in the canonical form of RFC 8785 (JCS), by Ed25519 (RFC 8032). So a document stays
//! readable, and a few lines of any language verify it.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::text;

/// The member that holds the signature.
const SIGNATURE: &str = "signature";

/// Why a document was rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// Not a JSON object of the expected shape.
    #[error("not a document of this kind: {0}")]
    Shape(String),
    /// The document has no signature.
    #[error("it is not signed")]
    Unsigned,
    /// The document is signed by another key.
    #[error("it is signed by another key than the one expected")]
    WrongKey,
    /// The signature does not match the content.
    #[error("its signature does not fit its content: it was changed after it was signed")]
    Forged,
}

/// An Ed25519 public key; written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// The text is not a public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid Ed25519 public key `{0}`: expected 64 hexadecimal digits")]
pub struct ParseKeyError(String);

impl PublicKey {
    /// The public key of a pair.
    pub fn from_key_pair(pair: &Ed25519KeyPair) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(pair.public_key().as_ref());
        Self(bytes)
    }

    /// The 32 bytes of RFC 8032.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `signature` over `message` was made with the private key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(message, signature)
            .is_ok()
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl std::str::FromStr for PublicKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let wrong = || ParseKeyError(text.to_owned());
        // From a file that an editor saved.
        let text = text.trim_start_matches('\u{feff}');
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for PublicKey {
    type Error = ParseKeyError;

    fn try_from(text: String) -> Result<Self, ParseKeyError> {
        text.parse()
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    algorithm: String,
    key: PublicKey,
    value: String,
}

/// A document with a verified signature, and the JSON that was signed.
#[derive(Clone, Debug)]
pub struct Signed<T> {
    content: T,
    signer: PublicKey,
    document: Value,
}

impl<T: Serialize + DeserializeOwned> Signed<T> {
    /// Signs `content` with `pair`.
    ///
    /// # Errors
    /// `content` is not a JSON object.
    pub fn sign(content: T, pair: &Ed25519KeyPair) -> Result<Self, SignedError> {
        let mut object = match serde_json::to_value(&content) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err(SignedError::Shape("not an object".to_owned())),
            Err(error) => return Err(SignedError::Shape(error.to_string())),
        };
        let signed = canonical(&object)?;
        // Serialized as it was signed (`1`, not `1.0`), so that sorting the members yields the
        // signed bytes.
        object = serde_json::from_slice(&signed)
            .map_err(|error| SignedError::Shape(error.to_string()))?;
        let signer = PublicKey::from_key_pair(pair);
        let signature = Signature {
            algorithm: "ed25519".to_owned(),
            key: signer,
            value: BASE64.encode(pair.sign(&signed)),
        };
        let signature = serde_json::to_value(signature)
            .map_err(|error| SignedError::Shape(error.to_string()))?;
        object.insert(SIGNATURE.to_owned(), signature);
        Ok(Self {
            content,
            signer,
            document: Value::Object(object),
        })
    }

    /// Parses a document and verifies that it is signed by `expected`.
    ///
    /// # Errors
    /// The document has another schema, no signature, another signer, or was changed.
    pub fn verify(json: &[u8], expected: &PublicKey) -> Result<Self, SignedError> {
        let signed = Self::verify_any(json)?;
        if signed.signer != *expected {
            return Err(SignedError::WrongKey);
        }
        Ok(signed)
    }

    /// Parses a document and verifies it against the key that it states itself. This shows that the
    /// content is unchanged, not who signed it: check [`Self::signer`] for that.
    ///
    /// # Errors
    /// As [`Self::verify`], except for the signer.
    pub fn verify_any(json: &[u8]) -> Result<Self, SignedError> {
        let shape = |error: serde_json::Error| SignedError::Shape(error.to_string());
        let text = text::decode(json).map_err(|error| SignedError::Shape(error.to_string()))?;
        let mut object: Map<String, Value> = serde_json::from_str(text).map_err(shape)?;
        let signature = object.remove(SIGNATURE).ok_or(SignedError::Unsigned)?;
        let parsed: Signature = serde_json::from_value(signature.clone()).map_err(shape)?;
        let value = BASE64
            .decode(&parsed.value)
            .map_err(|_| SignedError::Forged)?;
        if parsed.algorithm != "ed25519" || !parsed.key.verifies(&canonical(&object)?, &value) {
            return Err(SignedError::Forged);
        }
        let content = T::deserialize(Value::Object(object.clone())).map_err(shape)?;
        object.insert(SIGNATURE.to_owned(), signature);
        Ok(Self {
            content,
            signer: parsed.key,
            document: Value::Object(object),
        })
    }

    /// The signed content.
    pub fn content(&self) -> &T {
        &self.content
    }

    /// The key that signed it.
    pub fn signer(&self) -> PublicKey {
        self.signer
    }

    /// The document as it is stored and sent.
    pub fn to_json(&self) -> String {
        self.document.to_string()
    }

    /// The document as indented JSON.
    pub fn to_pretty_json(&self) -> String {
        format!("{:#}", self.document)
    }
}

/// The canonical form of RFC 8785.
fn canonical(object: &Map<String, Value>) -> Result<Vec<u8>, SignedError> {
    serde_json_canonicalizer::to_vec(object).map_err(|error| SignedError::Shape(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key_pair;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Paper {
        text: String,
        share: f64,
        number: u64,
    }

    fn paper(share: f64) -> Paper {
        Paper {
            text: "naïve \"♪\"\n".to_owned(),
            share,
            number: 7,
        }
    }

    #[test]
    fn signed_documents_round_trip_in_both_forms() {
        let pair = key_pair();
        for share in [1.0, 0.02, 0.0, 1e-9] {
            let signed = Signed::sign(paper(share), &pair).unwrap();
            for json in [signed.to_json(), signed.to_pretty_json()] {
                let read: Signed<Paper> =
                    Signed::verify(json.as_bytes(), &PublicKey::from_key_pair(&pair)).unwrap();
                assert_eq!(*read.content(), paper(share));
            }
        }
    }

    #[test]
    fn a_document_spells_its_numbers_as_rfc_8785_does() {
        let json = Signed::sign(paper(1.0), &key_pair()).unwrap().to_json();
        assert!(json.contains(r#""share":1,"#), "{json}");
    }

    #[test]
    fn no_changed_bit_passes() {
        let pair = key_pair();
        let json = Signed::sign(paper(0.5), &pair)
            .unwrap()
            .to_json()
            .into_bytes();
        for at in 0..json.len() {
            for bit in 0..8 {
                let mut changed = json.clone();
                changed[at] ^= 1 << bit;
                let read = Signed::<Paper>::verify(&changed, &PublicKey::from_key_pair(&pair));
                // The case of a hexadecimal digit is all that does not matter.
                if let Ok(read) = read {
                    assert_eq!(*read.content(), paper(0.5));
                    assert!(
                        changed[at].is_ascii_hexdigit() && bit == 5,
                        "{at}: bit {bit}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_wrong_and_a_missing_signature_are_distinguished() {
        let (pair, other) = (key_pair(), PublicKey::from_key_pair(&key_pair()));
        let json = Signed::sign(paper(0.5), &pair).unwrap().to_json();
        let read = Signed::<Paper>::verify(json.as_bytes(), &other);
        assert_eq!(read.err(), Some(SignedError::WrongKey));
        let plain = serde_json::to_vec(&paper(0.5)).unwrap();
        let read = Signed::<Paper>::verify(&plain, &other);
        assert_eq!(read.err(), Some(SignedError::Unsigned));
    }
}
