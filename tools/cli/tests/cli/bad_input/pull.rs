//! Tokens, keys, folders and URLs that are not those that a pull wants.

use std::fs;

use serde_json::json;
use sordino::Purpose;

use crate::support::{Auditor, FORMATS, PLAYED, QA, Stage, files_below};

#[test]
fn a_bad_token_is_refused_and_leaves_nothing() {
    let stage = Stage::new();
    for (token, says) in [
        ("", "no token"),
        ("\n \n", "no token"),
        ("sordino_0000", "401"),
        ("t\u{f6}ken", "no token"),
        // Files of other secrets, given by mistake, are not sent to a collector.
        ("AGE-SECRET-KEY-1QQPQ", "no token"),
        ("SORDINO-PLAN-KEY-ED25519:AAAA", "no token"),
        ("-----END OPENSSH PRIVATE KEY-----", "no token"),
    ] {
        fs::write(stage.path("token"), token).unwrap();
        stage
            .sordino(&stage.pull_line("data", "bundle"))
            .refused(&[says]);
    }
    fs::write(stage.path("token"), [0xff, 0xfe]).unwrap();
    stage
        .sordino(&stage.pull_line("data", "bundle"))
        .refused(&["token"]);
    assert!(!stage.path("data").exists());
}

/// Not in the words of a protocol that the command speaks for them.
#[test]
fn a_refused_token_names_its_file_and_how_to_replace_it() {
    let auditor = Auditor::new();
    fs::write(auditor.stage.path("old-token"), "sordino_0000").unwrap();
    let pull = auditor.stage.pull_line("data", "bundle");
    let pull = pull.replace("--token-file token", "--token-file old-token");
    for line in [pull, auditor.fetch_line("old-token")] {
        let ran = auditor.stage.sordino(&line);
        ran.refused(&["token in old-token", "unknown token", "token create"]);
        for word in ["Bearer", "Authorization", "header"] {
            assert!(!ran.stderr.contains(word), "{ran:?}");
        }
    }
}

/// Another's key opens nothing: said once, with the sample's name, and nothing is written of it.
#[test]
fn a_pull_with_the_wrong_identity_can_be_repaired() {
    let stage = Stage::new();
    stage.granted("d", QA);
    let id = stage.submit("d", PLAYED[0]);
    stage.upload("d");
    fs::rename(stage.path("qa.key"), stage.path("kept.key")).unwrap();
    stage.sordino("keygen --out qa.key").ok();
    for format in FORMATS {
        let ran = stage.sordino(&format!("{} --json", stage.pull_line(format, format)));
        ran.failed(&[&id, "another key"]);
        assert_eq!(ran.document()["unreadable"], 1);
        assert!(!files_below(&stage.path(format)).iter().any(|path| {
            path.extension()
                .is_some_and(|ending| ending == "flac" || ending == "tar")
        }));
    }
    for identity in ["age1notasecret", "", "# only a comment\n"] {
        fs::write(stage.path("qa.key"), identity).unwrap();
        stage
            .sordino(&stage.pull_line("data", "bundle"))
            .refused(&["qa.key"]);
    }
    fs::rename(stage.path("kept.key"), stage.path("qa.key")).unwrap();
    for format in FORMATS {
        let pulled = stage.pull(format, format);
        assert_eq!(
            (&pulled["total"], &pulled["unreadable"]),
            (&1.into(), &0.into()),
            "{format}"
        );
    }
}

#[test]
fn a_folder_of_another_dataset_is_not_changed() {
    let stage = Stage::new();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.upload("d");
    stage.pull("data", "bundle");
    let files = files_below(&stage.path("data"));
    stage
        .sordino(&stage.pull_line("data", "webdataset"))
        .refused(&["data", "format"]);

    let other = Stage::new();
    let token = other.token(&Purpose::ALL);
    fs::write(stage.path("other-token"), token).unwrap();
    stage
        .sordino(&format!(
            "pull --collector {} --token-file other-token --identity qa.key --out data --format bundle",
            other.url()
        ))
        .refused(&["data", &stage.url()]);
    assert_eq!(files_below(&stage.path("data")), files);

    fs::write(stage.path("file"), "not a folder").unwrap();
    let url = other.url();
    stage
        .sordino(&format!(
            "pull --collector {url} --token-file other-token --identity qa.key --out file"
        ))
        .refused(&["file"]);
    fs::write(stage.path("data/.sordino-pull.json"), "{").unwrap();
    stage
        .sordino(&stage.pull_line("data", "bundle"))
        .refused(&[".sordino-pull.json"]);
    stage
        .sordino("report data")
        .refused(&[".sordino-pull.json"]);
}

/// A folder with other files is not a dataset; the files are kept.
#[test]
fn a_pull_into_a_folder_in_use_changes_nothing() {
    let stage = Stage::new();
    stage.granted("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.upload("d");
    fs::create_dir(stage.path("data")).unwrap();
    fs::write(stage.path("data/notes.txt"), "mine").unwrap();
    fs::write(stage.path("data/metadata.jsonl"), "mine too").unwrap();
    for format in FORMATS {
        stage
            .sordino(&stage.pull_line("data", format))
            .refused(&["data", "neither empty nor"]);
    }
    assert_eq!(fs::read_dir(stage.path("data")).unwrap().count(), 2);
    for (file, content) in [("notes.txt", "mine"), ("metadata.jsonl", "mine too")] {
        let path = stage.path("data").join(file);
        assert_eq!(fs::read_to_string(path).unwrap(), content);
    }
}

#[test]
fn a_pull_from_another_server_gives_one_line() {
    use super::fake_server::{Behavior, FakeServer};
    let stage = Stage::new();
    for manner in Behavior::ALL {
        let impostor = FakeServer::new(manner);
        let (url, out) = (impostor.url(), format!("{manner:?}"));
        stage
            .sordino(&format!(
                "pull --collector {url} --token-file token --identity qa.key --out {out}"
            ))
            .refused(&[&url]);
        // Only what speaks the protocol is believed so far that a dataset is begun.
        assert_eq!(
            stage.path(&out).exists(),
            manner == Behavior::Nonsense,
            "{out}"
        );
    }
    stage
        .sordino(
            "pull --collector http://127.0.0.1:9 --token-file token --identity qa.key --out data",
        )
        .refused(&["http://127.0.0.1:9", "refused"]);
}

/// A sample that its collector has lost keeps no other one away.
#[test]
fn an_unavailable_sample_is_named_and_the_others_are_pulled() {
    let stage = Stage::new();
    stage.granted("d", QA);
    let ids = [PLAYED[0], PLAYED[1], PLAYED[2]].map(|recording| stage.submit("d", recording));
    stage.upload("d");
    let lost = files_below(&stage.collected())
        .into_iter()
        .find(|path| path.to_string_lossy().contains(&ids[1]))
        .unwrap();
    fs::remove_file(lost).unwrap();
    for _ in 0..2 {
        let ran = stage.sordino(&format!("{} --json", stage.pull_line("data", "bundle")));
        ran.failed(&[&ids[1]]);
        let pulled = ran.document();
        assert_eq!(
            (&pulled["unreadable"], &pulled["total"]),
            (&json!(1), &json!(2))
        );
    }
}
