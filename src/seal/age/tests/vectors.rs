//! The community's age test vectors (`tests/vectors/age/README.md`), one by one. They were made to
//! test readers; here each is read by the `age` crate or parsed, and the output of our writer for
//! its file key, nonce and shares must equal its bytes or, for an invalid vector, must not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read as _, Write as _},
    path::PathBuf,
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use bech32::primitives::decode::CheckedHrpstring;

use super::super::{AgeError, file_key::FileKey, header, stream::StreamWriter, x25519::Stanza};
use crate::{hex, plan::Recipient};

/// Valid vectors: header, MAC, stanzas and payload must equal our output.
const SUCCESS: [&str; 14] = [
    "stanza_empty_body",
    "stanza_empty_last_line",
    "stanza_valid_characters",
    "stream_257_chunks",
    "stream_257_chunks_full",
    "stream_258_chunks",
    "stream_empty_payload",
    "stream_last_chunk_full",
    "stream_last_chunk_full_second",
    "stream_three_chunks",
    "stream_two_chunks",
    "x25519",
    "x25519_grease",
    "x25519_multiple_recipients",
];

/// The header must equal our output, the payload must not.
const PAYLOAD_FAILURE: [&str; 18] = [
    "stream_bad_tag",
    "stream_bad_tag_second_chunk",
    "stream_bad_tag_second_chunk_full",
    "stream_last_chunk_empty",
    "stream_missing_tag",
    "stream_no_chunks",
    "stream_no_final",
    "stream_no_final_full",
    "stream_no_final_two_chunks",
    "stream_no_final_two_chunks_full",
    "stream_short_chunk",
    "stream_short_second_chunk",
    "stream_trailing_garbage_long",
    "stream_trailing_garbage_short",
    "stream_two_final_chunks",
    "stream_two_final_chunks_full",
    "stream_two_final_chunks_second",
    "stream_two_final_chunks_short",
];

/// The stanza must be what we write, the MAC must not.
const MAC_FAILURE: [&str; 1] = ["hmac_bad"];

/// The MAC must be what we write; the stanza, for this identity, must not.
const NO_MATCH: [&str; 3] = ["x25519_bad_tag", "x25519_lowercase", "x25519_no_match"];

/// The share is a point of low order: as a recipient it must be refused.
const LOW_ORDER: [&str; 2] = ["x25519_identity", "x25519_low_order"];

