//! `webdataset`, `jams` with `mir_eval`, and `pyarrow` load what `pull` writes.

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::{Value, json};
use sordino::Purpose;

use crate::support::{FORMATS, PLAYED, QA, RESEARCH, Stage, python, skipped};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/datasets/load.py");

/// The dataset in `folder` as a reader loads it; `None` if the reader is not installed.
fn loaded(stage: &Stage, kind: &str, module: &str, folder: &str) -> Option<Value> {
    loaded_from(stage, kind, module, folder, None)
}

/// The dataset as each version of `datasets` loads it: the oldest one that docs/formats.md names, and the newest.
pub(super) fn loaded_by_each(stage: &Stage, kind: &str, folder: &str) -> Vec<Value> {
    let oldest = loaded(stage, kind, "datasets", folder);
    let newest = match std::env::var("SORDINO_NEWEST_DATASETS") {
        Ok(path) => loaded_from(stage, kind, "datasets", folder, Some(&path)),
        Err(_) => {
            skipped("loading by the newest datasets", "it (tools/setup.sh ci)");
            None
        }
    };
    [oldest, newest].into_iter().flatten().collect()
}

/// Like [`loaded`], with modules in the folder `path` before all others.
fn loaded_from(
    stage: &Stage,
    kind: &str,
    module: &str,
    folder: &str,
    path: Option<&str>,
) -> Option<Value> {
    let test = format!("loading by {module}");
    let python = python(&test)?;
    let has_module = Command::new(&python)
        .args(["-c", &format!("import {module}")])
        .output()
        .unwrap();
    if !has_module.status.success() {
        skipped(&test, &format!("{module} (tools/setup.sh ci)"));
        return None;
    }
    let ran = Command::new(python)
        .args([SCRIPT, kind, folder])
        .envs(path.map(|path| ("PYTHONPATH", path)))
        .current_dir(stage.path("."))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    Some(serde_json::from_slice(&ran.stdout).unwrap())
}

/// A collector with samples of three people, one of whom allows research too.
pub(super) fn with_samples() -> Stage {
    let stage = Stage::new();
    for (device, purposes) in [("a", QA), ("b", QA), ("c", &format!("{QA} {RESEARCH}"))] {
        stage.granted(device, purposes);
        let recording = PLAYED[0];
        let annotation = format!("--annotation audio/{recording}.json");
        stage.submit_with(device, recording, &annotation);
        stage.upload(device);
    }
    stage
}

/// The lines of `metadata.jsonl`, by sample.
pub(super) fn table(stage: &Stage, folder: &str) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(stage.path(folder).join("metadata.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            (row["sample"].as_str().unwrap().to_owned(), row)
        })
        .collect()
}

/// The rows by sample, without the file's path.
pub(super) fn by_sample(rows: &Value) -> BTreeMap<String, Value> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| (row["sample"].as_str().unwrap().to_owned(), row.clone()))
        .collect()
}

#[test]
fn pyarrow_reads_the_same_rows_from_the_parquet_index() {
    let stage = with_samples();
    for format in FORMATS {
        stage.pull(format, format);
        let Some(found) = loaded(&stage, "parquet", "pyarrow", format) else {
            return;
        };
        let rows = by_sample(&found["rows"]);
        assert_eq!(rows.len(), 3);
        if format == "audiofolder" {
            assert_eq!(rows, table(&stage, format));
        }
        for (id, row) in rows {
            let sound = match &row["shard"] {
                Value::String(shard) => shard,
                _ => row["file_name"].as_str().unwrap(),
            };
            assert!(stage.path(format).join(sound).is_file(), "{id}: {sound}");
        }
        assert_eq!(
            found["types"]["kept"],
            "list<element: list<element: double>>"
        );
    }
}

