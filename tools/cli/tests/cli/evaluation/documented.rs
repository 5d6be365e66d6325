//! The example of `docs/evaluating.md`, run unchanged.

use std::{env, fs, path::Path, process::Command};

use super::{TestDataset, clips};
use crate::support::{CommandResult, python};

#[test]
fn the_example_in_the_docs_runs_unchanged() {
    let Some(python) = python("the_example_in_the_docs_runs_unchanged") else {
        return;
    };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/evaluating.md");
    let page = fs::read_to_string(page).unwrap();
    let dataset = TestDataset::of(&clips(6));
    fs::rename(dataset.path("data"), dataset.path("dataset")).unwrap();
    dataset.write("recognizer.py", &block(&page, "python"));
    // The recognizer of the page is one's own: here it hears two notes.
    dataset.write(
        "mine.py",
        "def recognize(frames, rate):\n    return [(60, 1.0, 1.3), (61, 2.0, 2.3)]\n",
    );
    let mut command = Command::new("sh");
    let programs = Path::new(env!("CARGO_BIN_EXE_sordino")).parent().unwrap();
    let python = Path::new(&python);
    let mut path = vec![programs.to_owned()];
    // `python3` is the one that the tests use.
    path.extend(
        python
            .parent()
            .filter(|folder| folder.is_absolute())
            .map(Path::to_owned),
    );
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    command
        .args(["-ec", &block(&page, "sh")])
        .env("PATH", env::join_paths(path).unwrap())
        .current_dir(dataset.path("."));
    let ran = CommandResult::run(&mut command, "the example").ok();
    assert!(
        ran.stdout.contains("12 samples of 6 consent records"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("+0.000"), "{ran:?}");
    assert!(dataset.path("baseline.json").is_file());
}

/// The first block of code in `language`.
fn block(page: &str, language: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("```{language}\n"))
        .expect("a block");
    let (block, _) = rest.split_once("\n```").expect("its end");
    block.to_owned()
}
