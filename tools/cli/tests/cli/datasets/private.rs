//! Pulled, opened and reported files are private: other users of the machine cannot read them.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::support::{FORMATS, PLAYED, QA, Stage};

/// Every file and folder below `path`, and itself.
fn all_below(path: &Path) -> Vec<PathBuf> {
    let mut all = vec![path.to_owned()];
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            all.extend(all_below(&entry.unwrap().path()));
        }
    }
    all
}

#[track_caller]
fn assert_private(path: &Path) {
    let all = all_below(path);
    assert!(all.len() > 1, "nothing is in {path:?}");
    for path in all {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let due = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, due, "{path:?} has {mode:o}");
    }
}

#[test]
fn outputs_are_private_to_their_owner() {
    let stage = Stage::new();
    stage.granted("d", QA);
    let id = stage.submit("d", PLAYED[0]);
    stage
        .sordino(&format!(
            "open d/outbox/{id}.age --identity qa.key --out opened"
        ))
        .ok();
    stage.upload("d");
    stage.pull_everything();
    for format in FORMATS {
        stage.sordino(&format!("report {format}")).ok();
        assert_private(&stage.path(format));
    }
    let name = PLAYED[0];
    stage
        .sordino(&format!("anonymize audio/{name}.wav --out anonymous"))
        .ok();
    for made in ["opened", "anonymous"] {
        assert_private(&stage.path(made));
    }
}

/// An earlier version wrote for all to read. Once only: somebody may share a dataset with a group on purpose.
#[test]
fn a_pull_makes_an_older_dataset_private() {
    let stage = Stage::new();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.upload("d");
    stage.pull_everything();
    for format in FORMATS {
        let index = stage.path(format).join(".sordino-pull.json");
        let mut earlier: serde_json::Value =
            serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
        earlier.as_object_mut().unwrap().remove("private");
        fs::write(&index, earlier.to_string()).unwrap();
        for path in all_below(&stage.path(format)) {
            let mode = if path.is_dir() { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
    }
    stage.pull_everything();
    for format in FORMATS {
        assert_private(&stage.path(format));
        let shared = fs::Permissions::from_mode(0o750);
        fs::set_permissions(stage.path(format), shared).unwrap();
    }
    stage.pull_everything();
    for format in FORMATS {
        let mode = stage.path(format).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o750, "{format}");
    }
}
