//! The header: version line, one stanza a recipient, and the MAC over both:
//! <https://c2sp.org/age#header>.
//!
//! ```text
//! age-encryption.org/v1
//! -> X25519 BASE64(share)
//! BASE64(body)
//! --- BASE64(HMAC-SHA-256(key = HMAC key, message = everything up to and with "---"))
//! ```

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use ring::hmac::{HMAC_SHA256, Key, sign};

use super::{file_key::FileKey, x25519::Stanza};

const VERSION: &str = "age-encryption.org/v1\n";

/// The whole header, with the line feed that ends it.
pub(super) fn encode(file_key: &FileKey, stanzas: &[Stanza]) -> String {
    let mut header = String::from(VERSION);
    for stanza in stanzas {
        // A body line shorter than 64 columns ends a stanza; 32 bytes make 43.
        header.push_str("-> X25519 ");
        header.push_str(&BASE64.encode(stanza.share));
        header.push('\n');
        header.push_str(&BASE64.encode(stanza.body));
        header.push('\n');
    }
    header.push_str("---");
    let mac = mac(file_key, header.as_bytes());
    header.push(' ');
    header.push_str(&mac);
    header.push('\n');
    header
}

/// The MAC over `message`, which ends with `---`, in base64.
pub(super) fn mac(file_key: &FileKey, message: &[u8]) -> String {
    let key = Key::new(HMAC_SHA256, file_key.header_key().expose());
    BASE64.encode(sign(&key, message))
}
