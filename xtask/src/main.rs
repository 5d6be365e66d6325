//! The tasks of this repository that Cargo has no command for. `cargo xtask --help` lists them.
//!
//! What has to work before there is a compiler, or as root in a chroot, is a shell script that a task calls:
//! `tools/setup.sh`, `tools/mobile.sh`, `bindings/swift/toolchain.sh`.

mod bench;
mod bindings;
mod build;
mod collector;
mod docs;
mod fuzz;
mod kotlin;
mod markdown;
mod process;
mod python;
mod samples;
mod steps;
mod swift;
mod tiers;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use process::{cmd, run};

/// Tasks of the Sordino repository
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the tests, and print what each step took
    ///
    /// Skipped suites are listed with the tool that they lack. With CI=true, where everything is installed, a skipped
    /// suite fails.
    Test {
        /// Not only the Rust tests that need no service, but also lints, PostgreSQL, S3, the review page, the OpenAPI
        /// document, Python, Kotlin, Swift, the sample apps, the documentation, Android and iOS
        #[arg(value_parser = ["all"])]
        tier: Option<String>,
    },
    /// Find rare faults by repeating: the long versions of all tests with new random cases, and fuzzing
    ///
    /// It takes hours. docs/soak.md has its sizes and the figures of its last run.
    Soak {
        /// Seconds of fuzzing for each target
        #[arg(default_value_t = 600)]
        fuzz_seconds: u32,
    },
    /// Run what CI runs, after `tools/setup.sh packages`
    Ci,
    /// Build the SDK, the programs and all tests in target/debug, and print nothing but warnings and errors
    Build {
        /// Also sordino-bindgen, the generator of the bindings
        #[arg(value_parser = ["all"])]
        what: Option<String>,
    },
    /// Install what building or testing needs: see tools/setup.sh
    Setup {
        #[arg(required = true)]
        what: Vec<String>,
    },
    /// Check the language of tracked text files, or of those below PATH
    Words { path: Vec<PathBuf> },
    /// Build the documentation site and check its links
    Docs {
        #[arg(default_value = "target/site")]
        out: PathBuf,
    },
    /// Measure everything and print one Markdown table
    Bench {
        /// For the load bench of the collector, as `--minutes 10`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        load: Vec<String>,
    },
    /// Fuzz one target; fails at the first finding
    Fuzz { target: String, seconds: u32 },
    /// Check what can be known of Android and iOS without a phone: see tools/mobile.sh
    Mobile {
        #[arg(value_parser = ["setup", "one-each", "types", "library"])]
        what: Option<String>,
    },
    /// Print the bindings of one language, and copy the library next to them
    Generate(bindings::Generate),
    /// The Python binding
    #[command(subcommand)]
    Python(python::Task),
    /// The Kotlin binding
    #[command(subcommand)]
    Kotlin(kotlin::Task),
    /// The Swift binding
    #[command(subcommand)]
    Swift(swift::Task),
    /// The sample app for desktops
    #[command(subcommand)]
    Samples(samples::Task),
    /// The collector
    #[command(subcommand)]
    Collector(collector::Task),
}

fn main() -> ExitCode {
    match perform(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    match task {
        Task::Test { tier } => tiers::test(tier.is_some()),
        Task::Soak { fuzz_seconds } => tiers::soak(fuzz_seconds),
        Task::Ci => tiers::ci(),
        Task::Build { what } => build::build(what.is_some()),
        Task::Setup { what } => run(cmd("tools/setup.sh").args(what)),
        Task::Words { path } => run(cmd("tools/words.py").args(path)),
        Task::Docs { out } => docs::build(&out),
        Task::Bench { load } => bench::run_all(&load),
        Task::Fuzz { target, seconds } => fuzz::run_target(&target, seconds),
        Task::Mobile { what } => run(cmd("tools/mobile.sh").args(what)),
        Task::Generate(generate) => bindings::generate(&generate),
        Task::Python(task) => python::perform(task),
        Task::Kotlin(task) => kotlin::perform(task),
        Task::Swift(task) => swift::perform(task),
        Task::Samples(task) => samples::perform(task),
        Task::Collector(task) => collector::perform(task),
    }
}
