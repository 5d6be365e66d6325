//! mir_eval and SciPy, for tests: `tests/oracle/scores.py` in the environment that `tools/setup ci`
//! makes.

#![allow(clippy::unwrap_used)]

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// What the script answers; none where the environment is not there, which `test` then says. With
/// `CI=true` that fails.
pub(crate) fn ask(question: &Value, test: &str) -> Option<Value> {
    let Some(python) = python() else {
        assert!(
            env::var("CI").as_deref() != Ok("true"),
            "{test} lacks target/python-eval"
        );
        let _ = writeln!(
            std::io::stderr(),
            "skipped: {test} lacks target/python-eval"
        );
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/scores.py");
    // A file, since a pipe that nobody reads meanwhile holds 64 kB.
    let folder = tempfile::tempdir().unwrap();
    let asked = folder.path().join("asked.json");
    fs::write(&asked, serde_json::to_vec(question).unwrap()).unwrap();
    let answered = Command::new(python)
        .arg(script)
        .stdin(fs::File::open(asked).unwrap())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&answered.stderr);
    assert!(answered.status.success(), "{complaint}");
    Some(serde_json::from_slice(&answered.stdout).unwrap())
}

fn python() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python-eval/bin/python");
    let named = env::var_os("SORDINO_EVAL_PYTHON").map(PathBuf::from);
    named.or_else(|| made.exists().then_some(made))
}
