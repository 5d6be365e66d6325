//! The files of the state folder, readable by their owner only.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use redb::Database;

use super::StateError;
use crate::rng;

/// The size of redb's cache. The whole store is a few hundred kilobytes.
const CACHE_BYTES: usize = 1 << 20;
pub(super) const STORE: &str = "state.redb";
/// The store while it is being created.
const UNFINISHED: &str = "state.new";
pub(super) const KEY: &str = "state.key";
const KEY_BYTES: usize = 32;

/// Opens the store in `folder` and creates it if there is none. A modified store is refused.
pub(super) fn open_store(folder: &Path) -> Result<Database, StateError> {
    let path = folder.join(STORE);
    // An earlier version leaves an empty file after a crash.
    if fs::metadata(&path).map_or(true, |store| store.len() == 0) {
        // Under another name until it is complete: a partial store would look like a damaged one.
        let unfinished = folder.join(UNFINISHED);
        crate::files::destroy(&unfinished).map_err(StateError::io("remove", &unfinished))?;
        make_private_file(&unfinished)?;
        drop(open_file(folder, &unfinished)?);
        crate::files::rename(&unfinished, &path).map_err(StateError::io("make", &path))?;
    }
    open_file(folder, &path)
}

fn open_file(folder: &Path, path: &Path) -> Result<Database, StateError> {
    let open = || -> Result<Database, StateError> {
        let mut builder = redb::Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        builder.set_check_integrity_on_open(true);
        create(&builder, path).map_err(|error| opening_failed(folder, path, error))
    };
    let damaged = || StateError::Damaged(format!("{} does not hold together", path.display()));
    // redb trusts its pages, and may panic on a corrupt one.
    catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| Err(damaged()))
}

#[cfg(not(test))]
fn create(builder: &redb::Builder, path: &Path) -> Result<Database, redb::DatabaseError> {
    builder.create(path)
}

/// In tests a crash can happen at every write of the store.
#[cfg(test)]
fn create(builder: &redb::Builder, path: &Path) -> Result<Database, redb::DatabaseError> {
    builder.create_with_backend(crate::testing::crash::Backend::open(path)?)
}

fn opening_failed(folder: &Path, path: &Path, error: redb::DatabaseError) -> StateError {
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => StateError::InUse(folder.to_owned()),
        // Not a store at all.
        redb::DatabaseError::Storage(redb::StorageError::Io(error))
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            StateError::Damaged(format!("{}: {error}", path.display()))
        }
        redb::DatabaseError::Storage(redb::StorageError::Io(error)) => StateError::Io {
            action: "open",
            path: path.to_owned(),
            error,
        },
        redb::DatabaseError::Storage(redb::StorageError::Corrupted(reason)) => {
            StateError::Damaged(format!("{}: {reason}", path.display()))
        }
        error => StateError::Store(Box::new(error.into())),
    }
}

/// The key of the rows' tags, created if the store is new or of layout 1, which had none.
pub(super) fn tag_key(folder: &Path) -> Result<Vec<u8>, StateError> {
    let path = folder.join(KEY);
    match fs::read(&path) {
        Ok(key) if key.len() == KEY_BYTES => Ok(key),
        Ok(_) => Err(StateError::Damaged(format!(
            "{} is not {KEY_BYTES} bytes long",
            path.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = rng::bytes::<KEY_BYTES>().map_err(|error| StateError::Io {
                action: "make",
                path: path.clone(),
                error: io::Error::other(error),
            })?;
            crate::files::write_durably(&path, &key).map_err(StateError::io("write", &path))?;
            Ok(key.to_vec())
        }
        Err(error) => Err(StateError::io("read", &path)(error)),
    }
}

/// Creates a folder that only its owner can access.
pub(crate) fn make_private_folder(folder: &Path) -> Result<(), StateError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(StateError::io("make the folder", folder))
}

/// Creates a file that only its owner can read: another user may have created the folder, with
/// access for all.
fn make_private_file(path: &Path) -> Result<(), StateError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(StateError::io("make", path))?;
    Ok(())
}
