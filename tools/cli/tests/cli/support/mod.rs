//! Shared parts of the end-to-end tests: a stage (an organization with its key and plan, a QA engineer
//! with a key and a token, a collector), on which the programs are run as a script runs them.

mod auditor;
mod collector;
mod command_result;
mod dataset;
mod devices;
mod kills;
mod recording_proxy;
mod socks;

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};
use sordino::Purpose;
use tempfile::TempDir;

pub(crate) use auditor::Auditor;
pub(crate) use collector::{Address, Collector, administer, collector_program};
pub(crate) use command_result::CommandResult;
pub(crate) use dataset::{Clip, clip_id, write_dataset};
pub(crate) use devices::{queued, write_long};
pub(crate) use kills::{instants, killed_after, time};
pub(crate) use recording_proxy::RecordingProxy;
pub(crate) use socks::Socks;

pub(crate) const QA: &str = "quality-assurance";
pub(crate) const RESEARCH: &str = "recognition-research";
pub(crate) const FORMATS: [&str; 3] = ["audiofolder", "webdataset", "bundle"];
/// Shipped recordings without voices, which are not withheld; the first is the shortest.
pub(crate) const PLAYED: [&str; 3] = ["flute-alone", "piano-chords", "violin-alone"];
/// A shipped recording that is withheld.
pub(crate) const SPOKEN: &str = "speech-alone";

/// Whether a recording was withheld for what is left of [`SPOKEN`]: so little that the random choices for each clip
/// decides whether it is heard as a voice or as silence.
#[track_caller]
pub(crate) fn assert_withheld_as_spoken(reason: &Value) {
    let reasons = [json!("voice"), json!("silence")];
    assert!(reasons.contains(reason), "withheld for {reason}");
}

/// A folder in which commands run, so that a command line needs no path but names in it. The
/// shipped recordings lie there as `audio/`.
pub(crate) struct Stage {
    collector: Option<Collector>,
    address: Address,
    /// The number of tokens that [`Self::token`] created.
    tokens: AtomicU32,
    folder: TempDir,
    /// The public half of the organization's key.
    pub(crate) plan_key: String,
    /// The recipient of the QA engineer's key.
    pub(crate) recipient: String,
}

impl Stage {
    /// Keys (`qa.key`, `organization.key`), the plan (`plan.toml`, `plan.json`), a collector and a
    /// token good for everything (`token`).
    pub(crate) fn new() -> Self {
        let mut stage = Self::without_collector();
        stage.start_collector();
        fs::write(stage.path("token"), stage.token(&Purpose::ALL)).unwrap();
        stage
    }

    /// Like [`Self::new`], without a running collector and a token.
    pub(crate) fn without_collector() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/audio");
        let shipped = shipped.canonicalize().unwrap();
        fs::create_dir(folder.path().join("audio")).unwrap();
        for file in fs::read_dir(shipped).unwrap() {
            let file = file.unwrap();
            fs::copy(
                file.path(),
                folder.path().join("audio").join(file.file_name()),
            )
            .unwrap();
        }
        let mut stage = Self {
            collector: None,
            address: Address::claim(),
            tokens: AtomicU32::new(0),
            folder,
            plan_key: String::new(),
            recipient: String::new(),
        };
        stage.recipient = stage.sordino("keygen --out qa.key").last_word();
        stage.plan_key = stage
            .sordino("plan keygen --out organization.key")
            .last_word();
        stage.sign_plan("plan", &[]);
        stage
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `sordino` with the words of `line`.
    pub(crate) fn sordino(&self, line: &str) -> CommandResult {
        CommandResult::run(&mut self.command(line), line)
    }

    /// The one document that `line` prints with `--json`.
    pub(crate) fn json(&self, line: &str) -> Value {
        self.sordino(&format!("{line} --json")).ok().document()
    }

