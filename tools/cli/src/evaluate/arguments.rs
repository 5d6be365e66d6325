//! The command line of `evaluate`.

use std::path::PathBuf;

use clap::Args;

use super::raw_note::Pitch;
use crate::{
    output_files::Overwrite,
    tolerance::{ToleranceArgs, parse_in_range},
};

#[derive(Args)]
pub(crate) struct EvaluateArgs {
    /// The dataset's folder
    pub(crate) dir: PathBuf,
    /// The recognizer command: run once per sample, with the path of a WAV file as its last argument
    #[arg(long = "with", value_name = "CMD")]
    pub(crate) recognizer: CommandLine,
    /// The baseline: the RESULT.json of an earlier run, or `manifest` for the app's own recognizer
    #[arg(long, value_name = "RESULT.json|manifest")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the scores of each sample to this file, to use as a baseline
    #[arg(long, value_name = "RESULT.json")]
    pub(crate) out: Option<PathBuf>,
    /// Only this split
    #[arg(long, value_name = "NAME")]
    pub(crate) split: Option<String>,
    #[command(flatten)]
    pub(crate) tolerance: ToleranceArgs,
    /// The unit of pitches in plain lines without a unit
    #[arg(long, value_enum, value_name = "midi|hz")]
    pub(crate) pitch: Option<Pitch>,
    /// Timeout of the recognizer for each sample
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = 60.0)]
    pub(crate) timeout: f64,
    /// Number of parallel runs [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// Exit with 1 if it is significantly worse than the baseline, or fails where the baseline did not
    #[arg(long, requires = "baseline")]
    pub(crate) fail_if_worse: bool,
    #[command(flatten)]
    pub(crate) overwrite: Overwrite,
}

fn seconds(text: &str) -> Result<f64, String> {
    parse_in_range(text, 0.1, 86_400.0)
}

/// A program and its arguments, split from one line like a shell: words separated by white space,
/// with quotes and backslashes. For other features of a shell use `sh -c '…'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
}

impl std::str::FromStr for CommandLine {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = words(line)?.into_iter();
        let program = words.next().filter(|program| !program.is_empty());
        Ok(Self {
            program: program.ok_or("names no program")?,
            arguments: words.collect(),
        })
    }
}

fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                let unclosed = || format!("has a {character} that is not closed");
                loop {
                    match characters.next().ok_or_else(unclosed)? {
                        end if end == character => break,
                        '\\' if character == '"' => {
                            let next = characters.next().ok_or_else(unclosed)?;
                            if !matches!(next, '"' | '\\') {
                                word.push('\\');
                            }
                            word.push(next);
                        }
                        plain => word.push(plain),
                    }
                }
            }
            // On Windows, a backslash separates folders.
            '\\' if !cfg!(windows) => {
                let next = characters.next().ok_or("ends in a backslash")?;
                word.get_or_insert_default().push(next);
            }
            space if space.is_whitespace() => words.extend(word.take()),
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_line_without_a_program_or_unclosed_is_refused() {
        for (line, says) in [
            ("", "names no program"),
            ("  ", "names no program"),
            ("''", "names no program"),
            ("a 'b", "not closed"),
            ("a \"b\\", "not closed"),
            ("a \\", "backslash"),
        ] {
            let refused = line.parse::<CommandLine>().unwrap_err();
            assert!(refused.contains(says), "{line}: {refused}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// A shell splits into the same words.
        #[test]
        #[cfg(unix)]
        fn words_are_split_like_in_a_shell(line in "([a-z]{1,3}|'[a-z \"\\\\]{0,3}'|\"[a-z ']{0,3}\"|\\\\[a-z' \"]| ){1,12}") {
            let shown = Command::new("sh")
                .args(["-c", &format!("printf '%s\\n' x {line}")])
                .output()
                .unwrap();
            prop_assert!(shown.status.success());
            let shown = String::from_utf8(shown.stdout).unwrap();
            let due: Vec<&str> = shown.lines().skip(1).collect();
            prop_assert_eq!(words(&line).unwrap(), due);
        }
    }
}
