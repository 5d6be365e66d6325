//! `pull` and `report`.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};
use sordino::Purpose;

use crate::support::{FORMATS, PLAYED, QA, RESEARCH, Stage, files_below, holds};

#[test]
fn a_pull_resumes_and_removes_withdrawn_samples() {
    for format in FORMATS {
        let stage = Stage::new();
        stage.granted("one", QA);
        stage.granted("two", QA);
        assert_eq!(stage.pull("data", format)["total"], 0);
        let first = stage.submit("one", PLAYED[0]);
        stage.upload("one");
        assert_eq!(
            stage.pull("data", format),
            json!({"pulled": 1, "removed": 0, "total": 1, "unreadable": 0})
        );
        let second = stage.submit("two", PLAYED[1]);
        let third = stage.submit("two", PLAYED[2]);
        stage.upload("two");
        assert_eq!(stage.pull("data", format)["pulled"], 2);
        let before = contents(&stage.path("data"));
        assert_eq!(
            stage.pull("data", format),
            json!({"pulled": 0, "removed": 0, "total": 3, "unreadable": 0})
        );
        assert_eq!(
            contents(&stage.path("data")),
            before,
            "{format}: nothing new changes nothing"
        );

        stage.sordino("device one withdraw").ok();
        stage.upload("one");
        assert_eq!(
            stage.pull("data", format),
            json!({"pulled": 0, "removed": 1, "total": 2, "unreadable": 0})
        );
        assert!(
            !stage.mentions("data", first.as_bytes()),
            "{format} still knows the withdrawn sample"
        );
        for left in [&second, &third] {
            assert!(stage.mentions("data", left.as_bytes()), "{format}");
        }
        let text = stage.sordino(&stage.pull_line("data", format)).ok().stdout;
        assert!(
            text.starts_with("0 pulled, 0 local copies removed"),
            "{text}"
        );
    }
}

#[test]
fn an_audiofolder_has_a_line_and_a_flac_for_each_sample() {
    let (stage, ids) = with_three_samples();
    let url = stage.url();
    // `pull` writes this format by default.
    stage
        .sordino(&format!(
            "pull --collector {url} --token-file token --identity qa.key --out data"
        ))
        .ok();
    let table = fs::read_to_string(stage.path("data/metadata.jsonl")).unwrap();
    let mut listed = BTreeSet::new();
    for line in table.lines() {
        assert!(line.starts_with("{\"file_name\":"), "{line}");
        let row: Value = serde_json::from_str(line).unwrap();
        let id = row["sample"].as_str().unwrap();
        assert_eq!(row["file_name"], format!("audio/{id}.flac"));
        assert_is_flac(
            &fs::read(stage.path("data").join(row["file_name"].as_str().unwrap())).unwrap(),
        );
        listed.insert(id.to_owned());
    }
    assert_eq!(listed, ids);
    assert_eq!(fs::read_dir(stage.path("data/audio")).unwrap().count(), 3);
}

#[test]
fn a_webdataset_has_the_files_of_each_sample_in_sequence() {
    let (stage, ids) = with_three_samples();
    stage.pull("data", "webdataset");
    // All are one person's, so they are of one split and in one shard, in the order in which they came.
    let shard = fs::File::open(stage.path("data/shard-000000.tar")).unwrap();
    let mut archive = tar::Archive::new(shard);
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    let found: BTreeSet<String> = names
        .chunks(3)
        .map(|files| {
            let id = files[0].strip_suffix(".flac").unwrap();
            assert_eq!(files[1..], [format!("{id}.jams"), format!("{id}.json")]);
            id.to_owned()
        })
        .collect();
    assert_eq!(found, ids);
    let list = fs::read(stage.path("data/shards.json")).unwrap();
    let list: Value = serde_json::from_slice(&list).unwrap();
    let shards: Vec<&Value> = list
        .as_object()
        .unwrap()
        .values()
        .flat_map(|shards| shards.as_array().unwrap())
        .collect();
    assert_eq!(shards, ["shard-000000.tar"]);
}

#[test]
fn a_bundle_is_a_folder_for_each_sample_as_it_was_sealed() {
    let (stage, ids) = with_three_samples();
    stage.pull("data", "bundle");
    for id in ids {
        let folder = stage.path("data").join(&id);
        let manifest = fs::read(folder.join("manifest.json")).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["sample"], id.as_str());
        assert_is_flac(&fs::read(folder.join("audio.flac")).unwrap());
    }
}

#[test]
fn a_token_reads_only_its_purposes() {
    let stage = Stage::new();
    stage.granted("both", &format!("{QA} {RESEARCH}"));
    stage.granted("qa", QA);
    let both = stage.submit("both", PLAYED[0]);
    let qa = stage.submit("qa", PLAYED[1]);
    stage.upload("both");
    stage.upload("qa");
    fs::write(
        stage.path("token"),
        stage.token(&[Purpose::RecognitionResearch]),
    )
    .unwrap();
    assert_eq!(stage.pull("research", "bundle")["pulled"], 1);
    assert!(
        stage.mentions("research", both.as_bytes()) && !stage.mentions("research", qa.as_bytes())
    );
    let line = stage.pull_line("other", "bundle");
    stage
        .sordino(&format!("{line} --purpose {QA}"))
        .refused(&["403"]);

    // The person takes research back; the sample stays with quality assurance.
    stage
        .sordino(&format!("device both withdraw --purpose {RESEARCH}"))
        .ok();
    stage.upload("both");
    assert_eq!(stage.pull("research", "bundle")["removed"], 1);
    assert!(!stage.mentions("research", both.as_bytes()));
    fs::write(
        stage.path("token"),
        stage.token(&[Purpose::QualityAssurance]),
    )
    .unwrap();
    assert_eq!(stage.pull("assurance", "bundle")["pulled"], 2);
    let manifest = fs::read(stage.path("assurance").join(&both).join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["purposes"], json!([QA]));
}

#[test]
fn a_report_is_one_self_contained_file() {
    for format in FORMATS {
        let (stage, ids) = with_three_samples();
        stage.pull("data", format);
        let result = stage.json("report data");
        assert_eq!(
            result,
            json!({"report": "data/report.html", "samples": 3, "shown": 3})
        );
        let page = fs::read_to_string(stage.path("data/report.html")).unwrap();
        for id in &ids {
            assert!(page.contains(id), "{format}");
        }
        assert!(!page.contains("-0 s"), "nothing removed is 0 s");
        for reaching_out in ["src=\"http", "href=\"http", "@import", "url(http"] {
            assert!(!page.contains(reaching_out), "{format}: {reaching_out}");
        }
        stage
            .sordino("report data --out elsewhere.html --worst 1")
            .ok();
        assert!(stage.path("elsewhere.html").is_file());
    }
}

fn with_three_samples() -> (Stage, BTreeSet<String>) {
    let stage = Stage::new();
    stage.granted("d", QA);
    let ids = PLAYED
        .iter()
        .map(|recording| stage.submit("d", recording))
        .collect();
    stage.upload("d");
    (stage, ids)
}

fn contents(folder: &Path) -> BTreeSet<(std::path::PathBuf, Vec<u8>)> {
    files_below(folder)
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

fn assert_is_flac(bytes: &[u8]) {
    let decoded = claxon::FlacReader::new(bytes).unwrap();
    assert_eq!(decoded.streaminfo().sample_rate, 16_000);
    assert!(!holds(bytes, b"RIFF"));
}
