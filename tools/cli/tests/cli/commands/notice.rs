//! `consent notice`, and the notice that `device … consent` records.

use ring::digest::{SHA256, digest};

use crate::support::{QA, Stage};

const APP: &str = "--app Etude --contact privacy@etude.example";
/// The retention in samples/plan.toml.
const KEPT: &str =
    "--retention-days quality-assurance=180 --retention-days recognition-research=730";

#[test]
fn the_printed_notice_is_the_hashed_notice_of_the_receipt() {
    let stage = Stage::without_collector();
    for language in sordino::consent::Notice::LANGUAGES {
        let line = format!("consent notice --language {language} {APP} {KEPT}");
        let printed = stage.sordino(&line).ok().stdout;
        let result = stage.json(&line);
        assert_eq!(result["text"], printed.as_str());
        let hash = digest(&SHA256, printed.as_bytes());
        let hash: String = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(result["sha256"], hash.as_str());
        for put_in in ["Etude", "privacy@etude.example", " 180 ", " 730 "] {
            assert!(printed.contains(put_in), "{language}: {put_in}");
        }

        stage.device(language);
        let receipt = stage.json(&format!(
            "device {language} consent --purpose {QA} --language {language} {APP}"
        ));
        let agreed = &receipt["dpv:hasNotice"];
        assert_eq!(agreed["dct:language"], language);
        assert_eq!(agreed["schema:sha256"], result["sha256"]);
    }
}

#[test]
fn the_layers_of_a_notice_are_printed_as_json() {
    let stage = Stage::without_collector();
    let result = stage.json("consent notice --language de-AT --version 3 --days 30");
    assert_eq!(
        (&result["language"], &result["asked_language"]),
        (&"de".into(), &"de-AT".into())
    );
    assert_eq!(
        (&result["fell_back"], &result["version"]), // words: ignore
        (&false.into(), &3.into())
    );
    let text = result["text"].as_str().unwrap();
    for layer in [&result["title"], &result["short"], &result["purposes"][QA]] {
        assert!(text.contains(layer.as_str().unwrap()), "{layer}");
    }
    for section in result["full"].as_array().unwrap() {
        assert!(text.contains(section["heading"].as_str().unwrap()));
    }
    assert!(
        text.contains("30 Tagen") && text.contains("Diese App"),
        "{text}"
    );
}

#[test]
fn a_missing_language_is_a_remark_and_not_an_error() {
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
fn invalid_notice_texts_are_refused() {
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
fn retention_is_a_purpose_and_days_within_bounds() {
    let stage = Stage::without_collector();
    for wrong in ["180", "marketing=180", "quality-assurance=half"] {
        let line = format!("consent notice --language en --retention-days {wrong}");
        stage.sordino(&line).misused();
    }
    stage
        .sordino("consent notice --language en --retention-days quality-assurance=0")
        .refused(&["0 days", "1 to 3650"]);
}
