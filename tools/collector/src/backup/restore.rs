//! Restoring a backup.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use sordino::{Id, Week};

use super::{
    BackupError, FORMAT, Heading, SampleObject, Line, MANIFEST, Manifest, OBJECTS, Reason, TABLES, Tables,
    incomplete,
};
use crate::{
    config::{Config, DatabaseUrl},
    database::{Database, DeletedSamples, Session, Table},
    digest::Sha256,
    storage::Storage,
};

/// How far numbers go on beyond the last one in the backup: farther than any were given since. A
/// cursor of JSON holds up to 2^53, so that there is room for two million restores.
const SEQUENCE_GAP: i64 = 1 << 32;

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoreReport {
    /// The week in which the backup was made.
    pub week: Week,
    /// Samples that are held now.
    pub samples: u64,
    /// Samples of the backup that were deleted since.
    pub deleted: u64,
    /// Whether deletions were taken over from the old database.
    pub deletions_known: bool,
}

/// Restores a backup from the folder `from` into an empty database, all of it or nothing; with
/// `deletions_from`, the database that the backup was made of, nothing deleted since comes back. No
/// collector may run there meanwhile.
///
/// # Errors
/// A backup that is not whole or of another version, a database that is not empty, an old database
/// that is another one, places that cannot be used. The database stays empty then.
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

/// A backup that was found whole.
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
                return Err(incomplete(folder, "its last file, backup.json, is not there"));
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
            return Err(incomplete(folder, "tables.jsonl is not the one that was written"));
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
        // All of it is looked at before anything is written.
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
            false => Err(incomplete(&self.folder, format!("{name} has other bytes"))),
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
            // It may be the very place that the backup was made of.
            let lying = self.blob_store.read(held.name).await?;
            if lying.is_none_or(|lying| lying != bytes) {
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
                .map_err(|_| incomplete(&backup.folder, "an id is none"))?;
            if let Some(owner) = session.owner(id).await? {
                // Only its own record can have been found.
                let _ = session.delete_sample(id, owner).await?;
            }
        }
        if let Some(old) = old {
            session.import_deletions(&mut old.read().await?).await?;
        }
        session.grow_tree().await?;
        let samples = session.count_samples().await?;
        session.commit().await?;
        // What the backup does not know is told once more by whoever said it.
        self.epoch.renew(&self.database).await?;
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
                        incomplete(
                            &backup.folder,
                            format!("the table {} is not known", heading.table),
                        )
                    })?;
                    counters.extend(heading.counter.map(|last| (table.clone(), last)));
                    current = Some(table);
                }
                (Line::Row(row), Some(table)) if row.len() == table.columns.len() => {
                    session.insert_row(table, &row).await?;
                }
                _ => return Err(incomplete(&backup.folder, "a row is none of a table")),
            }
        }
        for (table, last) in counters {
            let last = last.saturating_add(SEQUENCE_GAP);
            self.database.set_counter(session, &table, last).await?;
        }
        Ok(())
    }
}

/// The database's table of that name, its columns in the order of the backup.
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
