//! Access log queries: who opened a sample, verified against earlier responses.

use serde::Deserialize;

use super::{Inner, Sordino};
#[cfg(feature = "http")]
use crate::upload::Client;
use crate::{
    Error,
    endpoint::Endpoint,
    id::Id,
    state::{StateError, Table},
    upload::{
        Accesses, AuditHead, LogInconsistency, ReportedAccess, Request, TaskKind, UploadError,
        UploadResult, UploadTask, accesses_request, check_accesses,
    },
};

impl Sordino {
    /// The request that asks the collector who opened a sample; pass its result to
    /// [`Self::read_accesses`].
    ///
    /// # Errors
    /// There is no such sample.
    pub fn accesses_request(&self, sample: Id) -> Result<Request, Error> {
        let inner = self.inner()?;
        let entry = inner.outbox.entry(sample)?;
        let identity = inner.consent.identity(entry.consent)?;
        let identity = identity.ok_or(UploadError::NotGranted(sample))?;
        let present = inner.protocol.endpoint();
        let collector = match entry.collectors.contains(present) {
            true => present,
            false => entry.collectors.first().unwrap_or(present),
        };
        let kept = inner.known_log(sample, entry.consent, collector)?;
        Ok(accesses_request(collector, &identity, sample, kept.seen()))
    }

    /// The accesses to a sample, requested from the collector with the built-in client.
    ///
    /// # Errors
    /// There is no such sample, or the collector did not respond.
    #[cfg(feature = "http")]
    pub fn accesses(&self, sample: Id, client: &Client) -> Result<Accesses, Error> {
        let request = self.accesses_request(sample)?;
        self.read_accesses(&request.task, client.send(&request))
    }

    /// The accesses to a sample, from the result of the request of [`Self::accesses_request`] with this
    /// task. The device verifies the collector's proofs ([`Accesses::broken`]), and stores the head
    /// of the log and these accesses for the next query.
    ///
    /// # Errors
    /// The collector did not respond; the state cannot be used; or another response was read since
    /// the request was made, and the query must be repeated ([`UploadError::AccessesOutdated`]).
    pub fn read_accesses(
        &self,
        task: &UploadTask,
        result: UploadResult,
    ) -> Result<Accesses, Error> {
        let TaskKind::ReadAccesses { sample, seen } = task.kind else {
            return Err(UploadError::NotAnAccessTask(task.clone()).into());
        };
        let mut accesses = Accesses::from_result(result)?;
        let broken = self
            .inner()?
            .check_accesses(sample, seen, &task.collector, &accesses)?;
        accesses.broken = broken.err();
        Ok(accesses)
    }
}

/// The content of a collector's log as it was reported before.
struct KnownLog {
    /// The head of its log, from the last response about a sample of the same record.
    head: Option<AuditHead>,
    /// The accesses of the sample.
    reported: Vec<ReportedAccess>,
    /// The head that an earlier version of the SDK stored, without proofs.
    unproven: Option<AuditHead>,
}

impl KnownLog {
    /// The number of log entries that the collector must prove unchanged.
    fn seen(&self) -> u64 {
        self.head.map_or(0, |head| head.entries)
    }
}

impl Inner {
    /// Verifies a response. An inconsistent log is not stored: the earlier report is the evidence.
    fn check_accesses(
        &self,
        sample: Id,
        seen: u64,
        collector: &Endpoint,
        accesses: &Accesses,
    ) -> Result<Result<(), LogInconsistency>, UploadError> {
        let consent = self.outbox.entry(sample)?.consent;
        let kept = self.known_log(sample, consent, collector)?;
        if kept.seen() != seen {
            return Err(UploadError::AccessesOutdated(sample));
        }
        let earlier = kept.head.or(kept.unproven);
        let (head, reported) =
            match check_accesses(sample, accesses, earlier.as_ref(), &kept.reported) {
                Ok(checked) => checked,
                Err(broken) => return Ok(Err(broken)),
            };
        if kept.head == Some(head) && kept.reported == reported {
            return Ok(Ok(()));
        }
        let (heads_key, reported_key) = (key(consent, collector), key(sample, collector));
        self.state.write(|txn| {
            let head_now: Option<AuditHead> = txn.get(HEADS, heads_key.as_str())?;
            let told_now: Option<Vec<ReportedAccess>> = txn.get(REPORTED, reported_key.as_str())?;
            if head_now != kept.head || told_now.unwrap_or_default() != kept.reported {
                return Err(UploadError::AccessesOutdated(sample));
            }
            txn.put(HEADS, heads_key.as_str(), &head)?;
            txn.put(REPORTED, reported_key.as_str(), &reported)?;
            Ok(Ok(()))
        })
    }

    fn known_log(
        &self,
        sample: Id,
        consent: Id,
        collector: &Endpoint,
    ) -> Result<KnownLog, StateError> {
        self.state.read(|txn| {
            let unproven: Option<UnprovenHead> = txn.value(UNPROVEN_HEAD)?;
            let unproven = unproven.filter(|seen| seen.collector == collector.to_string());
            let reported: Option<Vec<ReportedAccess>> =
                txn.get(REPORTED, key(sample, collector).as_str())?;
            Ok(KnownLog {
                head: txn.get(HEADS, key(consent, collector).as_str())?,
                reported: reported.unwrap_or_default(),
                unproven: unproven.map(|seen| seen.head),
            })
        })
    }
}

/// The row of versions without proofs, for one collector.
#[derive(Deserialize)]
struct UnprovenHead {
    collector: String,
    head: AuditHead,
}

fn key(id: Id, collector: &Endpoint) -> String {
    format!("{id}@{collector}")
}

/// Heads of access logs, by consent record and collector. Each record has its own, since the number of entries is sent
/// with the next request: a head of another record would reveal to the collector that both are one person's.
const HEADS: Table<&str> = Table::new("audit-heads");
/// Reported accesses, by sample and collector.
const REPORTED: Table<&str> = Table::new("told-accesses"); // words: ignore
const UNPROVEN_HEAD: &str = "audit-head";
