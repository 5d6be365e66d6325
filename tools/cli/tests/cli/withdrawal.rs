//! A withdrawal deletes what was sent everywhere, whatever happens meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{
    FORMATS, PLAYED, QA, RESEARCH, RecordingProxy, Stage, files_below, instants, killed_after, time,
};
use test_tiers::sized;

#[test]
fn a_withdrawal_offline_and_killed_reaches_every_copy() {
    let stage = Stage::new();
    stage.granted("other", QA);
    let stays = stage.submit("other", PLAYED[2]);
    let (whole, _) = time(|| stage.upload("other"));

    let line = RecordingProxy::new(stage.collector_address());
    // Each command is killed as it begins, in its middle and as it ends; what comes before and after takes far longer.
    let rounds = sized(3, 12);
    for (round, share) in instants(rounds).into_iter().enumerate() {
        let life = whole.mul_f64(share);
        let name = format!("d{round}");
        stage.device_at(&name, &line.url());
        stage.consent(&name, &format!("{QA} {RESEARCH}"));
        let ids = [
            stage.submit(&name, PLAYED[0]),
            stage.submit(&name, PLAYED[1]),
        ];
        stage.upload(&name);
        stage.pull_everything();
        assert!(
            ids.iter()
                .all(|id| stage.is_pulled(id) && stage.objects().contains(id))
        );
        let sound = sound_of(&stage, &ids[0]);
        let waiting = stage.submit(&name, PLAYED[0]);

        line.cut();
        if is_killed(life, &stage, &format!("device {name} withdraw")) {
            // Killed before its word could be heard, the person says it again.
            stage.sordino(&format!("device {name} withdraw")).ok();
        }
        assert_eq!(stage.status(&name)["consent"], "withdrawn");
        assert!(stage.outbox(&name).is_empty(), "what waited is shredded");
        is_killed(life, &stage, &format!("device {name} upload"));
        assert_eq!(stage.status(&name)["deletions_pending"], 2);
        stage.sordino(&format!("device {name} upload")).failed(&[]);
        assert!(
            ids.iter().all(|id| stage.objects().contains(id)),
            "the collector cannot know"
        );

        line.restore();
        is_killed(life, &stage, &format!("device {name} upload"));
        stage.upload(&name);
        let status = stage.status(&name);
        assert_eq!(status["deletions_pending"], 0);
        assert_eq!(
            (&status["sent"], &status["consent"]),
            (&json!(0), &json!("withdrawn"))
        );
        assert_eq!(stage.objects(), BTreeSet::from([stays.clone()]));
        stage.pull_everything();
        for id in ids.iter().chain([&waiting]) {
            assert!(!stage.is_pulled(id), "{id} is still in the dataset");
        }
        assert!(
            !FORMATS.iter().any(|format| stage.mentions(format, &sound)),
            "its sound is"
        );
        assert!(stage.is_pulled(&stays), "another's is not touched");
    }
}

