//! The parts that exist on Apple's systems only.

use std::{env, fs, path::PathBuf};

use anyhow::{Result, ensure};

use super::{PACKAGE, generated, toolchain};
use crate::{
    bindings::{Library, copy_notices},
    process::{cargo, cmd, copy, empty_folder, is_installed, root, run, target},
};

/// Apple's modules with stubs in bindings/swift/stubs.
const STUBS: [&str; 4] = ["AVFAudio", "AVFoundation", "BackgroundTasks", "SwiftUI"];
/// The stub of the parts of Foundation that Linux lacks.
const FOUNDATION: &str = "bindings/swift/stubs/AppleFoundation.swift";

/// Type-checks on Linux, as Swift 6 with warnings as errors. The stubs were written from Apple's documentation and not
/// compared with its SDK.
pub fn check() -> Result<()> {
    empty_folder(&stubs())?;
    for stub in STUBS {
        emit_module(stub, &[format!("bindings/swift/stubs/{stub}.swift")])?;
    }
    let sources = swift_files(&format!("{PACKAGE}/Sources/Sordino"))?;
    let with_stub: Vec<_> = sources
        .iter()
        .cloned()
        .chain([FOUNDATION.to_owned()])
        .collect();
    type_check("Sordino", &with_stub)?;
    emit_module("Sordino", &with_stub)?;
    type_check("Etude", &swift_files("samples/ios/Etude")?)?;
    let apple = sources
        .iter()
        .filter(|file| file.contains("/Apple/"))
        .count();
    println!(
        "type-checked with stubs: Sordino, including {apple} files for Apple's systems only, and samples/ios"
    );
    Ok(())
}

fn stubs() -> PathBuf {
    target().join("swift/stubs")
}

fn swiftc() -> std::process::Command {
    let mut swiftc = toolchain("swiftc");
    swiftc
        .args([
            "-swift-version",
            "6",
            "-parse-as-library",
            "-D",
            "SORDINO_STUBS",
            "-I",
        ])
        .arg(stubs());
    swiftc.args(["-I", "bindings/swift/Sources/SordinoC"]);
    swiftc
}

/// Writes a module for others to import. It checks declarations only.
fn emit_module(name: &str, files: &[String]) -> Result<()> {
    let module = stubs().join(format!("{name}.swiftmodule"));
    run(swiftc()
        .args(["-emit-module", "-module-name", name, "-emit-module-path"])
        .arg(module)
        .args(files))
}

/// Type-checks the files, with function bodies.
fn type_check(name: &str, files: &[String]) -> Result<()> {
    run(swiftc()
        .args(["-typecheck", "-warnings-as-errors", "-module-name", name])
        .args(files))
}

/// The Swift files below `folder`, from the root, sorted.
fn swift_files(folder: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            found.append(&mut swift_files(&path)?);
        } else if path.ends_with(".swift") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

const TARGETS: [&str; 5] = [
    "aarch64-apple-ios",
    "aarch64-apple-ios-sim",
    "x86_64-apple-ios",
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
];
const PROFILE: &str = "mobile";

/// Builds the library for iOS (arm64), its simulator and macOS (both arm64 and x86_64), and its bindings. After that the
/// folder bindings/swift is a complete Swift package, which Xcode can add.
///
/// The library includes neither microphone nor HTTP client: on Apple's systems the package uses AVAudioEngine and
/// URLSession.
pub fn xcframework() -> Result<()> {
    ensure!(
        cfg!(target_os = "macos"),
        "an XCFramework can be built on macOS only, since Apple's SDKs require it; this is {}",
        env::consts::OS
    );
    ensure!(
        is_installed("xcodebuild"),
        "xcodebuild is missing: install Xcode and select its command-line tools with xcode-select"
    );
    ensure!(
        is_installed("rustup"),
        "rustup is missing: it installs Rust's standard library for iOS"
    );
    let made = target().join("swift/xcframework");
    let framework = root().join(PACKAGE).join("SordinoC.xcframework");
    for folder in [
        &made.join("simulator"),
        &made.join("macos"),
        &made.join("headers"),
    ] {
        empty_folder(folder)?;
    }
    if framework.exists() {
        fs::remove_dir_all(&framework)?;
    }
    run(cmd("rustup").args(["target", "add"]).args(TARGETS))?;
    for target in TARGETS {
        // An iOS app links a static library; the crate is a cdylib for all other languages.
        let mut build = cargo();
        build
            .env("IPHONEOS_DEPLOYMENT_TARGET", "15.0")
            .env("MACOSX_DEPLOYMENT_TARGET", "12.0");
        build.args([
            "rustc",
            "--quiet",
            "-p",
            "sordino-ffi",
            "--lib",
            "--crate-type",
            "staticlib",
        ]);
        run(build.args([
            "--no-default-features",
            "--profile",
            PROFILE,
            "--target",
            target,
        ]))?;
    }
    let simulator = made.join("simulator/libsordino.a");
    lipo(&["aarch64-apple-ios-sim", "x86_64-apple-ios"], &simulator)?;
    let macos = made.join("macos/libsordino.a");
    lipo(&["aarch64-apple-darwin", "x86_64-apple-darwin"], &macos)?;

    // The bindings are generated from the library for this Mac, with the same features.
    let features = Some(String::new());
    generated::write(Library {
        library: None,
        profile: Some(PROFILE.to_owned()),
        features,
    })?;
    let sources = root().join(PACKAGE).join("Sources/SordinoC");
    copy(
        &sources.join("SordinoC.h"),
        &made.join("headers/SordinoC.h"),
    )?;
    // Linux links the library by name; here the framework contains it.
    let map = fs::read_to_string(sources.join("module.modulemap"))?;
    let map: String = map
        .lines()
        .filter(|line| !line.contains("link \"sordino\""))
        .flat_map(|line| [line, "\n"])
        .collect();
    fs::write(made.join("headers/module.modulemap"), map)?;

    let mut create = cmd("xcodebuild");
    create.arg("-create-xcframework");
    for library in [&built("aarch64-apple-ios"), &simulator, &macos] {
        create
            .arg("-library")
            .arg(library)
            .arg("-headers")
            .arg(made.join("headers"));
    }
    run(create.arg("-output").arg(&framework))?;
    copy_notices(&framework.join("licenses"))
}

fn built(triple: &str) -> PathBuf {
    target().join(triple).join(PROFILE).join("libsordino.a")
}

fn lipo(targets: &[&str], out: &std::path::Path) -> Result<()> {
    run(cmd("lipo")
        .arg("-create")
        .args(targets.iter().map(|target| built(target)))
        .arg("-output")
        .arg(out))
}
