//! An auditor's auditor.

use std::fs;

use serde_json::Value;

use super::{CommandResult, PLAYED, QA, Stage};

/// A stage with a sample at its collector, and the log `audit.jsonl`.
pub(crate) struct Auditor {
    pub(crate) stage: Stage,
    pub(crate) sample: String,
}

impl Auditor {
    pub(crate) fn new() -> Self {
        let mut auditor = Self {
            stage: Stage::new(),
            sample: String::new(),
        };
        auditor.add_sample("d");
        auditor
    }

    /// An auditor with a fetched log of that many entries.
    pub(crate) fn with_hand_outs(entries: usize) -> Self {
        let auditor = Self::new();
        for number in 0..entries {
            auditor.stage.pull(&format!("data-{number}"), "bundle");
        }
        assert_eq!(auditor.fetch()["entries"], entries);
        auditor
    }

    pub(crate) fn add_sample(&mut self, device: &str) {
        self.stage.granted(device, QA);
        self.sample = self.stage.submit(device, PLAYED[0]);
        self.stage.upload(device);
    }

    pub(crate) fn fetch(&self) -> Value {
        self.stage.json(&self.fetch_line("token"))
    }

    pub(crate) fn fetch_with(&self, token_file: &str) -> CommandResult {
        self.stage.sordino(&self.fetch_line(token_file))
    }

    pub(crate) fn fetch_line(&self, token_file: &str) -> String {
        let url = self.stage.url();
        format!("audit fetch --collector {url} --token-file {token_file} --out audit.jsonl")
    }

    pub(crate) fn verify(&self, flags: &str) -> CommandResult {
        self.stage
            .sordino(&format!("audit verify audit.jsonl {flags}"))
    }

    pub(crate) fn text(&self) -> Vec<u8> {
        fs::read(self.stage.path("audit.jsonl")).unwrap()
    }

    /// Each with its line feed.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.text()).unwrap();
        text.split_inclusive('\n').map(str::to_owned).collect()
    }

    pub(crate) fn entries(&self) -> Vec<Value> {
        let lines = self.lines();
        lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub(crate) fn head(&self) -> String {
        self.head_at(self.entries().len())
    }

    pub(crate) fn head_at(&self, entries: usize) -> String {
        let hash = &self.entries()[entries - 1]["hash"];
        format!("{entries}:{}", hash.as_str().unwrap())
    }
}
