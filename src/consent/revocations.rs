//! Revocation records: withdrawals that are signed in advance and stored outside the store.
//!
//! For each consent record and collector, one small file holds the request that withdraws the
//! record, signed when the record was made. A withdrawal is marked in the file's *name*: a rename
//! needs no space on a full disk and no store, and it is the point of no return. So a withdrawal
//! survives a crash, a damaged store and a reset of the app; and the file can be used for nothing
//! but a withdrawal.
//!
//! A name is `RECORD.COLLECTOR.STAGE`: COLLECTOR is a tag of the URL of the collector that the
//! request is for; STAGE is `kept` before that collector can know the record, `offered` after, and
//! `heard` once it has acknowledged the request. The withdrawn purposes are appended:
//! `RECORD.COLLECTOR.offered.quality-assurance`. Version 0.1 left the collector out; there was one.

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use ring::digest::{SHA256, digest};

use crate::{
    endpoint::Endpoint,
    files, hex,
    id::Id,
    purpose::{Purpose, Purposes},
    state::{StateError, make_private_folder},
};

const FOLDER: &str = "slips";

/// The revocation records of one state folder.
pub(crate) struct RevocationRecords {
    folder: PathBuf,
    /// Held from reading the names to renaming: a name that another thread changes meanwhile would
    /// be missed.
    changing: Mutex<()>,
}

/// The content of a revocation record's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RevocationRecord {
    pub(crate) record: Id,
    /// The tag of its collector; `None` in version 0.1, which supported only one.
    collector: Option<String>,
    pub(crate) stage: Stage,
    /// The withdrawn purposes.
    pub(crate) revoked: Purposes,
}

/// The collector's knowledge of a consent record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The collector cannot know the consent record.
    Kept,
    /// It may.
    Offered,
    /// The collector has acknowledged the withdrawal. Stored as `heard`.
    Acknowledged,
}

impl RevocationRecords {
    pub(crate) fn open(state_folder: &Path) -> Result<Self, StateError> {
        let folder = state_folder.join(FOLDER);
        make_private_folder(&folder)?;
        Ok(Self {
            folder,
            changing: Mutex::default(),
        })
    }

    /// Whether a state folder has revocation records, even if its store is lost.
    pub(crate) fn exist(state_folder: &Path) -> bool {
        state_folder.join(FOLDER).is_dir()
    }

    /// Every revocation record. Other files in the folder are ignored.
    pub(crate) fn all(&self) -> Result<Vec<RevocationRecord>, StateError> {
        let unreadable = || StateError::io("read", &self.folder);
        let mut revocations = Vec::new();
        for file in fs::read_dir(&self.folder).map_err(unreadable())? {
            let name = file.map_err(unreadable())?.file_name();
            revocations.extend(name.to_str().and_then(RevocationRecord::parse));
        }
        Ok(revocations)
    }

    /// Stores the `request` that withdraws `record` from `collector`, unless there is one already.
    pub(crate) fn insert(
        &self,
        record: Id,
        collector: &Endpoint,
        stage: Stage,
        request: &[u8],
    ) -> Result<(), StateError> {
        let _changing = self.lock();
        let is_it = |revocation: &RevocationRecord| {
            revocation.record == record && revocation.is_for(collector)
        };
        if self.all()?.iter().any(is_it) {
            return Ok(());
        }
        let revocation = RevocationRecord {
            record,
            collector: Some(tag(collector)),
            stage,
            revoked: Purposes::default(),
        };
        let path = self.path(&revocation);
        files::write_durably(&path, request).map_err(StateError::io("write", &path))
    }

    /// `collector` may know `record` from now on.
    pub(crate) fn mark_offered(&self, record: Id, collector: &Endpoint) -> Result<(), StateError> {
        self.update(
            |revocation| {
                revocation.record == record
                    && revocation.is_for(collector)
                    && revocation.stage == Stage::Kept
            },
            |revocation| revocation.stage = Stage::Offered,
        )
    }

    /// `collector` has acknowledged that `record` is withdrawn as a whole.
    pub(crate) fn mark_acknowledged(
        &self,
        record: Id,
        collector: &Endpoint,
    ) -> Result<(), StateError> {
        self.update(
            |revocation| {
                revocation.record == record
                    && revocation.is_for(collector)
                    && revocation.stage == Stage::Offered
            },
            |revocation| revocation.stage = Stage::Acknowledged,
        )
    }

