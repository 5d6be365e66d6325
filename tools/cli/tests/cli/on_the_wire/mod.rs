//! Traffic of a device, compared with the byte-by-byte list in `compliance/facts`: nothing is sent that is not on the
//! list, and nothing is on the list that is never sent.

mod list;
mod opened;
mod request;

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use crate::support::{CommandResult, QA, RESEARCH, RecordingProxy, Stage, has};
use list::{FACTS, Findings, document};
use request::{Sent, requests};

/// Recordings after which a sample holds every member of a manifest: plain music, talk that is cut, a
/// voice that is erased.
const PLAYED: [&str; 4] = [
    "flute-alone",
    "talk-between",
    "raised-voice-over",
    "talk-over",
];

#[test]
fn a_device_sends_nothing_that_is_not_on_the_list() {
    let stage = stage();
    let mut sent = lifetime(
        &stage,
        "adult",
        &format!("--age-band adult --purpose {QA} {RESEARCH}"),
    );
    sent.extend(lifetime(
        &stage,
        "child",
        &format!("{GUARDED} {QA} {RESEARCH}"),
    ));
    sent.extend(forgotten(&stage));

    let mut findings = Findings::default();
    for request in &sent {
        findings.request(request);
        if request.body.starts_with(b"age-encryption.org/") {
            findings.age_file(&request.body, 1);
            findings.archive(&opened::plaintext(&request.body, &stage.path("qa.key")));
        }
    }
    assert!(findings.found.is_empty(), "{:#?}", findings.found);
    assert_eq!(findings.seen, listed(), "what is listed and never sent");
}

const GUARDED: &str =
    "--age-band child --guardian-method text-plus --guardian-evidence evidence --purpose";

/// A stage with a plan whose controller is named in full, and a guardian's `evidence`.
fn stage() -> Stage {
    let mut stage = Stage::without_collector();
    stage.sign_plan("plan", &[("name", "\"Your school\"\ncountry = \"DE\"")]);
    stage.start_collector();
    fs::write(stage.path("evidence"), "transaction 7b1e6c02f4a9d853").unwrap();
    stage
}

/// All requests of a device: registration, samples, queries, deletion, withdrawal in two steps.
fn lifetime(stage: &Stage, name: &str, consent: &str) -> Vec<Sent> {
    let line = RecordingProxy::new(stage.collector_address());
    stage.device_at(name, &line.url());
    stage
        .sordino(&format!("device {name} consent {consent}"))
        .ok();
    assert_eq!(line.connections(), 0, "consent alone sends nothing");
    let mut samples = Vec::new();
    for recording in PLAYED {
        let annotation = format!("--annotation audio/{recording}.json");
        samples.push(stage.submit_with(name, recording, &annotation));
    }
    stage.upload(name);
    let sample = &samples[0];
    stage
        .sordino(&format!("device {name} accesses {sample}"))
        .ok();
    stage
        .sordino(&format!("device {name} delete {sample}"))
        .ok();
    stage.upload(name);
    for withdrawal in [&format!(" --purpose {RESEARCH}"), ""] {
        stage
            .sordino(&format!("device {name} withdraw{withdrawal}"))
            .ok();
        stage.upload(name);
    }
    assert!(stage.objects().is_empty());
    requests(&line.sent())
}

/// The requests of a device that deleted all samples and was reset before it sent the deletions.
fn forgotten(stage: &Stage) -> Vec<Sent> {
    let line = RecordingProxy::new(stage.collector_address());
    stage.device_at("forgotten", &line.url());
    stage.consent("forgotten", QA);
    stage.submit("forgotten", "flute-alone");
    stage.upload("forgotten");
    stage.submit("forgotten", "flute-alone");
    stage.sordino("device forgotten delete --all").ok();
    stage.upload("forgotten");
    assert!(stage.objects().is_empty());
    stage.submit("forgotten", "flute-alone");
    stage.upload("forgotten");
    stage.sordino("device forgotten reset").ok();
    stage.upload("forgotten");
    assert!(stage.objects().is_empty());
    // The collector acknowledged it. A day later it is asked for the epoch of its database.
    if has("faketime", "a_device_sends_nothing_that_is_not_on_the_list") {
        let program = env!("CARGO_BIN_EXE_sordino");
        let line = format!("-f +25h {program} device forgotten upload");
        CommandResult::run(&mut stage.command_of("faketime", &line), &line).ok();
    }
    requests(&line.sent())
}

/// Everything that a test of a whole life has to see.
fn listed() -> BTreeSet<String> {
    let mut listed = BTreeSet::new();
    for request in &FACTS.request {
        let name = &request.name;
        listed.insert(name.to_owned());
        for header in &request.fields {
            listed.insert(format!("{name}: header {}", header.name));
        }
        for (member, _) in document(request.body)
            .iter()
            .flat_map(|document| document.shapes())
        {
            listed.insert(format!("{name}: member {member}"));
        }
    }
    for (member, _) in FACTS.manifest.shapes() {
        listed.insert(format!("manifest: member {member}"));
    }
    listed
}

