//! Runs the code of the documentation: the program of docs/quickstart/rust.md, which README.md quotes, and the commands
//! of docs/adding-sordino.md and docs/cli.md.

#![allow(
    clippy::print_stdout,
    dead_code,
    reason = "the page's program prints, and its `main` is only for the page"
)]

use std::{os::unix::fs::symlink, process::Command};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Address, CommandResult, PLAYED, Stage};

// The program of the page: `open`, `give_consent`, `practice`, `withdraw`.
include!("page.rs");

#[test]
fn the_documented_program_is_the_tested_one() {
    let tested = include_str!("page.rs");
    let page = include_str!("../../../../../docs/quickstart/rust.md");
    assert!(
        first_block(page, "rust") == tested,
        "docs/quickstart/rust.md and tools/cli/tests/cli/quickstart/page.rs differ"
    );
    let readme = include_str!("../../../../../README.md");
    assert!(
        tested.contains(first_block(readme, "rust")),
        "README.md does not quote tools/cli/tests/cli/quickstart/page.rs"
    );
}

#[test]
fn a_sample_reaches_the_reader_until_consent_is_withdrawn() {
    let stage = Stage::new();
    fs::write(stage.path("org.pub"), format!("{}\n", stage.plan_key)).unwrap();
    let engine = open(&stage.path(""), &stage.url()).unwrap();

    give_consent(&engine).unwrap();
    practice(&engine, &stage.path(format!("audio/{}.wav", PLAYED[0]))).unwrap();
    assert_eq!(engine.status().unwrap().sent, 1);
    let pulled = stage.pull("dataset", "audiofolder");
    assert_eq!(pulled["pulled"], json!(1), "{pulled}");

    withdraw(&engine).unwrap();
    assert!(stage.objects().is_empty());
    let pulled = stage.pull("dataset", "audiofolder");
    assert_eq!(pulled["removed"], json!(1), "{pulled}");
}

#[test]
fn the_commands_of_the_guide_create_keys_and_a_plan() {
    let commands = first_block(include_str!("../../../../../docs/adding-sordino.md"), "sh");
    let folder = folder_with_samples();
    let ran = run_in(folder.path(), commands);

    assert!(ran.stdout.contains("recipient: age1"), "{ran:#?}");
    assert!(ran.stdout.contains("public key: "), "{ran:#?}");
    assert!(ran.stdout.contains("quality-assurance"), "{ran:#?}");
    assert!(folder.path().join("plan.json").exists());
}

#[test]
fn the_commands_of_the_reference_bring_a_first_sample() {
    let page = include_str!("../../../../../docs/cli.md");
    let (_, recipe) = page.split_once("## A first sample\n").unwrap();
    let recipe = first_block(recipe, "sh");
    // Another port, since tests run in parallel; and the collector is stopped at the end.
    let listening = Address::claim();
    let address = listening.address.to_string();
    let serve = format!("serve --listen {address} ");
    let recipe = recipe
        .replace("127.0.0.1:8787", &address)
        .replace("serve ", &serve);
    let folder = folder_with_samples();
    let ran = run_in(folder.path(), &format!("trap 'kill $!' EXIT\n{recipe}"));

    assert!(ran.stdout.contains("1 pulled"), "{ran:#?}");
    let report = fs::read_to_string(folder.path().join("dataset/report.html")).unwrap();
    assert!(report.contains("<audio"));
    let sounds: Vec<_> = fs::read_dir(folder.path().join("dataset/audio"))
        .unwrap()
        .map(|sound| sound.unwrap().path())
        .collect();
    let [sound] = &sounds[..] else {
        panic!("{sounds:?}");
    };
    let mut sound = claxon::FlacReader::open(sound).unwrap();
    let heard: Vec<i32> = sound.samples().map(Result::unwrap).collect();
    assert!(heard.len() > 2 * 16_000, "{}", heard.len());
    assert!(heard.iter().any(|sample| sample.abs() > 1000));
}

/// A folder in which commands find the repository's `samples` folder.
fn folder_with_samples() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    symlink(
        samples.canonicalize().unwrap(),
        folder.path().join("samples"),
    )
    .unwrap();
    folder
}

/// Runs the commands of a page; each must succeed.
fn run_in(folder: &Path, commands: &str) -> CommandResult {
    let programs = Path::new(env!("CARGO_BIN_EXE_sordino")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), env!("PATH"));
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", commands]);
    shell.env("PATH", path).current_dir(folder);
    let ran = CommandResult::run(&mut shell, commands);
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    ran
}

/// The first code block in `language`.
fn first_block<'a>(page: &'a str, language: &str) -> &'a str {
    let (_, block) = page.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```\n").unwrap().0
}
