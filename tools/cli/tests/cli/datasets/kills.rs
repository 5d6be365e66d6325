//! Pulls that are killed with SIGKILL at instants all over them: nothing is lost, nothing half-written, and
//! what was deleted is in no file once a pull has ended.

use std::{collections::BTreeSet, fs, time::Duration};

use crate::support::{FORMATS, PLAYED, QA, Stage, files_below, instants, killed_after, time};
use test_tiers::sized;

/// Rounds of a format, in each of which a sample is deleted. The first round's kills fall into taking in, the second's
/// into removing too; a soak continues until one sample is left.
fn rounds() -> usize {
    sized(2, 5)
}

/// Kills before a pull is let end: each leaves behind more of what the next finds, from the list of samples to the
/// last file.
const KILLS: usize = 5;

#[test]
fn a_killed_pull_loses_nothing_and_restores_nothing() {
    for format in FORMATS {
        let stage = Stage::new();
        let mut ids = Vec::new();
        for device in ["one", "two"] {
            stage.granted(device, QA);
            for recording in PLAYED {
                ids.push((device, stage.submit(device, recording)));
            }
            stage.upload(device);
        }
        let (whole, _) = time(|| stage.pull("whole", format));
        for round in 0..rounds() {
            kill_pulls(&stage, format, whole);
            stage.pull("data", format);
            assert_holds(&stage, format, &ids);
            let (device, gone) = ids.remove(round % ids.len());
            stage
                .sordino(&format!("device {device} delete {gone}"))
                .ok();
            stage.upload(device);
            kill_pulls(&stage, format, whole);
            stage.pull("data", format);
            assert!(
                !stage.mentions("data", gone.as_bytes()),
                "{format} still knows {gone}"
            );
        }
        assert_holds(&stage, format, &ids);
        // The result is that of an undisturbed pull.
        stage.pull("undisturbed", format);
        let sound = |folder: &str| -> BTreeSet<Vec<u8>> {
            files_below(&stage.path(folder))
                .into_iter()
                .filter(|path| path.extension().is_some_and(|ending| ending == "flac"))
                .map(|path| fs::read(path).unwrap())
                .collect()
        };
        assert_eq!(sound("data"), sound("undisturbed"), "{format}");
    }
}

/// All of these exist, and no other files.
fn assert_holds(stage: &Stage, format: &str, ids: &[(&str, String)]) {
    for (_, id) in ids {
        assert!(stage.mentions("data", id.as_bytes()), "{format} lost {id}");
    }
    // All are read for it, and one is drawn, which is what takes long.
    let shown = stage.json("report data --out report.html --worst 1");
    assert_eq!(shown["samples"], ids.len(), "{format}");
    for path in files_below(&stage.path("data")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            !name.starts_with(".tmp")
                && !name.ends_with(".unfinished")
                && !name.ends_with(".journal"),
            "{format} left {name}"
        );
        let sample = path.file_stem().unwrap().to_str().unwrap();
        if sample.len() == 32 {
            assert!(ids.iter().any(|(_, id)| id == sample), "{format}: {name}");
        }
    }
}

/// A pull that is quicker than `whole` ends before it is killed, which is as good.
fn kill_pulls(stage: &Stage, format: &str, whole: Duration) {
    for share in instants(KILLS) {
        let mut pull = stage.command(&stage.pull_line("data", format));
        killed_after(whole.mul_f64(share), &mut pull);
    }
}
