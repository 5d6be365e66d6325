//! A "no" takes back what was sent from everywhere, whatever happens on the way.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{BuildHasher as _, RandomState},
    process::Stdio,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use support::{FORMATS, Line, PLAYED, QA, RESEARCH, Stage, files_below};

/// The longest wait before a process is killed: `withdraw` and `upload` take a few milliseconds each.
const LONGEST_LIFE: Duration = Duration::from_millis(12);

#[test]
fn withdrawn_while_offline_then_killed_then_online_it_is_gone_from_everywhere() {
    let stage = Stage::new();
    stage.granted("other", QA);
    let stays = stage.offer("other", PLAYED[2]);
    stage.upload("other");

    let line = Line::to(stage.collector().address());
    for round in 0..6 {
        let name = format!("d{round}");
        stage.device_at(&name, &line.url());
        stage.consent(&name, &format!("{QA} {RESEARCH}"));
        let ids = [stage.offer(&name, PLAYED[0]), stage.offer(&name, PLAYED[1])];
        stage.upload(&name);
        pull_everything(&stage);
        assert!(
            ids.iter()
                .all(|id| is_pulled(&stage, id) && stage.objects().contains(id))
        );
        let sound = sound_of(&stage, &ids[0]);
        let waiting = stage.offer(&name, PLAYED[0]);

        line.cut();
        if killed_at_random(&stage, &format!("device {name} withdraw")) {
            // Killed before its word could be heard, the person says it again.
            stage.sordino(&format!("device {name} withdraw")).ok();
        }
        assert_eq!(stage.status(&name)["consent"], "withdrawn");
        assert!(stage.outbox(&name).is_empty(), "what waited is shredded");
        killed_at_random(&stage, &format!("device {name} upload"));
        assert_eq!(stage.status(&name)["deletions_pending"], 2);
        stage.sordino(&format!("device {name} upload")).failed(&[]);
        assert!(
            ids.iter().all(|id| stage.objects().contains(id)),
            "the collector cannot know"
        );

        line.mend();
        killed_at_random(&stage, &format!("device {name} upload"));
        stage.upload(&name);
        let status = stage.status(&name);
        assert_eq!(status["deletions_pending"], 0);
        assert_eq!(
            (&status["sent"], &status["consent"]),
            (&json!(0), &json!("withdrawn"))
        );
        assert_eq!(stage.objects(), BTreeSet::from([stays.clone()]));
        pull_everything(&stage);
        for id in ids.iter().chain([&waiting]) {
            assert!(!is_pulled(&stage, id), "{id} is still at the desk");
        }
        assert!(
            !FORMATS.iter().any(|format| stage.mentions(format, &sound)),
            "its sound is"
        );
        assert!(is_pulled(&stage, &stays), "another's is not touched");
    }
}

/// The kill may fall before the withdrawal stands or after it, never between: then both the consent
/// and what waited are as they were, or both are gone.
#[test]
fn a_withdrawal_that_is_killed_happened_whole_or_not_at_all() {
    let stage = Stage::without_collector();
    for round in 0..12 {
        let name = format!("d{round}");
        stage.granted(&name, QA);
        let id = stage.offer(&name, PLAYED[0]);
        killed_at_random(&stage, &format!("device {name} withdraw"));
        let status = stage.status(&name);
        match status["consent"].as_str().unwrap() {
            "granted" => {
                assert_eq!(status["pending"], 1);
                assert_eq!(stage.outbox(&name), BTreeSet::from([id]));
            }
            "withdrawn" => {
                assert_eq!(status["pending"], 0);
                assert!(stage.outbox(&name).is_empty(), "swept at the next start");
            }
            other => panic!("{other}"),
        }
    }
}

/// A phone's background upload may outlive the withdrawal: the collector does not take it.
#[test]
fn an_upload_that_comes_after_the_withdrawal_is_refused() {
    let stage = Stage::new();
    let line = Line::to(stage.collector().address());
    stage.device_at("d", &line.url());
    stage.consent("d", QA);
    let id = stage.offer("d", PLAYED[0]);
    stage.upload("d");
    let recorded = line.sent();
    stage.sordino("device d withdraw").ok();
    stage.upload("d");
    assert!(stage.objects().is_empty());

    // All that the device ever sent before, once more, as a replay or a late retry would.
    let answers = replay(&stage, &recorded);
    assert!(answers.contains("410 Gone"), "{answers}");
    assert!(stage.objects().is_empty());
    pull_everything(&stage);
    assert!(!is_pulled(&stage, &id));
}

#[test]
fn one_sample_is_deleted_and_the_others_stay() {
    let stage = Stage::new();
    stage.granted("d", QA);
    let ids: Vec<String> = PLAYED
        .iter()
        .map(|recording| stage.offer("d", recording))
        .collect();
    stage.upload("d");
    pull_everything(&stage);
    stage.sordino(&format!("device d delete {}", ids[1])).ok();
    killed_at_random(&stage, "device d upload");
    stage.upload("d");
    pull_everything(&stage);
    assert!(!stage.objects().contains(&ids[1]) && !is_pulled(&stage, &ids[1]));
    for left in [&ids[0], &ids[2]] {
        assert!(stage.objects().contains(left) && is_pulled(&stage, left));
    }
    assert_eq!(stage.status("d")["deletions_pending"], 0);
    assert_eq!(stage.status("d")["consent"], "granted");
}

