//! Disks that are full or read-only: small file systems in memory, mounted for the test.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::support::{PLAYED, QA, Stage, files_below, skipped};

/// A file system of its own. Unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    /// Mounts `kilobytes` at `folder`, if this machine lets us.
    fn mount(folder: PathBuf, kilobytes: usize, test: &str) -> Option<Self> {
        fs::create_dir(&folder).unwrap();
        let size = format!("size={kilobytes}k");
        let mounted = run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"], &folder);
        if !mounted {
            skipped(test, "leave to mount a small file system (root)");
            return None;
        }
        Some(Self(folder))
    }

    fn remount(&self, options: &str) {
        assert!(run(
            "mount",
            &["-o", &format!("remount,{options}")],
            &self.0
        ));
    }

    /// Leaves not a byte free.
    fn fill(&self) -> PathBuf {
        use std::io::Write as _;
        let path = self.0.join("filler");
        let mut file = fs::File::create(&path).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["-l"], &self.0);
    }
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> bool {
    Command::new(program)
        .args(arguments)
        .arg(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_loses_nothing_and_leaves_no_partial_file() {
    let stage = Stage::new();
    let test = "a_full_disk_loses_nothing_and_leaves_no_partial_file";
    let Some(disk) = Disk::mount(stage.path("disk"), 700, test) else {
        return;
    };
    stage.granted("disk/d", QA);
    let mut queued = vec![stage.submit("disk/d", PLAYED[0])];
    let refused = (0..10).find_map(|_| {
        let ran = stage.sordino(&format!(
            "device disk/d submit audio/{}.wav --json",
            PLAYED[0]
        ));
        match ran.status {
            Some(0) => {
                // Now and then one is withheld.
                let id = ran.document()["sample_id"].as_str().map(str::to_owned);
                queued.extend(id);
                None
            }
            _ => Some(ran),
        }
    });
    refused.expect("a disk that is full").refused(&["o space"]);
    assert_queued(&stage, &queued);

    // Not even a byte is left.
    let filler = disk.fill();
    stage
        .sordino(&format!("device disk/d submit audio/{}.wav", PLAYED[0]))
        .refused(&["o space"]);
    let result = stage.sordino("device disk/d upload");
    fs::remove_file(filler).unwrap();
    match result.status {
        // The device recorded what it sent …
        Some(0) => assert_eq!(stage.objects().len(), queued.len()),
        // … or could not, and sends it again.
        _ => {
            result.failed(&["o space"]);
            stage.upload("disk/d");
        }
    }
    assert_eq!(stage.objects(), queued.into_iter().collect());
    assert_eq!(stage.status("disk/d")["pending"], 0);
    let id = stage.submit("disk/d", PLAYED[0]);
    assert_queued(&stage, &[id]);
}

fn assert_queued(stage: &Stage, queued: &[String]) {
    assert_eq!(stage.outbox("disk/d"), queued.iter().cloned().collect());
    let files = fs::read_dir(stage.path("disk/d/outbox")).unwrap().count();
    assert_eq!(files, queued.len(), "nothing half-written");
    assert_eq!(stage.status("disk/d")["pending"], queued.len());
}

/// The person's no must work just then.
#[test]
fn a_withdrawal_works_on_a_full_disk() {
    let stage = Stage::new();
    let test = "a_withdrawal_works_on_a_full_disk";
    let Some(disk) = Disk::mount(stage.path("disk"), 700, test) else {
        return;
    };
    stage.granted("disk/d", QA);
    stage.submit("disk/d", PLAYED[0]);
    stage.upload("disk/d");
    stage.submit("disk/d", PLAYED[0]);
    let filler = disk.fill();
    let ran = stage.sordino("device disk/d withdraw");
    if ran.status != Some(0) {
        ran.refused(&["o space"]);
        // Then the command reports it, and succeeds once there is space.
        fs::remove_file(filler).unwrap();
        stage.sordino("device disk/d withdraw").ok();
    }
    assert_eq!(stage.status("disk/d")["consent"], "withdrawn");
    assert!(stage.outbox("disk/d").is_empty());
    stage.upload("disk/d");
    assert!(stage.objects().is_empty());
}

#[test]
fn no_command_leaves_a_partial_output_on_a_full_disk() {
    let stage = Stage::new();
    let test = "no_command_leaves_a_partial_output_on_a_full_disk";
    let Some(disk) = Disk::mount(stage.path("disk"), 64, test) else {
        return;
    };
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.upload("d");
    stage.pull("data", "audiofolder");
    let name = PLAYED[0];
    stage.seal(name);
    let empty = |line: &str| {
        let left: Vec<_> = files_below(&stage.path("disk"))
            .into_iter()
            .filter(|path| !path.ends_with("filler") && !path.ends_with("manifest.json"))
            .collect();
        assert!(left.is_empty(), "{line} left {left:?}");
    };
    for line in [
        format!(
            "seal audio/{name}.wav --recipient {} --out disk/one.age",
            stage.recipient
        ),
        format!("anonymize audio/{name}.wav --out disk"),
        "open one.age --identity qa.key --out disk/opened".to_owned(),
        "report data --out disk/report.html".to_owned(),
    ] {
        stage.sordino(&line).failed(&["disk/", "o space"]);
        empty(&line);
    }
    stage
        .sordino(&stage.pull_line("disk/data", "bundle"))
        .failed(&["disk/data", "o space"]);
    stage
        .sordino(&stage.pull_line("disk/tars", "webdataset"))
        .failed(&["disk/tars", "o space"]);
    for path in files_below(&stage.path("disk")) {
        let length = path.metadata().unwrap().len();
        assert!(
            path.extension()
                .is_none_or(|ending| ending != "flac" && ending != "tar"),
            "{path:?}: {length}"
        );
    }
    disk.fill();
    for line in ["keygen --out disk/key", "plan keygen --out disk/other.key"] {
        stage.sordino(line).refused(&["disk/", "o space"]);
    }
    stage
        .sordino("plan sign plan.toml --key organization.key --out disk/plan.json")
        .refused(&["disk/plan.json", "o space"]);
    for file in ["disk/key", "disk/other.key", "disk/plan.json"] {
        assert!(!stage.path(file).exists(), "{file}");
    }
    // With space, the pulls continue where they stopped.
    disk.remount("size=8m");
    for (out, format) in [("disk/data", "bundle"), ("disk/tars", "webdataset")] {
        assert_eq!(stage.pull(out, format)["total"], 1, "{format}");
    }
}

#[test]
fn a_read_only_state_is_refused_in_one_line_and_kept() {
    let stage = Stage::new();
    let test = "a_read_only_state_is_refused_in_one_line_and_kept";
    let Some(disk) = Disk::mount(stage.path("disk"), 2000, test) else {
        return;
    };
    stage.granted("disk/d", QA);
    let id = stage.submit("disk/d", PLAYED[0]);
    disk.remount("ro");
    for words in [
        "status".to_owned(),
        format!("submit audio/{}.wav", PLAYED[1]),
        "upload".to_owned(),
        "withdraw".to_owned(),
        format!("delete {id}"),
    ] {
        stage
            .sordino(&format!("device disk/d {words}"))
            .refused(&["disk/d", "ead-only"]);
    }
    let (key, url) = (&stage.plan_key, stage.url());
    stage
        .sordino(&format!(
            "device disk/new init --plan plan.json --plan-key {key} --collector {url}"
        ))
        .refused(&["disk/new", "ead-only"]);
    assert!(stage.objects().is_empty());
    disk.remount("rw");
    assert_eq!(stage.status("disk/d")["pending"], 1);
    stage.upload("disk/d");
    assert_eq!(stage.objects(), [id].into());
}
