//! What the end-to-end tests share: a stage (an organization with its key and plan, a QA engineer
//! with a key and a token, a collector), on which the programs are run as a script runs them.

mod auditor;
mod collector;
mod command_result;
mod dataset;
mod kills;
mod recording_proxy;
mod socks;

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    iter,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};
use sordino::Purpose;
use tempfile::TempDir;

pub(crate) use auditor::Auditor;
pub(crate) use collector::{Address, Collector, administer, collector_program};
pub(crate) use command_result::CommandResult;
pub(crate) use dataset::{Clip, clip_id, write_dataset};
pub(crate) use kills::{instants, killed_after, time};
pub(crate) use recording_proxy::RecordingProxy;
pub(crate) use socks::Socks;

pub(crate) const QA: &str = "quality-assurance";
pub(crate) const RESEARCH: &str = "recognition-research";
pub(crate) const FORMATS: [&str; 3] = ["audiofolder", "webdataset", "bundle"];
/// Shipped recordings without a voice, from which a sample comes; the first is the shortest.
pub(crate) const PLAYED: [&str; 3] = ["flute-alone", "piano-chords", "violin-alone"];
/// One from which none comes.
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
    /// How many tokens were made by [`Self::token`].
    tokens: AtomicU32,
    folder: TempDir,
    /// The public half of the organization's key.
    pub(crate) plan_key: String,
    /// What the QA engineer's key is known by.
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

    /// As [`Self::new`], and nobody listens.
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
        // What a test does not ask for does not come by chance; the first edit of a line counts.
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

/// The collector.
impl Stage {
    /// Starts it, always at the same address.
    pub(crate) fn start_collector(&mut self) {
        let (address, plan) = (self.collector_address(), self.path("plan.json"));
        self.collector = Some(Collector::start(&self.collected(), address, &plan));
    }

    /// As [`Self::start_collector`], by https with the certificate and key in these files.
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

    /// Where it listens, once it is started, and nobody else until then.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.collector_address())
    }

    /// Host and port of [`Self::url`].
    pub(crate) fn collector_address(&self) -> SocketAddr {
        self.address.address
    }

    /// A token of a reader of its own; the first one's name is "first-reader".
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

    /// The ids of the sealed samples that it holds.
    pub(crate) fn objects(&self) -> BTreeSet<String> {
        sealed_in(&self.collected())
    }
}

/// Devices and datasets.
impl Stage {
    /// Makes the device `name`, whose collector is the stage's.
    pub(crate) fn device(&self, name: &str) {
        self.device_at(name, &self.url());
    }

    /// Makes the device `name`, whose collector is at `url`; or puts the newest plan into force.
    pub(crate) fn device_at(&self, name: &str, url: &str) {
        let key = &self.plan_key;
        self.sordino(&format!(
            "device {name} init --plan plan.json --plan-key {key} --collector {url}"
        ))
        .ok();
    }

    /// Seals a shipped recording to QA's key, as `one.age`.
    pub(crate) fn seal(&self, recording: &str) {
        let recipient = &self.recipient;
        self.sordino(&format!(
            "seal audio/{recording}.wav --recipient {recipient} --out one.age"
        ))
        .ok();
    }

    /// As [`Self::device`], of an adult who consented to `purposes`.
    pub(crate) fn granted(&self, name: &str, purposes: &str) {
        self.device(name);
        self.consent(name, purposes);
    }

    pub(crate) fn consent(&self, name: &str, purposes: &str) {
        self.sordino(&format!(
            "device {name} consent --age-band adult --purpose {purposes}"
        ))
        .ok();
    }

    pub(crate) fn status(&self, name: &str) -> Value {
        self.json(&format!("device {name} status"))
    }

    /// Offers a shipped recording, of which a sample must come: its id.
    pub(crate) fn submit(&self, name: &str, recording: &str) -> String {
        self.submit_with(name, recording, "")
    }

    /// As [`Self::submit`], with more words.
    pub(crate) fn submit_with(&self, name: &str, recording: &str, flags: &str) -> String {
        let line = format!("device {name} submit audio/{recording}.wav {flags}");
        queued(|| self.json(&line))
    }

