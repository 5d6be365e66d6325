//! Backups that are restored, another collector, a reset.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use tempfile::TempDir;

use super::{World, done};
use crate::{
    Event, Id, Purposes, Sordino,
    engine::tests::model::expected_consent::ExpectedConsent,
    testing::{both, crash, folder},
    upload::TaskKind,
};

pub(super) struct Backup {
    folder: TempDir,
    said: ExpectedConsent,
    taken_back: BTreeMap<Id, Purposes>,
    deleted: BTreeSet<Id>,
    refused: BTreeSet<Id>,
}

impl World<'_> {
    /// Somebody copies the state folder.
    pub(super) fn back_up_device(&mut self) {
        let copy = folder();
        copy_folder(self.device().folder.path(), copy.path());
        self.backup = Some(Backup {
            folder: copy,
            said: self.said.clone(),
            taken_back: self.taken_back.clone(),
            deleted: self.deleted.clone(),
            refused: self.refused.clone(),
        });
    }

    /// Somebody puts the copy in the place of the state folder. What was said since is known to nobody but the
    /// collectors, where they heard it.
    pub(super) fn put_device_back(&mut self) {
        let Some(backup) = self.backup.take() else {
            return;
        };
        let off = self.device.take().unwrap().off();
        fs::remove_dir_all(off.folder.path()).unwrap();
        copy_folder(backup.folder.path(), off.folder.path());
        // It was put back while nothing ran.
        crash::restart(false);
        self.device = Some(off.on());
        self.starts += 1;
        self.keep_plan();
        self.was_put_back = true;
        let is_lost = self.said.allows().len() < backup.said.allows().len();
        self.met_if(is_lost, "put device back: a no was said since");
        self.said = backup.said;
        self.taken_back = backup.taken_back;
        self.deleted = backup.deleted;
        self.refused = backup.refused;
        for collector in self.collectors.values() {
            self.before_put_back.extend(collector.samples.keys());
            self.before_put_back.extend(&collector.tombstones);
            for (record, known) in &collector.records {
                // Of a record that it knows, the device is to learn this before anything goes.
                if let Some(taken) = self.taken_back.get_mut(record) {
                    let is_news = !known.withdrawn.is_subset(taken);
                    *taken = taken.union(&known.withdrawn);
                    self.coverage
                        .met_if(is_news, "put device back: the collector knows of a no");
                }
            }
        }
        let samples = self.engine().samples().unwrap();
        self.before_put_back
            .extend(samples.iter().map(|entry| entry.id));
        let on_their_way = self.on_their_way.iter().map(|request| &request.task.kind);
        self.before_put_back
            .extend(on_their_way.filter_map(|kind| match kind {
                TaskKind::Send { sample } => Some(*sample),
                _ => None,
            }));
    }

    pub(super) fn put_collector_back(&mut self) {
        let before = self.present().withdrawals();
        if self.present().restore() {
            self.collector_was_put_back = true;
            let after = self.present().withdrawals();
            self.met("put collector back: done");
            self.met_if(before > after, "restored collector: a withdrawal is lost");
        }
    }

    /// The app names another collector from now on.
    pub(super) fn change_collector(&mut self) {
        let mut off = self.device.take().unwrap().off();
        crash::restart(false);
        let known = self.collectors[&off.collector].grants_something();
        self.met_if(known, "change collector: a record is registered");
        let other = self.collectors.keys().find(|url| **url != off.collector);
        let (from, to) = (off.collector.clone(), other.unwrap().clone());
        off.collector = to.clone();
        self.device = Some(off.on());
        self.starts += 1;
        self.keep_plan();
        assert!(
            self.device()
                .was_told(&Event::CollectorChanged { from, to })
        );
    }

    pub(super) fn reset(&mut self) {
        let held = self.held_by_records();
        let off = self.device.take().unwrap().off();
        let clock = off.config().clock;
        let is_done = done(Sordino::reset_by(off.folder.path(), &clock)).is_some();
        // A crash comes to its end here, since an engine must be there to continue with.
        if crash::has_come() {
            self.met_crash("reset");
            self.has_crashed = true;
        }
        crash::restart(true);
        self.device = Some(off.on());
        self.keep_plan();
        self.starts += 1;
        match is_done {
            true => {
                self.met("reset: done");
                self.met_if(self.is_registered(), "reset: a record is registered");
                self.met_if(self.are_held(), "reset: the collector has samples");
                for kind in ["register", "withdraw", "send", "delete"] {
                    self.met_if(
                        self.is_on_its_way(kind),
                        format!("reset: a {kind} is on its way"),
                    );
                }
                self.was_reset = true;
                self.said = ExpectedConsent::default();
                self.take_back(&held, &both());
            }
            false => self.reset(),
        }
    }
}

/// Copies the files of a state folder.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let copy = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &copy),
            false => drop(fs::copy(entry.path(), copy).unwrap()),
        }
    }
}