/// A change to a request that was truly sent.
type Change = (&'static str, fn(&mut Sent));

/// The check itself: each thing that does not belong into a request is found.
#[test]
fn additions_to_a_request_are_detected() {
    let stage = stage();
    let line = RecordingProxy::new(stage.collector_address());
    stage.device_at("d", &line.url());
    stage
        .sordino(&format!("device d consent {GUARDED} {QA}"))
        .ok();
    stage.submit("d", "flute-alone");
    stage.upload("d");
    let sent = requests(&line.sent());
    let of = |start: &str| -> Sent {
        let found = sent.iter().find(|request| request.path.starts_with(start));
        found.unwrap().clone()
    };
    let (registration, sample, plan) = (of("/v1/consents/"), of("/v1/samples/"), of("/v1/plan"));

    let changes: [(&Sent, &[Change]); 3] = [
        (
            &registration,
            &[
                ("header user-agent", |sent| sent.add("user-agent", "ureq/3")),
                ("header cookie", |sent| sent.add("cookie", "a=b")),
                ("header host", |sent| sent.add("host", "elsewhere")),
                ("member device_model", |sent| {
                    sent.edit(|json| {
                        json["device_model"] = json!("Pixel");
                    })
                }),
                ("member dpv:hasNotice.place", |sent| {
                    sent.edit(|json| {
                        json["dpv:hasNotice"]["place"] = json!("kitchen");
                    })
                }),
                ("member @context", |sent| {
                    sent.edit(|json| {
                        json["@context"]["device"] = json!("urn:device:7");
                    })
                }),
                ("member dpv:hasProcess[].dct:identifier", |sent| {
                    sent.edit(|json| {
                        json["dpv:hasProcess"][0]["dct:identifier"] = json!("advertising");
                    })
                }),
                ("dpv:hasRecipient.dct:description", |sent| {
                    sent.edit(|json| {
                        let recipient = &mut json["dpv:hasProcess"][0]["dpv:hasRecipient"];
                        recipient["dct:description"] = json!("Anyone who pays.");
                    })
                }),
                ("dpv:hasConsentStatus[].sordino:evidence-hash", |sent| {
                    sent.edit(|json| {
                        let answer = &mut json["dpv:hasConsentStatus"][1];
                        answer["sordino:evidence-hash"] = json!("parent@example.com");
                    })
                }),
                ("2", |sent| sent.edit(|json| finer(json, "-3"))),
                ("2", |sent| sent.edit(|json| finer(json, "-3T18:45:12Z"))),
                ("header content-type", |sent| {
                    sent.set("content-type", "text/plain")
                }),
                ("header signature-input", |sent| {
                    let value = sent.header("signature-input").to_owned() + ";created=1764064800";
                    sent.set("signature-input", &value);
                }),
                ("no request", |sent| sent.path.push_str("?device=1")),
                ("no request", |sent| sent.method = "POST".to_owned()),
                ("no JSON", |sent| sent.body.push(b'}')),
            ],
        ),
        (
            &sample,
            &[
                ("header sordino-sampled-at", |sent| {
                    sent.add("sordino-sampled-at", "12:00")
                }),
                ("header sordino-recipients", |sent| {
                    sent.set("sordino-recipients", "age1someone")
                }),
                ("age file: header", |sent| {
                    insert(sent, "-> X25519", "-> name me\n")
                }),
                ("age file: header", |sent| {
                    insert(sent, "---", "-> X25519 short\n")
                }),
                ("age file: length", |sent| sent.body.push(0)),
            ],
        ),
        (
            &plan,
            &[
                ("header signature", |sent| {
                    sent.add("signature", "sordino=:AA==:")
                }),
                ("header if-none-match", |sent| {
                    sent.set("if-none-match", "\"1-device\"")
                }),
                ("body", |sent| sent.body.push(b'!')),
            ],
        ),
    ];
    for (original, changes) in changes {
        assert_eq!(found_in(original), Vec::<String>::new());
        for (expected, change) in changes {
            let mut changed = original.clone();
            change(&mut changed);
            let found = found_in(&changed);
            assert_eq!(found.len(), 1, "{expected}: {found:?}");
            assert!(found[0].contains(expected), "{expected}: {found:?}");
        }
    }

    let plaintext = opened::plaintext(&sample.body, &stage.path("qa.key"));
    for (expected, from, to) in [
        (
            "manifest: member who",
            "\"schema\":",
            "\"who\": 1, \"schema\":",
        ),
        (
            "manifest: member selection.at",
            "\"trigger\":",
            "\"at\": 9, \"trigger\":",
        ),
        ("manifest: member platform", "\"linux\"", "\"linux 6.1\""),
    ] {
        let changed = opened::with_manifest(&plaintext, |text| {
            assert!(text.contains(from), "{text}");
            text.replacen(from, to, 1)
        });
        let mut findings = Findings::default();
        findings.archive(&changed);
        assert_eq!(findings.found.len(), 1, "{:?}", findings.found);
        assert!(findings.found[0].contains(expected), "{:?}", findings.found);
    }
}

fn found_in(request: &Sent) -> Vec<String> {
    let mut findings = Findings::default();
    findings.request(request);
    if request.body.starts_with(b"age-encryption.org/") {
        findings.age_file(&request.body, 1);
    }
    findings.found
}

/// Makes the first week in `value` a finer time.
fn finer(value: &mut Value, by: &str) {
    fn change(value: &mut Value, by: &str) -> bool {
        match value {
            Value::String(text) if text.len() == 8 && &text[4..6] == "-W" => {
                text.push_str(by);
                true
            }
            Value::Array(values) => values.iter_mut().any(|value| change(value, by)),
            Value::Object(members) => members.values_mut().any(|value| change(value, by)),
            _ => false,
        }
    }
    assert!(change(value, by), "no week in {value}");
}

/// Puts `line` before the first `before` in the body.
fn insert(sent: &mut Sent, before: &str, line: &str) {
    let needle = before.as_bytes();
    let at = sent
        .body
        .windows(needle.len())
        .position(|window| window == needle);
    let at = at.unwrap();
    sent.body.splice(at..at, line.bytes());
}
