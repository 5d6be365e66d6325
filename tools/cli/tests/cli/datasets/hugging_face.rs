//! Hugging Face `datasets`, the oldest version that docs/formats.md names and the newest, loads what `pull` writes, and
//! the programs on that page run.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use super::loads::{by_sample, loaded_by_each, table, with_samples};
use crate::support::{FORMATS, PLAYED, QA, Stage};

/// One more than the number of samples from which the WebDataset reader of `datasets` infers types.
const SAMPLES: usize = 6;

#[test]
fn datasets_loads_an_audiofolder_with_typed_columns() {
    let stage = with_samples();
    stage.pull("data", "audiofolder");
    let table = table(&stage, "data");
    assert_eq!(table.len(), 3);
    for found in loaded_by_each(&stage, "audiofolder", "data") {
        holds_the_table(&found, &table);
    }
}

fn holds_the_table(found: &Value, table: &BTreeMap<String, Value>) {
    for door in ["as_folder", "by_card"] {
        let mut rows = by_sample(&found[door]);
        for row in rows.values_mut() {
            let heard = row
                .as_object_mut()
                .unwrap()
                .remove("seconds heard")
                .unwrap();
            assert_eq!(heard, row["seconds"], "{door}");
        }
        let expected: BTreeMap<String, Value> = table
            .iter()
            .map(|(id, row)| {
                let mut row = row.clone();
                row.as_object_mut().unwrap().remove("file_name");
                (id.clone(), row)
            })
            .collect();
        assert_eq!(rows, expected, "{door}");
    }
    let types = &found["types"];
    for (column, kind) in [
        ("audio", json!("dict")),
        ("split", json!("string")),
        ("weight", json!("float64")),
        ("seconds", json!("float64")),
        ("purposes", json!(["string"])),
        ("kept", json!([["float64"]])),
    ] {
        assert_eq!(types[column], kind, "{column}");
    }
    assert_eq!(types["annotation"]["expected"][0]["onset"], "float64");
}

/// One sound and one table: counted by their extensions, `datasets` would take the table.
#[test]
fn a_folder_with_one_sample_is_loaded_with_its_sound() {
    let stage = with_sample_of("d", 1);
    stage.pull("data", "audiofolder");
    for found in loaded_by_each(&stage, "audiofolder", "data") {
        let row = &found["by_card"][0];
        assert_eq!(row["seconds heard"], row["seconds"], "{found}");
    }
}

/// Folders of the previous layout, which the next pull rewrites.
#[test]
fn types_do_not_depend_on_the_first_samples() {
    let stage = with_sample_of("d", SAMPLES);
    for format in FORMATS {
        stage.pull(format, format);
        leave_only_in_last(&stage.path(format));
        stage.pull(format, format);
    }
    let last = |rows: &Value| -> Value {
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), SAMPLES);
        let full = |row: &&Value| row["removed"][0]["reason"] == "voice";
        rows.iter().find(full).unwrap().clone()
    };
    for found in loaded_by_each(&stage, "audiofolder", "audiofolder") {
        for door in ["as_folder", "by_card"] {
            assert_eq!(last(&found[door])["annotation"]["tag"], "etude", "{door}");
        }
        assert_eq!(found["types"]["erased"], json!([["float64"]]));
        assert_eq!(found["types"]["shard"], "string");
    }
    for found in loaded_by_each(&stage, "bundle", "bundle") {
        assert_eq!(
            last(&found)["annotation"]["expected"][0]["offset"],
            json!(null)
        );
    }
    for found in loaded_by_each(&stage, "shards", "webdataset") {
        let splits = found["by_card"].as_object().unwrap();
        let by_card: Vec<&Value> = splits
            .values()
            .flat_map(|rows| rows.as_array().unwrap())
            .collect();
        assert_eq!(json!(by_card), found["by_name"]);
        let mut rows: Vec<Value> = Vec::new();
        for row in by_card {
            assert_eq!(row["json"]["sample"], row["__key__"]);
            assert_eq!(row["json"]["seconds"], row["seconds heard"]);
            assert!(splits.contains_key(row["json"]["split"].as_str().unwrap()));
            let mut row = row["json"].clone();
            for list in ["kept", "removed", "erased", "annotation"] {
                row[list] = serde_json::from_str(row[list].as_str().unwrap()).unwrap();
            }
            rows.push(row);
        }
        assert_eq!(
            last(&json!(rows))["annotation"]["recognised"][0]["midi"],
            60
        );
    }
}

