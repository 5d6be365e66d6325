//! libsndfile, through Python's soundfile, in a child process that reads one file after another.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

use super::Decoded;

pub(super) struct Libsndfile {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    folder: TempDir,
}

impl Libsndfile {
    /// `None`, with a message, if it is not installed; with `CI=true` that fails the test.
    pub(super) fn start() -> Option<Self> {
        let python = std::env::var("SORDINO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let is_installed = Command::new(&python)
            .args(["-c", "import soundfile"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !is_installed {
            let line = "skipped: no soundfile (pip install soundfile; SORDINO_PYTHON names the Python that has it)\n";
            io::stderr().write_all(line.as_bytes()).unwrap();
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{line}");
            return None;
        }
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/python/read_with_libsndfile.py"
        );
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Some(Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
            folder: crate::testing::folder(),
        })
    }

    /// Decodes the bytes of a file by libsndfile; `None` if it refuses them.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<Decoded> {
        let path = self.folder.path().join("sound.wav");
        fs::write(&path, bytes).unwrap();
        writeln!(self.stdin.as_ref().unwrap(), "{}", path.display()).unwrap();
        let mut head = String::new();
        self.stdout.read_line(&mut head).unwrap();
        assert!(head.ends_with('\n'), "libsndfile's reader ended");
        if head.starts_with("error") {
            return None;
        }
        let numbers: Vec<usize> = head
            .split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect();
        let [rate, channels, frames] = numbers[..] else {
            panic!("{head}")
        };
        let mut bytes = vec![0; channels * frames * 8];
        self.stdout.read_exact(&mut bytes).unwrap();
        let samples = bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|bytes| f64::from_le_bytes(*bytes));
        Some(Decoded {
            rate: rate as u32,
            channels,
            samples: samples.collect(),
        })
    }
}

impl Drop for Libsndfile {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.wait();
    }
}
