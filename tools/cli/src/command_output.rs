//! The output of a command: lines for a person, one JSON document for a script.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;
use sordino::text::{printable, printable_line};

use crate::{error::CliError, secrets::redact_secrets};

/// The outcome of a command.
pub(crate) struct CommandOutput {
    text: String,
    json: Value,
    /// A remark, printed to standard error; the command succeeds.
    note: Option<String>,
    /// The next step, printed to standard error if it is a terminal.
    hint: Option<String>,
    /// An error, printed to standard error; the command fails.
    problem: Option<String>,
}

impl CommandOutput {
    /// Text for a person, and the same as JSON for a script.
    pub(crate) fn new(text: impl Into<String>, json: impl Serialize) -> Result<Self, CliError> {
        let json = serde_json::to_value(json).map_err(CliError::message)?;
        Ok(Self {
            text: text.into(),
            json,
            note: None,
            hint: None,
            problem: None,
        })
    }

    /// Adds a remark; the command succeeds.
    pub(crate) fn with_note(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }

    /// Adds the next step; the command succeeds.
    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// Adds an error; the command fails.
    pub(crate) fn with_problem(mut self, problem: Option<String>) -> Self {
        self.problem = problem;
        self
    }
}

/// Prints the outcome and turns it into an exit status.
pub(crate) fn finish(outcome: Result<CommandOutput, CliError>, json: bool) -> ExitCode {
    let problem = match outcome {
        Ok(reply) => {
            let text = if json {
                format!("{:#}", reply.json)
            } else {
                reply.text
            };
            // Manifests, annotations and names are untrusted text. JSON stays the same document.
            let text = printable(text.trim_end());
            let written = match text.is_empty() {
                true => Ok(()),
                false => writeln!(io::stdout(), "{text}"),
            };
            let hint = reply.hint.filter(|_| !json && io::stderr().is_terminal());
            for besides in reply.note.into_iter().chain(hint) {
                print_stderr_line(&besides);
            }
            // A closed pipe (`| head`) is not an error.
            reply.problem.or_else(|| {
                written
                    .err()
                    .filter(is_not_broken_pipe)
                    .map(|error| error.to_string())
            })
        }
        Err(failure) => Some(failure.to_string()),
    };
    match problem {
        None => ExitCode::SUCCESS,
        Some(problem) => {
            print_stderr_line(&problem);
            ExitCode::FAILURE
        }
    }
}

/// Prints clap's usage error without control characters or secrets; the exit status is 2.
pub(crate) fn usage_error(error: &clap::Error) -> ExitCode {
    let said = error.render().to_string();
    let _ = write!(io::stderr(), "{}", printable(&redact_secrets(&said)));
    ExitCode::from(2)
}

/// Prints one line to standard error.
fn print_stderr_line(message: &str) {
    let line = redact_secrets(message).replace(['\n', '\r'], " ");
    let _ = writeln!(io::stderr(), "sordino: {}", printable_line(&line));
}

fn is_not_broken_pipe(error: &io::Error) -> bool {
    error.kind() != io::ErrorKind::BrokenPipe
}

/// A progress bar on a terminal; nothing for a script.
pub(crate) fn progress(steps: usize, what: &'static str, json: bool) -> ProgressBar {
    if json || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps as u64)
        .with_style(style)
        .with_message(what)
}
