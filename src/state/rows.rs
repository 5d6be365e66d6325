//! Rows: JSON, each with a tag that binds it to its table and its key.
//!
//! A tag is the first 16 bytes of HMAC-SHA256 (RFC 2104) under the store's own key over the table's
//! name, the row's key and the row. So a modified or moved row is always detected, and damaged data
//! is never read as consent.

use redb::{
    Key, ReadTransaction, ReadableTable, TableDefinition, TableError, TableHandle as _,
    WriteTransaction,
};
use ring::hmac;
use serde::{Serialize, de::DeserializeOwned};

use super::StateError;

const TAG_BYTES: usize = 16;

/// Small values by name. Each name is used by one module only.
pub(super) const META: Table<&str> = Table::new("meta");

/// A table of rows under keys of one kind.
pub(crate) struct Table<K: Key + 'static>(TableDefinition<'static, K, &'static [u8]>);

impl<K: Key + 'static> Table<K> {
    /// The table of that name.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self(TableDefinition::new(name))
    }

    pub(super) fn definition(self) -> TableDefinition<'static, K, &'static [u8]> {
        self.0
    }
}

impl<K: Key + 'static> Clone for Table<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Key + 'static> Copy for Table<K> {}

/// The type of a row's key.
pub(crate) trait RowKey: Key + 'static {
    /// The owned key.
    type Owned;

    /// Converts a borrowed key.
    fn owned(key: Self::SelfType<'_>) -> Self::Owned;
}

impl RowKey for &'static str {
    type Owned = String;

    fn owned(key: &str) -> String {
        key.to_owned()
    }
}

impl RowKey for u64 {
    type Owned = u64;

    fn owned(key: u64) -> u64 {
        key
    }
}

/// Computes and verifies tags.
pub(super) struct Tagger(hmac::Key);

impl Tagger {
    pub(super) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    fn tag(&self, table: &str, key: &[u8], row: &[u8]) -> [u8; TAG_BYTES] {
        let mut context = hmac::Context::with_key(&self.0);
        // Each with its length, so that the encoding is injective.
        for part in [table.as_bytes(), key, row] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&context.sign().as_ref()[..TAG_BYTES]);
        tag
    }

    fn seal(&self, table: &str, key: &[u8], json: &[u8]) -> Vec<u8> {
        let mut bytes = self.tag(table, key, json).to_vec();
        bytes.extend_from_slice(json);
        bytes
    }

    fn open<T: DeserializeOwned>(
        &self,
        table: &str,
        key: &[u8],
        bytes: &[u8],
    ) -> Result<T, StateError> {
        let changed = || StateError::Damaged(format!("a row of `{table}` was changed"));
        let (tag, json) = bytes.split_at_checked(TAG_BYTES).ok_or_else(changed)?;
        // A comparison in constant time is not needed: an attacker who can write rows can read the
        // key too.
        if self.tag(table, key, json) != tag {
            return Err(changed());
        }
        from_json(json)
    }
}

/// A write transaction whose rows are tagged.
pub(crate) struct WriteTxn<'a> {
    pub(super) transaction: &'a WriteTransaction,
    pub(super) tagger: &'a Tagger,
}

