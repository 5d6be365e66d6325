//! A second implementation: a receipt is verified by a few lines of Python.

use std::{
    io::{self, Write as _},
    process::{Command, Stdio},
};

use super::{full, signed};

/// Whether the script takes a receipt.
fn verified(python: &str, receipt: &[u8]) -> bool {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/python/verify_receipt.py"
    );
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(receipt).unwrap();
    child.wait().unwrap().success()
}

#[test]
fn python_verifies_receipts_and_rejects_tampered_ones() {
    let python = std::env::var("SORDINO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let is_there = Command::new(&python)
        .args(["-c", "import cryptography"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !is_there {
        let lacks = "no cryptography (pip install cryptography; SORDINO_PYTHON names the Python that has it)";
        assert!(std::env::var_os("CI").is_none(), "skipped: {lacks}");
        let _ = writeln!(io::stderr(), "skipped: {lacks}");
        return;
    }
    let mut record = full();
    record
        .controller
        .as_mut()
        .unwrap()
        .named
        .as_mut()
        .unwrap()
        .name = "naïve \"♪\" \u{7f}".to_owned();
    let receipt = signed(record);
    assert!(verified(&python, receipt.to_string().as_bytes()));
    assert!(verified(&python, format!("{receipt:#}").as_bytes()));
    for (from, to) in [
        ("quality-assurance", "quality-assurances"),
        ("dpv:Child", "dpv:Adult"),
        ("2027-W47", "2028-W47"),
        ("\"schema:version\":3", "\"schema:version\":4"),
        ("\"value\":\"", "\"value\":\"A"),
    ] {
        let changed = receipt.to_string().replacen(from, to, 1);
        assert_ne!(changed, receipt.to_string());
        assert!(!verified(&python, changed.as_bytes()), "{to}");
    }
}
