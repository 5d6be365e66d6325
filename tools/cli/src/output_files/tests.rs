#![allow(clippy::unwrap_used)]

use std::fs;

use tempfile::TempDir;

use super::*;

const FORCE: Overwrite = Overwrite { force: true };

fn outputs(overwrite: Overwrite) -> (TempDir, OutputFiles) {
    (
        tempfile::tempdir().unwrap(),
        OutputFiles::new([], overwrite),
    )
}

#[test]
fn a_file_that_appears_during_the_work_is_kept() {
    let (folder, outputs) = outputs(Overwrite::default());
    let path = folder.path().join("x");
    let output = outputs.private(&path).unwrap().checked().unwrap();
    let staged = output.stage(b"ours").unwrap();
    fs::write(&path, "theirs").unwrap();
    staged.commit().unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), b"theirs");
    output.write(b"ours").unwrap_err();
    // No temporary file is left.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn identical_bytes_are_written_again_without_force() {
    let (folder, outputs) = outputs(Overwrite::default());
    let path = folder.path().join("x");
    let output = outputs.public(&path).unwrap();
    output.write(b"ours").unwrap();
    output.write(b"ours").unwrap();
    output.write(b"others").unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), b"ours");
}

#[test]
fn only_what_the_command_made_is_replaced_or_removed() {
    let (folder, outputs) = outputs(Overwrite::default());
    let path = folder.path().join("x");
    let output = outputs.private(&path).unwrap();
    let output = output.replace_if(|bytes| bytes.starts_with(b"ours"));
    output.write(b"ours 1").unwrap();
    output.write(b"ours 2").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"ours 2");
    output.remove().unwrap();
    output.remove().unwrap();
    fs::write(&path, "theirs").unwrap();
    output.remove().unwrap_err();
    output.write(b"ours 3").unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), b"theirs");
}

/// `--force` overwrites a file of somebody else, but does not remove it.
#[test]
fn force_overwrites_and_never_removes() {
    let (folder, outputs) = outputs(FORCE);
    let path = folder.path().join("x");
    fs::write(&path, "theirs").unwrap();
    let output = outputs.private(&path).unwrap().checked().unwrap();
    output.remove().unwrap_err();
    output.write(b"ours").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"ours");
}

#[test]
#[cfg(unix)]
fn force_replaces_a_link_and_keeps_its_target() {
    let (folder, outputs) = outputs(FORCE);
    let [path, elsewhere] = ["x", "elsewhere"].map(|name| folder.path().join(name));
    fs::write(&elsewhere, "theirs").unwrap();
    for to in [&elsewhere, &folder.path().join("nowhere")] {
        std::os::unix::fs::symlink(to, &path).unwrap();
        let careful = OutputFiles::new([], Overwrite::default());
        assert!(careful.private(&path).unwrap().checked().is_err());
        outputs.private(&path).unwrap().write(b"ours").unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(fs::read(&elsewhere).unwrap(), b"theirs");
}

#[test]
#[cfg(unix)]
fn an_output_is_private_from_the_start_unless_public() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, outputs) = outputs(Overwrite::default());
    let [own, others] = ["own", "others"].map(|name| folder.path().join(name));
    outputs.private(&own).unwrap().write(b"1").unwrap();
    outputs.public(&others).unwrap().write(b"1").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&own), mode(&others)), (0o600, 0o644));
}