impl WriteTxn<'_> {
    /// The row under `key`.
    pub(crate) fn get<'k, K: RowKey, T: DeserializeOwned>(
        &self,
        table: Table<K>,
        key: K::SelfType<'k>,
    ) -> Result<Option<T>, StateError> {
        let rows = self.transaction.open_table(table.0)?;
        one(self.tagger, table, &rows, &key)
    }

    /// Every row, in the order of the keys.
    pub(crate) fn all<K: RowKey, T: DeserializeOwned>(
        &self,
        table: Table<K>,
    ) -> Result<Vec<(K::Owned, T)>, StateError> {
        let rows = self.transaction.open_table(table.0)?;
        all(self.tagger, table, &rows)
    }

    /// The highest key there is.
    pub(crate) fn last_key<K: RowKey>(
        &self,
        table: Table<K>,
    ) -> Result<Option<K::Owned>, StateError> {
        let rows = self.transaction.open_table(table.0)?;
        let last = rows.last()?.map(|(key, _)| K::owned(key.value()));
        Ok(last)
    }

    /// Writes the row under `key`.
    pub(crate) fn put<'k, K: RowKey, T: Serialize>(
        &self,
        table: Table<K>,
        key: K::SelfType<'k>,
        row: &T,
    ) -> Result<(), StateError> {
        self.put_json(table, key, &to_json(row)?)
    }

    /// Writes a row of serialized JSON.
    pub(super) fn put_json<'k, K: RowKey>(
        &self,
        table: Table<K>,
        key: K::SelfType<'k>,
        json: &[u8],
    ) -> Result<(), StateError> {
        let bytes = self
            .tagger
            .seal(table.0.name(), K::as_bytes(&key).as_ref(), json);
        let mut rows = self.transaction.open_table(table.0)?;
        rows.insert(key, bytes.as_slice())?;
        Ok(())
    }

    /// Removes the row under `key`.
    pub(crate) fn remove<'k, K: RowKey>(
        &self,
        table: Table<K>,
        key: K::SelfType<'k>,
    ) -> Result<(), StateError> {
        self.transaction.open_table(table.0)?.remove(key)?;
        Ok(())
    }

    /// A small value.
    pub(crate) fn value<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StateError> {
        self.get(META, name)
    }

    /// Sets a small value.
    pub(crate) fn set_value<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StateError> {
        self.put(META, name, value)
    }

    /// Removes a small value.
    pub(crate) fn clear_value(&self, name: &str) -> Result<(), StateError> {
        self.remove(META, name)
    }
}

/// A read transaction on a consistent snapshot, whose rows are verified.
pub(crate) struct ReadTxn<'a> {
    pub(super) transaction: &'a ReadTransaction,
    pub(super) tagger: &'a Tagger,
}

impl ReadTxn<'_> {
    /// The row under `key`.
    pub(crate) fn get<'k, K: RowKey, T: DeserializeOwned>(
        &self,
        table: Table<K>,
        key: K::SelfType<'k>,
    ) -> Result<Option<T>, StateError> {
        match self.transaction.open_table(table.0) {
            Ok(rows) => one(self.tagger, table, &rows, &key),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every row, in the order of the keys.
    pub(crate) fn all<K: RowKey, T: DeserializeOwned>(
        &self,
        table: Table<K>,
    ) -> Result<Vec<(K::Owned, T)>, StateError> {
        match self.transaction.open_table(table.0) {
            Ok(rows) => all(self.tagger, table, &rows),
            Err(TableError::TableDoesNotExist(_)) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// A small value.
    pub(crate) fn value<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StateError> {
        self.get(META, name)
    }
}

fn one<'k, K: RowKey, T: DeserializeOwned>(
    tagger: &Tagger,
    table: Table<K>,
    rows: &impl ReadableTable<K, &'static [u8]>,
    key: &K::SelfType<'k>,
) -> Result<Option<T>, StateError> {
    let Some(row) = rows.get(key)? else {
        return Ok(None);
    };
    let row = tagger.open(table.0.name(), K::as_bytes(key).as_ref(), row.value())?;
    Ok(Some(row))
}

fn all<K: RowKey, T: DeserializeOwned>(
    tagger: &Tagger,
    table: Table<K>,
    rows: &impl ReadableTable<K, &'static [u8]>,
) -> Result<Vec<(K::Owned, T)>, StateError> {
    let mut all = Vec::new();
    for entry in rows.iter()? {
        let (key, row) = entry?;
        let key = key.value();
        let row = tagger.open(table.0.name(), K::as_bytes(&key).as_ref(), row.value())?;
        all.push((K::owned(key), row));
    }
    Ok(all)
}

/// Serializes a value.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec(value).map_err(|error| StateError::Damaged(error.to_string()))
}

/// Deserializes a value.
pub(super) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StateError> {
    serde_json::from_slice(bytes).map_err(|error| StateError::Damaged(error.to_string()))
}
