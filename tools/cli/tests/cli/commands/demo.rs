//! The demo's collector: a program of its own, which ends with the demo.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::support::{CommandResult, collector_program};

#[test]
fn a_demo_without_the_collector_program_says_how_to_build_it() {
    let programs = Programs::new(None);
    programs.demo().refused(&[
        "`sordino-collector`",
        programs.0.path().to_str().unwrap(),
        "cargo build --release -p sordino-cli -p sordino-collector",
    ]);
}

#[test]
fn a_collector_that_does_not_start_gives_its_error() {
    let script = "echo 'WARN the plan expires soon' >&2; echo 'error: disk full' >&2; exit 1";
    let ran = Programs::new(Some(script)).demo();
    ran.refused(&["/sordino-collector: disk full"]);
    assert!(!ran.stderr.contains("WARN"), "{ran:?}");
}

#[test]
fn a_demo_that_is_killed_leaves_no_collector_behind() {
    let (path, program) = ("$(dirname \"$0\")/lives", collector_program());
    // The collector process holds this pipe open until it exits.
    let script = format!("exec {} \"$@\" 3> \"{path}\"", program.display());
    let programs = Programs::new(Some(&script));
    let lives = programs.0.path().join("lives");
    let made = Command::new("mkfifo").arg(&lives).status().unwrap();
    assert!(made.success());
    let mut demo = programs
        .command()
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Opened once the other end is.
    let mut lives = File::open(&lives).unwrap();
    let mut said = BufReader::new(demo.stderr.take().unwrap()).lines();
    let adult = said.find(|line| line.as_ref().unwrap().contains("an adult"));
    assert!(
        adult.is_some(),
        "no device came for which the collector runs"
    );
    demo.kill().unwrap();
    demo.wait().unwrap();
    // This reads until nobody holds the other end.
    lives.read_to_end(&mut Vec::new()).unwrap();
}

/// A folder with a link to `sordino`, and the script that runs as the collector, if there is one.
struct Programs(TempDir);

impl Programs {
    fn new(collector: Option<&str>) -> Self {
        // On the disk of the program, so that it can be linked.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let own = env!("CARGO_BIN_EXE_sordino");
        fs::hard_link(own, folder.path().join("sordino")).unwrap();
        if let Some(script) = collector {
            let text = folder.path().join("script");
            fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
            // By another process: a file that this one wrote may still be open in a child that another thread is
            // about to run, and then it cannot be run itself.
            let installed = Command::new("install")
                .args(["-m", "755"])
                .args([text, folder.path().join("sordino-collector")])
                .status();
            assert!(installed.unwrap().success());
        }
        Self(folder)
    }

    fn demo(&self) -> CommandResult {
        CommandResult::run(self.command().arg("--json"), "demo --json")
    }

    /// `sordino demo`, whose temporary files go with the folder.
    fn command(&self) -> Command {
        let mut command = Command::new(self.0.path().join("sordino"));
        command
            .args(["demo", "--recordings"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/audio"))
            .arg("--out")
            .arg(self.0.path().join("shown"))
            .env("TMPDIR", self.0.path())
            .stdin(Stdio::null());
        command
    }
}
