//! Data that leaves a device, counted and read on its connection to the collector: nothing without consent, and
//! with consent nothing about who, where or when.

use std::{collections::BTreeMap, fs};

use jiff::Timestamp;
use serde_json::json;

use crate::support::{
    CommandResult, PLAYED, QA, RESEARCH, RecordingProxy, SPOKEN, Stage, holds, queued,
};

/// Facts about the person that the system knows, to be found in any output.
const TELL_TALES: [(&str, &str); 7] = [
    ("USER", "unmistakable-user"),
    ("LOGNAME", "unmistakable-login"),
    ("HOME", "/home/unmistakable-home"),
    ("HOSTNAME", "unmistakable-host"),
    ("LANG", "gsw_LI.UTF-8"),
    ("LC_ALL", "gsw_LI.UTF-8"),
    ("TZ", "Antarctica/Troll"),
];
/// Every header that a device has a use for; docs/protocol.md names them.
const HEADERS: [&str; 9] = [
    "content-digest",
    "content-length",
    "content-type",
    "host",
    "if-none-match",
    "signature",
    "signature-input",
    "sordino-purposes",
    "sordino-recipients",
];

/// A device and its line.
struct Device<'a> {
    stage: &'a Stage,
    name: &'static str,
    line: RecordingProxy,
}

impl<'a> Device<'a> {
    fn new(stage: &'a Stage, name: &'static str) -> Self {
        let line = RecordingProxy::new(stage.collector_address());
        stage.device_at(name, &line.url());
        Self { stage, name, line }
    }

    fn run(&self, words: &str) -> CommandResult {
        let line = format!("device {} {words}", self.name);
        CommandResult::run(self.stage.command(&line).envs(TELL_TALES), &line)
    }

    fn consents(&self, words: &str) {
        self.run(&format!("consent {words}")).ok();
    }

    /// Offers a shipped recording with more words, of which a sample must come.
    fn submits(&self, recording: &str, flags: &str) {
        let words = format!("submit audio/{recording}.wav {flags} --json");
        queued(|| self.run(&words).ok().document());
    }

    /// All commands of a device except consent.
    fn does_everything(&self) {
        let nobody = "0".repeat(32);
        for words in [
            "status".to_owned(),
            format!("listen audio/{}.wav audio/{SPOKEN}.wav --mark", PLAYED[0]),
            format!("submit audio/{}.wav", PLAYED[1]),
            "upload".to_owned(),
            "samples".to_owned(),
            "withdraw --purpose recognition-research".to_owned(),
            "upload".to_owned(),
        ] {
            self.run(&words).ok();
        }
        for words in ["delete", "accesses"] {
            self.run(&format!("{words} {nobody}")).refused(&[&nobody]);
        }
    }

    /// The numbers of its connections and of the bytes that it sent.
    fn traffic(&self) -> (usize, usize) {
        (self.line.connections(), self.line.sent().len())
    }
}

#[test]
fn an_adult_sends_only_ciphertext_and_only_after_consent() {
    let stage = Stage::new();
    let device = Device::new(&stage, "adult");
    device.does_everything();
    assert_eq!(device.traffic(), (0, 0));
    device.consents(&format!("--age-band adult --purpose {QA} {RESEARCH}"));
    assert_eq!(device.traffic(), (0, 0), "consent alone sends nothing");
    for recording in [PLAYED[0], PLAYED[1]] {
        device.submits(recording, &format!("--annotation audio/{recording}.json"));
    }
    assert_eq!(
        device.traffic(),
        (0, 0),
        "nor does a sample before it is due"
    );
    device.run("upload").ok();
    assert!(device.traffic().0 > 0 && device.traffic().1 > 100_000);
    assert_eq!(stage.objects().len(), 2);
    assert_tells_nothing(&stage, &device.line.sent());
}

#[test]
fn a_device_without_consent_opens_no_connection() {
    let stage = Stage::new();
    let device = Device::new(&stage, "unasked");
    for _ in 0..2 {
        device.does_everything();
    }
    assert_eq!(device.traffic(), (0, 0));
    assert!(stage.outbox("unasked").is_empty() && stage.objects().is_empty());
}

