//! Reviews are pulled with the samples, and removed with them.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use sordino::open;

use super::obstacles::{between, line};
use crate::support::{FORMATS, PLAYED, QA, Stage};

/// A stage with two samples, whose device is `d`, and what readers said of them.
struct Reviewed {
    stage: Stage,
    /// The collector's, except for reviews.
    url: String,
    reviews: Arc<Mutex<Vec<Value>>>,
}

impl Reviewed {
    fn new() -> (Self, [String; 2]) {
        let stage = Stage::new();
        stage.granted("d", QA);
        let ids = [PLAYED[0], PLAYED[1]].map(|recording| stage.submit("d", recording));
        stage.upload("d");
        let reviews = Arc::new(Mutex::new(Vec::new()));
        let url = between(&stage, {
            let reviews = reviews.clone();
            move |_, head| {
                let is_asked = head.starts_with("GET /v1/reviews?");
                is_asked.then(|| {
                    let all = match head.contains("after=") {
                        true => Vec::new(),
                        false => reviews.lock().unwrap().clone(),
                    };
                    answer(&all)
                })
            }
        });
        (
            Self {
                stage,
                url,
                reviews,
            },
            ids,
        )
    }

    /// The reader `first` says this of the sample `of`, and it is kept as said of `sample`.
    fn review(&self, sample: &str, of: &str, verdict: &str, note: &str) {
        let said = json!({"schema": 1, "sample": of, "verdict": verdict, "note": note});
        let identities = open::read_identity_file(&self.stage.path("qa.key")).unwrap();
        // The review page pads with spaces before it seals.
        let filled = format!("{:<1024}", said.to_string());
        let sealed = age::encrypt(&identities[0].to_public(), filled.as_bytes()).unwrap();
        self.reviews.lock().unwrap().push(json!({
            "sample": sample, "reader": "first", "week": "2026-W48", "sealed": BASE64.encode(sealed),
        }));
    }

    fn pull(&self, out: &str, format: &str) -> Value {
        self.stage.json(&line(&self.url, out, format))
    }
}

fn answer(reviews: &[Value]) -> String {
    let page = json!({
        "verdicts": "sealed", "reader": "first", "reviews": reviews, "assignments": [], "next": "1",
    });
    let body = page.to_string();
    format!(
        "HTTP/1.1 200 OK\r\nSordino-Protocol: 1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn rows(folder: &Path) -> Vec<String> {
    let table = fs::read_to_string(folder.join("verdicts.csv")).unwrap();
    let mut rows = table.split_terminator("\r\n").map(str::to_owned);
    assert_eq!(
        rows.next().as_deref(),
        Some("sample,purpose,exercise,reader,week,verdict,note")
    );
    rows.collect()
}

#[test]
fn a_pull_has_the_last_verdicts_and_none_of_withdrawn_samples() {
    let (reviewed, [one, two]) = Reviewed::new();
    let stage = &reviewed.stage;
    reviewed.review(&one, &one, "unusable", "noise");
    for format in FORMATS {
        let first = reviewed.pull(format, format);
        assert_eq!(first["verdicts"], 1, "{format}: {first}");
        assert_eq!(rows(&stage.path(format)).len(), 1, "{format}");
    }
    let note = "=1+1, \"as\" it were";
    reviewed.review(&one, &one, "recogniser-wrong", note);
    // A review of another sample, one of a sample that is not in the dataset, and an invalid one.
    reviewed.review(&two, &one, "unusable", "");
    let absent = "0".repeat(32);
    reviewed.review(&absent, &absent, "unusable", "");
    reviewed.review(&two, &two, "splendid", "");
    for format in FORMATS {
        let folder = stage.path(format);
        assert_eq!(reviewed.pull(format, format)["verdicts"], 1, "{format}");
        let found = rows(&folder);
        assert_eq!(found.len(), 1, "{format}: {found:?}");
        assert!(found[0].starts_with(&format!("{one},quality-assurance,")));
        let end = ",first,2026-W48,recogniser-wrong,\"'=1+1, \"\"as\"\" it were\"";
        assert!(found[0].ends_with(end), "{format}: {}", found[0]);
        // Nothing new changes nothing.
        let before = fs::read(folder.join(".sordino-pull.json")).unwrap();
        reviewed.pull(format, format);
        assert_eq!(fs::read(folder.join(".sordino-pull.json")).unwrap(), before);
    }

    stage.sordino("device d withdraw").ok();
    stage.upload("d");
    for format in FORMATS {
        // Even if the collector goes on about them.
        reviewed.pull(format, format);
        assert!(
            !stage.path(format).join("verdicts.csv").exists(),
            "{format}"
        );
        let is_mentioned = ["as it were", "recogniser-wrong"]
            .iter()
            .any(|word| stage.mentions(format, word.as_bytes()));
        assert!(!is_mentioned, "{format}");
    }
}

#[test]
fn a_report_shows_verdicts_by_sample_and_in_total() {
    let (reviewed, [one, _]) = Reviewed::new();
    let stage = &reviewed.stage;
    let note = "<b>the bow</b> slipped";
    reviewed.review(&one, &one, "player-wrong", note);
    reviewed.pull("data", "bundle");
    let page = |worst: &str| {
        let line = format!("--json report data --worst {worst}");
        let result: Value = stage.sordino(&line).ok().document();
        assert_eq!(result["samples"], 2);
        fs::read_to_string(stage.path("data/report.html")).unwrap()
    };
    let drawn = page("2");
    assert!(drawn.contains("&#60;b&#62;the bow&#60;/b&#62; slipped") && !drawn.contains(note));
    assert!(drawn.contains("<li><b>Player wrong</b>"));
    let rows = page("0");
    assert!(rows.contains("<td>Player wrong</td>"));
    for page in [drawn, rows] {
        assert!(page.contains("Verdicts of the review page"));
        assert!(page.contains("Not reviewed"));
    }
}

#[test]
fn without_verdicts_there_is_no_table_of_them() {
    let (reviewed, _) = Reviewed::new();
    let stage = &reviewed.stage;
    let result = stage.pull("data", "bundle");
    assert_eq!(result.get("verdicts"), None);
    assert!(!stage.path("data/verdicts.csv").exists());
    stage.sordino("report data").ok();
    let page = fs::read_to_string(stage.path("data/report.html")).unwrap();
    assert!(!page.contains("Verdicts of the review page"));
}

/// A file that the review page's button saves.
#[test]
fn a_foreign_verdicts_table_is_kept() {
    let (reviewed, ids) = Reviewed::new();
    let stage = &reviewed.stage;
    reviewed.pull("data", "bundle");
    let foreign = stage.path("data/verdicts.csv");
    fs::write(&foreign, "mine").unwrap();
    reviewed.pull("data", "bundle");
    reviewed.review(&ids[0], &ids[0], "unusable", "");
    let line = line(&reviewed.url, "data", "bundle");
    stage
        .sordino(&line)
        .failed(&["verdicts.csv", "move it away"]);
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "mine");
    fs::remove_file(&foreign).unwrap();
    assert_eq!(reviewed.pull("data", "bundle")["verdicts"], 1);
    assert_ne!(fs::read_to_string(&foreign).unwrap(), "mine");
}