#[test]
fn the_programs_in_the_docs_load_a_dataset() {
    let page = include_str!("../../../../../docs/formats.md");
    let (_, loading) = page.split_once("\n### Loading\n").unwrap();
    let (loading, _) = loading.split_once("\n### ").unwrap();
    let programs: Vec<&str> = loading
        .split("```python\n")
        .skip(1)
        .map(|block| block.split_once("```").unwrap().0)
        .collect();
    let [by_datasets, by_soundfile, by_webdataset] = programs[..] else {
        panic!("{programs:#?}");
    };
    let stage = with_samples();
    for (format, program, found) in [
        (
            "audiofolder",
            by_datasets,
            "[row['sample'] for row in samples.remove_columns('audio')]",
        ),
        (
            "audiofolder",
            by_soundfile,
            "[row['sample'] for row in samples if len(sound) > rate]",
        ),
        (
            "webdataset",
            by_webdataset,
            "[s['row']['sample'] for s in samples if len(s['sound']) == round(s['rate'] * s['row']['seconds']) and s['row']['kept'][0][1] and s['jams']['annotations']]",
        ),
    ] {
        let _ = fs::remove_dir_all(stage.path("dataset"));
        stage.pull("dataset", format);
        fs::write(
            stage.path("page.py"),
            format!("{program}\nfound = {found}\n"),
        )
        .unwrap();
        stage.pull("table", "audiofolder");
        let mut due: Vec<String> = table(&stage, "table")
            .into_iter()
            .filter(|(_, row)| format == "audiofolder" || row["split"] == "train")
            .map(|(id, _)| id)
            .collect();
        due.sort();
        for found in loaded_by_each(&stage, "page", ".") {
            let mut found: Vec<String> = serde_json::from_value(found).unwrap();
            found.sort();
            assert_eq!(found, due, "{program}");
        }
    }
}

/// A collector with that many samples of one person, who is in one split.
fn with_sample_of(device: &str, samples: usize) -> Stage {
    let stage = Stage::new();
    stage.granted(device, QA);
    for _ in 0..samples {
        stage.submit(device, PLAYED[0]);
    }
    stage.upload(device);
    stage
}

/// Makes of a dataset one of the layout before this, in which all that may be empty or unknown of a sample is so, but
/// of the last one.
fn leave_only_in_last(folder: &Path) {
    let path = folder.join(".sordino-pull.json");
    let mut index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    index["layout"] = json!(2);
    let ids = in_order(folder, &index);
    let (last, rest) = ids.split_last().unwrap();
    for id in rest {
        let manifest = &mut index["samples"][id]["manifest"];
        manifest["removed"] = json!([]);
        manifest["erased"] = json!([]);
        manifest["annotation"] = json!({"expected": [], "recognised": []});
    }
    let manifest = &mut index["samples"][last]["manifest"];
    manifest["removed"] = json!([{"start_s": 0, "end_s": 0.25, "reason": "voice"}]);
    manifest["erased"] = json!([[1, 1.5]]);
    manifest["annotation"] = json!({
        "expected": [{"midi": 60, "onset": 1.0}],
        "recognised": [{"midi": 60, "onset": 1.0, "offset": 2.0}],
        "tag": "etude",
    });
    fs::write(path, index.to_string()).unwrap();
}

/// The samples' ids in the order in which a reader meets them.
fn in_order(folder: &Path, index: &Value) -> Vec<String> {
    let shard = folder.join("shard-000000.tar");
    if !shard.exists() {
        let samples = index["samples"].as_object().unwrap();
        return samples.keys().cloned().collect();
    }
    let mut archive = tar::Archive::new(fs::File::open(shard).unwrap());
    let members = archive.entries().unwrap().map(|member| {
        let path = member.unwrap().path().unwrap().into_owned();
        path.to_str().unwrap().to_owned()
    });
    members
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect()
}
