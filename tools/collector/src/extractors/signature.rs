//! Verifies HTTP Message Signatures (RFC 9421) in the profile of docs/protocol.md.
//!
//! The signature base (section 2.5) is rebuilt from the received request. The implementation shares no code with the
//! SDK's signer.

use std::sync::Arc;

use axum::http::{HeaderMap, header, request::Parts};
use sfv::{BareItem, FieldType as _, InnerList, Item};
use sordino::{Id, signed::PublicKey};

use super::structured_fields::{Dictionary, serialize_inner_list};
use crate::errors::{Problem, ProblemType};

/// The label (section 4.1) of the request's signature.
const LABEL: &str = "sordino";
/// The algorithm's name in the registry of section 6.2.
const ALGORITHM: &str = "ed25519";
/// The derived components (section 2.2) that every signature covers.
const DERIVED: [&str; 3] = ["@method", "@authority", "@path"];

/// The names by which devices reach the collector. A request that is signed for another collector, such as a test
/// instance, must be rejected. If empty, all names are accepted.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerNames(Arc<[String]>);

impl ServerNames {
    /// Normalizes the configured names.
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| normalize_authority(name)).collect())
    }

    fn check(&self, authority: &str) -> Result<(), Problem> {
        match self.0.is_empty() || self.0.iter().any(|name| name == authority) {
            true => Ok(()),
            false => Err(ProblemType::Misdirected.with_detail(
                "the request is signed for another collector; check the collector's URL",
            )),
        }
    }
}

/// A request's signature, parsed but not verified.
pub(crate) struct RequestSignature {
    record: Id,
    base: String,
    value: Vec<u8>,
}

impl RequestSignature {
    /// Parses the signature of a request and rebuilds its base: method, authority, path and `fields`, in this order and
    /// nothing else.
    ///
    /// # Errors
    /// `malformed` for other parameters, `bad-signature` for a missing signature, `misdirected` for a name that is not
    /// in `names`.
    pub(crate) fn read(
        parts: &Parts,
        fields: &[&str],
        names: &ServerNames,
    ) -> Result<Self, Problem> {
        let unsigned = |name| {
            move || {
                ProblemType::BadSignature
                    .with_detail(format!("the request has no `{name}`; it must be signed"))
            }
        };
        let malformed = |reason: String| ProblemType::Malformed.with_detail(reason);
        if parts.uri.query().is_some() {
            return Err(malformed(
                "a signed request must not have a query".to_owned(),
            ));
        }
        let message = Message::new(parts)?;
        names.check(&message.authority)?;
        let input = message
            .field("signature-input")
            .ok_or_else(unsigned("Signature-Input"))?;
        let input = Dictionary::parse(&input)
            .map_err(|error| malformed(format!("invalid `Signature-Input`: {error}")))?;
        let parameters = input
            .inner_list(LABEL)
            .ok_or_else(unsigned("Signature-Input: sordino"))?;
        let record = check_parameters(parameters, fields)?;

        let signature = message
            .field("signature")
            .ok_or_else(unsigned("Signature"))?;
        // An invalid value does not prove who sent the request.
        let signature = Dictionary::parse(&signature).map_err(|error| {
            ProblemType::BadSignature.with_detail(format!(
                "invalid `Signature`: {error}; sign the request again"
            ))
        })?;
        let value = signature
            .bytes(LABEL)
            .ok_or_else(unsigned("Signature: sordino"))?;
        Ok(Self {
            record,
            base: signature_base(&message, parameters)?,
            value: value.to_owned(),
        })
    }

    /// The record that claims to have signed.
    pub(crate) fn record(&self) -> Id {
        self.record
    }

    /// Section 3.3.6: Ed25519 over the signature base.
    ///
    /// # Errors
    /// `bad-signature`.
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), Problem> {
        match key.verifies(self.base.as_bytes(), &self.value) {
            true => Ok(()),
            false => Err(ProblemType::BadSignature.with_detail(
                "the signature does not match this request and the record's key; signed components, including \
                 `Host`, must arrive unchanged",
            )),
        }
    }
}

