//! All rows of docs/benchmarks.md except those of `make eval`, as Markdown. Criterion's benchmarks run with
//! `cargo bench -p sordino-benches --bench stages`.

use std::{fs, process::Stdio};

use anyhow::{Context as _, Result};

use crate::{
    bindings::LIBRARY,
    process::{cargo, cmd, run, target, xtask},
};

pub fn run_all(load: &[String]) -> Result<()> {
    stages_and_sizes()?;
    for language in ["python", "kotlin", "swift"] {
        binding(language)?;
    }
    // `sordino pull`, with release builds.
    run(cargo().args([
        "build",
        "--quiet",
        "--release",
        "-p",
        "sordino-cli",
        "-p",
        "sordino-collector",
    ]))?;
    if let Err(error) = run(&mut cmd("benches/pull.py")) {
        eprintln!("not measured: {error:#}");
    }
    // The collector, and MinIO and nginx if `tools/setup.sh services` has installed them.
    let mut bench = cargo();
    bench.args([
        "bench",
        "--quiet",
        "-p",
        "sordino-collector",
        "--bench",
        "load",
        "--",
    ]);
    run(bench.args(load))?;
    withdrawal()
}

/// The SDK, with the sizes of the library without features and with the default ones.
fn stages_and_sizes() -> Result<()> {
    let kept = tempfile::tempdir()?;
    let mut libraries = Vec::new();
    for features in ["", "microphone,http"] {
        let mut build = cargo();
        build.args([
            "build",
            "--quiet",
            "--profile",
            "mobile",
            "-p",
            "sordino-ffi",
            "--no-default-features",
        ]);
        run(build.args(["--features", features]))?;
        let name = if features.is_empty() {
            "none"
        } else {
            features
        };
        let copied = kept.path().join(name);
        fs::copy(target().join("mobile").join(LIBRARY), &copied)?;
        libraries.push(format!("{name}={}", copied.display()));
    }
    // The baseline: Silero's package, if eval/setup.sh has installed it.
    let python = target().join("eval/venv/bin/python");
    let python = if python.exists() {
        python.display().to_string()
    } else {
        String::new()
    };
    let mut bench = cargo();
    bench
        .env("SORDINO_BENCH_PYTHON", python)
        .env("SORDINO_BENCH_LIBRARIES", libraries.join(" "));
    run(bench.args([
        "bench",
        "--quiet",
        "-p",
        "sordino-benches",
        "--bench",
        "table",
    ]))
}

/// Each binding prints `LANGUAGE push+receive: X % of a core (…)`.
fn binding(language: &str) -> Result<()> {
    let measured = xtask()?.args([language, "bench"]).output()?;
    let printed = String::from_utf8_lossy(&measured.stdout);
    let share = printed
        .split_once(": ")
        .and_then(|(_, rest)| rest.split_once(" of a core"));
    match share {
        Some((share, _)) if measured.status.success() => {
            let what = "pushing and receiving 48 kHz in frames of 10 ms, share of a core";
            println!("| {language}: {what} | ≤ 1 % | {share} |");
            eprint!("{printed}");
        }
        _ => {
            let errors = String::from_utf8_lossy(&measured.stderr);
            eprintln!(
                "not measured: {language}: {}",
                errors.lines().last().unwrap_or_default()
            );
        }
    }
    Ok(())
}

/// The time of a withdrawal with 10 000 queued samples. A test inserts them directly: the public API takes too long.
fn withdrawal() -> Result<()> {
    let mut test = cargo();
    test.args([
        "test",
        "--quiet",
        "--release",
        "-p",
        "sordino",
        "--lib",
        "--",
        "--ignored",
        "--nocapture",
    ]);
    let output = test
        .arg("with_ten_thousand")
        .stderr(Stdio::piped())
        .output()
        .context("cannot run cargo")?;
    for line in String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.starts_with("| "))
    {
        println!("{line}");
    }
    Ok(())
}