#[test]
fn a_child_sends_nothing_without_its_guardian_s_approval() {
    let stage = Stage::new();
    let device = Device::new(&stage, "child");
    device.consents(&format!("--age-band child --purpose {QA}"));
    device.does_everything();
    assert_eq!(device.traffic(), (0, 0));

    device.consents(&format!(
        "--age-band child --purpose {QA} --guardian-method text-plus"
    ));
    assert_eq!(device.traffic(), (0, 0));
    device.submits(PLAYED[0], "");
    device.run("upload").ok();
    let sent = device.line.sent();
    assert_eq!(stage.objects().len(), 1);
    assert!(sent.len() > 10_000);
    assert_tells_nothing(&stage, &sent);

    device.submits(PLAYED[1], "");
    device.run("withdraw").ok();
    device.run("upload").ok();
    assert!(stage.objects().is_empty());
    let after = device.line.sent();
    let methods: Vec<String> = requests(&after[sent.len()..])
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert_eq!(methods.len(), 1, "{methods:?}");
    assert!(methods[0].starts_with("PUT /v1/consents/") && methods[0].ends_with("/withdrawal"));
    assert_tells_nothing(&stage, &after);
    let traffic = device.traffic();
    device.does_everything();
    assert_eq!(
        device.traffic(),
        traffic,
        "after the collector's word there is nothing to say"
    );
}

#[test]
fn a_device_sends_all_samples_after_offline_and_kill() {
    let stage = Stage::new();
    let device = Device::new(&stage, "offline");
    device.line.cut();
    device.consents(&format!("--age-band adult --purpose {QA}"));
    device.submits(PLAYED[0], "");
    let mut listening = stage.listening("offline", &TELL_TALES);
    listening.kill().unwrap();
    listening.wait().unwrap();
    device.run("upload").failed(&[]);
    assert_eq!(device.line.sent(), b"");

    device.line.restore();
    device.run("upload").ok();
    assert_eq!(stage.objects().len(), 1);
    assert_tells_nothing(&stage, &device.line.sent());
}

/// The kill switch stops what waits in the same round in which the device learns of it.
#[test]
fn a_paused_plan_sends_no_sample() {
    let mut stage = Stage::new();
    let line = RecordingProxy::new(stage.collector_address());
    stage.device_at("d", &line.url());
    stage.consent("d", QA);
    stage.submit("d", PLAYED[0]);
    stage.stop_collector();
    stage.sign_plan("plan", &[("version", "2"), ("paused", "true")]);
    stage.start_collector();
    stage
        .sordino("device d upload")
        .failed(&["1 sample waits", "paused"]);
    let sent = requests(&line.sent());
    let targets: Vec<&str> = sent.iter().map(|request| &*request.target).collect();
    assert_eq!(targets, ["GET /v1/plan"]);
    assert!(stage.objects().is_empty());
    assert_eq!(stage.outbox("d").len(), 1, "it waits");
}

