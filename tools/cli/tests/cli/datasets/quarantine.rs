//! A sample in which a voice was heard is removed from every dataset, and restored if it was none.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::json;

use super::obstacles::{between, line};
use crate::support::{FORMATS, PLAYED, QA, Stage, administer};

/// A reader who hears a voice, and the collector's operator, who does not.
struct Listeners {
    url: String,
    token: String,
    /// The folder of the collector's data.
    collected: PathBuf,
}

impl Listeners {
    fn at(stage: &Stage) -> Self {
        Self {
            url: stage.url(),
            token: fs::read_to_string(stage.path("token")).unwrap(),
            collected: stage.collected(),
        }
    }

    fn quarantine(&self, id: &str) {
        let Self { url, token, .. } = self;
        ureq::put(format!("{url}/v1/samples/{id}/quarantine?purpose={QA}"))
            .header("Authorization", format!("Bearer {}", token.trim()))
            .content_type("application/json")
            .send(r#"{"anonymizer": "1.0.0"}"#)
            .unwrap();
    }

    fn release(&self, id: &str) {
        let result = administer(&self.collected, &["quarantine", "release", id]);
        assert_eq!(result, json!({"released": id}));
    }
}

fn with_one() -> (Stage, String) {
    let stage = Stage::new();
    stage.granted("d", QA);
    let id = stage.submit("d", PLAYED[0]);
    stage.upload("d");
    (stage, id)
}

#[test]
fn quarantined_samples_leave_every_format_until_released() {
    let (stage, id) = with_one();
    let listeners = Listeners::at(&stage);
    stage.pull_everything();
    assert!(stage.is_pulled(&id));
    listeners.quarantine(&id);
    stage.pull_everything();
    assert!(!stage.is_pulled(&id));
    listeners.release(&id);
    stage.pull_everything();
    assert!(stage.is_pulled(&id));
}

#[test]
fn a_pull_prints_why_copies_were_removed() {
    for format in FORMATS {
        let stage = Stage::new();
        stage.granted("d", QA);
        let ids = [PLAYED[0], PLAYED[1], PLAYED[2]].map(|recording| stage.submit("d", recording));
        stage.upload("d");
        stage.pull("data", format);
        let says = |says: &str| {
            let text = stage.sordino(&stage.pull_line("data", format)).ok().stdout;
            assert!(text.contains(says), "{text}");
        };
        says("0 local copies removed, 0 unreadable");
        Listeners::at(&stage).quarantine(&ids[0]);
        says("1 local copies removed (in quarantine: a voice was heard), 0");
        stage.sordino(&format!("device d delete {}", ids[1])).ok();
        stage.upload("d");
        says("1 local copies removed (withdrawn, deleted or past their retention), 0");
        // Both at once, as numbers.
        Listeners::at(&stage).release(&ids[0]);
        stage.pull("data", format);
        Listeners::at(&stage).quarantine(&ids[0]);
        stage.sordino(&format!("device d delete {}", ids[2])).ok();
        stage.upload("d");
        let due = json!({"pulled": 0, "removed": 2, "quarantined": 1, "total": 0, "unreadable": 0});
        assert_eq!(stage.pull("data", format), due);
    }
}

#[test]
fn samples_released_during_a_pull_are_pulled() {
    for format in FORMATS {
        let (stage, id) = with_one();
        let listeners = Listeners::at(&stage);
        let listed = AtomicUsize::new(0);
        let url = between(&stage, {
            let id = id.clone();
            move |_, head| {
                // Between the first page and the second, so that both list it.
                if head.starts_with("GET /v1/samples?")
                    && listed.fetch_add(1, Ordering::SeqCst) == 1
                {
                    listeners.quarantine(&id);
                    listeners.release(&id);
                }
                None
            }
        });
        let first = stage.json(&line(&url, "data", format));
        assert_eq!(first["total"], 1, "{format}: {first}");
        assert!(stage.mentions("data", id.as_bytes()), "{format}");
        assert_eq!(
            stage.json(&line(&url, "data", format)),
            json!({"pulled": 0, "removed": 0, "total": 1, "unreadable": 0}),
            "{format}"
        );
    }
}
