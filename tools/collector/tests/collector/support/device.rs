//! A device: a consent record with its key, its requests, and sealed samples.

use ring::{
    digest::{SHA256, digest},
    signature::Ed25519KeyPair,
};
use serde_json::json;
use sordino::{
    Id, Purposes,
    consent::{AgeBand, NoticeReference, Record, SignedRecord},
    plan::Recipient,
};

use super::*;

/// A consent record and its key, like a device.
pub(crate) struct Device {
    pub(crate) record: Id,
    pub(crate) key: Ed25519KeyPair,
}

impl Device {
    pub(crate) fn new() -> Self {
        Self {
            record: Id::random().unwrap(),
            key: key(),
        }
    }

    /// Creates one whose record is registered for these purposes.
    pub(crate) fn registered(collector: &Collector, purposes: &str) -> Self {
        let device = Self::new();
        collector.send(&device.register(1, purposes)).expect(201);
        device
    }

    /// Creates a registered one with a stored sample.
    pub(crate) fn with_sample(collector: &Collector, purposes: &str) -> (Self, Id) {
        let device = Self::registered(collector, purposes);
        let id = sample();
        let request = device.put(id, purposes, &age_file(1, 1));
        collector.send(&request).expect(201);
        (device, id)
    }

    pub(crate) fn content(&self, revision: u32, purposes: &str) -> Record {
        Record {
            schema: Record::SCHEMA,
            id: self.record,
            revision,
            purposes: purposes.parse().unwrap(),
            age_band: AgeBand::Adult,
            guardian: None,
            notice: NoticeReference {
                version: 1,
                language: "en".to_owned(),
                sha256: "0".repeat(64),
            },
            controller: None,
            given: "2020-W01".parse().unwrap(),
            holds_until: "2999-W01".parse().unwrap(),
        }
    }

    pub(crate) fn document(&self, content: Record) -> Vec<u8> {
        SignedRecord::sign(content, &self.key)
            .unwrap()
            .to_json()
            .into_bytes()
    }

    pub(crate) fn register(&self, revision: u32, purposes: &str) -> Request {
        self.register_document(self.document(self.content(revision, purposes)))
    }

    pub(crate) fn register_document(&self, document: Vec<u8>) -> Request {
        Request::new("PUT", format!("/v1/consents/{}", self.record))
            .body(document)
            .sign(self)
    }

    pub(crate) fn withdraw(&self, purposes: &str) -> Request {
        let purposes: Purposes = purposes.parse().unwrap();
        let body = json!({"purposes": purposes}).to_string();
        Request::new("PUT", format!("/v1/consents/{}/withdrawal", self.record))
            .body(body.into_bytes())
            .sign(self)
    }

    pub(crate) fn put(&self, sample: Id, purposes: &str, body: &[u8]) -> Request {
        self.draft(sample, purposes, body).sign(self)
    }

    /// An unsigned upload.
    pub(crate) fn draft(&self, sample: Id, purposes: &str, body: &[u8]) -> Request {
        Request::new("PUT", format!("/v1/samples/{sample}"))
            .body(body.to_vec())
            .header("Sordino-Purposes", purposes.to_owned())
            .header("Sordino-Recipients", recipients_digest(&[recipient(1)]))
    }

    pub(crate) fn delete(&self, sample: Id) -> Request {
        Request::new("DELETE", format!("/v1/samples/{sample}")).sign(self)
    }

    pub(crate) fn accesses(&self, sample: Id) -> Request {
        Request::new("GET", format!("/v1/samples/{sample}/accesses")).sign(self)
    }

    /// Requests proofs since the head with `entries` entries.
    pub(crate) fn accesses_since(&self, sample: Id, seen: impl std::fmt::Display) -> Request {
        let target = format!("/v1/samples/{sample}/accesses/since/{seen}");
        Request::new("GET", target).sign(self)
    }
}

pub(crate) fn sample() -> Id {
    Id::random().unwrap()
}

/// An age file with `recipients` X25519 stanzas and a payload that depends on `seed`.
pub(crate) fn age_file(recipients: usize, seed: u64) -> Vec<u8> {
    let line = "A".repeat(43);
    let stanzas = format!("-> X25519 {line}\n{line}\n").repeat(recipients);
    let mut file = format!("age-encryption.org/v1\n{stanzas}--- {line}\n").into_bytes();
    file.extend(seed.to_le_bytes().repeat(4096));
    file
}

/// One so large that the collector flushes its buffer before the rest has arrived.
pub(crate) fn long_age_file() -> Vec<u8> {
    let mut file = age_file(1, 1);
    file.resize(700_000, 7);
    file
}

/// The size of that buffer, in bytes.
pub(crate) const LONG_ENOUGH: usize = 300_000;

pub(crate) fn recipient(number: u8) -> Recipient {
    Recipient::from([number; 32])
}

/// docs/protocol.md: sorted, one per line, each terminated by a line feed.
pub(crate) fn recipients_digest(recipients: &[Recipient]) -> String {
    let mut lines: Vec<String> = recipients.iter().map(ToString::to_string).collect();
    lines.sort();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}
