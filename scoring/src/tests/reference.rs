//! Reference implementations for tests: mir_eval and SciPy, run by `tests/reference/scores.py` in the environment that
//! `tools/setup.sh ci` creates.

#![allow(clippy::unwrap_used)]

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Runs the script on `input` and returns its output. Without the Python environment, `test` is skipped with a message,
/// or fails if `CI=true`.
pub(crate) fn run(input: &Value, test: &str) -> Option<Value> {
    let Some(python) = python() else {
        assert!(
            env::var("CI").as_deref() != Ok("true"),
            "{test} needs target/python-eval"
        );
        let _ = writeln!(
            std::io::stderr(),
            "skipped: {test} needs target/python-eval"
        );
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/scores.py");
    // A file, not a pipe, which would block at 64 kB.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input.json");
    fs::write(&path, serde_json::to_vec(input).unwrap()).unwrap();
    let output = Command::new(python)
        .arg(script)
        .stdin(fs::File::open(path).unwrap())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn python() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python-eval/bin/python");
    let configured = env::var_os("SORDINO_EVAL_PYTHON").map(PathBuf::from);
    configured.or_else(|| default.exists().then_some(default))
}