/// Checks the signature's parameters against docs/protocol.md and returns the key id.
fn check_parameters(parameters: &InnerList, fields: &[&str]) -> Result<Id, Problem> {
    let covered = DERIVED.iter().chain(fields).copied();
    let is_covered = |(item, name): (&Item, &str)| {
        item.params.is_empty() && string(&item.bare_item) == Some(name)
    };
    let covers_just_these = parameters.items.len() == DERIVED.len() + fields.len()
        && parameters.items.iter().zip(covered.clone()).all(is_covered);
    if !covers_just_these {
        let names: Vec<String> = covered.map(|name| format!("\"{name}\"")).collect();
        let names = names.join(" ");
        return Err(ProblemType::Malformed
            .with_detail(format!("the signature must cover exactly ({names})")));
    }
    let mut given = parameters.params.iter();
    match (given.next(), given.next(), given.next()) {
        (
            Some((keyid, BareItem::String(record))),
            Some((alg, BareItem::String(algorithm))),
            None,
        ) if keyid.as_str() == "keyid"
            && alg.as_str() == "alg"
            && algorithm.as_str() == ALGORITHM =>
        {
            record.as_str().parse().map_err(|error| {
                ProblemType::Malformed
                    .with_detail(format!("the signature's keyid is not a record id: {error}"))
            })
        }
        _ => Err(ProblemType::Malformed.with_detail(
            "the signature's parameters must be exactly keyid=\"RECORD\" and alg=\"ed25519\"",
        )),
    }
}

fn string(value: &BareItem) -> Option<&str> {
    match value {
        BareItem::String(text) => Some(text.as_str()),
        _ => None,
    }
}

/// The components of a request.
struct Message<'a> {
    method: &'a str,
    authority: String,
    path: &'a str,
    headers: &'a HeaderMap,
}

impl<'a> Message<'a> {
    fn new(parts: &'a Parts) -> Result<Self, Problem> {
        Ok(Self {
            method: parts.method.as_str(),
            authority: authority(parts)?,
            path: parts.uri.path(),
            headers: &parts.headers,
        })
    }

    /// Section 2.1: the trimmed lines of the field, joined by a comma.
    fn field(&self, name: &str) -> Option<String> {
        let lines: Result<Vec<&str>, _> = self
            .headers
            .get_all(name)
            .iter()
            .map(|line| line.to_str().map(str::trim))
            .collect();
        lines
            .ok()
            .filter(|lines| !lines.is_empty())
            .map(|lines| lines.join(", "))
    }

    /// The value of a derived component (section 2.2) or a field (section 2.1).
    fn component(&self, name: &str) -> Option<String> {
        match name {
            "@method" => Some(self.method.to_owned()),
            "@authority" => Some(self.authority.clone()),
            "@path" => Some(self.path.to_owned()),
            name => self.field(name),
        }
    }
}

/// Section 2.2.3: host and port of the target in lower case, without the default port. Both default ports are removed,
/// because the collector does not know whether a proxy in front of it serves https.
fn authority(parts: &Parts) -> Result<String, Problem> {
    let malformed =
        || ProblemType::Malformed.with_detail("the request must have exactly one `Host`");
    // A target in absolute form overrides the field (RFC 9112 section 3.2.2).
    let authority = match parts.uri.authority() {
        Some(authority) => authority.as_str(),
        None => {
            let mut hosts = parts.headers.get_all(header::HOST).iter();
            let host = hosts.next().ok_or_else(malformed)?;
            if hosts.next().is_some() {
                return Err(malformed());
            }
            host.to_str().map_err(|_| malformed())?.trim()
        }
    };
    Ok(normalize_authority(authority))
}

