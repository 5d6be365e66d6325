//! Breaking the promise does not compile.
//!
//! Each file of `tests/compile_fail/` holds a line or two that must not compile, marked `//~` with
//! the compiler's error code. Such a file is compiled twice against the library under test: without
//! the marked lines it must compile, so that nothing else is wrong with it; with them, exactly those
//! lines must fail, with exactly those codes. Codes are stable over versions of rustc; its wording,
//! which `trybuild` compares, is not, and stable rustdoc does not look at a `compile_fail`'s code.

#![allow(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compile_fail");

/// An error: the line that it points to, and its code.
type Fault = (usize, String);

#[test]
fn what_breaks_the_promise_does_not_compile_and_for_that_reason_only() {
    let compiler = Compiler::find();
    let mut cases: Vec<PathBuf> = fs::read_dir(CASES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 15, "only {} cases in {CASES}", cases.len());

    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| compiler.check(case).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// rustc with the library under test and the serde that it was built with.
struct Compiler {
    sordino: PathBuf,
    serde: PathBuf,
    libraries: PathBuf,
}

impl Compiler {
    /// Cargo builds the library next to this test. Builds with other features may lie there too, so
    /// the newest is taken that a program compiles against.
    fn find() -> Self {
        let libraries = env::current_exe().unwrap().parent().unwrap().to_owned();
        let serdes = newest_first(&libraries, "libserde-");
        let control = "extern crate serde; use sordino::sampler::Annotation;\n\
                       fn serialised<T: serde::Serialize>() {}\n\
                       pub fn main() { serialised::<Annotation>(); }";
        let mut reasons = Vec::new();
        for sordino in newest_first(&libraries, "libsordino") {
            for serde in &serdes {
                let compiler = Self {
                    sordino: sordino.clone(),
                    serde: serde.clone(),
                    libraries: libraries.clone(),
                };
                match compiler.faults(control) {
                    faults if faults.is_empty() => return compiler,
                    faults => reasons.push(format!("{}: {faults:?}", sordino.display())),
                }
            }
        }
        panic!("no library to compile against: {}", reasons.join("\n"));
    }

    fn check(&self, case: &Path) -> Result<(), String> {
        let source = fs::read_to_string(case).unwrap();
        let name = case.file_name().unwrap().to_string_lossy();
        let marks = marks(&source);
        if marks.is_empty() {
            return Err(format!("{name}: no line is marked"));
        }
        let without = source.lines().map(|line| match line.contains("//~") {
            true => "\n".to_owned(),
            false => format!("{line}\n"),
        });
        let stray = self.faults(&without.collect::<String>());
        if !stray.is_empty() {
            return Err(format!(
                "{name}: fails even without its marked lines: {stray:?}"
            ));
        }
        let found = self.faults(&source);
        match found == marks {
            true => Ok(()),
            false => Err(format!("{name}: expected {marks:?}, found {found:?}")),
        }
    }

    /// Compiles `source` as a library and returns its errors.
    fn faults(&self, source: &str) -> BTreeSet<Fault> {
        let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .args(["-", "--crate-name", "case", "--crate-type", "lib"])
            .args([
                "--edition",
                "2024",
                "--emit",
                "metadata",
                "--error-format",
                "json",
            ])
            .arg("--out-dir")
            .arg(env!("CARGO_TARGET_TMPDIR"))
            .arg("-L")
            .arg(format!("dependency={}", self.libraries.display()))
            .arg("--extern")
            .arg(format!("sordino={}", self.sordino.display()))
            .arg("--extern")
            .arg(format!("serde={}", self.serde.display()))
            .stdin(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = rustc.spawn().expect("rustc compiled this test");
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), source.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let faults: BTreeSet<Fault> = said.lines().filter_map(fault).collect();
        assert_eq!(output.status.success(), faults.is_empty(), "{said}");
        faults
    }
}

/// The lines marked in `source`, each with each of its codes.
fn marks(source: &str) -> BTreeSet<Fault> {
    let mut marks = BTreeSet::new();
    for (index, line) in source.lines().enumerate() {
        let codes = line.split_once("//~").map_or("", |(_, codes)| codes);
        marks.extend(
            codes
                .split_whitespace()
                .map(|code| (index + 1, code.to_owned())),
        );
    }
    marks
}

/// The error in a line of rustc's JSON, if it is one.
fn fault(line: &str) -> Option<Fault> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    if message["level"] != "error" || message["message"].as_str()?.starts_with("aborting") {
        return None;
    }
    let code = message["code"]["code"]
        .as_str()
        .unwrap_or("none")
        .to_owned();
    let spans = message["spans"].as_array()?;
    let primary = spans.iter().find(|span| span["is_primary"] == true);
    let line = primary.and_then(|span| span["line_start"].as_u64());
    Some((line.unwrap_or(0) as usize, code))
}

fn newest_first(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            let stem = name.strip_suffix(".rlib").unwrap_or_default();
            stem == prefix || (stem.starts_with(prefix) && !stem.contains("sordino_"))
        })
        .collect();
    found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().modified().unwrap()));
    found
}
