//! A fake collector: docs/protocol.md as a model in memory. It does not verify signatures; the tests
//! of the collector cover that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    Id, Purpose, Purposes,
    consent::Record,
    upload::{Body, EPOCH_HEADER, HttpResponse, Request, TaskKind, UploadTask},
};

pub(super) struct FakeCollector {
    pub(super) records: BTreeMap<Id, Known>,
    pub(super) samples: BTreeMap<Id, Held>,
    pub(super) tombstones: BTreeSet<Id>,
    epoch: Id,
    backup: Option<Box<FakeCollector>>,
}

#[derive(Clone)]
pub(super) struct Known {
    revision: u32,
    pub(super) granted: Purposes,
    pub(super) withdrawn: Purposes,
}

#[derive(Clone)]
pub(super) struct Held {
    pub(super) record: Id,
    pub(super) purposes: Purposes,
}

/// A request in flight: the content that the host read from the device.
#[derive(Clone)]
pub(super) struct InFlight {
    pub(super) task: UploadTask,
    /// The number of times that the device had started when the host took it.
    pub(super) starts: u32,
    signer: Option<Id>,
    purposes: Purposes,
    document: Vec<u8>,
}

impl InFlight {
    pub(super) fn read(request: &Request, starts: u32) -> Self {
        let header = |wanted: &str| {
            let found = request.headers.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str())
        };
        let signer = header("signature-input").map(|input| {
            let (_, id) = input.split_once("keyid=\"").unwrap();
            id[..32].parse().unwrap()
        });
        Self {
            task: request.task.clone(),
            starts,
            signer,
            purposes: header("sordino-purposes")
                .map_or_else(Purposes::default, |list| list.parse().unwrap()),
            document: match &request.body {
                Body::Bytes(bytes) => bytes.clone(),
                Body::Empty => Vec::new(),
                Body::File(path) => std::fs::read(path).unwrap(),
            },
        }
    }

    pub(super) fn purposes(&self) -> &Purposes {
        &self.purposes
    }

    /// The purposes of the record that it registers.
    pub(super) fn registers(&self) -> Option<Purposes> {
        let record = Record::verify(&self.document).ok()?;
        Some(record.content().purposes.clone())
    }

    pub(super) fn signer(&self) -> Option<Id> {
        self.signer
    }
}

impl FakeCollector {
    pub(super) fn new() -> Self {
        Self {
            records: BTreeMap::new(),
            samples: BTreeMap::new(),
            tombstones: BTreeSet::new(),
            epoch: Id::random().unwrap(),
            backup: None,
        }
    }

    /// Makes a backup of the database.
    pub(super) fn back_up(&mut self) {
        self.backup = Some(Box::new(Self {
            records: self.records.clone(),
            samples: self.samples.clone(),
            tombstones: self.tombstones.clone(),
            epoch: self.epoch,
            backup: None,
        }));
    }

    /// Restores the database from the backup. Returns whether there was one.
    pub(super) fn restore(&mut self) -> bool {
        let Some(backup) = self.backup.take() else {
            return false;
        };
        *self = *backup;
        self.epoch = Id::random().unwrap();
        true
    }

    /// Whether any record is stored.
    pub(super) fn grants_something(&self) -> bool {
        let mut records = self.records.values();
        records.any(|known| !known.granted.is_empty())
    }

    /// The number of withdrawn purposes and deleted samples.
    pub(super) fn withdrawals(&self) -> usize {
        let records = self.records.values();
        records.map(|known| known.withdrawn.len()).sum::<usize>() + self.tombstones.len()
    }

    pub(super) fn receive(&mut self, request: &InFlight) -> HttpResponse {
        let mut answer = self.answer(request);
        let epoch = (EPOCH_HEADER.to_owned(), self.epoch.to_string());
        answer.headers.push(epoch);
        answer
    }

    fn answer(&mut self, request: &InFlight) -> HttpResponse {
        match &request.task.kind {
            TaskKind::FetchPlan => answer(304),
            TaskKind::AskEpoch | TaskKind::ReadAccesses { .. } => answer(200),
            TaskKind::Register { record, .. } | TaskKind::Confirm { record, .. } => {
                self.register(*record, &request.document)
            }
            TaskKind::Withdraw { record, purposes } => self.withdraw(*record, purposes),
            TaskKind::Delete { sample } => self.delete(*sample, request),
            TaskKind::Send { sample } => self.send(*sample, request),
        }
    }

