//! `consent notice`, and the notice that `device … consent` records.

use ring::digest::{SHA256, digest};

use crate::support::{QA, Stage};

const APP: &str = "--app Etude --contact privacy@etude.example";
/// As samples/plan.toml says.
const KEPT: &str =
    "--retention-days quality-assurance=180 --retention-days recognition-research=730";

#[test]
fn what_is_printed_is_what_is_hashed_and_what_the_receipt_names() {
    let stage = Stage::without_collector();
    for language in sordino::consent::Notice::LANGUAGES {
        let line = format!("consent notice --language {language} {APP} {KEPT}");
        let printed = stage.sordino(&line).ok().stdout;
        let told = stage.json(&line);
        assert_eq!(told["text"], printed.as_str());
        let hash = digest(&SHA256, printed.as_bytes());
        let hash: String = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(told["sha256"], hash.as_str());
        for put_in in ["Etude", "privacy@etude.example", " 180 ", " 730 "] {
            assert!(printed.contains(put_in), "{language}: {put_in}");
        }

        stage.device(language);
        let receipt = stage.json(&format!(
            "device {language} consent --purpose {QA} --language {language} {APP}"
        ));
        let agreed = &receipt["dpv:hasNotice"];
        assert_eq!(agreed["dct:language"], language);
        assert_eq!(agreed["schema:sha256"], told["sha256"]);
    }
}

#[test]
fn the_layers_are_there_for_a_screen() {
    let stage = Stage::without_collector();
    let told = stage.json("consent notice --language de-AT --version 3 --days 30");
    assert_eq!(
        (&told["language"], &told["asked_language"]),
        (&"de".into(), &"de-AT".into())
    );
    assert_eq!(
        (&told["fell_back"], &told["version"]),
        (&false.into(), &3.into())
    );
    let text = told["text"].as_str().unwrap();
    for layer in [&told["title"], &told["short"], &told["purposes"][QA]] {
        assert!(text.contains(layer.as_str().unwrap()), "{layer}");
    }
    for section in told["full"].as_array().unwrap() {
        assert!(text.contains(section["heading"].as_str().unwrap()));
    }
    assert!(
        text.contains("30 Tagen") && text.contains("Diese App"),
        "{text}"
    );
}

#[test]
fn a_language_that_is_missing_is_said_in_one_line_and_is_no_error() {
    let stage = Stage::without_collector();
    stage.device("d");
    for line in [
        "consent notice --language da".to_owned(),
        "consent notice --language da --json".to_owned(),
        format!("device d consent --purpose {QA} --language da"),
    ] {
        let ran = stage.sordino(&line);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert_eq!(
            ran.stderr,
            "sordino: there is no notice in `da`; it is in `en`\n"
        );
        assert_ne!(ran.stdout, "");
    }
    assert_eq!(stage.status("d")["consent"], "awaiting-guardian");
}

#[test]
fn what_a_notice_cannot_show_is_refused() {
    let stage = Stage::without_collector();
    let long = "c".repeat(201);
    stage
        .sordino(&format!("consent notice --contact {long}"))
        .refused(&["contact", "201", "200"]);
    stage
        .sordino("consent notice --days 0")
        .refused(&["0 days", "366"]);
    stage.sordino("consent notice --version soon").misused();
}

#[test]
fn how_long_samples_are_kept_is_a_purpose_and_days_that_a_plan_allows() {
    let stage = Stage::without_collector();
    for wrong in ["180", "marketing=180", "quality-assurance=half"] {
        let line = format!("consent notice --language en --retention-days {wrong}");
        stage.sordino(&line).misused();
    }
    stage
        .sordino("consent notice --language en --retention-days quality-assurance=0")
        .refused(&["0 days", "1 to 3650"]);
}
