//! Promises of all commands.

use std::fs;

use crate::support::{PLAYED, QA, SPOKEN, Stage};

/// The table of commands, in an order in which each finds what it needs. `{key}`, `{url}`,
/// `{recipient}` and `{sample}` are filled in.
const TABLE: [&str; 36] = [
    "keygen --out other.key",
    "plan keygen --out other-organization.key",
    "plan sign plan.toml --key organization.key --out signed.json",
    "plan show signed.json",
    "anonymize audio/flute-alone.wav audio/speech-alone.wav --out anonymous",
    "anonymize audio/talk-over.wav --out anonymous --keep-time",
    "seal audio/flute-alone.wav --recipient {recipient} --out one.age",
    "open one.age --identity qa.key --out opened",
    "consent notice --language pt-BR",
    "device d init --plan signed.json --plan-key {key} --collector {url}",
    "device d status",
    "device d consent --purpose quality-assurance",
    "device d consent --purpose quality-assurance --guardian-method text-plus",
    "device d submit audio/speech-alone.wav",
    "device d submit audio/flute-alone.wav --annotation audio/flute-alone.json",
    "device d listen audio/violin-alone.wav --mark",
    "device d upload",
    "device d samples",
    "device d accesses {sample}",
    "pull --collector {url} --token-file token --identity qa.key --out data",
    "pull --collector {url} --token-file token --identity qa.key --out data --purpose quality-assurance",
    "audit fetch --collector {url} --token-file token --out audit.jsonl",
    "audit verify audit.jsonl",
    "audit verify audit.jsonl --collector {url}",
    "report data",
    "papers --out papers --plan signed.json",
    "device d delete {sample}",
    "device d delete --all",
    "device d came-of-age",
    "device d consent --purpose quality-assurance --age-band adult",
    "device d export --out mine.zip",
    "device d withdraw --purpose quality-assurance",
    "device d withdraw",
    "device d upload",
    "device d reset",
    "device d upload",
];

#[test]
fn every_command_prints_text_or_one_json_document() {
    for as_json in [false, true] {
        let stage = Stage::new();
        let mut sample = String::new();
        for row in TABLE {
            let line = row
                .replace("{key}", &stage.plan_key)
                .replace("{url}", &stage.url())
                .replace("{recipient}", &stage.recipient)
                .replace("{sample}", &sample);
            match as_json {
                true => drop(stage.json(&line)),
                false => assert_ne!(stage.sordino(&line).ok().stdout, "", "{row}"),
            }
            if row == "device d samples" {
                let samples = stage.json(row);
                sample = samples[0]["id"].as_str().unwrap().to_owned();
            }
        }
        assert_eq!(stage.status("d")["consent"], "none", "it was reset");
        assert_eq!(stage.status("d")["deletions_pending"], 0);
    }
}

/// The sound service's own libraries may say things on standard error; standard output is ours.
#[test]
fn devices_prints_one_document_on_any_machine() {
    let stage = Stage::without_collector();
    let ran = stage.sordino("devices --json");
    match ran.status {
        Some(0) => assert!(ran.document().is_array()),
        status => assert_eq!((status, ran.stdout.as_str()), (Some(1), "")),
    }
}

#[test]
fn the_demo_keeps_every_promise_that_it_checks() {
    let stage = Stage::without_collector();
    fs::create_dir(stage.path("few")).unwrap();
    for recording in PLAYED.into_iter().chain([SPOKEN]) {
        for ending in ["wav", "json"] {
            let file = format!("{recording}.{ending}");
            fs::copy(
                stage.path("audio").join(&file),
                stage.path("few").join(&file),
            )
            .unwrap();
        }
    }
    let result = stage.json("demo --recordings few --out shown");
    let checks = result["checks"].as_array().unwrap();
    assert!(checks.len() >= 8, "{result}");
    assert!(
        checks.iter().all(|check| check["holds"] == true),
        "{result}"
    );
    assert!(result["pulled"].as_u64() > Some(0) && result["removed"].as_u64() > Some(0));
    assert!(stage.path("shown/report.html").is_file());
    assert!(stage.path("shown/dataset").is_dir());
}

#[test]
fn json_is_accepted_before_or_after_the_command() {
    let stage = Stage::without_collector();
    let before = stage.sordino("--json plan show plan.json").ok().document();
    assert_eq!(before, stage.json("plan show plan.json"));
}

