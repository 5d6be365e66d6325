//! `keygen`, `plan keygen`, `plan sign`, `plan show`, and the example plan.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use regex::Regex;
use serde_json::json;

use crate::support::{PLAYED, QA, Stage};

#[test]
fn a_key_file_is_private_and_never_overwritten() {
    let stage = Stage::without_collector();
    for (command, field) in [("keygen", "recipient"), ("plan keygen", "public_key")] {
        let named = stage.sordino(&format!("{command} --out a.key")).last_word();
        let shape = match field {
            "recipient" => named.starts_with("age1") && named.len() == 62,
            _ => named.len() == 64 && named.bytes().all(|byte| byte.is_ascii_hexdigit()),
        };
        assert!(shape, "{command}: {named}");
        let key = fs::read(stage.path("a.key")).unwrap();
        let mode = stage.path("a.key").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{command}");

        stage
            .sordino(&format!("{command} --out a.key"))
            .refused(&["a.key"]);
        assert_eq!(fs::read(stage.path("a.key")).unwrap(), key, "{command}");

        let other = stage.json(&format!("{command} --out b.key"));
        assert!(other[field].is_string() && other[field] != named, "{other}");
        for file in ["a.key", "b.key"] {
            fs::remove_file(stage.path(file)).unwrap();
        }
    }
}

#[test]
fn a_signed_plan_never_replaces_the_key_or_its_input() {
    let stage = Stage::without_collector();
    let read = |name: &str| fs::read(stage.path(name)).unwrap();
    let (key, toml) = (read("organization.key"), read("plan.toml"));
    for out in ["organization.key", "plan.toml", "./plan.toml"] {
        stage
            .sordino(&format!(
                "plan sign plan.toml --key organization.key --out {out}"
            ))
            .refused(&["overwritten", "--out"]);
    }
    assert_eq!((read("organization.key"), read("plan.toml")), (key, toml));
}

/// The secret half is in the file and nowhere else.
#[test]
fn no_secret_is_printed() {
    let stage = Stage::without_collector();
    for command in ["keygen", "plan keygen"] {
        for mode in ["", "--json"] {
            let ran = stage.sordino(&format!("{command} --out a.key {mode}")).ok();
            let file = fs::read_to_string(stage.path("a.key")).unwrap();
            let secret = file.lines().find(|line| !line.starts_with('#')).unwrap();
            let secret = secret.rsplit(':').next().unwrap();
            assert!(!ran.stdout.contains(secret), "{command}");
            fs::remove_file(stage.path("a.key")).unwrap();
        }
    }
}

#[test]
fn the_example_plan_can_be_signed_with_an_own_recipient() {
    let stage = Stage::without_collector();
    let text = fs::read_to_string(example()).unwrap();
    for key in ["samples_per_day", "bytes_per_day"] {
        let lines = text.lines().filter(|line| line.starts_with(key)).count();
        assert_eq!(lines, 1, "a script that replaces the line finds one: {key}");
    }
    assert_eq!(text.matches("age1").count(), 1);
    fs::copy(example(), stage.path("example.toml")).unwrap();
    let made = Regex::new("age1[a-z0-9]*").unwrap();
    let own = made.replace(&text, &stage.recipient).into_owned();
    fs::write(stage.path("own.toml"), own).unwrap();
    let line = "plan sign own.toml --key organization.key --out own.json";
    let signed = stage.sordino(line);
    assert_eq!(signed.status, Some(0), "{signed:#?}");
    assert!(signed.stderr.contains("Your company"), "{signed:#?}");
    let shown = stage.json("plan show own.json");
    assert_eq!(shown["signed_by"], stage.plan_key.as_str());
    assert_eq!(shown["plan"]["recipients"], json!([stage.recipient]));
    assert_eq!(
        shown["plan"]["controller"],
        json!({"name": "Your company", "contact": "privacy@example.com"})
    );
    assert_eq!(
        shown["plan"]["retention_days"],
        json!({"quality-assurance": 180, "recognition-research": 730})
    );
}

/// No signer of plans has its key.
#[test]
fn nothing_is_sealed_to_the_recipient_of_the_example_plan() {
    let stage = Stage::without_collector();
    let text = fs::read_to_string(example()).unwrap();
    let stranger = Regex::new("age1[a-z0-9]*").unwrap();
    let stranger = stranger.find(&text).unwrap().as_str();
    let both = format!("[\n  \"{}\",\n  \"{stranger}\",\n]", stage.recipient);
    let alone = format!("[\"{stranger}\"]");
    for (recipients, line) in [(alone, "line 14"), (both, "line 16")] {
        let edited = text.replace(&format!("[\"{stranger}\"]"), &recipients);
        fs::write(stage.path("edited.toml"), edited).unwrap();
        for flag in ["", " --json"] {
            let sign = "plan sign edited.toml --key organization.key --out edited.json";
            stage.sordino(&format!("{sign}{flag}")).refused(&[
                "edited.toml",
                line,
                stranger,
                "sordino keygen",
            ]);
        }
        assert!(!stage.path("edited.json").exists());
    }
    stage
        .sordino(&format!(
            "seal audio/{}.wav --recipient {stranger} --out x.age",
            PLAYED[0]
        ))
        .refused(&[stranger, "sordino keygen"]);
    assert!(!stage.path("x.age").exists());
}

