//! Tests the layout of the AAR with this machine's library as a placeholder, and the error messages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context as _, Result, ensure};

use super::{aar::ABIS, folder, generated, native_folder};
use crate::{
    bindings::LIBRARY,
    process::{cmd, maven, read, run, xtask},
};

/// Checks the backup rules: a state folder that is restored from a backup or moved to another device would restore an
/// earlier state of consent.
const CHECK_BACKUP_RULES: &str = r#"
import pathlib, sys, xml.etree.ElementTree as xml
aar = pathlib.Path(sys.argv[1])
android = "{http://schemas.android.com/apk/res/android}"
application = xml.parse(aar / "AndroidManifest.xml").getroot().find("application")
listed = (aar / "R.txt").read_text().splitlines()
excluded = {"domain": "file", "path": "sordino/"}
for attribute, places in [("dataExtractionRules", ["cloud-backup", "device-transfer"]), ("fullBackupContent", ["."])]:
    kind, name = application.get(android + attribute).lstrip("@").split("/")
    assert f"int {kind} {name} 0x0" in listed, name
    rules = xml.parse(aar / "res" / kind / f"{name}.xml").getroot()
    for place in places:
        assert [rule.attrib for rule in rules.findall(f"{place}/exclude")] == [excluded], (name, place)
"#;

pub fn run_all() -> Result<()> {
    if !folder().join("sordino-android/target/classes/dev").exists() {
        run(maven(&folder()).args(["--quiet", "package", "-DskipTests"]))?;
    }
    let work = tempfile::tempdir()?;
    builds_name_what_is_missing(work.path())?;
    the_layout_is_complete(work.path())?;
    println!("aar: 1 passed, 0 failed");
    Ok(())
}

fn builds_name_what_is_missing(work: &Path) -> Result<()> {
    let none = work.join("none.aar");
    let without_ndk = failure(aar(&none)?.env("ANDROID_NDK_HOME", ""))?;
    ensure!(
        without_ndk.contains("set ANDROID_NDK_HOME"),
        "it does not name what is missing: {without_ndk}"
    );
    let wrong_ndk = failure(aar(&none)?.env("ANDROID_NDK_HOME", work))?;
    ensure!(
        wrong_ndk.lines().count() == 1,
        "more than one line: {wrong_ndk}"
    );

    // An app with a library that lacks a called function crashes when it starts.
    let empty = work.join("empty.so");
    compile(
        "int ffi_sordino_uniffi_contract_version(void) { return 0; }",
        &[],
        &empty,
    )?;
    let lacking = failure(aar(&none)?.arg("--placeholder").arg(&empty))?;
    ensure!(
        lacking.contains(" functions that the classes call"),
        "it does not say what the library lacks: {lacking}"
    );

    // A library with the feature `microphone` links AAudio, which the oldest supported system does not have.
    compile("int nothing;", &[], &work.join("libaaudio.so"))?;
    let bound = work.join("aaudio.so");
    let link = format!("-L{}", work.display());
    compile(
        "int nothing;",
        &["-Wl,--no-as-needed", &link, "-laaudio"],
        &bound,
    )?;
    let aaudio = failure(aar(&none)?.arg("--placeholder").arg(&bound))?;
    let expected = "links libaaudio.so, which Android has since API level 26, but the manifest's minSdkVersion is 24";
    ensure!(
        aaudio.contains(expected),
        "it does not say which system the library is for: {aaudio}"
    );
    Ok(())
}

fn the_layout_is_complete(work: &Path) -> Result<()> {
    let (out, opened) = (work.join("sordino.aar"), work.join("opened"));
    let library = generated()
        .join("native")
        .join(native_folder())
        .join(LIBRARY);
    let built = aar(&out)?.arg("--placeholder").arg(library).output()?;
    ensure!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    fs::create_dir(&opened)?;
    run(cmd("jar")
        .current_dir(&opened)
        .args(["--extract", "--file"])
        .arg(&out))?;

    let libraries = ABIS
        .iter()
        .map(|abi| format!("jni/{}/libsordino.so", abi.name));
    let files = [
        "AndroidManifest.xml",
        "classes.jar",
        "R.txt",
        "proguard.txt",
        "PLACEHOLDER.txt",
        "res/xml/sordino_data_extraction_rules.xml",
        "res/xml/sordino_backup_rules.xml",
    ];
    for file in files.map(str::to_owned).into_iter().chain(libraries) {
        ensure!(opened.join(&file).is_file(), "{file} is not in the AAR");
    }
    run(cmd("python3").args(["-c", CHECK_BACKUP_RULES]).arg(&opened))
        .context("the state folder is not excluded from backups")?;

    let classes = read(
        cmd("jar")
            .args(["--list", "--file"])
            .arg(opened.join("classes.jar")),
    )?;
    for class in [
        "dev/sordino/Sordino",
        "dev/sordino/UniffiLib",
        "dev/sordino/android/UploadJob",
    ] {
        let name = format!("{class}.class");
        ensure!(
            classes.lines().any(|line| line == name),
            "{class} is not among the classes"
        );
    }
    for notice in [
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "silero_vad_16k.LICENSE",
        "CREDITS.md",
    ] {
        let name = format!("META-INF/sordino/{notice}");
        ensure!(
            classes.lines().any(|line| line == name),
            "{name} is not in classes.jar"
        );
    }
    ensure!(
        !classes.contains("libsordino"),
        "the library for desktops is among the classes"
    );
    Ok(())
}

fn aar(out: &Path) -> Result<Command> {
    let mut aar = xtask()?;
    aar.args(["kotlin", "aar"]).arg(out);
    Ok(aar)
}

/// The errors of a build that has to fail.
fn failure(build: &mut Command) -> Result<String> {
    let Output { status, stderr, .. } = build.output()?;
    let printed = String::from_utf8_lossy(&stderr).into_owned();
    ensure!(
        !status.success(),
        "a build passed that has to fail: {printed}"
    );
    Ok(printed)
}

fn compile(source: &str, options: &[&str], out: &PathBuf) -> Result<()> {
    let folder = out.parent().context("a file without a folder")?;
    let file = folder.join("source.c");
    fs::write(&file, source)?;
    run(cmd("cc")
        .args(["-shared", "-o"])
        .arg(out)
        .arg(file)
        .args(options))
}