    /// `collector` may have lost what it acknowledged.
    pub(crate) fn mark_unacknowledged(&self, collector: &Endpoint) -> Result<(), StateError> {
        self.update(
            |revocation| revocation.is_for(collector) && revocation.stage == Stage::Acknowledged,
            |revocation| revocation.stage = Stage::Offered,
        )
    }

    /// Marks the purposes that `revoked` returns for each record as withdrawn: the point of no
    /// return.
    pub(crate) fn revoke(&self, revoked: impl Fn(Id) -> Purposes) -> Result<(), StateError> {
        self.update(
            |revocation| !revoked(revocation.record).is_subset(&revocation.revoked),
            |revocation| revocation.revoked = revocation.revoked.union(&revoked(revocation.record)),
        )
    }

    /// The stored request; `None` if another thread has just removed it.
    pub(crate) fn request(
        &self,
        revocation: &RevocationRecord,
    ) -> Result<Option<Vec<u8>>, StateError> {
        let path = self.path(revocation);
        match fs::read(&path) {
            Ok(request) => Ok(Some(request)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StateError::io("read", &path)(error)),
        }
    }

    /// Removes the revocation records for which `selects` returns true.
    pub(crate) fn remove(
        &self,
        selects: impl Fn(&RevocationRecord) -> bool,
    ) -> Result<(), StateError> {
        let _changing = self.lock();
        let all = self.all()?;
        let selected = all.iter().filter(|revocation| selects(revocation));
        files::shred_all(selected.map(|revocation| self.path(revocation)));
        Ok(())
    }

    fn update(
        &self,
        which: impl Fn(&RevocationRecord) -> bool,
        change: impl Fn(&mut RevocationRecord),
    ) -> Result<(), StateError> {
        let _changing = self.lock();
        for revocation in self.all()?.into_iter().filter(which) {
            let from = self.path(&revocation);
            let mut changed = revocation;
            change(&mut changed);
            let renamed = files::rename(&from, &self.path(&changed));
            renamed.map_err(StateError::io("rename", &from))?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, revocation: &RevocationRecord) -> PathBuf {
        self.folder.join(revocation.name())
    }
}

impl RevocationRecord {
    /// Whether every purpose that the record could hold is withdrawn.
    pub(crate) fn is_fully_revoked(&self) -> bool {
        self.revoked.len() == Purpose::ALL.len()
    }

    /// Whether it is for `collector`.
    pub(crate) fn is_for(&self, collector: &Endpoint) -> bool {
        self.collector
            .as_ref()
            .is_none_or(|known| *known == tag(collector))
    }

    fn name(&self) -> String {
        let mut parts = vec![self.record.to_string()];
        parts.extend(self.collector.clone());
        parts.push(self.stage.name().to_owned());
        if !self.revoked.is_empty() {
            let revoked: Vec<&str> = self.revoked.iter().map(Purpose::as_str).collect();
            parts.push(revoked.join("+"));
        }
        parts.join(".")
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('.').peekable();
        let record = parts.next()?.parse().ok()?;
        let collector = parts.next_if(|part| is_tag(part)).map(str::to_owned);
        let stage = Stage::parse(parts.next()?)?;
        let revoked = match parts.next() {
            None => Purposes::default(),
            Some(list) => list.replace('+', ",").parse().ok()?,
        };
        parts.next().is_none().then_some(Self {
            record,
            collector,
            stage,
            revoked,
        })
    }
}

impl Stage {
    const ALL: [Self; 3] = [Self::Kept, Self::Offered, Self::Acknowledged];

    fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Offered => "offered",
            Self::Acknowledged => "heard",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// Digits of the SHA-256 of a collector's URL: enough to distinguish the few collectors that a
/// device ever used.
const TAG_DIGITS: usize = 12;

fn tag(collector: &Endpoint) -> String {
    let sha256 = digest(&SHA256, collector.to_string().as_bytes());
    let mut tag = hex::encode(sha256.as_ref());
    tag.truncate(TAG_DIGITS);
    tag
}

fn is_tag(part: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    part.len() == TAG_DIGITS && part.bytes().all(is_digit)
}
