//! The tiers of tests: `test`, `test all`, `soak`, and what CI runs. Each includes the one before it.

use std::{env, fs, path::Path, process::Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{
    fuzz,
    process::{cargo, cmd, is_installed, read, root, run, target, xtask},
    steps::Steps,
};

/// The end-to-end tests. By target rather than by package, which would select other features.
const END_TO_END: [&str; 4] = ["--test", "cli", "--test", "collector"];

pub fn test(all: bool) -> Result<()> {
    table(|steps| {
        if all {
            test_all(steps)
        } else {
            test_rust(steps)
        }
    })
}

pub fn ci() -> Result<()> {
    table(|steps| {
        steps.set_env("CI", "true");
        // In parallel: downloads mostly wait for the network, and the build needs none of them.
        steps.lanes(&[
            |steps| {
                steps.step(
                    "set-up: toolchains",
                    cmd("tools/setup.sh").arg("toolchains"),
                )
            },
            |steps| steps.step("build", xtask()?.arg("build")),
        ])?;
        test_all(steps)?;
        let demo = target().join("demo");
        steps.step(
            "demo",
            cmd("target/debug/sordino")
                .args(["demo", "--out"])
                .arg(demo),
        )
    })
}

pub fn soak(fuzz_seconds: u32) -> Result<()> {
    table(|steps| {
        steps.set_env("SORDINO_SOAK", "1");
        // .cargo/config.toml fixes the seed of the smaller tiers. Here each run has its own, printed so that a failure can
        // be repeated.
        let seed = env::var("PROPTEST_RNG_SEED").or_else(|_| random_seed())?;
        println!("PROPTEST_RNG_SEED={seed}");
        steps.set_env("PROPTEST_RNG_SEED", seed);
        test_all(steps)?;
        steps.step(
            "every phone target, and the library's size",
            &mut cmd("tools/mobile.sh"),
        )?;
        if !fuzz::is_installed() {
            return steps.skip("fuzzing", "cargo-fuzz and nightly Rust (fuzz/README.md)");
        }
        for target in fuzz::targets()? {
            let name = format!("fuzzing {target} for {fuzz_seconds} s");
            steps.step(
                &name,
                xtask()?.args(["fuzz", &target, &fuzz_seconds.to_string()]),
            )?;
        }
        Ok(())
    })
}

fn table(perform: impl FnOnce(&Steps) -> Result<()>) -> Result<()> {
    let steps = Steps::begin()?;
    let outcome = perform(&steps);
    steps.end();
    outcome
}

/// Sets the paths of the reference implementations that tests compare with, if tools/setup.sh has installed them.
fn set_reference_paths(steps: &Steps) {
    for (name, path) in [
        ("SORDINO_PYTHON", "python/bin/python"),
        ("SORDINO_NEWEST_DATASETS", "python-datasets"),
    ] {
        let path = target().join(path);
        if path.exists() {
            steps.set_env(name, path.to_string_lossy());
        }
    }
}

/// Two lanes: while one waits for a process, a browser or a sound device, the other computes.
fn test_rust(steps: &Steps) -> Result<()> {
    set_reference_paths(steps);
    // The collector's tests with PostgreSQL, MinIO and nginx run in `test all` only.
    steps.set_env("SORDINO_TEST_SERVICES", "no");
    check_text(steps)?;
    steps.step("build", xtask()?.arg("build"))?;
    steps.lanes(&[
        |steps| {
            let unit = [
                "test", "--lib", "--bins", "--test", "sdk", "--test", "memory",
            ];
            steps.step("Rust: unit, SDK and memory tests", cargo().args(unit))?;
            steps.step(
                "Rust: examples in the documentation",
                cargo().args(["test", "--doc"]),
            )
        },
        |steps| {
            steps.step(
                "Rust: end-to-end tests",
                cargo().arg("test").args(END_TO_END),
            )
        },
    ])
}

fn test_all(steps: &Steps) -> Result<()> {
    set_reference_paths(steps);
    check_text(steps)?;
    check_dependencies(steps)?;
    steps.step("build", xtask()?.arg("build"))?;
    steps.set_env("SORDINO_PROGRAMS", target().join("debug").to_string_lossy());
    steps.lanes(&[test_rust_and_phones, test_other_languages])?;
    // Dokka, DocC and pdoc read the output of the bindings' tests.
    if target().join("docs-venv/bin/sphinx-build").exists() {
        steps.step("documentation and its links", xtask()?.arg("docs"))
    } else {
        steps.skip("the documentation", "Sphinx (tools/setup.sh docs)")
    }
}

/// Checks formatting, vocabulary, spelling and the list of dependencies.
fn check_text(steps: &Steps) -> Result<()> {
    if has_cargo_command("fmt") {
        steps.step("formatting", cargo().args(["fmt", "--all", "--check"]))?;
    } else {
        steps.skip("the check of the formatting", "rustfmt")?;
    }
    steps.step("words", xtask()?.arg("words"))?;
    steps.step("list of dependencies", xtask()?.arg("dependencies"))
}

/// The licenses and sources of all dependencies. Not the advisories: their database is on another server than crates.io.
fn check_dependencies(steps: &Steps) -> Result<()> {
    let cargo_deny = target().join("tools/cargo-deny");
    if !cargo_deny.exists() {
        return steps.skip(
            "the check of the dependencies",
            "cargo-deny (tools/setup.sh ci)",
        );
    }
    let check = [
        "--workspace",
        "--log-level=error",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ];
    steps.step("licenses of dependencies", cmd(cargo_deny).args(check))
}

fn test_rust_and_phones(steps: &Steps) -> Result<()> {
    // In one call: a second would wait for Cargo's lock while the other lane builds.
    steps.step("Rust tests", cargo().arg("test"))?;
    test_on_postgresql(steps)?;
    if target().join("schemathesis/bin/schemathesis").exists() {
        steps.step("OpenAPI document", xtask()?.args(["collector", "openapi"]))?;
    } else {
        steps.skip("the OpenAPI document", "Schemathesis (tools/setup.sh ci)")?;
    }
    if has_cargo_command("clippy") {
        let clippy = [
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ];
        steps.step("clippy", cargo().args(clippy))?;
    } else {
        steps.skip("the check of the lints", "clippy")?;
    }
    if rustix::process::geteuid().is_root() && is_installed("debootstrap") {
        steps.step(
            "Android and iOS type check",
            cmd("tools/mobile.sh").arg("one-each"),
        )
    } else {
        steps.skip(
            "the type check for phones",
            "root and debootstrap (make mobile)",
        )
    }
}

/// Runs the collector's tests again, except those that use no database or one of their own.
fn test_on_postgresql(steps: &Steps) -> Result<()> {
    if !has_postgresql() {
        return steps.skip(
            "the collector's tests on PostgreSQL",
            "PostgreSQL (tools/setup.sh services)",
        );
    }
    // Without Cargo: for a single test program, Cargo selects other features and compiles the SDK again.
    let mut program = cmd(collector_tests()?);
    program
        .current_dir(root().join("tools/collector"))
        .env("SORDINO_TEST_DATABASE", "postgres");
    for module in WITHOUT_DATABASE {
        program.args(["--skip", &format!("{module}::")]);
    }
    if env::var_os("PROPTEST_RNG_SEED").is_none() {
        program.env("PROPTEST_RNG_SEED", fixed_seed()?);
    }
    steps.step("collector on PostgreSQL", &mut program)
}

/// The modules of the collector's tests that use no database, or one of their own.
const WITHOUT_DATABASE: [&str; 9] = [
    "remote_storage",
    "deployment",
    "faults",
    "limits",
    "outages",
    "real_services",
    "signatures",
    "tls",
    "transport",
];

fn test_other_languages(steps: &Steps) -> Result<()> {
    if is_installed("npm") && has_node() && chromium_exists() {
        steps.step("review page", xtask()?.args(["collector", "page"]))?;
    } else {
        steps.skip(
            "the review page",
            "Node 20 or later, npm or Chromium (CHROMIUM names it)",
        )?;
    }
    // After the review page, since it compiles for minutes on one core.
    steps.step(
        "generator of the bindings",
        cargo().args(["build", "--quiet", "-p", "sordino-bindgen"]),
    )?;
    if is_installed("python3") {
        steps.step("Python binding", xtask()?.args(["python", "test"]))?;
        check_scripts(steps)?;
    } else {
        steps.skip("the Python binding", "python3")?;
    }
    if is_installed("mvn") && is_installed("javac") {
        steps.step("Kotlin binding", xtask()?.args(["kotlin", "test"]))?;
    } else {
        steps.skip("the Kotlin binding", "Maven or a JDK")?;
    }
    if run(cmd("bindings/swift/toolchain.sh").arg("--ready")).is_ok() {
        steps.step("Swift binding", xtask()?.args(["swift", "test"]))?;
    } else {
        steps.skip("the Swift binding", "a Swift toolchain")?;
    }
    if ["mvn", "Xvfb", "pulseaudio"].into_iter().all(is_installed) {
        steps.step("sample apps", xtask()?.args(["samples", "test"]))
    } else {
        steps.skip("the sample apps", "Maven, Xvfb or PulseAudio")
    }
}

/// Finds names and arguments that do not exist in the scripts of training and evaluation, with the mypy of the Python
/// binding's tests. Running the scripts needs gigabytes of packages.
fn check_scripts(steps: &Steps) -> Result<()> {
    for folder in ["eval", "models/silero", "models/voice", "samples/audio"] {
        let mut mypy = cmd(target().join("python-test/bin/python"));
        mypy.current_dir(root().join(folder)).args(["-m", "mypy"]);
        mypy.arg("--config-file").arg(root().join("eval/mypy.ini"));
        mypy.arg("--cache-dir").arg(target().join("mypy"));
        steps.step(&format!("names in {folder}"), mypy.arg("."))?;
    }
    // Standard library only: the manifest, the credits and the splits of the training data agree.
    let tests = [
        "-m",
        "unittest",
        "discover",
        "-q",
        "-s",
        "models/voice/tests",
    ];
    steps.step("manifest of the training data", cmd("python3").args(tests))
}

fn has_cargo_command(name: &str) -> bool {
    cargo()
        .args([name, "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn has_postgresql() -> bool {
    let Ok(versions) = fs::read_dir("/usr/lib/postgresql") else {
        return false;
    };
    versions
        .flatten()
        .any(|version| version.path().join("bin/initdb").exists())
}

fn has_node() -> bool {
    const OLDEST: u32 = 20;
    let version = cmd("node").args(["-p", "process.versions.node"]).output();
    version.is_ok_and(|output| {
        let version = String::from_utf8_lossy(&output.stdout);
        version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok())
            .is_some_and(|major: u32| major >= OLDEST)
    })
}

fn chromium_exists() -> bool {
    let chromium = env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    Path::new(&chromium).exists()
}

/// The test program of the collector, which is already built.
fn collector_tests() -> Result<String> {
    let mut build = cargo();
    build
        .args(["test", "--no-run", "--message-format=json"])
        .args(END_TO_END)
        .stderr(Stdio::null());
    let messages = read(&mut build)?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "collector")
        .find_map(|message| message["executable"].as_str().map(str::to_owned))
        .context("Cargo names no test program of the collector")
}

/// The seed in .cargo/config.toml, which Cargo sets for programs that it runs.
fn fixed_seed() -> Result<String> {
    let config = fs::read_to_string(root().join(".cargo/config.toml"))?;
    let seed = config
        .lines()
        .find_map(|line| line.strip_prefix("PROPTEST_RNG_SEED = "));
    Ok(seed
        .context(".cargo/config.toml has no PROPTEST_RNG_SEED")?
        .trim_matches('"')
        .to_owned())
}

fn random_seed() -> Result<String> {
    let random =
        fs::read_to_string("/proc/sys/kernel/random/uuid").context("cannot draw a seed")?;
    let digits = random.get(..8).context("cannot draw a seed")?;
    Ok(u32::from_str_radix(digits, 16)?.to_string())
}