    /// Starts the device as with a microphone that nobody turns off, and returns once it holds its state.
    pub(crate) fn listening(&self, name: &str, envs: &[(&str, &str)]) -> Child {
        // In its own time, so that nothing here is too slow for it.
        write_long(self, "ten-minutes.wav", 600);
        fs::write(self.path("ten-minutes.json"), r#"{"tag": "a-bar"}"#).unwrap();
        let line = format!("device {name} listen ten-minutes.wav --mark --real-time");
        let listen = || {
            let mut command = self.command(&line);
            command.envs(envs.iter().copied());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        };
        let (mut listening, mut refused) = (listen(), 0);
        while self.sordino(&format!("device {name} status")).status == Some(0) {
            // Where it came just as its state was looked at, it was refused itself.
            if listening.try_wait().unwrap().is_some() {
                refused += 1;
                assert!(refused < 100, "{line} does not run");
                listening = listen();
            }
        }
        assert!(listening.try_wait().unwrap().is_none(), "{line} has ended");
        listening
    }

    /// The ids of the sealed samples that wait on the device's disk.
    pub(crate) fn outbox(&self, name: &str) -> BTreeSet<String> {
        sealed_in(&self.path(name).join("outbox"))
    }

    pub(crate) fn upload(&self, name: &str) -> Value {
        self.json(&format!("device {name} upload"))
    }

    /// Pulls to the folder `out`, in the format of that name.
    pub(crate) fn pull(&self, out: &str, format: &str) -> Value {
        self.json(&self.pull_line(out, format))
    }

    pub(crate) fn pull_line(&self, out: &str, format: &str) -> String {
        let url = self.url();
        format!(
            "pull --collector {url} --token-file token --identity qa.key --out {out} --format {format}"
        )
    }

    /// Pulls in every format, each to the folder of its name.
    pub(crate) fn pull_everything(&self) {
        for format in FORMATS {
            let pulled = self.pull(format, format);
            assert_eq!(pulled["unreadable"], 0, "{pulled}");
        }
    }

    /// Whether a sample is in those datasets: in all of them, since a copy left in one would be too
    /// many.
    pub(crate) fn is_pulled(&self, id: &str) -> bool {
        let holding = FORMATS
            .iter()
            .filter(|format| self.mentions(format, id.as_bytes()))
            .count();
        assert!(
            holding == 0 || holding == FORMATS.len(),
            "{id} is in {holding} datasets"
        );
        holding > 0
    }

    /// Whether `needle` is in a name or in the bytes of any file below the folder `name`.
    pub(crate) fn mentions(&self, name: &str, needle: &[u8]) -> bool {
        files_below(&self.path(name)).iter().any(|path| {
            holds(path.as_os_str().as_encoded_bytes(), needle)
                || holds(&fs::read(path).unwrap(), needle)
        })
    }
}

/// The id of the sample that `submit` queues. Much is random for each clip; now and then the gate takes what is left
/// of one for a voice, and the recording is submitted again. Of 360 offers of those in [`PLAYED`] none was withheld, so
/// that four in a row are less than one in ten million.
#[track_caller]
pub(crate) fn queued(submit: impl FnMut() -> Value) -> String {
    let submitted = iter::repeat_with(submit).take(4);
    let queued = submitted
        .filter(|submitted| submitted["outcome"] == "queued")
        .find_map(|submitted| submitted["sample_id"].as_str().map(str::to_owned));
    queued.expect("a recording that is not withheld each time")
}

/// Writes so many seconds of next to nothing as NAME, 8 kHz, 8 bit, mono: a header, and a hole in the file in place of
/// the sound.
pub(crate) fn write_long(stage: &Stage, name: &str, seconds: u32) {
    let length = seconds * 8000;
    let mut header = Vec::new();
    header.extend_from_slice(b"RIFF");
    header.extend_from_slice(&(36 + length).to_le_bytes());
    header.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    header.extend_from_slice(&8000_u32.to_le_bytes());
    header.extend_from_slice(&8000_u32.to_le_bytes());
    header.extend_from_slice(b"\x01\0\x08\0data");
    header.extend_from_slice(&length.to_le_bytes());
    let mut file = fs::File::create(stage.path(name)).unwrap();
    file.write_all(&header).unwrap();
    file.set_len(header.len() as u64 + u64::from(length))
        .unwrap();
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

/// Whether `program` is there. Where it is not, the test is skipped, and says so; with `CI=true`,
/// where all is installed, it fails.
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

/// The Python that serves as another reader of what is written, where one is there.
pub(crate) fn python(test: &str) -> Option<String> {
    let python = std::env::var("SORDINO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    has(&python, test).then_some(python)
}

/// Says that `test` did not run. The line passes by the harness, which would hide it.
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
