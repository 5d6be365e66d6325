//! Disks that are full or cannot be written.

use std::{
    env, fs,
    io::{self, Write as _},
    path::Path,
    process::Command,
};

use tempfile::TempDir;

use super::Device;
use crate::{
    Error, Event, Purposes,
    consent::ConsentState,
    outbox::{Quota, SampleState},
    testing::{QA, RESEARCH, both, plan},
};

/// A small separate disk, unmounted on drop.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None`, with a message, if no disk can be mounted; in CI that is a failure.
    fn mount(test: &str, bytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        assert!(
            env::var_os("CI").is_none(),
            "CI must be able to mount a tmpfs"
        );
        let _ = writeln!(io::stderr(), "skipped: {test} lacks leave to mount a tmpfs");
        None
    }

    fn device(&self) -> Device {
        let folder = tempfile::tempdir_in(self.0.path()).unwrap();
        Device::with(folder, plan(1), Quota::default())
    }

    /// Leaves not a byte free.
    fn fill(&self) {
        let path = self.0.path().join("filler");
        let mut file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        for piece in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![1; piece]).is_ok() {}
        }
    }

    fn empty(&self) {
        fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder.join("outbox")).unwrap().count()
}

#[test]
fn on_a_full_disk_a_sample_fails_and_later_ones_succeed() {
    let Some(disk) = SmallDisk::mount("a_sample_on_a_full_disk", 8 << 20) else {
        return;
    };
    let device = disk.device();
    device.consent_to(QA);
    let kept = device.queue().unwrap();
    disk.fill();
    for _ in 0..3 {
        assert!(matches!(device.queue(), Err(Error::Outbox(_))));
    }
    assert_eq!(files(device.folder.path()), 1);
    disk.empty();
    device.queue().unwrap();
    let device = device.restart(|_| {});
    assert_eq!(device.state_of(kept), SampleState::Pending);
    assert_eq!(device.engine.status().unwrap().pending, 2);
}

#[test]
fn on_a_full_disk_a_withdrawal_is_immediate_and_durable() {
    let Some(disk) = SmallDisk::mount("a_no_on_a_full_disk", 8 << 20) else {
        return;
    };
    let device = disk.device();
    device.consent_to(both());
    let samples = [device.queue().unwrap(), device.queue().unwrap()];
    let held = device.engine.grants().unwrap();
    disk.fill();
    device.engine.withdraw(None).unwrap();
    assert!(!held.is_live());
    assert!(device.engine.grants().is_err());
    assert!(samples.iter().all(|&sample| !device.file(sample).exists()));
    let device = device.restart(|_| disk.empty());
    assert_eq!(
        device.engine.consent().unwrap().state,
        ConsentState::Withdrawn
    );
    assert_eq!(device.engine.status().unwrap().pending, 0);
}

/// Nothing is queued that could free space when shredded: the name of the revocation record alone has to hold it.
#[test]
fn on_a_full_disk_a_withdrawal_holds_without_free_space() {
    let Some(disk) = SmallDisk::mount("a_no_without_room", 8 << 20) else {
        return;
    };
    for purpose in [None, Some(QA)] {
        let device = disk.device();
        device.consent_to(both());
        disk.fill();
        device.engine.withdraw(purpose).unwrap();
        let granted = |engine: &crate::Sordino| {
            let grants = engine.grants();
            grants.map_or_else(|_| Purposes::default(), |grants| grants.purposes())
        };
        let allowed = granted(&device.engine);
        let stopped = device.stop();
        // Started again with the disk still full, where that can be; then with room.
        if let Ok(engine) = crate::Sordino::open(stopped.config()) {
            assert_eq!(granted(&engine), allowed);
        }
        disk.empty();
        let device = stopped.start();
        let status = device.engine.status().unwrap();
        match purpose {
            None => assert_eq!(status.consent, ConsentState::Withdrawn),
            Some(_) => assert_eq!(status.purposes, RESEARCH.into()),
        }
        assert_eq!(allowed, status.purposes);
    }
}

#[test]
fn opening_on_a_full_disk_is_an_error_without_data_loss() {
    let Some(disk) = SmallDisk::mount("a_start_on_a_full_disk", 8 << 20) else {
        return;
    };
    let device = disk.device();
    device.consent_to(QA);
    let sample = device.queue().unwrap();
    let stopped = device.stop();
    disk.fill();
    // It may fit without growing; then it must be whole.
    drop(crate::Sordino::open(stopped.config()));
    disk.empty();
    let device = stopped.start();
    assert!(!device.received(&Event::Dropped(sample)));
    assert_eq!(device.engine.status().unwrap().pending, 1);
}

#[test]
fn a_read_only_disk_is_an_error_without_data_loss() {
    let Some(disk) = SmallDisk::mount("a_read_only_disk", 8 << 20) else {
        return;
    };
    let device = disk.device();
    device.consent_to(QA);
    let sample = device.queue().unwrap();
    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        mount
            .args(["-o", &format!("remount,{how}")])
            .arg(disk.0.path());
        mount.status().unwrap().success()
    };
    let mut tried = false;
    let device = device.restart(|_| tried = remount("rw"));
    assert!(tried);
    let stopped = device.stop();
    assert!(remount("ro"));
    let error = crate::Sordino::open(stopped.config())
        .err()
        .expect("it cannot be written");
    assert_eq!(error.to_string().lines().count(), 1);
    assert!(remount("rw"));
    let device = stopped.start();
    assert_eq!(device.engine.samples().unwrap()[0].id, sample);
    assert_eq!(device.engine.status().unwrap().pending, 1);
}