#[test]
fn wrong_usage_exits_with_2_and_does_nothing() {
    let stage = Stage::without_collector();
    let key = &stage.plan_key;
    let recipient = &stage.recipient;
    for line in [
        "".to_owned(),
        "nonsense".to_owned(),
        "--json nonsense".to_owned(),
        "anonymize --out made".to_owned(),
        "anonymize audio/flute-alone.wav".to_owned(),
        "anonymize audio/flute-alone.wav --out made --nonsense".to_owned(),
        "capture --out made.wav".to_owned(),
        "capture --out made.wav --seconds soon".to_owned(),
        "keygen".to_owned(),
        "seal audio/flute-alone.wav --out made.age".to_owned(),
        "seal audio/flute-alone.wav --recipient age1nonsense --out made.age".to_owned(),
        format!("seal --recipient {recipient} --out made.age"),
        "open one.age --out made".to_owned(),
        "plan".to_owned(),
        "consent".to_owned(),
        "consent verify".to_owned(),
        "plan sign plan.toml --key organization.key".to_owned(),
        "device".to_owned(),
        "device made".to_owned(),
        "device made nonsense".to_owned(),
        "device made init --plan plan.json".to_owned(),
        "device made init --plan plan.json --plan-key 00 --collector http://127.0.0.1:9".to_owned(),
        format!("device made init --plan plan.json --plan-key {key} --collector nowhere"),
        // Plain HTTP to another machine would show who sends.
        format!(
            "device made init --plan plan.json --plan-key {key} --collector http://192.0.2.1:80"
        ),
        format!(
            "device made init --plan plan.json --plan-key {key} --collector http://collector.example"
        ),
        "device made consent".to_owned(),
        "device made consent --purpose advertising".to_owned(),
        format!("device made consent --purpose {QA} --age-band 12"),
        format!("device made consent --purpose {QA} --guardian-method said-so"),
        format!("device made consent --purpose {QA} --guardian-evidence text"),
        "device made withdraw --purpose everything".to_owned(),
        "device made delete not-an-id".to_owned(),
        "device made delete".to_owned(),
        format!("device made delete {} --all", "0".repeat(32)),
        "device made export".to_owned(),
        "device made reset everything".to_owned(),
        "device made accesses".to_owned(),
        "pull --collector http://collector.example --token-file token --identity qa.key --out made"
            .to_owned(),
        "pull --collector http://127.0.0.1:9 --token-file token --identity qa.key --out made \
         --format csv"
            .to_owned(),
        "report".to_owned(),
    ] {
        stage.sordino(&line).misused();
        for made in ["made", "made.wav", "made.age"] {
            assert!(!stage.path(made).exists(), "{line}");
        }
    }
}

/// Each in text and as JSON: an error is a line, never a document.
#[test]
fn a_failure_is_one_line_and_status_1() {
    let stage = Stage::new();
    stage.granted("d", QA);
    let id = "0".repeat(32);
    let key = &stage.plan_key;
    let url = stage.url();
    fs::write(stage.path("text"), "some text, and no more\n").unwrap();
    for (line, says) in [
        ("anonymize nowhere.wav --out made".to_owned(), "nowhere.wav"),
        ("capture --out made.wav --seconds 0".to_owned(), "--seconds"),
        (
            "capture --out made.wav --seconds nan".to_owned(),
            "--seconds",
        ),
        (
            "capture --out made.wav --seconds 1e9".to_owned(),
            "--seconds",
        ),
        ("keygen --out nowhere/key".to_owned(), "nowhere/key"),
        (
            format!(
                "seal nowhere.wav --recipient {} --out made.age",
                stage.recipient
            ),
            "nowhere.wav",
        ),
        (
            format!(
                "seal audio/{SPOKEN}.wav --recipient {} --out made.age",
                stage.recipient
            ),
            SPOKEN,
        ),
        (
            "open nowhere.age --identity qa.key --out made".to_owned(),
            "nowhere.age",
        ),
        ("open text --identity qa.key --out made".to_owned(), "text"),
        ("open text --identity text --out made".to_owned(), "text"),
        ("plan keygen --out nowhere/key".to_owned(), "nowhere/key"),
        (
            "plan sign nowhere.toml --key organization.key --out made".to_owned(),
            "nowhere.toml",
        ),
        (
            "plan sign plan.toml --key qa.key --out made".to_owned(),
            "qa.key",
        ),
        (
            "plan sign text --key organization.key --out made".to_owned(),
            "text: line 1",
        ),
        ("plan show text".to_owned(), "text"),
        ("consent verify nowhere.json".to_owned(), "nowhere.json"),
        ("consent verify text".to_owned(), "text"),
        ("device made status".to_owned(), "made"),
        (format!("device made consent --purpose {QA}"), "made"),
        ("device made upload".to_owned(), "made"),
        ("device made reset".to_owned(), "made"),
        ("device made export --out made.zip".to_owned(), "made"),
        (
            "device d export --out nowhere/made.zip".to_owned(),
            "nowhere/made.zip",
        ),
        ("device d came-of-age".to_owned(), "an adult consented"),
        (
            format!("device made init --plan text --plan-key {key} --collector {url}"),
            "text",
        ),
        ("device d submit nowhere.wav".to_owned(), "nowhere.wav"),
        (
            format!("device d submit audio/{}.wav --annotation text", PLAYED[0]),
            "text",
        ),
        ("device d listen nowhere.wav".to_owned(), "nowhere.wav"),
        ("device d listen text.wav --mark".to_owned(), "text.json"),
        (format!("device d delete {id}"), &id),
        (format!("device d accesses {id}"), &id),
        (
            format!("pull --collector {url} --token-file nowhere --identity qa.key --out made"),
            "nowhere",
        ),
        (
            format!("pull --collector {url} --token-file token --identity nowhere --out made"),
            "nowhere",
        ),
        ("report made".to_owned(), "made"),
    ] {
        for line in [line.clone(), format!("{line} --json")] {
            let ran = stage.sordino(&line);
            // A list of files is answered file by file, so that one bad file does not hide the rest.
            match line.starts_with("anonymize") {
                true => ran.failed(&[says]),
                false => ran.refused(&[says]),
            }
        }
        for made in [
            "made.wav",
            "made.age",
            "made/manifest.json",
            "made/state.redb",
        ] {
            assert!(!stage.path(made).exists(), "{line} left {made}");
        }
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    use std::process::Stdio;
    let stage = Stage::without_collector();
    let mut command = stage.command("plan show plan.json");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

/// Scripts use the earlier names.
#[test]
fn earlier_names_of_commands_are_aliases() {
    let stage = Stage::new();
    for (name, earlier) in [
        ("evaluate", "recognise-eval"),
        ("device d submit", "device d offer"),
    ] {
        let help = |command: &str| stage.sordino(&format!("{command} --help")).ok().stdout;
        let usage = |help: String| help.replace(earlier, name);
        assert_eq!(usage(help(earlier)), usage(help(name)), "{earlier}");
    }
}
