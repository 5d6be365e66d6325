//! Text files as editors save them, and keys of other kinds.

use std::fs;

use crate::support::{PLAYED, QA, Stage};

const MARK: &str = "\u{feff}";

fn utf16(text: &str) -> Vec<u8> {
    let units = format!("{MARK}{text}");
    units.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_byte_order_mark_is_skipped_and_utf_16_is_refused() {
    let mut stage = Stage::new();
    stage.granted("d", QA);
    let receipt = stage.sordino("device d consent --age-band adult --purpose quality-assurance");
    fs::write(stage.path("receipt.json"), receipt.ok().stdout).unwrap();
    fs::write(
        stage.path("note.json"),
        r#"{"expected": [{"midi": 60.0, "onset": 1}]}"#,
    )
    .unwrap();
    let name = PLAYED[0];
    stage.seal(name);
    let (url, key) = (stage.url(), &stage.plan_key);
    for (file, line) in [
        (
            "qa.key",
            "open one.age --identity qa.key --out opened".to_owned(),
        ),
        (
            "organization.key",
            "plan sign plan.toml --key organization.key --out new.json".to_owned(),
        ),
        (
            "plan.toml",
            "plan sign plan.toml --key organization.key --out new.json".to_owned(),
        ),
        ("plan.json", "plan show plan.json".to_owned()),
        (
            "plan.json",
            format!("device d init --plan plan.json --plan-key {key} --collector {url}"),
        ),
        ("receipt.json", "consent verify receipt.json".to_owned()),
        (
            "note.json",
            format!("device d submit audio/{name}.wav --annotation note.json"),
        ),
        (
            "token",
            format!("audit fetch --collector {url} --token-file token --out log"),
        ),
    ] {
        let text = fs::read_to_string(stage.path(file)).unwrap();
        fs::write(stage.path(file), format!("{MARK}{text}")).unwrap();
        stage.sordino(&line).ok();
        fs::write(stage.path(file), utf16(&text)).unwrap();
        stage.sordino(&line).refused(&[file, "UTF-16", "UTF-8"]);
        fs::write(stage.path(file), b"Schl\xfcssel").unwrap();
        stage.sordino(&line).refused(&[file, "not UTF-8"]);
        fs::write(stage.path(file), text).unwrap();
    }
    stage.stop_collector();
}

#[test]
fn a_key_of_another_kind_is_named_with_a_fix() {
    let stage = Stage::without_collector();
    let name = PLAYED[0];
    stage.seal(name);
    fs::copy(stage.path("one.age"), stage.path("encrypted")).unwrap();
    for (content, says) in [
        (None, "age --decrypt"),
        (
            Some("-----BEGIN AGE ENCRYPTED FILE-----\n"),
            "age --decrypt",
        ),
        (Some("-----BEGIN OPENSSH PRIVATE KEY-----\n"), "SSH"),
        (Some("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 somebody\n"), "SSH"),
        (Some("# a token\nAGE-PLUGIN-YUBIKEY-1Q9PSRV\n"), "plugin"),
        (Some("-----BEGIN PGP PRIVATE KEY BLOCK-----\n"), "OpenPGP"),
        (Some("-----BEGIN PRIVATE KEY-----\n"), "PEM"),
        (Some("age1qqqqqqqqqqqqqq\n"), "recipient"),
        (Some("AGE-SECRET-KEY-1QQQQ\n"), "checksum"),
        (Some("AGE-SECRET-KEY-PQ-1QQQQ\n"), "post-quantum"),
        (Some("sordino_0123\n"), "token"),
    ] {
        if let Some(content) = content {
            fs::write(stage.path("encrypted"), content).unwrap();
        }
        stage
            .sordino("open one.age --identity encrypted --out opened")
            .refused(&["encrypted", says]);
    }
    stage
        .sordino("open one.age --identity organization.key --out opened")
        .refused(&["organization.key", "organization's key"]);
    for (recipient, says) in [
        ("ssh-ed25519", "SSH"),
        (
            "age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt",
            "plugin",
        ),
        ("age1pq1qqqq", "post-quantum"),
        ("AGE-SECRET-KEY-1QQQQ", "secret half"),
        ("-----BEGIN-PGP", "PEM"),
    ] {
        let ran = stage.sordino(&format!(
            "seal audio/{name}.wav --out x.age --recipient={recipient}"
        ));
        ran.misused();
        assert!(ran.stderr.contains(says), "{ran:?}");
        assert!(
            !ran.stderr.contains("1QQQQ") || !recipient.starts_with("AGE"),
            "{ran:?}"
        );
    }
}
