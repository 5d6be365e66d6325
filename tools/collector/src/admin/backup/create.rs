//! Creates a backup.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::Path,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;

use super::{
    BackupError, FORMAT, Heading, MANIFEST, Manifest, OBJECTS, Reason, SampleObject, TABLES, Tables,
};
use crate::{
    blob_store::create_private, config::Config, dates::this_week, digest::Sha256, storage::Storage,
};

/// The number of concurrent copies, because a bucket has a high latency.
const CONCURRENT_COPIES: usize = 8;

/// The content of a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BackupReport {
    /// Samples with their objects.
    pub samples: u64,
    /// Bytes of objects.
    pub bytes: u64,
    /// Samples that were deleted during the backup.
    pub deleted: BTreeSet<String>,
    /// Samples whose object was already missing or damaged.
    pub lost: BTreeSet<String>,
}

/// Writes a backup to the folder `out`, which is created. Collectors may be running.
///
/// # Errors
/// The folder is not empty, or the database, the object storage or the disk failed. Partial output is removed.
pub async fn back_up(config: &Config, out: &Path) -> Result<BackupReport, BackupError> {
    let storage = Storage::open(config).await.map_err(Reason::from)?;
    let back_up = async |storage: &Storage| storage.back_up(out).await;
    Ok(storage.run_and_close(back_up).await?)
}

/// The result of copying an object.
enum Copied {
    Whole(u64),
    Deleted(String),
    Lost(String),
}

impl Storage {
    async fn back_up(&self, out: &Path) -> Result<BackupReport, Reason> {
        let failed = |error| Reason::File(out.to_owned(), error);
        create_private(out).map_err(failed)?;
        if fs::read_dir(out).map_err(failed)?.next().is_some() {
            return Err(Reason::FolderNotEmpty(out.to_owned()));
        }
        let written = self.back_up_into(out).await;
        if written.is_err() {
            // Allows a retry of the same command; the folder was empty before.
            let _ = fs::remove_dir_all(out.join(OBJECTS));
            for file in [TABLES, MANIFEST] {
                let _ = fs::remove_file(out.join(file));
            }
        }
        written
    }

    async fn back_up_into(&self, out: &Path) -> Result<BackupReport, Reason> {
        let failed = |error| Reason::File(out.to_owned(), error);
        let objects = out.join(OBJECTS);
        create_private(&objects).map_err(failed)?;
        let tables = out.join(TABLES);
        let schema = self.write_tables(&tables).await?;

        let (held, digest) = Tables::open(&tables)?.sample_objects()?;
        let mut report = BackupReport::default();
        let mut copies = stream::iter(held)
            .map(|held| self.copy(held, &objects))
            .buffer_unordered(CONCURRENT_COPIES);
        while let Some(copied) = copies.try_next().await? {
            match copied {
                Copied::Whole(bytes) => {
                    report.samples += 1;
                    report.bytes += bytes;
                }
                Copied::Deleted(id) => drop(report.deleted.insert(id)),
                Copied::Lost(id) => drop(report.lost.insert(id)),
            }
        }
        drop(copies);
        sync_folder(&objects).map_err(failed)?;

        let manifest = Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            schema,
            week: this_week(),
            tables: digest.to_string(),
            deleted: report.deleted.clone(),
            lost: report.lost.clone(),
        };
        let manifest = serde_json::to_vec_pretty(&manifest).map_err(io::Error::from);
        let written = manifest.and_then(|json| write_private(&out.join(MANIFEST), &json));
        written.and_then(|()| sync_folder(out)).map_err(failed)?;
        Ok(report)
    }

    /// Writes a consistent snapshot of all tables and returns the number of the last migration.
    async fn write_tables(&self, path: &Path) -> Result<i64, Reason> {
        let failed = |error: io::Error| Reason::File(path.to_owned(), error);
        let mut file = BufWriter::new(create_file(path).map_err(failed)?);
        let mut session = self.database.read().await?;
        for table in self.database.tables(&mut session).await? {
            let counter = match table.is_numbered {
                true => Some(self.database.counter(&mut session, &table).await?),
                false => None,
            };
            let heading = Heading {
                table: table.name.clone(),
                columns: table.columns.clone(),
                counter,
            };
            write_line(&mut file, &heading).map_err(failed)?;
            let row = |row| write_line(&mut file, &row).map_err(failed);
            session.dump(&table, row).await?;
        }
        let schema = session.schema().await?;
        let file = file
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        Ok(schema)
    }

    async fn copy(&self, held: SampleObject, folder: &Path) -> Result<Copied, Reason> {
        let id = held.name.sample.to_string();
        let bytes = self.blob_store.read(held.name).await?;
        let Some(bytes) = bytes.filter(|bytes| Sha256::digest(bytes) == held.sha256) else {
            let mut session = self.database.read().await?;
            let orphans = session.without_row(&[held.name]).await?;
            return Ok(match orphans.is_empty() {
                true => Copied::Lost(id),
                false => Copied::Deleted(id),
            });
        };
        let path = folder.join(held.name.to_string());
        let size = bytes.len() as u64;
        let written = tokio::task::spawn_blocking(move || {
            write_private(&path, &bytes).map_err(|error| Reason::File(path, error))
        });
        written
            .await
            .map_err(|error| Reason::File(folder.to_owned(), io::Error::other(error)))??;
        Ok(Copied::Whole(size))
    }
}

fn write_line(file: &mut impl io::Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *file, line)?;
    file.write_all(b"\n")
}

fn create_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create_file(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the directory entries of a folder durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
