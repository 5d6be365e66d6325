//! The tasks of this repository that Cargo has no command for. `cargo xtask --help` lists them.
//!
//! Shell scripts do what works without a compiler, or as root in a chroot: `tools/setup.sh`, `tools/mobile.sh`,
//! `bindings/swift/toolchain.sh`. Tasks call them.

mod bench;
mod bindings;
mod build;
mod collector;
mod dependencies;
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
    /// Run the Rust tests that need no service, and print the time of each step
    ///
    /// Skipped suites are listed with the missing tool. With CI=true, where everything is installed, a skipped suite
    /// is a failure.
    Test {
        /// Also lints, PostgreSQL, S3, the review page, the OpenAPI document, Python, Kotlin, Swift, the sample apps, the
        /// documentation, Android and iOS
        #[arg(value_parser = ["all"])]
        tier: Option<String>,
    },
    /// Find rare faults by repetition: the long versions of all tests with new random cases, and fuzzing
    ///
    /// It takes hours. docs/soak.md has the sizes of all tiers and the results of the last run.
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
    /// Install the tools for building or testing: see tools/setup.sh
    Setup {
        #[arg(required = true)]
        what: Vec<String>,
    },
    /// Check vocabulary and spelling of tracked text files, or of those below PATH
    Words { path: Vec<PathBuf> },
    /// Check that docs/dependencies.md lists the dependencies of all Cargo.toml files, and no others
    Dependencies,
    /// Build the documentation site and check its links
    Docs {
        #[arg(default_value = "target/site")]
        out: PathBuf,
    },
    /// Run all benchmarks and print one Markdown table
    Bench {
        /// Options of the collector's load benchmark, such as `--minutes 10`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        load: Vec<String>,
    },
    /// Fuzz one target; fails at the first finding
    Fuzz {
        /// A file of fuzz/fuzz_targets, without `.rs`
        target: String,
        seconds: u32,
    },
    /// Check without a phone what can be checked for Android and iOS: see tools/mobile.sh
    Mobile {
        #[arg(value_parser = ["setup", "one-each", "types", "library"])]
        what: Option<String>,
    },
    /// Generate the bindings of one language, and copy the library next to them
    Generate(bindings::Generate),
    /// Build, test, document and measure the Python binding
    #[command(subcommand)]
    Python(python::Task),
    /// Build, test, document and measure the Kotlin binding
    #[command(subcommand)]
    Kotlin(kotlin::Task),
    /// Build, test, document and measure the Swift binding
    #[command(subcommand)]
    Swift(swift::Task),
    /// Build, run and test the desktop sample app
    #[command(subcommand)]
    Samples(samples::Task),
    /// Test the collector's review page, its OpenAPI document, and its behavior under faults
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
        Task::Dependencies => dependencies::check(),
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
