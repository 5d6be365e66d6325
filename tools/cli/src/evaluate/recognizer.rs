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

/// Bytes that a recognizer may print for a sample; ten thousand notes stay below it.
const MAX_OUTPUT_BYTES: u64 = 1 << 20;
/// Bytes of its standard error that are looked at for its last line.
const MAX_STDERR_BYTES: usize = 4 << 10;
/// Characters of that line in messages.
const MAX_MESSAGE_CHARS: usize = 200;
/// How often it is looked whether it has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How long its output may take to arrive after its end.
const PIPE_TIMEOUT: Duration = Duration::from_secs(2);

/// The error of a recognizer on a sample.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// It could not be started at all, so not for any other sample either.
    #[error("cannot run `{program}`: {error}")]
    NotStarted {
        /// Its name.
        program: String,
        /// The system's error.
        error: io::Error,
    },
    /// It was stopped.
    #[error("it took longer than {0} s")]
    Timeout(f64),
    /// It was stopped.
    #[error("it printed more than {} MiB", MAX_OUTPUT_BYTES >> 20)]
    TooMuchOutput,
    /// It ended in an error.
    #[error("it ended with {status}{complaint}")]
    Failed {
        /// How.
        status: ExitStatus,
        /// The last line of its standard error, after a colon; or nothing.
        complaint: String,
    },
    /// Its output could not be read.
    #[error("its output cannot be read: {0}")]
    Output(io::Error),
}

/// What the recognizer prints for `sound`. Whatever it started is stopped with it, where it takes
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
    // What it left running may hold the pipes open.
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

/// Reads up to one byte more than may be printed, on a thread of its own since a pipe blocks.
fn read_output(pipe: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.take(MAX_OUTPUT_BYTES + 1).read_to_end(&mut bytes);
        let _ = sender.send(read.map(|_| bytes));
    });
    receiver
}

/// Reads all of it, so that the recognizer never waits, and keeps the end.
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

/// The last line that says something, after a colon.
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
