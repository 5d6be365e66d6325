//! The program of docs/quickstart/rust.md does what the page says, against a collector, and the commands with which
//! docs/adding-sordino.md begins make keys and a plan.

#![allow(
    clippy::print_stdout,
    dead_code,
    reason = "the page's program talks, and its `main` is for the page"
)]

use std::process::Command;

use serde_json::json;

use crate::support::{PLAYED, Ran, Stage};

// The page's program, to the letter: `open`, `practise`, `say_no`.
include!("page.rs");

#[test]
fn the_program_on_the_page_is_the_one_that_is_tested() {
    let page = include_str!("../../../../../docs/quickstart/rust.md");
    assert!(
        first_block(page, "rust") == include_str!("page.rs"),
        "copy the one that is right: docs/quickstart/rust.md or tools/cli/tests/cli/quickstart/page.rs"
    );
}

#[test]
fn a_yes_brings_the_sample_to_the_desk_and_a_no_takes_it_back() {
    let stage = Stage::new();
    fs::write(stage.path("org.pub"), format!("{}\n", stage.plan_key)).unwrap();
    let engine = open(&stage.path(""), &stage.url()).unwrap();

    practise(&engine, &stage.path(format!("audio/{}.wav", PLAYED[0]))).unwrap();
    assert_eq!(engine.status().unwrap().sent, 1);
    let pulled = stage.pull("dataset", "audiofolder");
    assert_eq!(pulled["pulled"], json!(1), "{pulled}");

    say_no(&engine).unwrap();
    assert!(stage.objects().is_empty());
    let pulled = stage.pull("dataset", "audiofolder");
    assert_eq!(pulled["removed"], json!(1), "{pulled}");
}

#[test]
fn the_commands_of_the_guide_make_keys_and_a_plan() {
    let commands = first_block(include_str!("../../../../../docs/adding-sordino.md"), "sh");
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("samples")).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/plan.toml");
    fs::copy(example, folder.path().join("samples/plan.toml")).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_sordino")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), env!("PATH"));

    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", commands]);
    shell.env("PATH", path).current_dir(folder.path());
    let ran = Ran::of(&mut shell, commands).ok();

    assert!(ran.stdout.contains("recipient: age1"), "{ran:#?}");
    assert!(ran.stdout.contains("public key: "), "{ran:#?}");
    assert!(ran.stdout.contains("quality-assurance"), "{ran:#?}");
    assert!(folder.path().join("plan.json").exists());
}

/// The first code block in `language`.
fn first_block<'a>(page: &'a str, language: &str) -> &'a str {
    let (_, block) = page.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```\n").unwrap().0
}
