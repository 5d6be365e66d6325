//! Restores a backup.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use sordino::{Id, Week};

use super::{
    BackupError, FORMAT, Heading, Line, MANIFEST, Manifest, OBJECTS, Reason, SampleObject, TABLES,
    Tables, incomplete,
};
use crate::{
    config::{Config, DatabaseUrl},
    database::{Database, DeletedSamples, Session, Table},
    digest::Sha256,
    storage::{Storage, error::StorageError},
};

/// The gap that is added to sequence numbers, larger than the number of rows since the backup. JSON cursors hold up to
/// 2^53, which is enough for two million restores.
const SEQUENCE_GAP: i64 = 1 << 32;

/// The result of a restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoreReport {
    /// The week of the backup.
    pub week: Week,
    /// The number of restored samples.
    pub samples: u64,
    /// The number of samples in the backup that have been deleted since.
    pub deleted: u64,
    /// Whether deletions were imported from the old database.
    pub deletions_known: bool,
}

/// Restores a backup from the folder `from` into an empty database, in one transaction. With `deletions_from`, the
/// original database, samples that were deleted since are not restored. No collector may be running on the database.
///
/// # Errors
/// The backup is incomplete or of another version, the database is not empty, the old database is a different one, or
/// the database or the object storage failed. The database then stays empty.
pub async fn restore(
    config: &Config,
    from: &Path,
    deletions_from: Option<&DatabaseUrl>,
) -> Result<RestoreReport, BackupError> {
    let backup = Backup::open(from)?;
    let old = match deletions_from {
        None => None,
        Some(DatabaseUrl::Sqlite(path)) if !path.exists() => {
            return Err(Reason::NoOldDatabase(path.clone()).into());
        }
        Some(url) => Some(Database::open(url).await.map_err(Reason::from)?),
    };
    let storage = Storage::open(config).await.map_err(Reason::from)?;
    let restore = async |storage: &Storage| storage.restore(&backup, old.as_ref()).await;
    let report = storage.run_and_close(restore).await;
    if let Some(old) = old {
        old.close().await;
    }
    Ok(report?)
}

/// A verified backup.
struct Backup {
    folder: PathBuf,
    manifest: Manifest,
    held: Vec<SampleObject>,
}

impl Backup {
    fn open(folder: &Path) -> Result<Self, Reason> {
        let path = folder.join(MANIFEST);
        let manifest = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(incomplete(
                    folder,
                    "backup.json, which is written last, is missing",
                ));
            }
            read => read.map_err(|error| Reason::File(path, error))?,
        };
        let manifest: Manifest = serde_json::from_slice(&manifest)
            .map_err(|error| incomplete(folder, format!("backup.json: {error}")))?;
        if manifest.format != FORMAT {
            return Err(Reason::OtherVersion(manifest.version));
        }
        let (mut held, digest) = Tables::open(&folder.join(TABLES))?.sample_objects()?;
        if digest.to_string() != manifest.tables {
            return Err(incomplete(
                folder,
                "the digest of tables.jsonl does not match",
            ));
        }
        held.retain(|held| {
            let id = held.name.sample.to_string();
            !manifest.deleted.contains(&id) && !manifest.lost.contains(&id)
        });
        let backup = Self {
            folder: folder.to_owned(),
            manifest,
            held,
        };
        // All objects are verified before anything is written.
        for held in &backup.held {
            backup.object(held)?;
        }
        Ok(backup)
    }

    fn object(&self, held: &SampleObject) -> Result<Vec<u8>, Reason> {
        let name = held.name.to_string();
        let bytes = fs::read(self.folder.join(OBJECTS).join(&name))
            .map_err(|error| incomplete(&self.folder, format!("{name}: {error}")))?;
        match Sha256::digest(&bytes) == held.sha256 {
            true => Ok(bytes),
            false => Err(incomplete(
                &self.folder,
                format!("the digest of {name} does not match"),
            )),
        }
    }
}

impl Storage {
    async fn restore(
        &self,
        backup: &Backup,
        old: Option<&Database>,
    ) -> Result<RestoreReport, Reason> {
        let mut session = self.database.read().await?;
        if session.schema().await? != backup.manifest.schema {
            return Err(Reason::OtherVersion(backup.manifest.version.clone()));
        }
        let tables = self.database.tables(&mut session).await?;
        ensure_empty(&mut session, &tables).await?;
        drop(session);
        for held in &backup.held {
            let bytes = backup.object(held)?;
            // The storage may be the one that was backed up.
            let stored = self.blob_store.read(held.name).await?;
            if stored.is_none_or(|stored| stored != bytes) {
                self.blob_store.restore(held.name, &bytes).await?;
            }
        }

        let mut session = self.database.write().await?;
        ensure_empty(&mut session, &tables).await?;
        self.insert_tables(&mut session, backup, &tables).await?;
        let before = session.count_samples().await?;
        for id in &backup.manifest.deleted {
            let id: Id = id
                .parse()
                .map_err(|_| incomplete(&backup.folder, "it contains an invalid id"))?;
            if let Some(owner) = session.owner(id).await? {
                // The owner was just looked up, so this cannot be refused.
                let _ = session.delete_sample(id, owner).await?;
            }
        }
        if let Some(old) = old {
            session.import_deletions(&mut old.read().await?).await?;
        }
        session.grow_tree().await?;
        let samples = session.count_samples().await?;
        session.commit().await?;
        // In a new epoch, devices repeat what is not in the backup.
        let renewed = self.epoch.renew(&self.database).await;
        renewed.map_err(StorageError::from)?;
        self.remove_deleted(DeletedSamples::All).await?;
        Ok(RestoreReport {
            week: backup.manifest.week,
            samples,
            deleted: before - samples,
            deletions_known: old.is_some(),
        })
    }

    async fn insert_tables(
        &self,
        session: &mut Session,
        backup: &Backup,
        tables: &[Table],
    ) -> Result<(), Reason> {
        let mut lines = Tables::open(&backup.folder.join(TABLES))?;
        let (mut current, mut counters) = (None, Vec::new());
        while let Some(line) = lines.next()? {
            match (line, &current) {
                (Line::Heading(heading), _) => {
                    let table = matching_table(&heading, tables);
                    let table = table.ok_or_else(|| {
                        incomplete(&backup.folder, format!("unknown table {}", heading.table))
                    })?;
                    counters.extend(heading.counter.map(|last| (table.clone(), last)));
                    current = Some(table);
                }
                (Line::Row(row), Some(table)) if row.len() == table.columns.len() => {
                    session.insert_row(table, &row).await?;
                }
                _ => return Err(incomplete(&backup.folder, "a row does not match its table")),
            }
        }
        for (table, last) in counters {
            let last = last.saturating_add(SEQUENCE_GAP);
            self.database.set_counter(session, &table, last).await?;
        }
        Ok(())
    }
}

/// The table of that name in the database, with its columns in the order of the backup.
fn matching_table(heading: &Heading, tables: &[Table]) -> Option<Table> {
    let table = tables.iter().find(|table| table.name == heading.table)?;
    let sorted = |columns: &[String]| columns.iter().cloned().collect::<BTreeSet<_>>();
    (sorted(&table.columns) == sorted(&heading.columns)).then(|| Table {
        columns: heading.columns.clone(),
        ..table.clone()
    })
}

async fn ensure_empty(session: &mut Session, tables: &[Table]) -> Result<(), Reason> {
    for table in tables {
        if !session.is_empty(table).await? {
            return Err(Reason::DatabaseNotEmpty);
        }
    }
    Ok(())
}
