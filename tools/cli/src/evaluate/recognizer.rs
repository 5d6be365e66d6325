//! Runs a recognizer on one file, with limits on its time and output.

use std::{
    io::{self, Read},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use super::{arguments::CommandLine, process_group::ProcessGroup};

/// The maximum output for a sample, in bytes; ten thousand notes are shorter.
const MAX_OUTPUT_BYTES: u64 = 1 << 20;
/// The part of standard error that is searched for the last line, in bytes.
const MAX_STDERR_BYTES: usize = 4 << 10;
/// The maximum length of that line in messages, in characters.
const MAX_MESSAGE_CHARS: usize = 200;
/// The interval of checks whether the process has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// The maximum time between the end of the process and that of its output.
const PIPE_TIMEOUT: Duration = Duration::from_secs(2);

/// The error of a recognizer on a sample.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// The program cannot be started, so it fails for every sample.
    #[error("cannot run `{program}`: {error}")]
    NotStarted {
        /// The name of the program.
        program: String,
        /// The system's error.
        error: io::Error,
    },
    /// The recognizer was stopped.
    #[error("it took longer than {0} s")]
    Timeout(f64),
    /// The recognizer was stopped.
    #[error("it printed more than {} MiB", MAX_OUTPUT_BYTES >> 20)]
    TooMuchOutput,
    /// The recognizer failed.
    #[error("it ended with {status}{complaint}")]
    Failed {
        /// The exit status.
        status: ExitStatus,
        /// A colon and the last line of standard error, or empty.
        complaint: String,
    },
    /// The output could not be read.
    #[error("its output cannot be read: {0}")]
    Output(io::Error),
}

/// The recognizer's output for `sound`. The recognizer and its children are stopped if it takes
/// longer than `limit` or prints more than 1 MiB.
pub(super) fn run(
    recognizer: &CommandLine,
    sound: &Path,
    limit: Duration,
) -> Result<Vec<u8>, RunError> {
    let mut command = Command::new(&recognizer.program);
    command
        .args(&recognizer.arguments)
        .arg(sound)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = ProcessGroup::spawn(&mut command).map_err(|error| RunError::NotStarted {
        program: recognizer.program.clone(),
        error,
    })?;
    let output = running.child().stdout.take().map(read_output);
    let complaint = running.child().stderr.take().map(read_stderr);
    let begun = Instant::now();
    let mut printed = None;
    let status = loop {
        if printed.is_none() {
            printed = output.as_ref().and_then(|output| output.try_recv().ok());
        }
        if matches!(&printed, Some(Ok(bytes)) if bytes.len() as u64 > MAX_OUTPUT_BYTES) {
            return Err(RunError::TooMuchOutput);
        }
        if let Some(status) = running.ended().map_err(RunError::Output)? {
            break status;
        }
        if begun.elapsed() >= limit {
            return Err(RunError::Timeout(limit.as_secs_f64()));
        }
        thread::sleep(POLL_INTERVAL);
    };
    // A child that still runs may hold the pipes open.
    running.stop();
    if !status.success() {
        let complaint = complaint.and_then(|complaint| complaint.recv_timeout(PIPE_TIMEOUT).ok());
        return Err(RunError::Failed {
            status,
            complaint: complaint.map(last_line).unwrap_or_default(),
        });
    }
    let late = || output.and_then(|output| output.recv_timeout(PIPE_TIMEOUT).ok());
    match printed.or_else(late) {
        Some(Ok(bytes)) if bytes.len() as u64 > MAX_OUTPUT_BYTES => Err(RunError::TooMuchOutput),
        Some(read) => read.map_err(RunError::Output),
        None => Err(RunError::Output(io::ErrorKind::TimedOut.into())),
    }
}

/// Reads up to one byte more than the maximum, on its own thread because a pipe blocks.
fn read_output(pipe: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.take(MAX_OUTPUT_BYTES + 1).read_to_end(&mut bytes);
        let _ = sender.send(read.map(|_| bytes));
    });
    receiver
}

/// Reads everything, so that the recognizer never blocks, and keeps the end.
fn read_stderr(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut piece = [0; MAX_STDERR_BYTES];
        while let Ok(length @ 1..) = pipe.read(&mut piece) {
            kept.extend_from_slice(&piece[..length]);
            let surplus = kept.len().saturating_sub(MAX_STDERR_BYTES);
            kept.drain(..surplus);
        }
        let _ = sender.send(kept);
    });
    receiver
}

/// A colon and the last line that is not empty.
fn last_line(complaint: Vec<u8>) -> String {
    let text = String::from_utf8_lossy(&complaint);
    let line = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty());
    line.map_or_else(String::new, |line| {
        let shown = line.chars().filter(|character| !character.is_control());
        format!(": {}", shown.take(MAX_MESSAGE_CHARS).collect::<String>())
    })
}
