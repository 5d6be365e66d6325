//! Crashes at a chosen write, for tests.
//!
//! On the thread of a test, from the chosen step on nothing is written any more, to the store or to any
//! file, until the test says that the device starts anew. What was written to the store and not synced
//! may be lost then, as after a power cut.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io,
    ops::Bound,
    path::{Path, PathBuf},
};

use redb::{BackendError, DatabaseError, StorageBackend, backends::FileBackend};

thread_local! {
    static STEPS_LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    /// Stores as they were when last synced, where a test wants power cuts.
    static SYNCED: RefCell<Option<BTreeMap<PathBuf, Vec<u8>>>> = const { RefCell::new(None) };
}

/// From the `steps`-th write on, counted from now, nothing is written on this thread.
pub(crate) fn after(steps: u32) {
    STEPS_LEFT.set(Some(steps));
}

/// Whether the crash has come.
pub(crate) fn has_come() -> bool {
    STEPS_LEFT.get() == Some(0)
}

/// Remembers what was synced, so that [`restart`] can lose the rest.
pub(crate) fn with_power_cuts() {
    SYNCED.set(Some(BTreeMap::new()));
}

/// The device starts anew: all can be written. After a crash, `loses_power` takes back what was not
/// synced to the store.
pub(crate) fn restart(loses_power: bool) {
    let has_crashed = has_come();
    STEPS_LEFT.set(None);
    if has_crashed && loses_power {
        SYNCED.with_borrow(|synced| {
            for (path, bytes) in synced.iter().flatten() {
                if path.exists() {
                    fs::write(path, bytes).unwrap();
                }
            }
        });
    }
}

/// One write.
pub(crate) fn step() -> io::Result<()> {
    match STEPS_LEFT.get() {
        None => Ok(()),
        Some(0) => Err(io::Error::other("the device has crashed")),
        Some(left) => {
            STEPS_LEFT.set(Some(left - 1));
            match left {
                1 => step(),
                _ => Ok(()),
            }
        }
    }
}

/// The store's file, whose writes count as steps.
#[derive(Debug)]
pub(crate) struct Backend {
    file: FileBackend,
    path: PathBuf,
}

impl Backend {
    pub(crate) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = file.map_err(redb::StorageError::Io)?;
        Ok(Self {
            file: FileBackend::new(file)?,
            path: path.to_owned(),
        })
    }
}

type Range = Bound<u64>;

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        step()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        step()?;
        SYNCED.with_borrow_mut(|synced| {
            if let Some(synced) = synced {
                let bytes = fs::read(&self.path)?;
                synced.insert(self.path.clone(), bytes);
            }
            Ok::<_, io::Error>(())
        })?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        step()?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Range, end: Range) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Range, end: Range) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Range, end: Range) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Range, end: Range) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Range, end: Range) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Range, end: Range) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