#[test]
fn a_purpose_that_is_taken_back_is_gone_from_what_was_pulled_for_another() {
    let stage = Stage::new();
    stage.granted("d", &format!("{QA} {RESEARCH}"));
    let id = stage.offer("d", PLAYED[0]);
    let waiting = stage.offer("d", PLAYED[1]);
    stage.sordino(&format!("device d delete {waiting}")).ok();
    stage.upload("d");
    pull_everything(&stage);
    stage
        .sordino(&format!("device d withdraw --purpose {RESEARCH}"))
        .ok();
    stage.upload("d");
    assert!(
        stage.objects().contains(&id),
        "quality assurance may go on using it"
    );
    pull_everything(&stage);
    let manifests = manifests(&stage, &id);
    assert_eq!(manifests.len(), 3);
    for (format, manifest) in manifests {
        assert_eq!(manifest["purposes"], json!([QA]), "{format}");
    }
    // A pull for research alone no longer gets it.
    let line = stage.pull_line("research", "bundle");
    let pulled = stage.json(&format!("{line} --purpose {RESEARCH}"));
    assert_eq!(pulled["total"], 0);

    stage
        .sordino(&format!("device d withdraw --purpose {QA}"))
        .ok();
    stage.upload("d");
    assert!(stage.objects().is_empty());
    pull_everything(&stage);
    assert!(!is_pulled(&stage, &id));
}

#[test]
fn a_collector_that_is_down_for_long_is_told_when_it_is_back() {
    let mut stage = Stage::new();
    stage.granted("d", QA);
    let id = stage.offer("d", PLAYED[0]);
    stage.upload("d");
    pull_everything(&stage);
    stage.stop_collector();
    for _ in 0..2 {
        // A person who says no twice means no.
        stage.sordino("device d withdraw").ok();
        for _ in 0..5 {
            stage.sordino("device d upload").failed(&["refused"]);
            assert_eq!(stage.status("d")["deletions_pending"], 1);
        }
    }
    stage.start_collector();
    assert_eq!(stage.upload("d")["deletions"], 1);
    assert_eq!(stage.status("d")["deletions_pending"], 0);
    assert_eq!(
        stage.upload("d")["deletions"],
        0,
        "once it is acknowledged it is not said again"
    );
    assert!(stage.objects().is_empty());
    pull_everything(&stage);
    assert!(!is_pulled(&stage, &id));
}

/// A yes after the no is another record; it brings nothing back.
#[test]
fn a_new_yes_brings_nothing_back() {
    let stage = Stage::new();
    stage.granted("d", QA);
    let first = stage.offer("d", PLAYED[0]);
    stage.upload("d");
    stage.sordino("device d withdraw").ok();
    stage.consent("d", QA);
    let second = stage.offer("d", PLAYED[1]);
    let told = stage.upload("d");
    assert_eq!(
        (&told["deletions"], &told["samples"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(stage.objects(), BTreeSet::from([second.clone()]));
    pull_everything(&stage);
    assert!(!is_pulled(&stage, &first) && is_pulled(&stage, &second));

    stage.sordino("device d withdraw").ok();
    stage.upload("d");
    assert!(stage.objects().is_empty());
    assert_eq!(stage.status("d")["deletions_pending"], 0);
}

/// Starts `line` and kills it at a random instant. Whether it was killed before its end.
fn killed_at_random(stage: &Stage, line: &str) -> bool {
    let random = RandomState::new().hash_one(line);
    let life = LONGEST_LIFE.mul_f64(random as f64 / u64::MAX as f64);
    let mut process = stage
        .command(line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(life);
    process.kill().unwrap();
    process.wait().unwrap().code().is_none()
}

fn pull_everything(stage: &Stage) {
    for format in FORMATS {
        let pulled = stage.pull(format, format);
        assert_eq!(pulled["unreadable"], 0, "{pulled}");
    }
}

/// Whether a sample is in the datasets: in all of them, since a copy left in one would be too many.
fn is_pulled(stage: &Stage, id: &str) -> bool {
    let holding = FORMATS
        .iter()
        .filter(|format| stage.mentions(format, id.as_bytes()))
        .count();
    assert!(
        holding == 0 || holding == FORMATS.len(),
        "{id} is in {holding} datasets"
    );
    holding > 0
}

/// A piece of a pulled sample's FLAC that no other file holds.
fn sound_of(stage: &Stage, id: &str) -> Vec<u8> {
    let flac = fs::read(stage.path(format!("bundle/{id}/audio.flac"))).unwrap();
    flac[flac.len() / 2..][..64].to_vec()
}

/// What each dataset says of a sample.
fn manifests(stage: &Stage, id: &str) -> BTreeMap<&'static str, Value> {
    let parse = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let mut manifests = BTreeMap::new();
    let table = fs::read_to_string(stage.path("audiofolder/metadata.jsonl")).unwrap();
    let row = table.lines().find(|line| line.contains(id)).unwrap();
    manifests.insert("audiofolder", parse(row.as_bytes()));
    let bundle = fs::read(stage.path(format!("bundle/{id}/manifest.json"))).unwrap();
    manifests.insert("bundle", parse(&bundle));
    for shard in files_below(&stage.path("webdataset")) {
        if shard.extension().is_none_or(|ending| ending != "tar") {
            continue;
        }
        let mut archive = tar::Archive::new(fs::File::open(shard).unwrap());
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            if entry.path().unwrap().display().to_string() == format!("{id}.json") {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
                manifests.insert("webdataset", parse(&bytes));
            }
        }
    }
    manifests
}

/// Sends recorded bytes to the collector once more, and reads all that it answers.
fn replay(stage: &Stage, recorded: &[u8]) -> String {
    use std::io::{Read as _, Write as _};
    let mut connection = std::net::TcpStream::connect(stage.collector().address()).unwrap();
    connection.write_all(recorded).unwrap();
    connection.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answers = String::new();
    connection.read_to_string(&mut answers).unwrap();
    answers
}
