//! Slips: a "no" that is ready before it is needed, beside the store.
//!
//! For each record one small file holds the request that withdraws it, signed when the record was made.
//! That the person says no is noted in the file's *name*: a rename needs no room on a full disk and no
//! store, and it is the instant from which there is no way back. So a "no" outlives a crash, a damaged
//! store and a reset of the app; and a slip can say nothing but no.
//!
//! A name is `RECORD.kept` before the collector can know the record, `RECORD.offered` after, with the
//! purposes that were refused behind it: `RECORD.offered.quality-assurance`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    files,
    id::Id,
    purpose::{Purpose, Purposes},
    state::{StateError, make_private_folder},
};

const FOLDER: &str = "slips";

/// The slips of one state folder.
pub(crate) struct Slips {
    folder: PathBuf,
    /// Held from reading the names to changing them: a name that another thread changes meanwhile would
    /// be missed.
    changing: Mutex<()>,
}

/// What a slip's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slip {
    pub(crate) record: Id,
    /// Whether the collector may know the record.
    pub(crate) offered: bool,
    /// What the person said no to.
    pub(crate) refused: Purposes,
}

impl Slips {
    pub(crate) fn open(state_folder: &Path) -> Result<Self, StateError> {
        let folder = state_folder.join(FOLDER);
        make_private_folder(&folder)?;
        Ok(Self {
            folder,
            changing: Mutex::default(),
        })
    }

    /// Whether there are slips in a state folder, whatever became of its store.
    pub(crate) fn exist(state_folder: &Path) -> bool {
        state_folder.join(FOLDER).is_dir()
    }

    /// Every slip. What else lies in the folder is none.
    pub(crate) fn all(&self) -> Result<Vec<Slip>, StateError> {
        let unreadable = || StateError::io("read", &self.folder);
        let mut slips = Vec::new();
        for file in fs::read_dir(&self.folder).map_err(unreadable())? {
            let name = file.map_err(unreadable())?.file_name();
            slips.extend(name.to_str().and_then(Slip::named));
        }
        Ok(slips)
    }

    /// Keeps the `request` that withdraws `record`, unless there is a slip for it.
    pub(crate) fn keep(&self, record: Id, offered: bool, request: &[u8]) -> Result<(), StateError> {
        let _changing = self.lock();
        if self.all()?.iter().any(|slip| slip.record == record) {
            return Ok(());
        }
        let slip = Slip {
            record,
            offered,
            refused: Purposes::default(),
        };
        let path = self.path(&slip);
        files::write_durably(&path, request).map_err(StateError::io("write", &path))
    }

    /// The collector may know `record` from now on.
    pub(crate) fn offered(&self, record: Id) -> Result<(), StateError> {
        self.change(
            |slip| slip.record == record && !slip.offered,
            |slip| slip.offered = true,
        )
    }

    /// The person says no to what `refused` names of each record: the point of no return.
    pub(crate) fn refuse(&self, refused: impl Fn(Id) -> Purposes) -> Result<(), StateError> {
        self.change(
            |slip| !refused(slip.record).is_subset(&slip.refused),
            |slip| slip.refused = slip.refused.union(&refused(slip.record)),
        )
    }

    /// The request that withdraws `slip`'s record; `None` where another thread has just removed it.
    pub(crate) fn request(&self, slip: &Slip) -> Result<Option<Vec<u8>>, StateError> {
        let path = self.path(slip);
        match fs::read(&path) {
            Ok(request) => Ok(Some(request)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StateError::io("read", &path)(error)),
        }
    }

    /// Forgets the slips that `goes` names: what they say was heard, or need not be said.
    pub(crate) fn remove(&self, goes: impl Fn(&Slip) -> bool) -> Result<(), StateError> {
        let _changing = self.lock();
        let all = self.all()?;
        let gone = all.iter().filter(|slip| goes(slip));
        files::shred_all(gone.map(|slip| self.path(slip)));
        Ok(())
    }

    fn change(
        &self,
        which: impl Fn(&Slip) -> bool,
        change: impl Fn(&mut Slip),
    ) -> Result<(), StateError> {
        let _changing = self.lock();
        for slip in self.all()?.into_iter().filter(which) {
            let from = self.path(&slip);
            let mut changed = slip;
            change(&mut changed);
            let renamed = files::rename(&from, &self.path(&changed));
            renamed.map_err(StateError::io("rename", &from))?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, slip: &Slip) -> PathBuf {
        self.folder.join(slip.name())
    }
}

impl Slip {
    /// Whether the person said no to all that the record could hold.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.len() == Purpose::ALL.len()
    }

    fn name(&self) -> String {
        let stage = if self.offered { "offered" } else { "kept" };
        let refused: Vec<&str> = self.refused.iter().map(Purpose::as_str).collect();
        match refused.is_empty() {
            true => format!("{}.{stage}", self.record),
            false => format!("{}.{stage}.{}", self.record, refused.join("+")),
        }
    }

    fn named(name: &str) -> Option<Self> {
        let mut parts = name.splitn(3, '.');
        let record = parts.next()?.parse().ok()?;
        let offered = match parts.next()? {
            "kept" => false,
            "offered" => true,
            _ => return None,
        };
        let refused = match parts.next() {
            None => Purposes::default(),
            Some(list) => list.replace('+', ",").parse().ok()?,
        };
        Some(Self {
            record,
            offered,
            refused,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{QA, RESEARCH, both};

    fn refusals() -> impl Strategy<Value = Purposes> {
        prop::sample::select(vec![
            Purposes::default(),
            QA.into(),
            RESEARCH.into(),
            both(),
        ])
    }

    proptest! {
        #[test]
        fn a_slip_is_read_back_from_its_name(id: u128, offered: bool, refused in refusals()) {
            let record = format!("{id:032x}").parse().unwrap();
            let slip = Slip { record, offered, refused };
            prop_assert_eq!(Slip::named(&slip.name()), Some(slip));
        }

        #[test]
        fn any_other_name_is_no_slip_and_no_panic(name in ".{0,60}") {
            if let Some(slip) = Slip::named(&name) {
                prop_assert_eq!(Slip::named(&slip.name()), Some(slip));
            }
        }
    }

    #[test]
    fn threads_that_change_slips_at_once_lose_no_refusal() {
        for _ in 0..test_tiers::sized(20, 2_000) {
            let folder = crate::testing::folder();
            let slips = Slips::open(folder.path()).unwrap();
            let record = Id::random().unwrap();
            slips.keep(record, false, b"no").unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| slips.offered(record).unwrap());
                scope.spawn(|| slips.refuse(|_| QA.into()).unwrap());
                scope.spawn(|| slips.refuse(|_| RESEARCH.into()).unwrap());
            });
            let slip = slips.all().unwrap().pop().unwrap();
            assert!(slip.offered && slip.is_refused());
        }
    }

    #[test]
    fn a_refusal_stands_beside_what_was_refused_before() {
        let folder = crate::testing::folder();
        let slips = Slips::open(folder.path()).unwrap();
        let record = Id::random().unwrap();
        slips.keep(record, false, b"no").unwrap();
        slips.refuse(|_| QA.into()).unwrap();
        slips.offered(record).unwrap();
        slips.refuse(|_| RESEARCH.into()).unwrap();
        let slip = slips.all().unwrap().pop().unwrap();
        assert!(slip.offered && slip.is_refused());
        assert_eq!(slips.request(&slip).unwrap().unwrap(), b"no");
        slips.remove(|slip| slip.record == record).unwrap();
        assert!(slips.all().unwrap().is_empty());
    }
}
