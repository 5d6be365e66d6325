//! Every consent record ever made on this device, for the person to see.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    ConsentError, ConsentStore, Notice, SignedRecord,
    rows::{self, Phase},
};
use crate::{
    endpoint::Endpoint,
    id::Id,
    purpose::Purposes,
    state::{StateError, Table, WriteTxn},
};

/// Notice texts by hash.
const NOTICES: Table<&str> = Table::new("notices");

#[derive(Serialize, Deserialize)]
struct NoticeRow {
    text: String,
}

/// Everything the store holds about consent, except keys.
pub(crate) struct History {
    /// Each record that verifies.
    pub(crate) receipts: Vec<SignedRecord>,
    pub(crate) states: Vec<RecordState>,
    /// Notice texts by their SHA-256 in hexadecimal.
    pub(crate) notices: BTreeMap<String, String>,
}

/// The state of a record.
#[derive(Serialize)]
pub(crate) struct RecordState {
    record: Id,
    state: Phase,
    /// Purposes withdrawn from it.
    #[serde(rename = "taken_back")]
    withdrawn_purposes: Purposes,
    /// The collectors that may know it.
    collectors: Vec<Endpoint>,
    /// Purposes whose withdrawal a collector has yet to acknowledge.
    withdrawal_due: Purposes,
}

impl ConsentStore {
    /// Stores the notice text, so that it can be produced for as long as the record is kept.
    pub(super) fn keep_notice(txn: &WriteTxn<'_>, notice: &Notice) -> Result<(), StateError> {
        let row = NoticeRow {
            text: notice.text().to_owned(),
        };
        txn.put(NOTICES, notice.reference().sha256.as_str(), &row)
    }

    /// Every record and every notice text.
    pub(crate) fn history(&self) -> Result<History, ConsentError> {
        let rows = self.state.read(rows::all)?;
        let notices: Vec<(String, NoticeRow)> = self.state.read(|txn| txn.all(NOTICES))?;
        Ok(History {
            receipts: rows.values().filter_map(|row| row.record().ok()).collect(),
            states: rows
                .into_iter()
                .map(|(record, row)| RecordState {
                    record,
                    state: row.phase,
                    withdrawal_due: row.withdrawal_due(),
                    withdrawn_purposes: row.withdrawn_purposes,
                    collectors: row.collectors.into_keys().collect(),
                })
                .collect(),
            notices: notices
                .into_iter()
                .map(|(sha256, row)| (sha256, row.text))
                .collect(),
        })
    }
}
