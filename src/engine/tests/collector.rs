//! A fake collector: docs/protocol.md as a model in memory. It believes signatures; that the real
//! one does not is tested there.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Id, Purposes,
    consent::Record,
    upload::{Answer, Body, Request, Task},
};

#[derive(Default)]
pub(super) struct FakeCollector {
    pub(super) records: BTreeMap<Id, Known>,
    pub(super) samples: BTreeMap<Id, Held>,
    tombstones: BTreeSet<Id>,
}

pub(super) struct Known {
    revision: u32,
    pub(super) granted: Purposes,
    pub(super) withdrawn: Purposes,
}

pub(super) struct Held {
    pub(super) record: Id,
    pub(super) purposes: Purposes,
}

/// A request on its way: what the host read of the device when it took it.
#[derive(Clone)]
pub(super) struct OnItsWay {
    pub(super) task: Task,
    /// How often the device had started when the host took it.
    pub(super) starts: u32,
    signer: Option<Id>,
    purposes: Purposes,
    document: Vec<u8>,
}

impl OnItsWay {
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

    /// What the record that it registers holds.
    pub(super) fn registers(&self) -> Option<Purposes> {
        let record = Record::verify(&self.document).ok()?;
        Some(record.content().purposes.clone())
    }

    pub(super) fn signer(&self) -> Option<Id> {
        self.signer
    }
}

impl FakeCollector {
    pub(super) fn take(&mut self, request: &OnItsWay) -> Answer {
        answer(match &request.task {
            Task::FetchPlan => 304,
            Task::ReadAccesses { .. } => 200,
            Task::Register { record, .. } => self.register(*record, &request.document),
            Task::Withdraw { record, purposes } => self.withdraw(*record, purposes),
            Task::Delete { sample } => self.delete(*sample, request),
            Task::Send { sample } => self.send(*sample, request),
        })
    }

    fn register(&mut self, id: Id, document: &[u8]) -> u16 {
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
            return 201;
        };
        if known.granted.is_empty() {
            return 410;
        }
        if record.revision <= known.revision {
            return if record.revision == known.revision {
                200
            } else {
                409
            };
        }
        if record
            .purposes
            .iter()
            .any(|purpose| known.withdrawn.contains(purpose))
        {
            return 410;
        }
        let dropped = known.granted.difference(&record.purposes);
        known.revision = record.revision;
        known.granted = record.purposes.clone();
        known.withdrawn = known.withdrawn.union(&dropped);
        self.take_back(id, &dropped);
        200
    }

    fn withdraw(&mut self, id: Id, purposes: &Purposes) -> u16 {
        let Some(known) = self.records.get_mut(&id) else {
            return 404;
        };
        known.granted = known.granted.difference(purposes);
        known.withdrawn = known.withdrawn.union(purposes);
        self.take_back(id, purposes);
        200
    }

    fn take_back(&mut self, record: Id, purposes: &Purposes) {
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

    fn delete(&mut self, sample: Id, request: &OnItsWay) -> u16 {
        if !request
            .signer
            .is_some_and(|signer| self.records.contains_key(&signer))
        {
            return 404;
        }
        self.samples.remove(&sample);
        self.tombstones.insert(sample);
        204
    }

    fn send(&mut self, sample: Id, request: &OnItsWay) -> u16 {
        let record = request.signer.unwrap();
        let Some(known) = self.records.get(&record) else {
            return 404;
        };
        if self.tombstones.contains(&sample) {
            return 410;
        }
        if !request.purposes.is_subset(&known.granted) {
            return 403;
        }
        let held = Held {
            record,
            purposes: request.purposes.clone(),
        };
        match self.samples.insert(sample, held) {
            None => 201,
            Some(_) => 200,
        }
    }
}

pub(super) fn answer(status: u16) -> Answer {
    Answer {
        status,
        headers: vec![(crate::upload::PROTOCOL_HEADER.to_owned(), "1".to_owned())],
        body: Vec::new(),
    }
}