    fn register(&mut self, id: Id, document: &[u8]) -> HttpResponse {
        let record = Record::verify(document).unwrap();
        let record = record.content();
        assert_eq!(record.id, id);
        let Some(known) = self.records.get_mut(&id) else {
            let known = Known {
                revision: record.revision,
                granted: record.purposes.clone(),
                withdrawn: Purposes::default(),
            };
            self.records.insert(id, known);
            return answer(201);
        };
        let withdrawn = match known.granted.is_empty() {
            true => record.purposes.clone(),
            false => record.purposes.intersection(&known.withdrawn),
        };
        if known.granted.is_empty() {
            return refusal(410, "withdrawn", &withdrawn);
        }
        if record.revision == known.revision {
            return answer(200);
        }
        if record.revision < known.revision {
            let mut stale = problem("stale-revision", &withdrawn);
            stale["revision"] = known.revision.into();
            return with_body(409, &stale);
        }
        if !withdrawn.is_empty() {
            return refusal(410, "withdrawn", &withdrawn);
        }
        let dropped = known.granted.difference(&record.purposes);
        known.revision = record.revision;
        known.granted = record.purposes.clone();
        known.withdrawn = known.withdrawn.union(&dropped);
        self.withdraw_samples(id, &dropped);
        answer(200)
    }

    fn withdraw(&mut self, id: Id, purposes: &Purposes) -> HttpResponse {
        let Some(known) = self.records.get_mut(&id) else {
            return unknown_record();
        };
        known.granted = known.granted.difference(purposes);
        known.withdrawn = known.withdrawn.union(purposes);
        self.withdraw_samples(id, purposes);
        answer(200)
    }

    fn withdraw_samples(&mut self, record: Id, purposes: &Purposes) {
        let tombstones = &mut self.tombstones;
        self.samples.retain(|id, held| {
            if held.record == record {
                held.purposes = held.purposes.difference(purposes);
            }
            if held.purposes.is_empty() {
                tombstones.insert(*id);
            }
            !held.purposes.is_empty()
        });
    }

    fn delete(&mut self, sample: Id, request: &InFlight) -> HttpResponse {
        if !request
            .signer
            .is_some_and(|signer| self.records.contains_key(&signer))
        {
            return unknown_record();
        }
        self.samples.remove(&sample);
        self.tombstones.insert(sample);
        answer(204)
    }

    fn send(&mut self, sample: Id, request: &InFlight) -> HttpResponse {
        let record = request.signer.unwrap();
        let Some(known) = self.records.get(&record) else {
            return unknown_record();
        };
        if self.tombstones.contains(&sample) {
            return with_body(410, &problem("deleted", &Purposes::default()));
        }
        if known.granted.is_empty() {
            return with_body(410, &problem("withdrawn", &request.purposes));
        }
        if !request.purposes.is_subset(&known.granted) {
            let beyond = request.purposes.difference(&known.granted);
            return refusal(403, "not-granted", &beyond);
        }
        let held = Held {
            record,
            purposes: request.purposes.clone(),
        };
        match self.samples.insert(sample, held) {
            None => answer(201),
            Some(_) => answer(200),
        }
    }
}

pub(super) fn answer(status: u16) -> HttpResponse {
    HttpResponse {
        status,
        headers: vec![(crate::upload::PROTOCOL_HEADER.to_owned(), "1".to_owned())],
        body: Vec::new(),
    }
}

/// A refusal with a problem of docs/protocol.md.
pub(super) fn refusal(status: u16, kind: &str, purposes: &Purposes) -> HttpResponse {
    with_body(status, &problem(kind, purposes))
}

fn unknown_record() -> HttpResponse {
    refusal(404, "unknown-record", &Purposes::default())
}

fn problem(kind: &str, purposes: &Purposes) -> Value {
    let purposes: Vec<&str> = purposes.iter().map(Purpose::as_str).collect();
    json!({"type": format!("urn:sordino:problem:{kind}"), "purposes": purposes})
}

fn with_body(status: u16, document: &Value) -> HttpResponse {
    HttpResponse {
        body: document.to_string().into_bytes(),
        ..answer(status)
    }
}
