//! Consent records as rows of the store.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;
use ring::signature::Ed25519KeyPair;
use serde::{Deserialize, Serialize};

use super::{ConsentError, Record, RecordIdentity, SignedRecord};
use crate::{
    endpoint::Endpoint,
    id::Id,
    purpose::Purposes,
    signed::{PublicKey, SignedError},
    state::{ReadTxn, StateError, Table, WriteTxn},
};

pub(super) const RECORDS: Table<&str> = Table::new("consent-records");
/// The name of the value that holds the current record's id.
pub(super) const CURRENT: &str = "consent-current";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    AwaitingGuardian,
    Granted,
    /// The child who consented came of age. Stored as `outgrown`.
    #[serde(rename = "outgrown")]
    CameOfAge,
    /// A later record replaced it; samples sealed under it may still be stored at the collector.
    Superseded,
    Withdrawn,
}

/// A consent record in the store.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct RecordRow {
    pub(super) document: String,
    /// PKCS #8, base64.
    pub(super) key: String,
    pub(super) phase: Phase,
    pub(super) ends: Timestamp,
    /// Withdrawn purposes; they never return to this record.
    #[serde(default, rename = "taken_back")]
    pub(super) withdrawn_purposes: Purposes,
    /// Each collector that may know the record: added before the first registration is sent there.
    #[serde(default)]
    pub(super) collectors: BTreeMap<Endpoint, CollectorState>,
}

/// A collector's knowledge of a record.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CollectorState {
    /// The latest revision that it has acknowledged.
    pub(super) registered: u32,
    /// Revisions whose registration was issued with unknown result: each may still arrive.
    pub(super) registering: BTreeSet<u32>,
    /// Purposes whose withdrawal it has yet to acknowledge.
    pub(super) withdrawal_due: Purposes,
}

impl RecordRow {
    pub(super) fn record(&self) -> Result<SignedRecord, ConsentError> {
        Ok(self.verified()?.record)
    }

    fn verified(&self) -> Result<Verified, ConsentError> {
        let record = Record::verify(self.document.as_bytes())?;
        let key = self.key()?;
        if record.signer() != PublicKey::from_key_pair(&key) {
            return Err(SignedError::WrongKey.into());
        }
        Ok(Verified { record, key })
    }

    /// The purposes of the record; all purposes if it is damaged, since its withdrawal must not
    /// fail.
    pub(super) fn held(&self) -> Purposes {
        self.record().map_or_else(
            |_| Purposes::all(),
            |record| record.content().purposes.clone(),
        )
    }

    pub(super) fn key(&self) -> Result<Arc<Ed25519KeyPair>, StateError> {
        let damaged = || StateError::Damaged("a consent record's key does not parse".to_owned());
        let pkcs8 = BASE64.decode(&self.key).map_err(|_| damaged())?;
        Ed25519KeyPair::from_pkcs8(&pkcs8)
            .map(Arc::new)
            .map_err(|_| damaged())
    }

    /// Queues the withdrawal of `purposes` for every collector that may know the record.
    pub(super) fn queue_withdrawal(&mut self, purposes: &Purposes) {
        for entry in self.collectors.values_mut() {
            entry.withdrawal_due = entry.withdrawal_due.union(purposes);
        }
    }

    /// Withdrawn purposes that some collector has yet to acknowledge.
    pub(super) fn withdrawal_due(&self) -> Purposes {
        let due = self.collectors.values().map(|entry| &entry.withdrawal_due);
        due.fold(Purposes::default(), |all, due| all.union(due))
    }

    /// The identity that signs withdrawals of `record`, whose row this is.
    pub(super) fn identity(&self, record: Id) -> Result<RecordIdentity, StateError> {
        let key = self.key()?;
        Ok(RecordIdentity { record, key })
    }

    /// Changes the record and signs it as the next revision.
    pub(super) fn revise(
        &mut self,
        change: impl FnOnce(&mut Record),
    ) -> Result<SignedRecord, ConsentError> {
        let mut record = self.record()?.content().clone();
        // An older schema is upgraded to the current one.
        record.schema = Record::SCHEMA;
        record.revision += 1;
        change(&mut record);
        let signed = SignedRecord::sign(record, &*self.key()?)?;
        self.document = signed.to_json();
        Ok(signed)
    }
}

/// A row whose signature and key are verified.
pub(super) struct Verified {
    pub(super) record: SignedRecord,
    pub(super) key: Arc<Ed25519KeyPair>,
}

/// The row that was verified last. A row with the same text is not verified again, since the
/// current record is read many times before it changes.
#[derive(Default)]
pub(super) struct VerifiedCache(Mutex<Option<(RecordRow, Arc<Verified>)>>);

impl VerifiedCache {
    pub(super) fn verify(&self, row: &RecordRow) -> Result<Arc<Verified>, ConsentError> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, verified)) = &*last
            && known.document == row.document
            && known.key == row.key
        {
            return Ok(Arc::clone(verified));
        }
        let verified = Arc::new(row.verified()?);
        *last = Some((row.clone(), Arc::clone(&verified)));
        Ok(verified)
    }
}

/// The table of records in a write transaction.
pub(super) struct RecordTable<'a>(pub(super) &'a WriteTxn<'a>);

impl RecordTable<'_> {
    pub(super) fn get(&self, id: Id) -> Result<Option<RecordRow>, StateError> {
        self.0.get(RECORDS, id.to_string().as_str())
    }

    pub(super) fn all(&self) -> Result<BTreeMap<Id, RecordRow>, StateError> {
        by_id(self.0.all(RECORDS)?)
    }

    pub(super) fn current(&self) -> Result<Option<(Id, RecordRow)>, StateError> {
        let Some(id) = self.0.value::<Id>(CURRENT)? else {
            return Ok(None);
        };
        Ok(self.get(id)?.map(|row| (id, row)))
    }

    pub(super) fn put(&self, id: Id, row: &RecordRow) -> Result<(), StateError> {
        self.0.put(RECORDS, id.to_string().as_str(), row)
    }
}

/// One record, as the transaction sees it.
pub(super) fn find(txn: &ReadTxn<'_>, id: Id) -> Result<Option<RecordRow>, StateError> {
    txn.get(RECORDS, id.to_string().as_str())
}

/// Every record, as the transaction sees them.
pub(super) fn all(txn: &ReadTxn<'_>) -> Result<BTreeMap<Id, RecordRow>, StateError> {
    by_id(txn.all(RECORDS)?)
}

fn by_id(rows: Vec<(String, RecordRow)>) -> Result<BTreeMap<Id, RecordRow>, StateError> {
    let damaged = |_| StateError::Damaged("a consent record's id".to_owned());
    rows.into_iter()
        .map(|(id, row)| Ok((id.parse().map_err(damaged)?, row)))
        .collect()
}
