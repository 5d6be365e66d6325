//! Breaking the promise does not compile.
//!
//! Each file of `tests/compile_fail/` holds a line or two that must not compile, marked `//~` with
//! the compiler's error code. Such a file is compiled twice against the library under test: without
//! the marked lines it must compile, so that nothing else is wrong with it; with them, exactly those
//! lines must fail, with exactly those codes. Codes are stable over versions of rustc; its wording,
//! which `trybuild` compares, is not, and stable rustdoc does not look at a `compile_fail`'s code.
//!
//! Each file is a module of one crate, so that a run of rustc, most of which is reading the library, tries them
//! all. An early error, such as a name, can hide a late one, such as a move: a program that has failed as it should
//! continues without its marked lines, and the rest is tried again.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compile_fail");

/// An error: the line that it points to, and its code.
type Fault = (usize, String);
/// The errors of each file.
type FaultsByFile = BTreeMap<PathBuf, BTreeSet<Fault>>;

/// A file that must not compile.
struct Case {
    path: PathBuf,
    /// A copy without its marked lines.
    control: PathBuf,
    marks: BTreeSet<Fault>,
}

#[test]
fn violations_of_the_promise_do_not_compile() {
    let compiler = Compiler::find();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let cases = Case::all(folder.path());
    assert!(cases.len() >= 15, "only {} cases in {CASES}", cases.len());

    let stray = compiler.faults_of(cases.iter().map(|case| &case.control));
    assert!(
        stray.is_empty(),
        "fails even without its marked lines: {stray:#?}"
    );

    let mut open: BTreeSet<&Path> = cases.iter().map(|case| case.path.as_path()).collect();
    loop {
        let files = cases
            .iter()
            .map(|case| match open.contains(case.path.as_path()) {
                true => &case.path,
                false => &case.control,
            });
        let faults = compiler.faults_of(files);
        let tried = open.len();
        open.retain(|path| {
            let case = cases.iter().find(|case| case.path == *path).unwrap();
            faults.get(*path) != Some(&case.marks)
        });
        if open.is_empty() {
            return;
        }
        assert!(
            open.len() < tried,
            "not as marked: {open:#?}; found {faults:#?}"
        );
    }
}

impl Case {
    /// Every case, with its control in `folder`.
    fn all(folder: &Path) -> Vec<Self> {
        let files = fs::read_dir(CASES).unwrap();
        let mut cases: Vec<Self> = files
            .map(|file| {
                let path = file.unwrap().path();
                let source = fs::read_to_string(&path).unwrap();
                let marks = marks(&source);
                assert!(!marks.is_empty(), "{}: no line is marked", path.display());
                // Lines keep their numbers.
                let without = source.lines().map(|line| match line.contains("//~") {
                    true => "\n".to_owned(),
                    false => format!("{line}\n"),
                });
                let control = folder.join(path.file_name().unwrap());
                fs::write(&control, without.collect::<String>()).unwrap();
                Self {
                    path,
                    control,
                    marks,
                }
            })
            .collect();
        cases.sort_by(|one, other| one.path.cmp(&other.path));
        cases
    }
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
                       fn serialized<T: serde::Serialize>() {}\n\
                       pub fn main() { serialized::<Annotation>(); }";
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

    /// Compiles `files` as the modules of one library and returns their errors.
    fn faults_of<'a>(&self, files: impl Iterator<Item = &'a PathBuf>) -> FaultsByFile {
        let modules = files.map(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap();
            format!("#[path = {file:?}] pub mod {name};\n")
        });
        self.faults(&modules.collect::<String>())
    }

    /// Compiles `source` as a library and returns its errors.
    fn faults(&self, source: &str) -> FaultsByFile {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let root = folder.path().join("cases.rs");
        fs::write(&root, source).unwrap();
        let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .arg(&root)
            .args(["--crate-name", "cases", "--crate-type", "lib"])
            .args([
                "--edition",
                "2024",
                "--emit",
                "metadata",
                "--error-format",
                "json",
            ])
            .arg("--out-dir")
            .arg(folder.path())
            .arg("-L")
            .arg(format!("dependency={}", self.libraries.display()))
            .arg("--extern")
            .arg(format!("sordino={}", self.sordino.display()))
            .arg("--extern")
            .arg(format!("serde={}", self.serde.display()));
        let output = rustc.output().expect("rustc compiled this test");
        let said = String::from_utf8(output.stderr).unwrap();
        let mut faults = FaultsByFile::new();
        for (file, fault) in said.lines().filter_map(fault) {
            faults.entry(file).or_default().insert(fault);
        }
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
fn fault(line: &str) -> Option<(PathBuf, Fault)> {
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
    let file = primary.and_then(|span| span["file_name"].as_str());
    let line = primary.and_then(|span| span["line_start"].as_u64());
    let fault = (line.unwrap_or(0) as usize, code);
    Some((file.unwrap_or_default().into(), fault))
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
