//! `evaluate`, `query` and `report` on datasets of many people.

mod bad_input;
mod compared;
mod documented;
mod queried;
mod reported;

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::support::{self, Clip, CommandResult, write_dataset};

/// A folder with a dataset `data`, in which commands run.
struct TestDataset(TempDir);

impl TestDataset {
    fn of(clips: &[Clip]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_dataset(&folder.path().join("data"), clips);
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Runs `sordino` with `words`.
    fn run(&self, words: &[&str]) -> CommandResult {
        CommandResult::run(&mut self.command(words), &words.join(" "))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sordino"));
        command.args(words).current_dir(self.0.path());
        command
    }

    /// Runs `sordino evaluate` over the dataset with the recognizer `with`.
    fn evaluate(&self, with: &str, rest: &[&str]) -> CommandResult {
        self.run(&[&["evaluate", "data", "--with", with], rest].concat())
    }

    /// Writes a recognizer that prints, for the WAV of the clip at each place, the line of that
    /// place: `sh recognizer.sh`.
    fn recognizer(&self, name: &str, printed: &[Vec<(u8, f64)>]) -> String {
        for (place, notes) in printed.iter().enumerate() {
            let lines: Vec<String> = notes
                .iter()
                .map(|(midi, onset)| format!("{onset} {} {midi}", onset + 0.3))
                .collect();
            let id = support::clip_id(place);
            self.write(
                &format!("{name}-{id}"),
                &format!("# notes\n{}\n", lines.join("\n")),
            );
        }
        self.write(
            &format!("{name}.sh"),
            &format!("set -e\ntest -s \"$1\"\ncat {name}-$(basename \"$1\" .wav)\n"),
        );
        format!("sh {name}.sh")
    }
}

/// Clips of `people` people, two each, of eight notes.
fn clips(people: u64) -> Vec<Clip> {
    let notes: Vec<(u8, f64)> = (0..8)
        .map(|step| (60 + step, 1.0 + f64::from(step)))
        .collect();
    (0..people * 2)
        .map(|place| Clip::new(place / 2, &notes))
        .collect()
}

/// The expected notes of each clip.
fn all_right(clips: &[Clip]) -> Vec<Vec<(u8, f64)>> {
    clips.iter().map(|clip| clip.expected.clone()).collect()
}

/// Like [`all_right`], without the last notes: one more is missing for each of the first three people.
fn some_missing(clips: &[Clip]) -> Vec<Vec<(u8, f64)>> {
    let cut = |clip: &Clip| clip.expected[..5 + clip.record as usize % 3].to_vec();
    clips.iter().map(cut).collect()
}
