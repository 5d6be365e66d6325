//! The Python binding: `bindings/python`.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::Subcommand;

use crate::{
    bindings::Library,
    build,
    process::{cmd, create_folder, run, target, xtask},
};

const TESTS: &str = "bindings/python/tests";

#[derive(Subcommand)]
pub enum Task {
    /// Build the wheel target/wheels/sordino-*.whl: the library, its bindings with types, and the Python package
    ///
    /// By default from a release build with all features.
    Build(Library),
    /// Build the wheel from a development build, install it, and test it together with the programs
    Test {
        /// Names of tests, such as `test_consent.ConsentTests`; by default all
        tests: Vec<String>,
    },
    /// Write the API reference as HTML, by pdoc
    Docs { out: PathBuf },
    /// Measure the share of a core for pushing and receiving 48 kHz mono in frames of 10 ms
    Bench {
        #[arg(default_value_t = 30)]
        seconds: u32,
    },
}

pub fn perform(task: Task) -> Result<()> {
    match task {
        Task::Build(library) => build_wheel(&library),
        Task::Test { tests } => test(&tests),
        Task::Docs { out } => docs(out),
        Task::Bench { seconds } => bench(seconds),
    }
}

fn build_wheel(library: &Library) -> Result<()> {
    let tools = environment("python-wheel")?;
    let hatchling = tools.join("bin/hatchling");
    if !hatchling.exists() {
        install("python-wheel", &["hatchling>=1.27,<2"])?;
    }
    let wheels = target().join("wheels");
    create_folder(&wheels)?;
    for wheel in wheels_in(&wheels)? {
        fs::remove_file(wheel)?;
    }
    let mut hatch = cmd(hatchling);
    hatch.current_dir(crate::process::root().join("bindings/python"));
    hatch
        .args(["build", "--target", "wheel", "--directory"])
        .arg(&wheels);
    // wheel/hook.py runs `xtask generate`, which reads the rest.
    hatch.env("SORDINO_XTASK", xtask()?.get_program());
    if library.profile.is_some() || build::given_programs()?.is_none() {
        hatch.env("PROFILE", library.profile.as_deref().unwrap_or("release"));
        hatch.env(
            "FEATURES",
            library
                .features
                .as_deref()
                .unwrap_or("microphone,http,research"),
        );
    }
    run(&mut hatch)?;
    println!("built {}", wheel()?.display());
    Ok(())
}

fn test(tests: &[String]) -> Result<()> {
    let programs = build::programs()?;
    let mut build = xtask()?;
    // Without settings of the shell for a published wheel.
    build
        .args(["python", "build"])
        .env_remove("PROFILE")
        .env_remove("FEATURES");
    run(build.env("SORDINO_PROGRAMS", &programs))?;

    let environment = environment("python-test")?;
    let wheel = wheel()?;
    reinstall(
        "python-test",
        "[plot]",
        &["-r", &format!("{TESTS}/requirements.txt")],
    )?;
    let mut python = cmd(environment.join("bin/python"));
    python
        .env("SORDINO_WHEEL", &wheel)
        .env("SORDINO_PROGRAMS", &programs);
    python.env("PYTHONPATH", TESTS).env("MPLBACKEND", "Agg");
    python.args(["-W", "error::ResourceWarning", "-m", "unittest"]);
    if tests.is_empty() {
        python.args(["discover", "-s", TESTS]);
    }
    run(python.args(tests))
}

fn docs(out: PathBuf) -> Result<()> {
    let out = std::path::absolute(out)?;
    create_folder(&out)?;
    wheel_or_build()?;
    let environment = environment("python-docs")?;
    if !environment.join("bin/pdoc").exists() {
        install("python-docs", &["pdoc", "typing_extensions"])?;
    }
    reinstall("python-docs", "", &[])?;
    run(cmd(environment.join("bin/python"))
        .arg("bindings/python/wheel/reference.py")
        .arg(out))
}

fn bench(seconds: u32) -> Result<()> {
    wheel_or_build()?;
    let environment = environment("python-bench")?;
    reinstall("python-bench", "", &[])?;
    let bench = format!("{TESTS}/bench.py");
    run(cmd(environment.join("bin/python"))
        .arg(bench)
        .arg(seconds.to_string()))
}

/// The Python environment target/`name`, created if it is missing.
fn environment(name: &str) -> Result<PathBuf> {
    let folder = target().join(name);
    if !folder.join("bin/python").exists() {
        run(cmd("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    Ok(folder)
}

fn install(environment: &str, what: &[&str]) -> Result<()> {
    let python = target().join(environment).join("bin/python");
    let pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check"];
    run(cmd(python).args(pip).args(what))
}

/// Installs the current wheel with its dependencies, those of `extra`, and `more`.
fn reinstall(environment: &str, extra: &str, more: &[&str]) -> Result<()> {
    let wheel = wheel()?.to_string_lossy().into_owned();
    install(environment, &["--force-reinstall", "--no-deps", &wheel])?;
    install(
        environment,
        &[&[format!("{wheel}{extra}").as_str()], more].concat(),
    )
}

fn wheel_or_build() -> Result<()> {
    if wheel().is_ok() {
        Ok(())
    } else {
        build_wheel(&Library::default())
    }
}

fn wheel() -> Result<PathBuf> {
    let folder = target().join("wheels");
    let wheels = wheels_in(&folder)?;
    wheels
        .into_iter()
        .next()
        .with_context(|| format!("{} has no wheel", folder.display()))
}

fn wheels_in(folder: &std::path::Path) -> Result<Vec<PathBuf>> {
    let listed =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "whl");
    Ok(listed
        .flatten()
        .map(|entry| entry.path())
        .filter(is_wheel)
        .collect())
}
