//! What a command says: to a person in lines, to a script as one JSON document.

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
    /// What is worth knowing besides; it goes to standard error and fails nothing.
    note: Option<String>,
    /// What a person at a terminal does next, on standard error too; a script is not told.
    hint: Option<String>,
    /// What went wrong all the same; it goes to standard error and fails the command.
    problem: Option<String>,
}

impl CommandOutput {
    /// Lines for a person, and the same for a script.
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

    /// The command did all of it, and this is worth knowing.
    pub(crate) fn with_note(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }

    /// The command did all of it, and this comes next.
    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The command did what it could, and this it could not.
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
            // Manifests, annotations, names of readers and of files are other people's words. In JSON it stays the
            // same document.
            let text = printable(text.trim_end());
            let written = match text.is_empty() {
                true => Ok(()),
                false => writeln!(io::stdout(), "{text}"),
            };
            let hint = reply.hint.filter(|_| !json && io::stderr().is_terminal());
            for besides in reply.note.into_iter().chain(hint) {
                print_stderr_line(&besides);
            }
            // A reader that went away (`| head`) has what it wanted.
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

/// Wrong usage: said as `clap` says it, but a name in it moves no cursor, and a secret that was given for something else
/// is not repeated. The exit status is 2.
pub(crate) fn usage_error(error: &clap::Error) -> ExitCode {
    let said = error.render().to_string();
    let _ = write!(io::stderr(), "{}", printable(&redact_secrets(&said)));
    ExitCode::from(2)
}

/// One line on standard error.
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
