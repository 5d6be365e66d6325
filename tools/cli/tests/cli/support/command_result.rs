//! A command that was run, and what is promised of every one.

use std::process::{Command, Output};

use serde_json::Value;

/// The output and exit status of a command.
#[derive(Debug)]
pub(crate) struct CommandResult {
    #[expect(dead_code, reason = "shown where an assertion fails")]
    line: String,
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl CommandResult {
    pub(crate) fn run(command: &mut Command, line: &str) -> Self {
        Self::from_output(command.output().unwrap(), line)
    }

    pub(crate) fn from_output(output: Output, line: &str) -> Self {
        Self {
            line: line.to_owned(),
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts success without messages on standard error.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, Some(0), "{self:#?}");
        assert_eq!(self.stderr, "", "{self:#?}");
        self
    }

    /// Status 1, nothing on standard output, and one line on standard error that names all of `says`.
    #[track_caller]
    pub(crate) fn refused(&self, says: &[&str]) {
        assert_eq!(self.stdout, "", "{self:#?}");
        self.failed(says);
    }

    /// Like [`Self::refused`], with the completed part on standard output.
    #[track_caller]
    pub(crate) fn failed(&self, says: &[&str]) {
        assert_eq!(self.status, Some(1), "{self:#?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:#?}");
        assert!(self.stderr.starts_with("sordino: "), "{self:#?}");
        for word in says {
            assert!(self.stderr.contains(word), "`{word}` is missing: {self:#?}");
        }
    }

    /// Wrong usage.
    #[track_caller]
    pub(crate) fn misused(&self) {
        assert_eq!(self.status, Some(2), "{self:#?}");
        assert_eq!(self.stdout, "", "{self:#?}");
        assert!(
            self.stderr.contains("Usage: sordino") || self.stderr.starts_with("error: "),
            "{self:#?}"
        );
    }

    /// All of standard output as one JSON document.
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The last word of the last line, which scripts take.
    #[track_caller]
    pub(crate) fn last_word(self) -> String {
        let ran = self.ok();
        let last = ran.stdout.lines().last().expect("a line");
        last.split_whitespace().last().expect("a word").to_owned()
    }
}
