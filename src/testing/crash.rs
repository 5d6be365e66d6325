//! Crashes at a chosen write, for tests.
//!
//! On the thread of a test, from the chosen step on nothing is written to the store or to any
//! file, until the test restarts the device. Unsynced writes to the store
//! may be lost then, as after a power cut.

use std::{
    cell::{Cell, RefCell},
    fs::{File, OpenOptions},
    io,
    ops::Bound,
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{BackendError, DatabaseError, StorageBackend, backends::FileBackend};

thread_local! {
    static STEPS_LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    /// Unsynced writes, oldest first; `None` unless a test wants power cuts.
    static UNSYNCED: RefCell<Option<Vec<Unsynced>>> = const { RefCell::new(None) };
}

/// A write that a power cut undoes: a store is a megabyte, and what is written between two syncs a few pages.
struct Unsynced {
    path: PathBuf,
    /// A separate handle without a lock: the store's may be closed, or its name taken by another file.
    file: Arc<FileBackend>,
    length: u64,
    offset: u64,
    overwritten: Vec<u8>,
}

impl Unsynced {
    fn undo(&self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.write(self.offset, &self.overwritten)
    }
}

/// From the `steps`-th write on, counted from now, nothing is written on this thread.
pub(crate) fn after(steps: u32) {
    STEPS_LEFT.set(Some(steps));
}

/// Whether the crash has happened.
pub(crate) fn has_come() -> bool {
    STEPS_LEFT.get() == Some(0)
}

/// Records unsynced writes, so that [`restart`] can discard them.
pub(crate) fn with_power_cuts() {
    UNSYNCED.set(Some(Vec::new()));
}

/// Restarts the device: writes succeed again. After a crash, `loses_power` discards the writes that were not
/// synced to the store.
pub(crate) fn restart(loses_power: bool) {
    let has_crashed = has_come();
    STEPS_LEFT.set(None);
    if has_crashed && loses_power {
        UNSYNCED.with_borrow_mut(|unsynced| {
            for write in unsynced
                .iter_mut()
                .flat_map(|unsynced| unsynced.drain(..).rev())
            {
                write.undo().unwrap();
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
    /// A second handle of the file, which undoes its writes.
    undo: Arc<FileBackend>,
    path: PathBuf,
}

impl Backend {
    pub(crate) fn open(path: &Path) -> Result<Self, DatabaseError> {
        Ok(Self {
            file: FileBackend::new(open(path)?)?,
            undo: Arc::new(FileBackend::new(open(path)?)?),
            path: path.to_owned(),
        })
    }

    /// Records the `length` bytes from `offset` on, which are about to be overwritten or cut off.
    fn will_change(&self, offset: u64, length: u64) -> io::Result<()> {
        UNSYNCED.with_borrow_mut(|unsynced| {
            let Some(unsynced) = unsynced else {
                return Ok(());
            };
            let whole = self.file.len()?;
            let end = whole.min(offset.saturating_add(length));
            let mut overwritten = vec![0; end.saturating_sub(offset) as usize];
            if !overwritten.is_empty() {
                self.file.read(offset, &mut overwritten)?;
            }
            unsynced.push(Unsynced {
                path: self.path.clone(),
                file: Arc::clone(&self.undo),
                length: whole,
                offset: offset.min(whole),
                overwritten,
            });
            Ok(())
        })
    }
}

fn open(path: &Path) -> Result<File, redb::StorageError> {
    let mut options = OpenOptions::new();
    let file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    file.map_err(redb::StorageError::Io)
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
        self.will_change(len, u64::MAX)?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        step()?;
        self.file.sync_data()?;
        UNSYNCED.with_borrow_mut(|unsynced| {
            if let Some(unsynced) = unsynced {
                unsynced.retain(|write| write.path != self.path);
            }
        });
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        step()?;
        self.will_change(offset, data.len() as u64)?;
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