#[test]
fn webdataset_streams_each_sample_from_a_shard_of_its_split() {
    let stage = with_samples();
    stage.pull("data", "webdataset");
    stage.pull("table", "audiofolder");
    let Some(found) = loaded(&stage, "webdataset", "webdataset", "data") else {
        return;
    };
    let table = table(&stage, "table");
    let mut count = 0;
    for (split, samples) in found.as_object().unwrap() {
        for sample in samples.as_array().unwrap() {
            let id = sample["key"].as_str().unwrap();
            assert_eq!(
                (&sample["row"]["sample"], &sample["jams"]),
                (&json!(id), &json!(id))
            );
            assert_eq!(sample["row"]["split"], split.as_str());
            assert_eq!(sample["row"]["split"], table[id]["split"]);
            assert_eq!(sample["row"]["seconds"], sample["seconds heard"]);
            count += 1;
        }
    }
    assert_eq!(count, table.len());
}

#[test]
fn jams_loads_the_notes_and_mir_eval_scores_them() {
    let stage = with_samples();
    stage.pull("table", "audiofolder");
    for format in ["audiofolder", "bundle"] {
        stage.pull(format, format);
        let Some(found) = loaded(&stage, "jams", "jams, mir_eval", format) else {
            return;
        };
        let table = table(&stage, "table");
        assert_eq!(found.as_object().unwrap().len(), table.len());
        let mut scored = 0;
        for (id, file) in found.as_object().unwrap() {
            let row = &table[id];
            assert_eq!(file["duration"], row["seconds"]);
            for notes in ["expected", "recognised"] {
                let known = row["annotation"][notes].as_array().unwrap();
                let found = file[notes].as_array().unwrap();
                // Nothing was cut out of these recordings, so all is there, where it was.
                assert_eq!(row["removed"], json!([]));
                assert_eq!(found.len(), known.len());
                for (found, known) in found.iter().zip(known) {
                    let apart = found[0].as_f64().unwrap() - known["onset"].as_f64().unwrap();
                    assert!(apart.abs() < 1e-9, "{found} {known}");
                }
                scored += usize::from(!known.is_empty());
            }
        }
        assert!(scored > 0, "{found}");
    }
}

/// The rule of docs/formats.md, as its reader would write it.
#[test]
fn a_person_is_in_one_split_and_weights_are_per_trigger() {
    let stage = with_samples();
    stage.pull("data", "audiofolder");
    for row in table(&stage, "data").values() {
        let consent = row["consent"].as_str().unwrap();
        let hash = ring::digest::digest(&ring::digest::SHA256, consent.as_bytes());
        let first = u64::from_be_bytes(hash.as_ref()[..8].try_into().unwrap());
        let split = match first as f64 / 2_f64.powi(64) {
            share if share < 0.1 => "test",
            share if share < 0.2 => "validation",
            _ => "train",
        };
        assert_eq!(row["split"], split);
        assert_eq!(row["trigger"], row["selection"]["trigger"]);
        let probability = row["selection"]["probability"].as_f64().unwrap();
        assert_eq!(row["weight"], 1.0 / probability);
    }
    // A pull for another purpose, by another token, later: the same people on the same sides.
    fs::write(
        stage.path("token"),
        stage.token(&[Purpose::RecognitionResearch]),
    )
    .unwrap();
    stage.pull("research", "audiofolder");
    let all = table(&stage, "data");
    let research = table(&stage, "research");
    assert_eq!(research.len(), 1);
    for (id, row) in research {
        assert_eq!(row["split"], all[&id]["split"]);
    }
}

#[test]
fn the_card_has_counts_and_the_obligations_of_readers() {
    let stage = with_samples();
    for format in FORMATS {
        stage.pull(format, format);
        let card = fs::read_to_string(stage.path(format).join("README.md")).unwrap();
        for says in [
            "---\npretty_name:",
            "license: other",
            "3 samples, ",
            "3 consent records",
            &stage.url(),
            "Pull again before each use",
            "not for redistribution",
            "| quality-assurance | 3 |",
            "| recognition-research | 1 |",
            "| mark | 3 |",
            "## Known biases",
        ] {
            assert!(card.contains(says), "{format}: `{says}` is not in {card}");
        }
    }
    stage.sordino("device c withdraw").ok();
    stage.upload("c");
    for format in FORMATS {
        stage.pull(format, format);
        let card = fs::read_to_string(stage.path(format).join("README.md")).unwrap();
        assert!(card.contains("2 samples, ") && card.contains("2 consent records"));
        assert!(!card.contains("| recognition-research |"), "{card}");
    }
}
