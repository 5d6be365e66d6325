//! A plan that requires review: nothing is sealed before the person has accepted that sound.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::json;

use crate::support::{CommandResult, PLAYED, QA, Stage, python};

/// Runs a command on a terminal of its own, and answers what it asks. It fails where nothing is asked.
const TERMINAL: &str = r#"
import os, pty, sys
answer, command = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execv(command[0], command)
said = b""
while b"[y/N]" not in said:
    said += os.read(terminal, 4096)
os.write(terminal, answer.encode())
try:
    while chunk := os.read(terminal, 4096):
        said += chunk
except OSError:
    pass
sys.stdout.write(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

/// A device with consent whose plan requires review.
fn reviewed() -> Stage {
    let stage = Stage::without_collector();
    stage.sign_plan("plan", &[("consent_days", "365\nreview = \"required\"")]);
    stage.granted("d", QA);
    stage
}

fn submit(options: &str) -> String {
    format!("device d submit audio/{}.wav {options}", PLAYED[0])
}

fn sound(path: &Path) -> (u32, Vec<i16>) {
    let mut wav = hound::WavReader::open(path).unwrap();
    let samples = wav.samples().map(Result::unwrap).collect();
    (wav.spec().sample_rate, samples)
}

fn assert_nothing_was_made(stage: &Stage) {
    assert!(stage.outbox("d").is_empty());
    assert_eq!(stage.json("device d samples"), json!([]));
}

#[test]
fn plan_show_prints_whether_review_is_required() {
    let stage = reviewed();
    let text = stage.sordino("plan show plan.json").ok().stdout;
    assert!(text.contains("review             required"), "{text}");
    let shown = stage.json("plan show plan.json");
    assert_eq!(shown["plan"]["review"], "required");
}

#[test]
fn nothing_is_sealed_if_nobody_can_review() {
    let stage = reviewed();
    assert_eq!(
        stage.json(&submit("")),
        json!({"outcome": "withheld", "reason": "unreviewed"})
    );
    let text = stage.sordino(&submit("")).ok().stdout;
    assert!(
        text.starts_with("withheld: ") && text.contains("--yes"),
        "{text}"
    );
    // Nor is what was written to be heard.
    let heard = stage.json(&submit("--preview heard.wav"));
    assert_eq!(heard["reason"], "unreviewed");
    assert!(stage.path("heard.wav").is_file());
    assert_nothing_was_made(&stage);
}

#[test]
fn the_preview_is_the_sealed_sound() {
    let stage = reviewed();
    let submitted = stage.json(&submit("--preview heard.wav --yes"));
    assert_eq!(submitted["outcome"], "queued", "{submitted}");
    let id = submitted["sample_id"].as_str().unwrap();
    stage
        .sordino(&format!(
            "open d/outbox/{id}.age --identity qa.key --out opened"
        ))
        .ok();
    let heard = sound(&stage.path("heard.wav"));
    assert!(heard.1.len() > 3 * heard.0 as usize, "there is music in it");
    assert_eq!(heard, sound(&stage.path("opened/audio.wav")));
    let mode = fs::metadata(stage.path("heard.wav")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600, "it is its owner's alone");
}

#[test]
fn accepting_beforehand_queues_in_text_and_json() {
    let stage = reviewed();
    let id = stage.sordino(&submit("--yes")).last_word();
    let other = stage.json(&submit("--yes"))["sample_id"].clone();
    let other = other.as_str().unwrap().to_owned();
    assert_eq!(stage.outbox("d"), [id, other].into());
}

#[test]
fn listening_queues_nothing_without_review() {
    let stage = reviewed();
    let line = format!("device d listen audio/{}.wav --mark", PLAYED[0]);
    let heard = stage.json(&line);
    assert_eq!(heard[0]["queued"], json!([]));
    assert_eq!(heard[0]["withheld"], json!(["unreviewed"]));
    let text = stage.sordino(&line).ok().stdout;
    assert!(text.contains("0 queued; withheld: "), "{text}");
    assert_nothing_was_made(&stage);
}

#[test]
fn on_a_terminal_the_person_is_asked() {
    let Some(python) = python("on_a_terminal_the_person_is_asked") else {
        return;
    };
    let stage = reviewed();
    let asked = |answer: &str, options: &str| {
        let mut command = stage.command_of(&python, "");
        let line = submit(options);
        command
            .args(["-c", TERMINAL, answer, env!("CARGO_BIN_EXE_sordino")])
            .args(line.split_whitespace());
        CommandResult::run(&mut command, &line).ok().stdout
    };
    for no in ["n\n", "\n", "what?\n", "\u{4}"] {
        let said = asked(no, "");
        assert!(said.contains("unheard") && said.contains(QA), "{said}");
        assert!(said.contains("the person declined"), "{said}");
    }
    assert_nothing_was_made(&stage);
    let said = asked("y\n", "--preview heard.wav");
    assert!(said.contains("heard.wav is what would be sent: "), "{said}");
    let queued = said.split_whitespace().last().unwrap().to_owned();
    assert_eq!(stage.outbox("d"), [queued].into());
}

/// The person consented to review.
#[test]
fn an_unwritable_preview_queues_nothing() {
    let stage = reviewed();
    stage
        .sordino(&submit("--preview nowhere/heard.wav --yes"))
        .refused(&["nowhere/heard.wav"]);
    assert_nothing_was_made(&stage);

    stage.sign_plan("plan", &[("version", "2")]);
    stage.device("d");
    stage
        .sordino(&submit("--preview heard.wav"))
        .refused(&["requires no review", "--preview"]);
    assert!(!stage.path("heard.wav").exists());
    assert_nothing_was_made(&stage);
    assert_eq!(stage.json(&submit("--yes"))["outcome"], "queued");
}

#[test]
fn without_consent_there_is_no_preview() {
    let stage = reviewed();
    stage.sordino("device d withdraw").ok();
    let submitted = stage.json(&submit("--preview heard.wav --yes"));
    assert_eq!(submitted["reason"], "no-consent");
    assert!(!stage.path("heard.wav").exists());
}

#[test]
fn a_plan_with_an_unknown_review_value_is_refused() {
    let stage = reviewed();
    let plan = fs::read_to_string(stage.path("plan.toml")).unwrap();
    fs::write(
        stage.path("odd.toml"),
        plan.replace("\"required\"", "\"sometimes\""),
    )
    .unwrap();
    stage
        .sordino("plan sign odd.toml --key organization.key --out odd.json")
        .refused(&["odd.toml: line", "sometimes"]);
}
