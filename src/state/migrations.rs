//! Migrations: the versions of the store's layout.
//!
//! | layout | content |
//! | --- | --- |
//! | 1 | rows of JSON |
//! | 2 | each row begins with a tag; `state.key` holds the key of the tags |
//! | 3 | records and samples name the collectors that they were sent to |
//!
//! The layout's own row is plain JSON in each layout, so that every version can read it.

use redb::{Database, ReadableTable as _, TableDefinition, WriteTransaction};
use serde_json::{Value, json};

use super::{
    StateError,
    rows::{RowKey, Table, Tagger, WriteTxn, from_json, to_json},
};

/// The layout that this SDK writes.
pub(super) const LAYOUT_VERSION: u64 = 3;
pub(super) const LAYOUT_NAME: &str = "layout";

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// Migrates a store to the current layout in one transaction, or leaves it unchanged. Returns the
/// layout as `Err` if it is newer.
///
/// # Errors
/// It cannot be read or written, or has an unknown layout.
pub(super) fn migrate(database: &Database, tagger: &Tagger) -> Result<Result<(), u64>, StateError> {
    let transaction = database.begin_write()?;
    match found(&transaction)? {
        Some(LAYOUT_VERSION) => return Ok(Ok(())),
        Some(newer) if newer > LAYOUT_VERSION => return Ok(Err(newer)),
        Some(1) => {
            tag_rows(&transaction, tagger)?;
            name_collectors(&transaction, tagger)?;
        }
        Some(2) => name_collectors(&transaction, tagger)?,
        Some(strange) => return Err(StateError::Damaged(format!("it claims layout {strange}"))),
        None => {}
    }
    transaction
        .open_table(META)?
        .insert(LAYOUT_NAME, to_json(&LAYOUT_VERSION)?.as_slice())?;
    transaction.commit()?;
    Ok(Ok(()))
}

fn found(transaction: &WriteTransaction) -> Result<Option<u64>, StateError> {
    let meta = transaction.open_table(META)?;
    let layout = meta.get(LAYOUT_NAME)?;
    layout.map(|layout| from_json(layout.value())).transpose()
}

/// Migrates layout 1 to 2.
fn tag_rows(transaction: &WriteTransaction, tagger: &Tagger) -> Result<(), StateError> {
    let txn = WriteTxn {
        transaction,
        tagger,
    };
    for name in ["meta", "consent-records", "retries"] {
        let table = Table::<&str>::new(name);
        for (key, json) in bare(transaction, table)? {
            if name != "meta" || key != LAYOUT_NAME {
                txn.put_json(table, key.as_str(), &json)?;
            }
        }
    }
    let samples = Table::<u64>::new("samples");
    for (place, json) in bare(transaction, samples)? {
        txn.put_json(samples, place, &json)?;
    }
    // It held plain numbers; the positions are now stored in a table of rows.
    let order = TableDefinition::<&str, u64>::new("samples-order");
    let places: Vec<(String, u64)> = transaction
        .open_table(order)?
        .iter()?
        .map(|entry| entry.map(|(id, place)| (id.value().to_owned(), place.value())))
        .collect::<Result<_, _>>()?;
    for (id, place) in places {
        txn.put(Table::<&str>::new("sample-places"), id.as_str(), &place)?;
    }
    transaction.delete_table(order)?;
    Ok(())
}

/// Migrates layout 2 to 3: until then there was one collector, from the host's settings.
fn name_collectors(transaction: &WriteTransaction, tagger: &Tagger) -> Result<(), StateError> {
    let txn = WriteTxn {
        transaction,
        tagger,
    };
    let host: Option<Value> = txn.value("host")?;
    let Some(Value::String(collector)) =
        host.and_then(|mut host| Some(host.get_mut("collector")?.take()))
    else {
        return Ok(());
    };
    let records = Table::<&str>::new("consent-records");
    for (record, mut row) in txn.all::<_, Value>(records)? {
        if row["offered"] == true {
            let known = ["registered", "registering", "withdrawal_due"];
            let known = known.map(|name| Some((name.to_owned(), row.get(name)?.clone())));
            let known = Value::from_iter(known.into_iter().flatten());
            row["collectors"] = Value::from_iter([(collector.clone(), known)]);
        }
        txn.put(records, record.as_str(), &row)?;
    }
    let samples = Table::<u64>::new("samples");
    for (place, mut row) in txn.all::<_, Value>(samples)? {
        if row["offered"] == true {
            row["collectors"] = json!([&collector]);
        }
        if row["state"] == "deletion-asked" {
            row["deletion_due"] = json!([&collector]);
        }
        txn.put(samples, place, &row)?;
    }
    Ok(())
}

/// A row of layout 1: its key and its JSON.
type Bare<K> = (<K as RowKey>::Owned, Vec<u8>);

/// The rows of a table of layout 1.
fn bare<K: RowKey>(
    transaction: &WriteTransaction,
    table: Table<K>,
) -> Result<Vec<Bare<K>>, StateError> {
    let rows = transaction.open_table(table.definition())?;
    let mut all = Vec::new();
    for entry in rows.iter()? {
        let (key, json) = entry?;
        all.push((K::owned(key.value()), json.value().to_vec()));
    }
    Ok(all)
}
