//! `device … export`: all that the device holds of the person, in a zip that others open.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use regex::bytes::Regex;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::support::{CommandResult, PLAYED, QA, RESEARCH, Stage, files_below, holds, python};

/// Exports to `mine.zip` and has Python unpack it to `mine`. The names in it.
fn exported(stage: &Stage, python: &str) -> BTreeSet<String> {
    let _ = fs::remove_dir_all(stage.path("mine"));
    let result = stage.json("device d export --out mine.zip");
    let length = fs::metadata(stage.path("mine.zip")).unwrap().len();
    assert_eq!(result, json!({"out": "mine.zip", "bytes": length}));
    for line in ["-m zipfile -t mine.zip", "-m zipfile -e mine.zip mine"] {
        let ran = CommandResult::run(&mut stage.command_of(python, line), line).ok();
        assert!(!ran.stdout.contains("corrupt"), "{ran:?}");
    }
    let mine = stage.path("mine");
    files_below(&mine)
        .iter()
        .map(|path| path.strip_prefix(&mine).unwrap().display().to_string())
        .collect()
}

fn unpacked(stage: &Stage, name: &str) -> Vec<u8> {
    fs::read(stage.path("mine").join(name)).unwrap()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_export_has_receipts_notices_and_samples() {
    let Some(python) = python("an_export_has_receipts_notices_and_samples") else {
        return;
    };
    let stage = Stage::new();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.upload("d");
    stage.sordino("device d withdraw").ok();
    stage
        .sordino(&format!(
            "device d consent --age-band adult --purpose {QA} {RESEARCH} --language de"
        ))
        .ok();
    stage.submit("d", PLAYED[1]);

    let names = exported(&stage, &python);
    let samples: Value = serde_json::from_slice(&unpacked(&stage, "samples.json")).unwrap();
    assert_eq!(samples, stage.json("device d samples"));
    assert_eq!(samples.as_array().unwrap().len(), 2);

    let records: BTreeSet<&str> = samples
        .as_array()
        .unwrap()
        .iter()
        .map(|sample| sample["consent"].as_str().unwrap())
        .collect();
    let mut expected: BTreeSet<String> = [
        "README.txt",
        "consent/states.json",
        "plan.json",
        "samples.json",
    ]
    .map(str::to_owned)
    .into();
    for record in &records {
        let receipt = format!("consent/{record}.json");
        let result = stage.json(&format!("consent verify mine/{receipt}"));
        assert_eq!(result["record"], *record);
        let sha256 = result["notice"]["sha256"].as_str().unwrap();
        let notice = format!("notices/{sha256}.txt");
        let text = unpacked(&stage, &notice);
        assert_eq!(hexadecimal(digest(&SHA256, &text).as_ref()), sha256);
        let matched = format!("consent verify mine/{receipt} --notice mine/{notice}");
        assert_eq!(stage.json(&matched)["notice_matches"], true);
        expected.extend([receipt, notice]);
    }
    assert_eq!((records.len(), expected.len()), (2, 8));
    assert_eq!(names, expected);
    let plan = stage.sordino("plan show mine/plan.json").ok().stdout;
    assert!(plan.contains(&stage.plan_key), "{plan}");

    let states: Value = serde_json::from_slice(&unpacked(&stage, "consent/states.json")).unwrap();
    let of = |state: &str| {
        let of = |row: &&Value| row["state"] == state;
        states.as_array().unwrap().iter().find(of).unwrap().clone()
    };
    let withdrawn = of("withdrawn");
    assert_eq!(withdrawn["record"], samples[0]["consent"]);
    assert_eq!(withdrawn["taken_back"], json!([QA]));
    assert_eq!(withdrawn["withdrawal_due"], json!([QA]));
    assert_eq!(of("granted")["record"], samples[1]["consent"]);
    let readme = String::from_utf8(unpacked(&stage, "README.txt")).unwrap();
    for named in [
        "consent/ID.json",
        "notices/HASH.txt",
        "samples.json",
        "plan.json",
    ] {
        assert!(readme.contains(named), "{readme}");
    }
}

/// The archive opens no sample and cannot act for the person.
#[test]
fn an_export_has_no_keys_or_sound_and_is_private() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    let waiting = stage.submit("d", PLAYED[0]);
    stage.sordino("device d export --out mine.zip").ok();
    let archive = fs::read(stage.path("mine.zip")).unwrap();
    assert!(
        holds(&archive, waiting.as_bytes()),
        "nothing is packed away"
    );

    let sealed = fs::read(stage.path(format!("d/outbox/{waiting}.age"))).unwrap();
    assert!(!holds(&archive, &sealed[sealed.len() / 2..][..32]));
    assert!(!holds(&archive, b"age-encryption.org"));
    assert!(!holds(&archive, b"SECRET") && !holds(&archive, b"PRIVATE"));

    let key = fs::read(stage.path("d/state.key")).unwrap();
    // The records' keys, as the store spells them.
    let store = fs::read(stage.path("d/state.redb")).unwrap();
    let spelled = Regex::new(r#""key(?:_pair|_pkcs8)?":"([A-Za-z0-9+/=]{40,})""#).unwrap();
    let private: Vec<&[u8]> = spelled
        .captures_iter(&store)
        .map(|found| found.get(1).unwrap().as_bytes())
        // The other is the public half, 64 hexadecimal digits, in what is signed.
        .filter(|spelled| spelled.len() != 64)
        .collect();
    assert!(!private.is_empty(), "the store no longer spells keys so");
    let own = [
        key.clone(),
        hexadecimal(&key).into_bytes(),
        BASE64.encode(&key).into_bytes(),
    ];
    for secret in own.iter().map(Vec::as_slice).chain(private) {
        assert!(!holds(&archive, secret));
    }
    let mode = fs::metadata(stage.path("mine.zip")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[test]
fn an_export_without_consent_says_so() {
    let Some(python) = python("an_export_without_consent_says_so") else {
        return;
    };
    let stage = Stage::without_collector();
    stage.device("d");
    let names = exported(&stage, &python);
    assert!(!names.iter().any(|name| name.starts_with("notices/")));
    for empty in ["samples.json", "consent/states.json"] {
        assert_eq!(unpacked(&stage, empty).trim_ascii(), b"[]");
    }
    let text = stage.sordino("device d export --out mine.zip").ok().stdout;
    assert_eq!(text, "wrote mine.zip\n");
}

#[test]
fn an_unwritable_export_gives_one_line() {
    let stage = Stage::without_collector();
    stage.granted("d", QA);
    fs::create_dir(stage.path("folder")).unwrap();
    for out in ["nowhere/mine.zip", "folder", "plan.json/mine.zip"] {
        for json in ["", " --json"] {
            let ran = stage.sordino(&format!("device d export --out {out}{json}"));
            ran.refused(&["cannot write", out]);
            assert!(!ran.stderr.contains(".tmp"), "{ran:?}");
        }
    }
    stage.sordino("device d export").misused();
}