/// Receipts would name a company that there is not.
#[test]
fn signing_warns_about_the_example_controller() {
    let stage = Stage::without_collector();
    for (name, contact, warned) in [
        ("Your school", "privacy@school.example", &[][..]),
        ("Your company", "privacy@school.example", &["Your company"]),
        (
            "Your school",
            "privacy@example.com",
            &["privacy@example.com"],
        ),
        (
            "Your company",
            "privacy@example.com",
            &["Your company", "privacy@example.com"],
        ),
    ] {
        let quoted = [name, contact].map(|text| format!("\"{text}\""));
        let plan = fs::read_to_string(stage.path("plan.toml")).unwrap();
        let plan = plan
            .replace("\"Your school\"", &quoted[0])
            .replace("\"privacy@school.example\"", &quoted[1]);
        fs::write(stage.path("named.toml"), plan).unwrap();
        let line = "plan sign named.toml --key organization.key --out named.json --json";
        let signed = stage.sordino(line);
        assert_eq!(signed.document()["version"], 1);
        assert_eq!(
            signed.stderr.lines().count(),
            usize::from(!warned.is_empty())
        );
        for part in ["Your company", "privacy@example.com"] {
            assert_eq!(
                signed.stderr.contains(part),
                warned.contains(&part),
                "{signed:#?}"
            );
        }
    }
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/plan.toml")
}

#[test]
fn edited_lines_of_a_plan_take_effect_on_the_device() {
    let stage = Stage::new();
    for (key, value, queued) in [
        ("samples_per_day", "2", 2),
        ("samples_per_day", "0", 0),
        ("bytes_per_day", "1000", 0),
        ("bytes_per_day", "250000", 1),
    ] {
        stage.sign_plan("plan", &[(key, value)]);
        let shown = stage.json("plan show plan.json");
        assert_eq!(shown["plan"][key].to_string(), value);
        let text = stage.sordino("plan show plan.json").ok().stdout;
        assert!(text.contains(&format!(" {value} ")), "{text}");

        let name = format!("{key}-{value}");
        stage.granted(&name, QA);
        let outcomes: Vec<_> = (0..3)
            .map(|_| stage.json(&format!("device {name} submit audio/{}.wav", PLAYED[0])))
            .collect();
        for (index, outcome) in outcomes.iter().enumerate() {
            match index < queued {
                true => assert_eq!(outcome["outcome"], "queued", "{name}: {outcome}"),
                false => assert_eq!(
                    *outcome,
                    json!({"outcome": "withheld", "reason": "budget"}),
                    "{name}"
                ),
            }
        }
        assert_eq!(stage.status(&name)["pending"], queued);
    }
}

/// A plan signed before there was a retention has to stay what was signed.
#[test]
fn a_plan_without_retention_shows_no_limit() {
    let stage = Stage::without_collector();
    let plan = fs::read_to_string(stage.path("plan.toml")).unwrap();
    let (before, rest) = plan.split_once("[retention_days]").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    fs::write(stage.path("old.toml"), format!("{before}{after}")).unwrap();
    stage
        .sordino("plan sign old.toml --key organization.key --out old.json")
        .ok();
    let signed = fs::read_to_string(stage.path("old.json")).unwrap();
    assert!(!signed.contains("retention"), "{signed}");
    let shown = stage.sordino("plan show old.json").ok().stdout;
    assert!(
        shown.contains("without a limit for quality-assurance"),
        "{shown}"
    );
    let dated = stage.sordino("plan sign plan.toml --key organization.key --out dated.json");
    dated.ok();
    let shown = stage.sordino("plan show dated.json").ok().stdout;
    assert!(shown.contains("180 days for quality-assurance"), "{shown}");
}

#[test]
fn an_invalid_plan_is_not_signed() {
    let stage = Stage::without_collector();
    let plan = fs::read_to_string(stage.path("plan.toml")).unwrap();
    for (from, to, says) in [
        ("version = 1\n", "version = 0\n", "version"),
        ("clip_seconds = 10", "clip_seconds = 600", "clip_seconds"),
        ("consent_days = 365", "consent_days = 3650", "consent_days"),
        ("sample_rate = 16000", "sample_rate = 48000", "sample_rate"),
        (
            "quality-assurance = 180",
            "quality-assurance = 0",
            "retention_days",
        ),
        (
            "recognition-research = 730",
            "recognition-research = 3651",
            "retention_days",
        ),
        ("quality-assurance = 180", "advertising = 180", "line"),
        (
            "mark_probability = 1.0",
            "mark_probability = 1.5",
            "mark_probability",
        ),
        ("paused = false", "fresh_days = 61", "fresh_days"),
        ("paused = false", "fresh_days = 0", "fresh_days"),
        (
            "paused = false",
            "fresh_days = 7\nsigned_on = \"2026-03-02\"",
            "signed_on",
        ),
        ("samples_per_day = 20", "samples_per_day = -1", "line"),
        ("samples_per_day = 20", "", "samples_per_day"),
        ("[triggers]", "surprise = true\n[triggers]", "surprise"),
        ("\"age1", "\"age2", "line"),
        ("name = \"Your school\"", "name = \"\"", "controller.name"),
        ("privacy@school.example", "nobody", "controller.contact"),
        (
            "[controller]",
            "[controller]\ncountry = \"UK\"",
            "controller.country",
        ),
        ("[controller]", "[controller]\nfax = \"1\"", "fax"),
    ] {
        let edited = plan.replacen(from, to, 1);
        assert_ne!(edited, plan);
        fs::write(stage.path("edited.toml"), edited).unwrap();
        stage
            .sordino("plan sign edited.toml --key organization.key --out edited.json")
            .refused(&["edited.toml", says]);
        assert!(!stage.path("edited.json").exists(), "{to}");
    }
}