fn normalize_authority(authority: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    let without_port = [":80", ":443"]
        .iter()
        .find_map(|port| authority.strip_suffix(port));
    without_port.unwrap_or(&authority).to_owned()
}

/// Section 2.5: a line for each covered component, then one for the parameters.
fn signature_base(message: &Message<'_>, parameters: &InnerList) -> Result<String, Problem> {
    let mut base = String::new();
    for item in &parameters.items {
        let Some(name) = string(&item.bare_item) else {
            return Err(
                ProblemType::Malformed.with_detail("the covered components must be strings")
            );
        };
        let value = message.component(name).ok_or_else(|| {
            ProblemType::Malformed
                .with_detail(format!("the signature covers `{name}`, which is missing"))
        })?;
        base.push_str(&format!("{}: {value}\n", item.serialize()));
    }
    base.push_str(&format!(
        "\"@signature-params\": {}",
        serialize_inner_list(parameters)
    ));
    Ok(base)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

    use super::*;

    /// RFC 9421 appendix B.2, "test-request".
    fn test_request() -> Parts {
        Request::post("/foo?param=Value&Pet=dog")
            .header("Host", "example.com")
            .header("Date", "Tue, 20 Apr 2021 02:07:55 GMT")
            .header("Content-Type", "application/json")
            .header("Content-Length", "18")
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn rfc_9421_appendix_b_2_6_verifies() {
        let parameters = concat!(
            r#"("date" "@method" "@path" "@authority" "content-type" "content-length")"#,
            r#";created=1618884473;keyid="test-key-ed25519""#
        );
        let parts = test_request();
        let input = Dictionary::parse(&format!("sig-b26={parameters}")).unwrap();
        let base = signature_base(
            &Message::new(&parts).unwrap(),
            input.inner_list("sig-b26").unwrap(),
        )
        .unwrap();
        assert_eq!(
            base,
            format!(
                "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\
                 \"@authority\": example.com\n\"content-type\": application/json\n\
                 \"content-length\": 18\n\"@signature-params\": {parameters}"
            )
        );
        // Appendix B.1.4, test-key-ed25519.
        let key = BASE64
            .decode("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")
            .unwrap();
        let key: PublicKey = hex(&key).parse().unwrap();
        let value = BASE64
            .decode(
                "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WP\
                 pBKRCw==",
            )
            .unwrap();
        let record = "00000000000000000000000000000000".parse().unwrap();
        let signature = RequestSignature {
            record,
            base,
            value,
        };
        assert!(signature.verify(&key).is_ok());
        let changed = RequestSignature {
            base: format!("{} ", signature.base),
            ..signature
        };
        assert!(changed.verify(&key).is_err());
    }

    #[test]
    fn the_authority_is_normalized_as_in_section_2_2_3() {
        for (host, expected) in [
            ("www.Example.com", "www.example.com"),
            ("example.com:80", "example.com"),
            ("example.com:443", "example.com"),
            ("example.com:8080", "example.com:8080"),
            ("[::1]:8080", "[::1]:8080"),
            ("[::80]", "[::80]"),
        ] {
            let parts = Request::get("/")
                .header("Host", host)
                .body(())
                .unwrap()
                .into_parts()
                .0;
            assert_eq!(authority(&parts).unwrap(), expected);
        }
        let two = Request::get("/").header("Host", "a").header("Host", "b");
        assert!(authority(&two.body(()).unwrap().into_parts().0).is_err());
        assert!(authority(&Request::get("/").body(()).unwrap().into_parts().0).is_err());
    }

    #[test]
    fn lines_of_a_field_are_joined_as_in_section_2_1() {
        let parts = Request::get("/")
            .header("Host", "a")
            .header("Cache-Control", "  max-age=60 ")
            .header("Cache-Control", "must-revalidate")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        let message = Message::new(&parts).unwrap();
        assert_eq!(
            message.field("cache-control").unwrap(),
            "max-age=60, must-revalidate"
        );
    }
}
