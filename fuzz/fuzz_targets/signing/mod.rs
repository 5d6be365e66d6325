//! Signs what the fuzzer makes, which would never find a signature by itself.

use ring::signature::Ed25519KeyPair;
use serde_json::Value;
use sordino::signed::{PublicKey, Signed};

pub fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("32 bytes are a seed")
}

pub fn public_key() -> PublicKey {
    PublicKey::from_key_pair(&key())
}

/// The JSON object in `bytes` with its signature replaced by one of `key`; `None` if there is no object.
pub fn signed(bytes: &[u8], key: &Ed25519KeyPair) -> Option<String> {
    let mut object: Value = serde_json::from_slice(bytes).ok()?;
    object.as_object_mut()?.remove("signature");
    Some(Signed::sign(object, key).ok()?.to_json())
}
