//! HTTP Message Signatures (RFC 9421) with Ed25519 (section 3.3.6), as docs/protocol.md profiles
//! them: label `sordino`, key id the consent record's id, neither time nor nonce.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::consent::RecordIdentity;

/// A component of the message that the signature covers, by its name and value (section 2).
pub(super) type Component<'a> = (&'a str, &'a str);

/// The two headers that sign a message with these components.
pub(super) fn headers(
    components: &[Component<'_>],
    identity: &RecordIdentity,
) -> [(String, String); 2] {
    let parameters = parameters(components, &identity.record.to_string());
    let signature = identity.key.sign(base(components, &parameters).as_bytes());
    [
        (
            "signature-input".to_owned(),
            format!("sordino={parameters}"),
        ),
        (
            "signature".to_owned(),
            format!("sordino=:{}:", BASE64.encode(signature)),
        ),
    ]
}

/// The signature parameters (section 2.3).
fn parameters(components: &[Component<'_>], key_id: &str) -> String {
    let names: Vec<String> = components
        .iter()
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    format!("({});keyid=\"{key_id}\";alg=\"ed25519\"", names.join(" "))
}

/// The signature base (section 2.5): a line a component, then the parameters.
fn base(components: &[Component<'_>], parameters: &str) -> String {
    let lines: String = components
        .iter()
        .map(|(name, value)| format!("\"{name}\": {value}\n"))
        .collect();
    format!("{lines}\"@signature-params\": {parameters}")
}
