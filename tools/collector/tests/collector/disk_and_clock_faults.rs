//! Full and replaced disks, and wrong clocks.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{services::Postgres, support::*};

/// A small file system in memory, which is unmounted on drop.
pub(crate) struct Disk(TempDir);

impl Disk {
    /// `None` if mounting is not permitted.
    pub(crate) fn mount(kilobytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={kilobytes}k");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("CI").is_none(), "no disk can be mounted");
            eprintln!("left out: it takes root to mount a small file system");
            return None;
        }
        Some(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills it completely.
    pub(crate) fn fill(&self) -> PathBuf {
        let path = self.0.path().join("filler");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmount = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(unmount.is_ok_and(|status| status.success()));
    }
}

#[test]
fn on_a_full_disk_uploads_are_busy_and_nothing_is_partial() {
    let Some(disk) = Disk::mount(12_000) else {
        return;
    };
    let mut collector = Collector::start_with(|config| config.data = disk.0.path().join("data"));
    let device = Device::registered(&collector, QA);
    let (kept, file) = (sample(), age_file(1, 1));
    collector.send(&device.put(kept, QA, &file)).expect(201);
    let token = collector.token(QA);

    let filler = disk.fill();
    let waiting = [sample(), sample(), sample()];
    for id in waiting {
        collector
            .send(&device.put(id, QA, &file))
            .problem(503, "busy");
    }
    // Reads still work.
    assert_eq!(collector.listed(&token, QA), [kept.to_string()]);
    eventually(|| collector.files("part").is_empty());
    assert_eq!(collector.files("age"), [collector.object(kept)]);

    fs::remove_file(filler).unwrap();
    for id in waiting {
        collector.send(&device.put(id, QA, &file)).expect(201);
    }
    collector.send(&device.delete(kept)).expect(204);
    collector.restart();
    assert_eq!(
        collector.listed(&token, QA),
        waiting.map(|id| id.to_string())
    );
    assert_eq!(collector.files("age").len(), waiting.len());
    collector.stop();
}

/// A replaced disk, for a process with an open file on the original one.
#[test]
fn a_replaced_data_folder_accepts_nothing_until_restored() {
    // The folder contains SQLite's file.
    if crate::database::is_postgres() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (data, aside) = (folder.path().join("data"), folder.path().join("aside"));
    let collector = Collector::start_with(|config| config.data.clone_from(&data));
    let (device, id) = Device::with_sample(&collector, BOTH);
    let is_ready = || collector.send(&Request::new("GET", "/readyz")).status == 200;
    let is_refused = |request: &Request| collector.send(request).status >= 500;

    fs::rename(&data, &aside).unwrap();
    for replaced in [false, true] {
        if replaced {
            fs::create_dir(&data).unwrap();
        }
        assert!(is_refused(&device.withdraw(QA)));
        assert!(is_refused(&device.delete(id)));
        assert!(is_refused(&device.put(sample(), BOTH, &age_file(1, 1))));
        eventually(|| !is_ready());
    }
    for left in fs::read_dir(&data).unwrap() {
        fs::remove_file(left.unwrap().path()).unwrap();
    }
    fs::remove_dir(&data).unwrap();
    fs::rename(&aside, &data).unwrap();
    eventually(is_ready);
    collector.send(&device.withdraw(BOTH)).expect(200);
    assert!(collector.files("age").is_empty());
}

/// Every kind of write fails, also in the middle of a transaction.
#[test]
fn a_full_disk_recovers_without_a_restart() {
    // The full disk contains SQLite's file.
    if crate::database::is_postgres() {
        return;
    }
    let Some(disk) = Disk::mount(12_000) else {
        return;
    };
    let collector = Collector::start_with(|config| config.data = disk.0.path().join("data"));
    let (device, id) = Device::with_sample(&collector, BOTH);
    let leaver = Device::registered(&collector, QA);
    let is_ready = || collector.send(&Request::new("GET", "/readyz")).status == 200;
    for _ in 0..3 {
        let filler = disk.fill();
        // Enough writes that one of them is the first to fail.
        for _ in 0..20 {
            let newcomer = Device::new();
            collector
                .send(&newcomer.register(1, BOTH))
                .problem(503, "busy");
            collector.send(&leaver.withdraw(QA)).problem(503, "busy");
            collector.send(&device.delete(id)).problem(503, "busy");
        }
        eventually(|| !is_ready());
        fs::remove_file(filler).unwrap();
        eventually(is_ready);
        Device::registered(&collector, QA);
    }
    collector.send(&leaver.withdraw(QA)).expect(200);
    collector.send(&device.delete(id)).expect(204);
    assert!(collector.files("age").is_empty());
    drop(collector);
}

/// The library that changes a program's clock.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten();
    let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = libraries.find(|path| path.exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "faketime is missing");
        eprintln!("left out: faketime is missing");
    }
    found
}

/// A command with a clock more than a year ahead.
fn ahead(library: &Path) -> Command {
    let mut command = command();
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME", "+400d")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

#[test]
fn a_clock_a_year_ahead_deletes_nothing_early() {
    let (Some(library), Some(postgres)) = (faketime(), Postgres::start()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(1, "2999-01-01", &[recipient(1)], &sordino::Purpose::ALL);
    plan.retention_days
        .insert(sordino::Purpose::QualityAssurance, 30);
    let plan = write_plan(folder.path(), plan);
    let database = postgres.database();
    let place = ["--database", &database, "--plan", plan.to_str().unwrap()];
    let serve = |command| Service::start_with(command, "127.0.0.1:0", folder.path(), &place);
    let (present, future) = (serve(command()), serve(ahead(&library)));
    let device = Device::new();
    send(present.address(), &device.register(1, QA)).expect(201);
    let (early, late, gone, file) = (sample(), sample(), sample(), age_file(1, 1));
    send(present.address(), &device.put(early, QA, &file)).expect(201);
    send(future.address(), &device.put(late, QA, &file)).expect(201);
    send(future.address(), &device.put(gone, QA, &file)).expect(201);
    send(present.address(), &device.delete(gone)).expect(204);

    // A consent that expires between the two clocks is rejected by one, which stores nothing.
    let brief = Device::new();
    let mut content = brief.content(1, QA);
    content.holds_until = sordino::Week::from_timestamp(jiff::Timestamp::now());
    let register = brief.register_document(brief.document(content));
    send(present.address(), &register).expect(201);
    let upload = brief.put(sample(), QA, &file);
    send(future.address(), &upload).problem(403, "not-granted");
    send(present.address(), &upload).expect(201);

    // Maintenance at the start, and by the command.
    drop(future);
    let future = serve(ahead(&library));
    let retention = ahead(&library)
        .args(["retention", "--json", "--database", &database, "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(retention.stdout).unwrap().trim(),
        r#"{"expired":0}"#
    );
    for service in [&present, &future] {
        for id in [early, late] {
            send(service.address(), &device.put(id, QA, &file)).expect(200);
        }
        send(service.address(), &device.put(gone, QA, &file)).problem(410, "deleted");
    }
    assert_eq!(files(folder.path(), "age").len(), 3);
}
