//! Consent records as the state holds them.

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
/// The name of the record that the person's present answer stands in.
pub(super) const CURRENT: &str = "consent-current";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    AwaitingGuardian,
    Granted,
    /// The child who said it came of age.
    #[serde(rename = "outgrown")]
    CameOfAge,
    /// A later record took its place; what was sealed under it may still be held.
    Superseded,
    Withdrawn,
}

/// A record as the store holds it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct RecordRow {
    pub(super) document: String,
    /// PKCS #8, base64.
    pub(super) key: String,
    pub(super) phase: Phase,
    pub(super) ends: Timestamp,
    /// Purposes that were taken back; they never return to this record.
    #[serde(default, rename = "taken_back")]
    pub(super) withdrawn_purposes: Purposes,
    /// Each collector that may know the record: entered before a registration is first sent there.
    #[serde(default)]
    pub(super) collectors: BTreeMap<Endpoint, CollectorState>,
}

/// What a collector was told of a record.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CollectorState {
    /// The revision that it has acknowledged.
    pub(super) registered: u32,
    /// Revisions whose registration was handed out and of which nothing is known: each may still arrive.
    pub(super) registering: BTreeSet<u32>,
    /// What it has yet to acknowledge as withdrawn.
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

    /// What the record holds; everything where it was damaged, for a "no" to it must not fail for that.
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

    /// Has every collector that may know the record told that `purposes` are withdrawn from it.
    pub(super) fn queue_withdrawal(&mut self, purposes: &Purposes) {
        for told in self.collectors.values_mut() {
            told.withdrawal_due = told.withdrawal_due.union(purposes);
        }
    }

    /// What is withdrawn and some collector has yet to acknowledge.
    pub(super) fn withdrawal_due(&self) -> Purposes {
        let due = self.collectors.values().map(|told| &told.withdrawal_due);
        due.fold(Purposes::default(), |all, due| all.union(due))
    }

    /// Who says no in the name of `record`, which this row is of.
    pub(super) fn identity(&self, record: Id) -> Result<RecordIdentity, StateError> {
        let key = self.key()?;
        Ok(RecordIdentity { record, key })
    }

    /// Signs the record anew, one revision up.
    pub(super) fn revise(
        &mut self,
        change: impl FnOnce(&mut Record),
    ) -> Result<SignedRecord, ConsentError> {
        let mut record = self.record()?.content().clone();
        // One in an older shape is written anew in the present one.
        record.schema = Record::SCHEMA;
        record.revision += 1;
        change(&mut record);
        let signed = SignedRecord::sign(record, &*self.key()?)?;
        self.document = signed.to_json();
        Ok(signed)
    }
}

/// What a row says, once its signature and its key were found to be good.
pub(super) struct Verified {
    pub(super) record: SignedRecord,
    pub(super) key: Arc<Ed25519KeyPair>,
}

/// The row that was verified last. One of the very same text is not verified again: the present answer is asked
/// for many times before it changes.
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

/// The table, inside one transaction.
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

/// One record, as `view` sees it.
pub(super) fn find(view: &ReadTxn<'_>, id: Id) -> Result<Option<RecordRow>, StateError> {
    view.get(RECORDS, id.to_string().as_str())
}

/// Every record, as `view` sees them.
pub(super) fn all(view: &ReadTxn<'_>) -> Result<BTreeMap<Id, RecordRow>, StateError> {
    by_id(view.all(RECORDS)?)
}

fn by_id(rows: Vec<(String, RecordRow)>) -> Result<BTreeMap<Id, RecordRow>, StateError> {
    let damaged = |_| StateError::Damaged("a consent record's id".to_owned());
    rows.into_iter()
        .map(|(id, row)| Ok((id.parse().map_err(damaged)?, row)))
        .collect()
}