struct Request {
    /// Method and path.
    target: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// The requests on the connection.
fn requests(mut bytes: &[u8]) -> Vec<Request> {
    let mut requests = Vec::new();
    while !bytes.is_empty() {
        let end = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let (first, rest) = head.split_once("\r\n").unwrap();
        let target = first.strip_suffix(" HTTP/1.1").unwrap().to_owned();
        let headers: BTreeMap<String, String> = rest
            .split("\r\n")
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let body = bytes[end + 4..][..length].to_vec();
        bytes = &bytes[end + 4 + length..];
        requests.push(Request {
            target,
            headers,
            body,
        });
    }
    requests
}

fn assert_tells_nothing(stage: &Stage, sent: &[u8]) {
    // RIFF, its length, WAVE; fLaC and the header of the block that always follows it.
    let is_wav = |window: &[u8]| window.starts_with(b"RIFF") && window.ends_with(b"WAVE");
    assert!(!sent.windows(12).any(is_wav), "a WAV file passed");
    for flac in [b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22"] {
        assert!(!holds(sent, flac), "a FLAC file passed");
    }
    assert_holds_no_recording(stage, sent);

    for request in requests(sent) {
        let Request {
            target,
            headers,
            body,
        } = request;
        for name in headers.keys() {
            assert!(HEADERS.contains(&name.as_str()), "{target}: {name}");
        }
        let is_sample = target.starts_with("PUT /v1/samples/");
        assert_eq!(
            is_sample,
            body.starts_with(b"age-encryption.org/v1\n"),
            "{target}"
        );
        let mut readable = format!("{target} {headers:?} ").into_bytes();
        match is_sample {
            // Beyond the lines of its header it is ciphertext, in which any letters may stand.
            true => readable.extend_from_slice(&body[..200]),
            false => readable.extend_from_slice(&body),
        }
        let readable = String::from_utf8_lossy(&readable).to_ascii_lowercase();
        for tell_tale in tell_tales(stage) {
            let tell_tale = tell_tale.to_ascii_lowercase();
            assert!(
                !tells(&readable, &tell_tale),
                "{target} tells {tell_tale}: {readable}"
            );
        }
    }
}

/// A few letters occur by chance in every key and signature, so they count only as a separate word.
fn tells(readable: &str, tell_tale: &str) -> bool {
    const SURE: usize = 8;
    let of_a_word = |letter: char| letter.is_alphanumeric() || "+/=_-".contains(letter);
    readable.match_indices(tell_tale).any(|(at, found)| {
        let before = readable[..at].chars().next_back();
        let after = readable[at + found.len()..].chars().next();
        found.len() >= SURE || ![before, after].into_iter().flatten().any(of_a_word)
    })
}

/// Runs of the recordings' own samples, as a WAV file or the engine's memory would hold them.
fn assert_holds_no_recording(stage: &Stage, sent: &[u8]) {
    for recording in PLAYED {
        let path = stage.path(format!("audio/{recording}.wav"));
        let wav = hound::WavReader::open(path).unwrap();
        let samples: Vec<i16> = wav.into_samples().map(Result::unwrap).collect();
        for at in (0..samples.len() - 16).step_by(samples.len() / 50) {
            let run = &samples[at..at + 16];
            if run.iter().all(|sample| sample.unsigned_abs() < 64) {
                continue;
            }
            let integers: Vec<u8> = run.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            let floats: Vec<u8> = run
                .iter()
                .flat_map(|&sample| (f32::from(sample) / 32_768.0).to_le_bytes())
                .collect();
            assert!(
                !holds(sent, &integers) && !holds(sent, &floats),
                "{recording} at {at}"
            );
        }
    }
}

fn tell_tales(stage: &Stage) -> Vec<String> {
    let now = Timestamp::now();
    let day = |format: &str| now.strftime(format).to_string();
    let mut tell_tales: Vec<String> = TELL_TALES
        .iter()
        .map(|(_, value)| (*value).to_owned())
        .collect();
    tell_tales.extend([
        day("%Y-%m-%d"),
        day("%Y%m%d"),
        day("%d %b %Y"),
        // Seconds since 1970, to a quarter of an hour.
        now.as_second().to_string()[..7].to_owned(),
        "date:".to_owned(),
        "user-agent".to_owned(),
        "ureq".to_owned(),
        "accept-language".to_owned(),
        "cookie".to_owned(),
        "gsw".to_owned(),
        std::env::consts::ARCH.to_owned(),
        stage.path("").display().to_string(),
        env!("CARGO_MANIFEST_DIR").to_owned(),
    ]);
    tell_tales.extend(PLAYED.map(str::to_owned));
    for file in ["/etc/hostname", "/etc/machine-id"] {
        let name = fs::read_to_string(file)
            .unwrap_or_default()
            .trim()
            .to_owned();
        // A few letters would be found by chance.
        if name.len() >= 6 && name != "localhost" {
            tell_tales.push(name);
        }
    }
    tell_tales
}

#[test]
fn the_collector_learns_only_week_and_purposes() {
    let stage = Stage::new();
    let device = Device::new(&stage, "adult");
    device.consents(&format!("--age-band adult --purpose {QA}"));
    device.submits(PLAYED[0], "");
    device.run("upload").ok();
    let sent = requests(&device.line.sent());
    let registration = sent
        .iter()
        .find(|request| request.target.starts_with("PUT /v1/consents/"))
        .unwrap();
    let record: serde_json::Value = serde_json::from_slice(&registration.body).unwrap();
    let members: Vec<&str> = record
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        json!(members),
        json!([
            "@context",
            "@id",
            "@type",
            "dct:conformsTo",
            "dct:identifier",
            "dpv:hasConsentStatus",
            "dpv:hasDataController",
            "dpv:hasDataSubject",
            "dpv:hasNotice",
            "dpv:hasProcess",
            "schema:version",
            "signature"
        ])
    );
}