    /// `sordino` with the words of `line`, not started yet.
    pub(crate) fn command(&self, line: &str) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_sordino"), line)
    }

    /// Another program in the same folder.
    pub(crate) fn command_of(&self, program: impl AsRef<Path>, line: &str) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Writes NAME.toml, which is the example plan with a recipient and a controller of the stage's own, without random
    /// draws, and with lines replaced as a script does it, by the name that begins them; signs it as NAME.json.
    pub(crate) fn sign_plan(&self, name: &str, edits: &[(&str, &str)]) {
        let recipients = format!("[\"{}\"]", self.recipient);
        let mut edits = edits.to_vec();
        edits.push(("recipients", &recipients));
        edits.push(("name", "\"Your school\""));
        edits.push(("contact", "\"privacy@school.example\""));
        // No samples by chance unless a test asks for them; the first edit of a line counts.
        edits.push(("random_probability", "0.0"));
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/plan.toml");
        let mut plan = String::new();
        for line in fs::read_to_string(example).unwrap().lines() {
            let edit = edits
                .iter()
                .find(|(key, _)| line.starts_with(&format!("{key} = ")));
            match edit {
                Some((key, value)) => plan.push_str(&format!("{key} = {value}\n")),
                None => plan.push_str(&format!("{line}\n")),
            }
        }
        fs::write(self.path(format!("{name}.toml")), plan).unwrap();
        self.sordino(&format!(
            "plan sign {name}.toml --key organization.key --out {name}.json"
        ))
        .ok();
    }
}

/// Methods for the collector.
impl Stage {
    /// Starts it, always at the same address.
    pub(crate) fn start_collector(&mut self) {
        let (address, plan) = (self.collector_address(), self.path("plan.json"));
        self.collector = Some(Collector::start(&self.collected(), address, &plan));
    }

    /// Like [`Self::start_collector`], with https and the certificate and key in these files.
    pub(crate) fn start_tls_collector(&mut self, certificate: &str, key: &str) {
        let (address, plan) = (self.collector_address(), self.path("plan.json"));
        let (certificate, key) = (self.path(certificate), self.path(key));
        let flags = [
            OsStr::new("--tls-cert"),
            certificate.as_os_str(),
            OsStr::new("--tls-key"),
            key.as_os_str(),
        ];
        let collector = Collector::start_with(&self.collected(), address, &plan, &flags);
        self.collector = Some(collector);
    }

    pub(crate) fn stop_collector(&mut self) {
        self.collector.take().expect("a collector that runs").stop();
    }

    /// The folder of its data.
    pub(crate) fn collected(&self) -> PathBuf {
        self.path("collected")
    }

    /// The collector's URL. Its port is reserved until it starts.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.collector_address())
    }

    /// Host and port of [`Self::url`].
    pub(crate) fn collector_address(&self) -> SocketAddr {
        self.address.address
    }

    /// A token of a new reader; the first reader is "first-reader".
    pub(crate) fn token(&self, purposes: &[Purpose]) -> String {
        let made = self.tokens.fetch_add(1, Ordering::Relaxed);
        match made {
            0 => self.token_of("first-reader", purposes),
            made => self.token_of(&format!("reader {}", made + 1), purposes),
        }
    }

    /// A token of the reader `name`.
    pub(crate) fn token_of(&self, name: &str, purposes: &[Purpose]) -> String {
        let purposes: Vec<String> = purposes.iter().map(Purpose::to_string).collect();
        let mut words = vec!["token", "create", "--name", name, "--purpose"];
        words.extend(purposes.iter().map(String::as_str));
        let made = administer(&self.collected(), &words);
        made["token"].as_str().unwrap().to_owned()
    }

    /// The ids of the sealed samples at the collector.
    pub(crate) fn objects(&self) -> BTreeSet<String> {
        sealed_in(&self.collected())
    }
}

/// Every file below `folder`, however deep.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files
}

pub(crate) fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}

/// Whether `program` is installed. Otherwise the test is skipped with a message; with `CI=true`,
/// it fails.
pub(crate) fn has(program: &str, test: &str) -> bool {
    let found = Command::new(program)
        .arg("--help")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !found {
        skipped(test, program);
    }
    found
}

/// The Python interpreter that reads the output independently, if it is installed.
pub(crate) fn python(test: &str) -> Option<String> {
    let python = std::env::var("SORDINO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    has(&python, test).then_some(python)
}

/// Prints that `test` did not run, bypassing the test harness, which would hide the line.
pub(crate) fn skipped(test: &str, lacks: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{test} lacks {lacks}"
    );
    let _ = writeln!(io::stderr(), "skipped: {test} lacks {lacks}");
}

pub(crate) fn sealed_in(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "age"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}
