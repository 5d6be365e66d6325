//! The Swift binding: `bindings/swift`. If Swift is not installed, `bindings/swift/toolchain.sh` runs commands in a chroot.

mod apple;
mod generated;
mod quick_start;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Subcommand;
use regex::Regex;

use crate::{
    bindings::Library,
    build,
    process::{cmd, copy_folder, empty_folder, read, root, run, run_logged, target},
};

const PACKAGE: &str = "bindings/swift";
/// An organization's key, whose plan is never installed: RFC 8032, section 7.1, test 1.
const ANY_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
/// Seconds after which a hanging test is killed.
const TEST_LIMIT: &str = "3600";

#[derive(Subcommand)]
pub enum Task {
    /// Copy the library, its C header, the generated bindings and the privacy manifest to the paths in Package.swift
    Generate(Library),
    /// Build the package and test it with the library and the programs; type-check the code for Apple's systems
    Test(Library),
    /// Type-check the code for Apple's systems with stubs of the types that it uses
    CheckApple,
    /// Write the API reference, by DocC
    Docs {
        out: PathBuf,
        /// The path of the reference on the site
        #[arg(long, env = "BASE", default_value = "swift")]
        base: String,
        #[command(flatten)]
        library: Library,
    },
    /// Measure the share of a core for pushing and receiving 48 kHz mono in frames of 10 ms
    Bench {
        /// The speed relative to real time
        #[arg(long, env = "SPEED", default_value = "1")]
        speed: String,
        #[command(flatten)]
        library: Library,
    },
    /// On a Mac, build SordinoC.xcframework for iOS, its simulator and macOS
    Xcframework,
}

pub fn perform(task: Task) -> Result<()> {
    match task {
        Task::Generate(library) => generated::write(library),
        Task::Test(library) => test(library),
        Task::CheckApple => apple::check(),
        Task::Docs { out, base, library } => docs(&out, &base, library),
        Task::Bench { speed, library } => bench(&speed, library),
        Task::Xcframework => apple::xcframework(),
    }
}

/// A command that runs with a Swift toolchain.
fn toolchain(program: &str) -> Command {
    let mut command = cmd("bindings/swift/toolchain.sh");
    command.arg(program);
    command
}

fn test(library: Library) -> Result<()> {
    let programs = build::programs()?;
    generated::write(library.or_in(&programs))?;
    // Leak tests run alone, since they count the process's resources.
    let tests = run_suite(&programs, &["--skip", "LeakTests"])?
        + run_suite(&programs, &["--filter", "LeakTests"])?;
    println!("{tests} tests passed");
    quick_start::run(&programs)?;
    apple::check()?;
    // The app's bundle contains the privacy manifest of the compliance documents.
    let bundled = format!("{PACKAGE}/.build/debug/Sordino_Sordino.resources/PrivacyInfo.xcprivacy");
    let is_same = fs::read(root().join(PRIVACY_MANIFEST))? == fs::read(root().join(&bundled))?;
    ensure!(is_same, "{bundled} is not {PRIVACY_MANIFEST}");
    Ok(())
}

const PRIVACY_MANIFEST: &str = "docs/papers/PrivacyInfo.xcprivacy";

/// Runs tests and returns the number that passed.
fn run_suite(programs: &Path, options: &[&str]) -> Result<u32> {
    let log = target().join("swift/test.log");
    let mut suite = toolchain("timeout");
    suite.args(["--kill-after=10", TEST_LIMIT, "env"]);
    suite.arg(format!("SORDINO_PROGRAMS={}", programs.display()));
    suite.arg(format!(
        "SORDINO_SOAK={}",
        env::var("SORDINO_SOAK").unwrap_or_default()
    ));
    suite
        .args(["swift", "test", "--quiet", "--package-path", PACKAGE])
        .args(options);
    run_logged(&mut suite, &log)?;
    let printed = fs::read_to_string(&log)?;
    let passed = Regex::new(r"Test run with (\d+) tests? .*passed")?;
    let counts = passed
        .captures_iter(&printed)
        .map(|found| found[1].parse::<u32>());
    let total = counts.sum::<Result<u32, _>>()?;
    ensure!(total > 0, "no test ran: {printed}");
    Ok(total)
}

fn docs(out: &Path, base: &str, library: Library) -> Result<()> {
    generated::write(library)?;
    // Below target, which the chroot of the toolchain sees.
    let (graphs, made, log) = (
        target().join("swift/graphs"),
        target().join("swift/docs"),
        target().join("swift/docs.log"),
    );
    empty_folder(&graphs)?;
    empty_folder(&made)?;
    let mut dump = toolchain("swift");
    dump.args(["package", "--package-path", PACKAGE, "dump-symbol-graph"]);
    run_logged(
        dump.args([
            "--minimum-access-level",
            "public",
            "--skip-synthesized-members",
        ]),
        &log,
    )?;
    fs::copy(find_symbols()?, graphs.join("Sordino.symbols.json"))?;
    let mut convert = toolchain(&find_docc()?);
    convert
        .arg("convert")
        .arg("--additional-symbol-graph-dir")
        .arg(&graphs);
    convert.args([
        "--fallback-display-name",
        "Sordino",
        "--fallback-bundle-identifier",
        "dev.sordino.Sordino",
    ]);
    convert.args([
        "--transform-for-static-hosting",
        "--hosting-base-path",
        base,
        "--warnings-as-errors",
    ]);
    convert
        .arg("--output-path")
        .arg(&made)
        .arg(format!("{PACKAGE}/Sordino.docc"));
    run_logged(&mut convert, &log)?;
    copy_folder(&made, out)
}

fn find_symbols() -> Result<PathBuf> {
    for entry in fs::read_dir(root().join(PACKAGE).join(".build"))? {
        let symbols = entry?.path().join("symbolgraph/Sordino.symbols.json");
        if symbols.exists() {
            return Ok(symbols);
        }
    }
    bail!("swift package dump-symbol-graph wrote no Sordino.symbols.json")
}

/// DocC is next to the compiler, which a distribution may have put elsewhere than on the PATH.
fn find_docc() -> Result<String> {
    let script = r#"docc=$(command -v docc || command -v xcrun >/dev/null && xcrun --find docc || true)
        [ -n "$docc" ] || docc=$(dirname "$(readlink -f "$(command -v swiftc)")")/docc
        echo "$docc""#;
    read(toolchain("bash").args(["-euc", script])).context("there is no DocC")
}

fn bench(speed: &str, library: Library) -> Result<()> {
    generated::write(library.release())?;
    let mut build = toolchain("swift");
    build.args([
        "build",
        "--package-path",
        PACKAGE,
        "--scratch-path",
        "target/swift/release",
    ]);
    build
        .args(["-c", "release", "--product", "sordino-bench"])
        .stdout(std::io::stderr());
    run(&mut build)?;
    run(toolchain("target/swift/release/release/sordino-bench").args([ANY_KEY, speed]))
}
