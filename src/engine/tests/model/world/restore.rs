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
    expected: ExpectedConsent,
    withdrawn: BTreeMap<Id, Purposes>,
    deleted: BTreeSet<Id>,
    refused: BTreeSet<Id>,
}

impl World<'_> {
    /// Copies the state folder.
    pub(super) fn back_up_device(&mut self) {
        let copy = folder();
        copy_folder(self.device().folder.path(), copy.path());
        self.backup = Some(Backup {
            folder: copy,
            expected: self.expected.clone(),
            withdrawn: self.withdrawn.clone(),
            deleted: self.deleted.clone(),
            refused: self.refused.clone(),
        });
    }

    /// Replaces the state folder with its copy. Later decisions are known only to the collectors that
    /// received them.
    pub(super) fn restore_device(&mut self) {
        let Some(backup) = self.backup.take() else {
            return;
        };
        let stopped = self.device.take().unwrap().stop();
        fs::remove_dir_all(stopped.folder.path()).unwrap();
        copy_folder(backup.folder.path(), stopped.folder.path());
        // It is restored while no engine runs.
        crash::restart(false);
        self.device = Some(stopped.start());
        self.starts += 1;
        self.reinstall_plan();
        self.was_restored = true;
        let is_lost = self.expected.allows().len() < backup.expected.allows().len();
        self.record_if(is_lost, "restore device: a withdrawal followed the backup");
        self.expected = backup.expected;
        self.withdrawn = backup.withdrawn;
        self.deleted = backup.deleted;
        self.refused = backup.refused;
        for collector in self.collectors.values() {
            self.before_restore.extend(collector.samples.keys());
            self.before_restore.extend(&collector.tombstones);
            for (record, known) in &collector.records {
                // The device must learn this about a record that it knows before it sends anything.
                if let Some(taken) = self.withdrawn.get_mut(record) {
                    let is_news = !known.withdrawn.is_subset(taken);
                    *taken = taken.union(&known.withdrawn);
                    self.coverage.record_if(
                        is_news,
                        "restore device: the collector knows of a withdrawal",
                    );
                }
            }
        }
        let samples = self.engine().samples().unwrap();
        self.before_restore
            .extend(samples.iter().map(|entry| entry.id));
        let in_flight = self.in_flight.iter().map(|request| &request.task.kind);
        self.before_restore
            .extend(in_flight.filter_map(|kind| match kind {
                TaskKind::Send { sample } => Some(*sample),
                _ => None,
            }));
    }

    pub(super) fn restore_collector(&mut self) {
        let before = self.present().withdrawals();
        if self.present().restore() {
            self.collector_was_restored = true;
            let after = self.present().withdrawals();
            self.record("restore collector: done");
            self.record_if(before > after, "restored collector: a withdrawal is lost");
        }
    }

    /// The app is opened with another collector.
    pub(super) fn change_collector(&mut self) {
        let mut stopped = self.device.take().unwrap().stop();
        crash::restart(false);
        let known = self.collectors[&stopped.collector].grants_something();
        self.record_if(known, "change collector: a record is registered");
        let other = self
            .collectors
            .keys()
            .find(|url| **url != stopped.collector);
        let (from, to) = (stopped.collector.clone(), other.unwrap().clone());
        stopped.collector = to.clone();
        self.device = Some(stopped.start());
        self.starts += 1;
        self.reinstall_plan();
        assert!(
            self.device()
                .received(&Event::CollectorChanged { from, to })
        );
    }

    pub(super) fn reset(&mut self) {
        let held = self.held_by_records();
        let stopped = self.device.take().unwrap().stop();
        let clock = stopped.config().clock;
        let is_done = done(Sordino::reset_by(stopped.folder.path(), &clock)).is_some();
        // The crash ends here, since the next step needs an engine.
        if crash::has_come() {
            self.record_crash("reset");
            self.has_crashed = true;
        }
        crash::restart(true);
        self.device = Some(stopped.start());
        self.reinstall_plan();
        self.starts += 1;
        match is_done {
            true => {
                self.record("reset: done");
                self.record_if(self.is_registered(), "reset: a record is registered");
                self.record_if(self.are_held(), "reset: the collector has samples");
                for kind in ["register", "withdraw", "send", "delete"] {
                    self.record_if(
                        self.is_in_flight(kind),
                        format!("reset: a {kind} is in flight"),
                    );
                }
                self.was_reset = true;
                self.expected = ExpectedConsent::default();
                self.note_withdrawal(&held, &both());
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
