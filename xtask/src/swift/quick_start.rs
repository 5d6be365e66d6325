//! Runs the program of the quick start, unchanged, as an app with a collector.

use std::{fs, path::Path};

use anyhow::{Result, ensure};
use regex::Regex;

use super::toolchain;
use crate::{
    collector::Organization,
    markdown::code_blocks,
    process::{copy, empty_folder, read, root, run_logged, target},
};

pub fn run(programs: &Path) -> Result<()> {
    let app = target().join("swift/quickstart");
    empty_folder(&app.join("Sources"))?;
    copy(
        &root().join("bindings/swift/quickstart/Package.swift"),
        &app.join("Package.swift"),
    )?;
    let program = code_blocks("docs/quickstart/swift.md", "swift")?.concat();
    fs::write(app.join("Sources/main.swift"), program)?;
    let log = target().join("swift/quickstart.log");
    run_logged(
        toolchain("swift")
            .args(["build", "--quiet", "--package-path"])
            .arg(&app),
        &log,
    )?;

    // Below target, which the chroot of the toolchain sees.
    let folder = tempfile::tempdir_in(target().join("swift"))?;
    let organization = Organization::new(programs, folder.path())?;
    let collector = organization.serve()?;
    let mut started = toolchain(&app.join(".build/debug/quickstart").to_string_lossy());
    started
        .arg(folder.path().join("state"))
        .arg(&organization.key)
        .arg(organization.plan());
    let printed = read(started.args([&collector.url, "samples/audio/flute-alone.wav"]))?;
    // The submitted recording, and the moments marked while it played.
    let is_sealed = Regex::new(r"(?m)^sealed [0-9a-f]{32}$")?.is_match(&printed);
    let sent = printed
        .lines()
        .filter(|line| line.contains(" sent "))
        .count();
    ensure!(
        is_sealed && sent >= 2 && !printed.contains("lost"),
        "the quick start printed\n{printed}"
    );
    ensure!(
        !collector.has_samples()?,
        "the withdrawal left a sample at the collector"
    );
    println!("the quick start ran as documented");
    Ok(())
}