#[test]
fn no_vector_is_skipped() {
    let listed: BTreeSet<String> = [
        &SUCCESS[..],
        &PAYLOAD_FAILURE,
        &MAC_FAILURE,
        &NO_MATCH,
        &LOW_ORDER,
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect();
    let mut there: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(there.remove("README.md"));
    assert_eq!(listed, there);
    assert_eq!(listed.len(), 38);
    for (names, expected) in [
        (&SUCCESS[..], "success"),
        (&PAYLOAD_FAILURE, "payload failure"),
        (&MAC_FAILURE, "HMAC failure"),
        (&NO_MATCH, "no match"),
        (&LOW_ORDER, "header failure"),
    ] {
        for name in names {
            assert_eq!(Vector::read(name).expect(), expected, "{name}");
        }
    }
}

#[test]
fn header_macs_are_those_of_the_vectors() {
    for name in [&SUCCESS[..], &PAYLOAD_FAILURE, &NO_MATCH].concat() {
        let vector = Vector::read(name);
        assert_eq!(vector.our_mac(), vector.mac, "{name}");
    }
    for name in MAC_FAILURE {
        let vector = Vector::read(name);
        assert_ne!(vector.our_mac(), vector.mac, "{name}");
    }
}

#[test]
fn stanzas_are_those_of_the_vectors() {
    for name in [&SUCCESS[..], &PAYLOAD_FAILURE, &MAC_FAILURE].concat() {
        let vector = Vector::read(name);
        let opened = vector
            .x25519_stanzas()
            .into_iter()
            .filter(|theirs| vector.our_stanza(theirs.share) == *theirs)
            .count();
        // Several recipients: the identity is that of one.
        assert_eq!(opened, 1, "{name}");
    }
    for name in NO_MATCH {
        let vector = Vector::read(name);
        for theirs in vector.x25519_stanzas() {
            assert_ne!(vector.our_stanza(theirs.share), theirs, "{name}");
        }
    }
}

#[test]
fn x25519_headers_match_the_vectors() {
    let mut written = 0;
    for name in [&SUCCESS[..], &PAYLOAD_FAILURE].concat() {
        let vector = Vector::read(name);
        let stanzas = vector.x25519_stanzas();
        if stanzas.len() == vector.stanzas.len() {
            let ours = header::encode(&vector.file_key(), &stanzas);
            assert_eq!(ours.as_bytes(), vector.header, "{name}");
            written += 1;
        }
    }
    // All but those with stanzas of other kinds: three `stanza_…` and `x25519_grease`.
    assert_eq!(written, SUCCESS.len() + PAYLOAD_FAILURE.len() - 4);

    let lowercase = Vector::read("x25519_lowercase");
    let stanzas: Vec<Stanza> = lowercase.stanzas.iter().map(RawStanza::as_x25519).collect();
    let ours = header::encode(&lowercase.file_key(), &stanzas);
    assert_ne!(ours.as_bytes(), lowercase.header);
}

#[test]
fn payloads_are_those_of_the_vectors_to_the_byte() {
    for name in SUCCESS {
        let vector = Vector::read(name);
        assert!(
            vector.our_payload(&vector.plaintext()) == vector.payload,
            "{name}"
        );
    }
    for name in PAYLOAD_FAILURE {
        let vector = Vector::read(name);
        assert!(
            vector.our_payload(&vector.plaintext()) != vector.payload,
            "{name}"
        );
    }
}

#[test]
fn shares_of_low_order_are_refused_as_recipients() {
    for name in LOW_ORDER {
        let vector = Vector::read(name);
        for stanza in vector.x25519_stanzas() {
            let refused = Stanza::wrap(&vector.file_key(), &Recipient::from(stanza.share));
            assert!(matches!(refused, Err(AgeError::LowOrder(_))), "{name}");
        }
    }
}

#[test]
fn recipients_are_encoded_like_the_age_crate() {
    let mut identities = BTreeSet::new();
    for name in [&SUCCESS[..], &PAYLOAD_FAILURE, &MAC_FAILURE, &NO_MATCH].concat() {
        let vector = Vector::read(name);
        let theirs = vector.identity().to_public().to_string();
        assert_eq!(vector.recipient().to_string(), theirs, "{name}");
        assert_eq!(theirs.parse(), Ok(vector.recipient()), "{name}");
        identities.insert(theirs);
    }
    assert_eq!(identities.len(), 2, "the vectors hold two identities");
}

/// A vector, taken apart.
struct Vector {
    fields: BTreeMap<String, String>,
    file: Vec<u8>,
    /// Up to and with the line feed after the MAC.
    header: Vec<u8>,
    stanzas: Vec<RawStanza>,
    mac: String,
    nonce: [u8; 16],
    payload: Vec<u8>,
}

struct RawStanza {
    arguments: Vec<String>,
    body: Vec<u8>,
}

impl Vector {
    fn read(name: &str) -> Self {
        let bytes = fs::read(folder().join(name)).unwrap();
        let end = find(&bytes, b"\n\n");
        let fields: BTreeMap<String, String> = std::str::from_utf8(&bytes[..end])
            .unwrap()
            .lines()
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let stored = &bytes[end + 2..];
        let file = match fields.get("compressed").map(String::as_str) {
            Some("zlib") => miniz_oxide::inflate::decompress_to_vec_zlib(stored).unwrap(),
            None => stored.to_vec(),
            Some(other) => panic!("{name} is compressed by {other}"),
        };

        let before_mac = find(&file, b"\n--- ") + "\n--- ".len();
        let mac_length = find(&file[before_mac..], b"\n");
        let (header, rest) = file.split_at(before_mac + mac_length + 1);
        let (nonce, payload) = rest.split_at(16);
        let text = std::str::from_utf8(header).unwrap();
        Self {
            stanzas: stanzas(text),
            mac: text[before_mac..before_mac + mac_length].to_owned(),
            header: header.to_vec(),
            nonce: nonce.try_into().unwrap(),
            payload: payload.to_vec(),
            fields,
            file,
        }
    }

    fn expect(&self) -> &str {
        &self.fields["expect"]
    }

    fn file_key(&self) -> FileKey {
        FileKey::for_test(hex::decode(&self.fields["file key"]).unwrap())
    }

    fn identity(&self) -> age::x25519::Identity {
        self.fields["identity"].parse().unwrap()
    }

    fn secret(&self) -> x25519_dalek::StaticSecret {
        let text = CheckedHrpstring::new::<bech32::Bech32>(&self.fields["identity"]).unwrap();
        let secret: Vec<u8> = text.byte_iter().collect();
        <[u8; 32]>::try_from(secret).unwrap().into()
    }

    fn recipient(&self) -> Recipient {
        x25519_dalek::PublicKey::from(&self.secret())
            .to_bytes()
            .into()
    }

    fn x25519_stanzas(&self) -> Vec<Stanza> {
        self.stanzas
            .iter()
            .filter(|stanza| stanza.arguments[0] == "X25519")
            .map(RawStanza::as_x25519)
            .collect()
    }

    /// The shared secret is reached from the recipient's side, by another implementation.
    fn our_stanza(&self, share: [u8; 32]) -> Stanza {
        let shared = self.secret().diffie_hellman(&share.into());
        Stanza::wrap_with(
            &self.file_key(),
            &self.recipient(),
            share,
            shared.as_bytes(),
        )
    }

    fn our_mac(&self) -> String {
        let covered = self.header.len() - self.mac.len() - " \n".len();
        header::mac(&self.file_key(), &self.header[..covered])
    }

    fn our_payload(&self, plaintext: &[u8]) -> Vec<u8> {
        let key = self.file_key().payload_key(&self.nonce);
        let mut writer = StreamWriter::new(key, Vec::new());
        writer.write_all(plaintext).unwrap();
        writer.finish().unwrap()
    }

    /// The bytes that the `age` crate reads before it ends or fails, checked against the vector's digest.
    fn plaintext(&self) -> Vec<u8> {
        let identity = self.identity();
        let identity: &dyn age::Identity = &identity;
        let mut reader = age::Decryptor::new(self.file.as_slice())
            .unwrap()
            .decrypt(std::iter::once(identity))
            .unwrap();
        let mut plaintext = Vec::new();
        let read = reader.read_to_end(&mut plaintext);
        assert_eq!(read.is_ok(), self.expect() == "success");
        assert_eq!(
            super::super::super::sha256(&plaintext),
            hex::decode(&self.fields["payload"]).unwrap()
        );
        plaintext
    }
}

impl RawStanza {
    fn as_x25519(&self) -> Stanza {
        Stanza {
            share: BASE64
                .decode(&self.arguments[1])
                .unwrap()
                .try_into()
                .unwrap(),
            body: self.body.clone().try_into().unwrap(),
        }
    }
}

fn stanzas(header: &str) -> Vec<RawStanza> {
    let mut lines = header.lines().skip(1);
    let mut stanzas = Vec::new();
    while let Some(arguments) = lines.next().and_then(|line| line.strip_prefix("-> ")) {
        let mut body = String::new();
        for line in lines.by_ref() {
            body.push_str(line);
            if line.len() < 64 {
                break;
            }
        }
        stanzas.push(RawStanza {
            arguments: arguments.split(' ').map(str::to_owned).collect(),
            body: BASE64.decode(body).unwrap(),
        });
    }
    stanzas
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "vectors", "age"]
        .iter()
        .collect()
}

fn find(bytes: &[u8], part: &[u8]) -> usize {
    bytes
        .windows(part.len())
        .position(|window| window == part)
        .unwrap()
}