/// The kill may fall before the withdrawal stands or after it, never between: then both the consent
/// and what waited are as they were, or both are gone.
#[test]
fn a_killed_withdrawal_is_complete_or_did_not_happen() {
    let stage = Stage::without_collector();
    stage.granted("first", QA);
    stage.submit("first", PLAYED[0]);
    let (whole, _) = time(|| stage.sordino("device first withdraw").ok());
    let rounds = sized(10, 100);
    for (round, share) in instants(rounds).into_iter().enumerate() {
        let name = format!("d{round}");
        stage.granted(&name, QA);
        let id = stage.submit(&name, PLAYED[0]);
        let line = format!("device {name} withdraw");
        is_killed(whole.mul_f64(share), &stage, &line);
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
    let line = RecordingProxy::new(stage.collector_address());
    stage.device_at("d", &line.url());
    stage.consent("d", QA);
    let id = stage.submit("d", PLAYED[0]);
    stage.upload("d");
    let recorded = line.sent();
    stage.sordino("device d withdraw").ok();
    stage.upload("d");
    assert!(stage.objects().is_empty());

    // All that the device ever sent before, again, as a replay or a late retry would.
    let answers = replay(&stage, &recorded);
    assert!(answers.contains("410 Gone"), "{answers}");
    assert!(stage.objects().is_empty());
    stage.pull_everything();
    assert!(!stage.is_pulled(&id));
}

#[test]
fn deleting_one_sample_keeps_the_others() {
    let stage = Stage::new();
    stage.granted("d", QA);
    let ids: Vec<String> = PLAYED
        .iter()
        .map(|recording| stage.submit("d", recording))
        .collect();
    let (whole, _) = time(|| stage.upload("d"));
    stage.pull_everything();
    stage.sordino(&format!("device d delete {}", ids[1])).ok();
    for share in instants(1) {
        is_killed(whole.mul_f64(share), &stage, "device d upload");
    }
    stage.upload("d");
    stage.pull_everything();
    assert!(!stage.objects().contains(&ids[1]) && !stage.is_pulled(&ids[1]));
    for left in [&ids[0], &ids[2]] {
        assert!(stage.objects().contains(left) && stage.is_pulled(left));
    }
    assert_eq!(stage.status("d")["deletions_pending"], 0);
    assert_eq!(stage.status("d")["consent"], "granted");
}

#[test]
fn withdrawing_one_purpose_updates_datasets_of_another() {
    let stage = Stage::new();
    stage.granted("d", &format!("{QA} {RESEARCH}"));
    let id = stage.submit("d", PLAYED[0]);
    let waiting = stage.submit("d", PLAYED[1]);
    stage.sordino(&format!("device d delete {waiting}")).ok();
    stage.upload("d");
    stage.pull_everything();
    stage
        .sordino(&format!("device d withdraw --purpose {RESEARCH}"))
        .ok();
    stage.upload("d");
    assert!(
        stage.objects().contains(&id),
        "quality assurance may still use it"
    );
    stage.pull_everything();
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
    stage.pull_everything();
    assert!(!stage.is_pulled(&id));
}

#[test]
fn a_collector_gets_the_withdrawal_after_a_long_outage() {
    let mut stage = Stage::new();
    stage.granted("d", QA);
    let id = stage.submit("d", PLAYED[0]);
    stage.upload("d");
    stage.pull_everything();
    stage.stop_collector();
    for _ in 0..2 {
        // A repeated withdrawal changes nothing.
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
    stage.pull_everything();
    assert!(!stage.is_pulled(&id));
}

/// Each way to withdraw takes effect at once, online or not; what is sent later reaches
/// every copy.
#[test]
fn every_withdrawal_is_immediate_offline_and_sent_later() {
    const DEVICES: [&str; 4] = ["withdraws", "deletes", "deletes-all", "resets"];
    let mut stage = Stage::new();
    let line = RecordingProxy::new(stage.collector_address());
    let (mut sent, mut kept) = (Vec::new(), BTreeSet::new());
    for device in DEVICES {
        stage.device_at(device, &line.url());
        stage.consent(device, &format!("{QA} {RESEARCH}"));
        sent.push([
            stage.submit(device, PLAYED[0]),
            stage.submit(device, PLAYED[1]),
        ]);
        stage.upload(device);
    }
    stage.pull_everything();
    kept.insert(sent[1][1].clone());

    // First the line is cut, then there is no collector either.
    line.cut();
    let connections = line.connections();
    let waiting = DEVICES.map(|device| stage.submit(device, PLAYED[0]));
    for no in [
        "device withdraws withdraw".to_owned(),
        format!("device deletes delete {}", sent[1][0]),
        format!("device deletes delete {}", waiting[1]),
        "device deletes-all delete --all".to_owned(),
        "device resets reset".to_owned(),
    ] {
        stage.sordino(&no).ok();
    }
    assert_eq!(line.connections(), connections, "a no asks nobody");
    // A reset device only knows that the record is to be withdrawn, as a whole.
    let due = [2, 1, 2, 1];
    let assert_due = |stage: &Stage| {
        for (device, due) in DEVICES.into_iter().zip(due) {
            let status = stage.status(device);
            assert_eq!(status["deletions_pending"], due, "{device}");
            assert_eq!(status["pending"], 0, "{device}");
            assert!(stage.outbox(device).is_empty(), "{device}");
        }
    };
    assert_due(&stage);
    for _ in 0..3 {
        for device in DEVICES {
            stage
                .sordino(&format!("device {device} upload"))
                .failed(&[]);
        }
    }
    stage.stop_collector();
    line.restore();
    for device in DEVICES {
        stage
            .sordino(&format!("device {device} upload"))
            .failed(&[]);
    }
    assert_due(&stage);

    stage.start_collector();
    // One request withdraws a whole record.
    for (device, requests) in DEVICES.into_iter().zip([1, 1, 2, 1]) {
        let result = stage.upload(device);
        assert_eq!(
            (result["deletions"].as_u64(), &result["failed"]),
            (Some(requests), &json!(0)),
            "{device}: {result}"
        );
        assert_eq!(stage.status(device)["deletions_pending"], 0, "{device}");
        assert_eq!(stage.upload(device)["deletions"], 0, "{device}");
    }
    assert_eq!(stage.objects(), kept);
    stage.pull_everything();
    for id in sent.as_flattened().iter().chain(&waiting) {
        assert_eq!(stage.is_pulled(id), kept.contains(id), "{id}");
    }
    let states = DEVICES.map(|device| stage.status(device)["consent"].clone());
    assert_eq!(states, ["withdrawn", "granted", "granted", "none"]);
}

/// Consent after a withdrawal is another record; it restores nothing.
#[test]
fn new_consent_restores_nothing() {
    let stage = Stage::new();
    stage.granted("d", QA);
    let first = stage.submit("d", PLAYED[0]);
    stage.upload("d");
    stage.sordino("device d withdraw").ok();
    stage.consent("d", QA);
    let second = stage.submit("d", PLAYED[1]);
    let result = stage.upload("d");
    assert_eq!(
        (&result["deletions"], &result["samples"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(stage.objects(), BTreeSet::from([second.clone()]));
    stage.pull_everything();
    assert!(!stage.is_pulled(&first) && stage.is_pulled(&second));

    stage.sordino("device d withdraw").ok();
    stage.upload("d");
    assert!(stage.objects().is_empty());
    assert_eq!(stage.status("d")["deletions_pending"], 0);
}

/// Starts `line` and kills it after `life`. Whether it was killed before its end.
fn is_killed(life: Duration, stage: &Stage, line: &str) -> bool {
    killed_after(life, &mut stage.command(line)).is_none()
}

/// A piece of a pulled sample's FLAC that no other file holds.
fn sound_of(stage: &Stage, id: &str) -> Vec<u8> {
    let flac = fs::read(stage.path(format!("bundle/{id}/audio.flac"))).unwrap();
    flac[flac.len() / 2..][..64].to_vec()
}

/// The manifests of a sample in the datasets.
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

/// Sends recorded bytes to the collector again, and reads its whole response.
fn replay(stage: &Stage, recorded: &[u8]) -> String {
    use std::io::{Read as _, Write as _};
    let mut connection = std::net::TcpStream::connect(stage.collector_address()).unwrap();
    connection.write_all(recorded).unwrap();
    connection.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answers = String::new();
    connection.read_to_string(&mut answers).unwrap();
    answers
}
