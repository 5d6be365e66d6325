//! Disks that are full or cannot be written.

use std::{env, fs, path::Path, process::Command};

use tempfile::TempDir;

use super::Device;
use crate::{
    Error, Event,
    consent::ConsentState,
    outbox::{Quota, SampleState},
    testing::{QA, both, plan},
};

/// A small disk of its own, taken away when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None`, with a line that says so, where no disk can be mounted; CI must be able to.
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
        eprintln!("skipped: {test} lacks leave to mount a tmpfs");
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
            while std::io::Write::write_all(&mut file, &vec![1; piece]).is_ok() {}
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
fn on_a_full_disk_a_sample_fails_whole_and_the_engine_goes_on_once_there_is_room() {
    let Some(disk) = SmallDisk::mount("a_sample_on_a_full_disk", 8 << 20) else {
        return;
    };
    let device = disk.device();
    device.says(QA);
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
fn on_a_full_disk_a_no_still_ends_everything_at_once_and_is_durable_in_the_end() {
    let Some(disk) = SmallDisk::mount("a_no_on_a_full_disk", 8 << 20) else {
        return;
    };
    let device = disk.device();
    device.says(both());
    let samples = [device.queue().unwrap(), device.queue().unwrap()];
    let held = device.engine.grants().unwrap();
    disk.fill();
    // Whether it can be written depends on the room that shredding makes.
    let said = device.engine.withdraw(None);
    assert!(!held.is_live());
    assert!(device.engine.grants().is_err());
    assert!(samples.iter().all(|&sample| !device.file(sample).exists()));
    if said.is_err() {
        disk.empty();
        device.engine.withdraw(None).unwrap();
    }
    let device = device.restart(|_| {});
    assert_eq!(
        device.engine.consent().unwrap().state,
        ConsentState::Withdrawn
    );
    assert_eq!(device.engine.status().unwrap().pending, 0);
}

#[test]
fn a_full_disk_at_the_start_is_an_error_and_harms_nothing() {
    let Some(disk) = SmallDisk::mount("a_start_on_a_full_disk", 8 << 20) else {
        return;
    };
    let device = disk.device();
    device.says(QA);
    let sample = device.queue().unwrap();
    let Device {
        folder,
        organisation,
        clock,
        quota,
        engine,
        events,
    } = device;
    drop(engine);
    disk.fill();
    let config = crate::Config::new(
        folder.path(),
        organisation.key(),
        "https://collector.example".parse().unwrap(),
    );
    // It may fit without growing; then it must be whole.
    drop(crate::Sordino::open(config));
    disk.empty();
    let engine = super::open(&folder, &organisation, &clock, quota, &events);
    assert!(!events.lock().unwrap().contains(&Event::Dropped(sample)));
    assert_eq!(engine.status().unwrap().pending, 1);
}

#[test]
fn a_disk_that_cannot_be_written_is_an_error_and_harms_nothing() {
    let Some(disk) = SmallDisk::mount("a_read_only_disk", 8 << 20) else {
        return;
    };
    let device = disk.device();
    device.says(QA);
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
    let Device {
        folder,
        organisation,
        clock,
        quota,
        engine,
        events,
    } = device;
    drop(engine);
    assert!(remount("ro"));
    let config = || {
        let collector = "https://collector.example".parse().unwrap();
        crate::Config::new(folder.path(), organisation.key(), collector)
    };
    let error = crate::Sordino::open(config())
        .err()
        .expect("it cannot be written");
    assert_eq!(error.to_string().lines().count(), 1);
    assert!(remount("rw"));
    let engine = super::open(&folder, &organisation, &clock, quota, &events);
    assert_eq!(engine.samples().unwrap()[0].id, sample);
    assert_eq!(engine.status().unwrap().pending, 1);
}
