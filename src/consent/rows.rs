//! Consent records as the state holds them.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;
use redb::{ReadTransaction, ReadableTable as _, TableDefinition, WriteTransaction};
use ring::signature::Ed25519KeyPair;
use serde::{Deserialize, Serialize};

use super::{ConsentError, Record, SignedRecord};
use crate::{
    id::Id,
    purpose::Purposes,
    signed::{PublicKey, SignedError},
    state::{self, StateError},
};

pub(super) const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("consent-records");
/// The name of the record that the person's present answer stands in.
pub(super) const CURRENT: &str = "consent-current";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    AwaitingGuardian,
    Granted,
    /// A later record took its place; what was sealed under it may still be held.
    Superseded,
    Withdrawn,
}

/// A record as the store holds it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) document: String,
    /// PKCS #8, base64.
    pub(super) key: String,
    pub(super) phase: Phase,
    pub(super) ends: Timestamp,
    /// Purposes that were taken back; they never return to this record.
    #[serde(default)]
    pub(super) taken_back: Purposes,
    /// Whether the collector may know the record: set before the first registration is sent.
    #[serde(default)]
    pub(super) offered: bool,
    /// The revision that the collector has acknowledged.
    #[serde(default)]
    pub(super) registered: u32,
    /// What the collector has yet to be told is withdrawn.
    #[serde(default)]
    pub(super) withdrawal_due: Purposes,
}

impl Row {
    pub(super) fn record(&self) -> Result<SignedRecord, ConsentError> {
        let signed = Record::verify(self.document.as_bytes())?;
        if signed.signer() != PublicKey::of(&*self.key()?) {
            return Err(SignedError::WrongKey.into());
        }
        Ok(signed)
    }

    pub(super) fn key(&self) -> Result<Arc<Ed25519KeyPair>, StateError> {
        let damaged = || StateError::Damaged("a consent record's key does not parse".to_owned());
        let pkcs8 = BASE64.decode(&self.key).map_err(|_| damaged())?;
        Ed25519KeyPair::from_pkcs8(&pkcs8)
            .map(Arc::new)
            .map_err(|_| damaged())
    }

    /// Signs the record anew, one revision up.
    pub(super) fn revise(
        &mut self,
        change: impl FnOnce(&mut Record),
    ) -> Result<SignedRecord, ConsentError> {
        let mut record = self.record()?.content().clone();
        record.revision += 1;
        change(&mut record);
        let signed = SignedRecord::sign(record, &*self.key()?)?;
        self.document = signed.to_json();
        Ok(signed)
    }
}

/// The table, inside one transaction.
pub(super) struct Rows<'a>(pub(super) &'a WriteTransaction);

impl Rows<'_> {
    pub(super) fn one(&self, id: Id) -> Result<Option<Row>, StateError> {
        let table = self.0.open_table(RECORDS)?;
        let row = table.get(id.to_string().as_str())?;
        row.map(|row| state::from_row(row.value())).transpose()
    }

    pub(super) fn all(&self) -> Result<BTreeMap<Id, Row>, StateError> {
        let table = self.0.open_table(RECORDS)?;
        let mut rows = BTreeMap::new();
        for entry in table.iter()? {
            let (id, row) = entry?;
            rows.insert(parse_id(id.value())?, state::from_row(row.value())?);
        }
        Ok(rows)
    }

    pub(super) fn current(&self) -> Result<Option<(Id, Row)>, StateError> {
        let Some(id) = state::value::<Id>(self.0, CURRENT)? else {
            return Ok(None);
        };
        Ok(self.one(id)?.map(|row| (id, row)))
    }

    pub(super) fn put(&self, id: Id, row: &Row) -> Result<(), ConsentError> {
        let bytes = state::to_row(row)?;
        let mut table = self.0.open_table(RECORDS).map_err(StateError::from)?;
        table
            .insert(id.to_string().as_str(), bytes.as_slice())
            .map_err(StateError::from)?;
        Ok(())
    }
}

pub(super) fn parse_id(text: &str) -> Result<Id, StateError> {
    text.parse()
        .map_err(|_| StateError::Damaged("a consent record's id".to_owned()))
}

/// One record, as `transaction` sees it.
pub(super) fn find(transaction: &ReadTransaction, id: Id) -> Result<Option<Row>, StateError> {
    let table = transaction.open_table(RECORDS)?;
    table
        .get(id.to_string().as_str())?
        .map(|row| state::from_row(row.value()))
        .transpose()
}
