//! A simulated microphone: a PulseAudio server of its own, and the process that records from it.

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use sordino::capture::{Capture, CaptureEvent, CaptureHandler, Frame, Microphone, input_devices};

/// Set in the recorder: the file that it writes its samples to, as 32-bit floats.
const RECORDER: &str = "SORDINO_TEST_RECORDER";
const PROGRAMS: [&str; 4] = ["pulseaudio", "pactl", "paplay", "sox"];
/// The time limit of every wait in the test: it ends a hang, and does not measure speed.
const PATIENCE: Duration = Duration::from_secs(300);
pub(super) const RATE: usize = 48_000;

/// A folder with a PulseAudio whose microphone can be spoken into.
pub(super) struct Room {
    pub(super) folder: tempfile::TempDir,
    pub(super) server: Child,
}

impl Room {
    /// `None`: this process is the recorder and has done its work, or the machine lacks something.
    pub(super) fn enter(test: &str) -> Option<Self> {
        if let Some(path) = env::var_os(RECORDER) {
            record(Path::new(&path));
            return None;
        }
        if let Some(lacking) = lacking() {
            assert!(
                env::var("CI").as_deref() != Ok("true"),
                "{test}… lacks {lacking}"
            );
            // Not `println`: the test harness would hide it.
            let _ = writeln!(io::stderr(), "skipped: microphone::{test}… lacks {lacking}");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("run")).expect("a fresh folder");
        fs::write(
            folder.path().join(".asoundrc"),
            "pcm.!default { type pulse }\nctl.!default { type pulse }\n",
        )
        .expect("a fresh folder");
        let server = start_server(&folder);
        Some(Self { folder, server })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes `name` with sox: half a second of silence, since PulseAudio throws away the first
    /// samples of what begins to play, then `effects`.
    pub(super) fn make(&self, name: &str, effects: &str) {
        let mut sox = Command::new("sox");
        sox.args(["-n", "-r", "48000", "-b", "16", "-c", "2"])
            .arg(self.path(name))
            .args(effects.split(' '))
            .args(["pad", "0.5"]);
        run(&mut sox);
    }

    /// Plays into the microphone; over when the last sample has sounded.
    pub(super) fn play(&self, name: &str) {
        run(in_room(&self.folder, "paplay")
            .args(["-d", "mic"])
            // All of it waits in the service before it begins: a machine that is busy meanwhile makes no gap.
            .arg("--latency-msec=10000")
            .arg(self.path(name)));
    }

    /// The samples that the microphone delivers while `act` runs.
    pub(super) fn record(&self, test: &str, act: impl FnOnce(&Recorder)) -> Vec<f32> {
        let recorder = Recorder::start(self, test);
        recorder.wait_for("opened");
        act(&recorder);
        recorder.finish()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The child process that captures.
pub(super) struct Recorder {
    child: Child,
    /// Closing it ends the recording.
    stdin: ChildStdin,
    lines: Receiver<String>,
    samples: PathBuf,
}

impl Recorder {
    pub(super) fn start(room: &Room, test: &str) -> Self {
        let samples = room.path("heard.f32");
        let this = env::current_exe().expect("a test has a path");
        let mut child = in_room(&room.folder, this)
            .args([test, "--nocapture", "--test-threads=1"])
            .env(RECORDER, &samples)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this very program starts");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            child,
            stdin,
            lines,
            samples,
        }
    }

    /// Waits for an event; any loss of sound meanwhile is a failure.
    pub(super) fn wait_for(&self, event: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self
                .lines
                .recv_timeout(left)
                .unwrap_or_else(|_| panic!("the recorder never said `{event}`"));
            assert!(!line.starts_with("overrun"), "{line}");
            if line.starts_with(event) {
                return line;
            }
        }
    }

    /// Waits until the played sound is recorded too. The samples in flight are fewer than the recorder holds, two
    /// seconds of sound; the microphone's own time is counted, since a busy machine may be behind by the clock.
    pub(super) fn catch_up(&self) {
        while let Ok(line) = self.lines.try_recv() {
            assert!(!line.starts_with("overrun"), "{line}");
        }
        for _ in 0..3 {
            self.wait_for("heard");
        }
    }

    /// Ends the recording and returns it.
    pub(super) fn finish(mut self) -> Vec<f32> {
        self.catch_up();
        drop(self.stdin);
        assert!(self.child.wait().expect("it was started").success());
        for line in self.lines.iter() {
            assert!(
                !line.starts_with("overrun") && !line.starts_with("error"),
                "{line}"
            );
        }
        let bytes = fs::read(&self.samples).expect("the recorder wrote it");
        let (samples, _) = bytes.as_chunks::<4>();
        samples
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect()
    }
}

/// The recorder itself: captures the default microphone until its stdin is closed.
fn record(path: &Path) {
    struct Writer {
        file: BufWriter<fs::File>,
        next: u64,
        heard: usize,
    }

    impl CaptureHandler for Writer {
        fn on_frame(&mut self, frame: Frame<'_>) {
            assert_eq!(frame.position, self.next + frame.lost, "positions are true");
            assert!(frame.samples.len() <= RATE / 100);
            self.next = frame.position + frame.samples.len() as u64;
            for sample in frame.samples {
                self.file
                    .write_all(&sample.to_le_bytes())
                    .expect("room on disk");
            }
            let seconds = self.heard / RATE;
            self.heard += frame.samples.len();
            if self.heard / RATE > seconds {
                say(&format!("heard {} s", seconds + 1));
            }
        }

        fn on_event(&mut self, event: CaptureEvent) {
            match event {
                CaptureEvent::Opened(format) => say(&format!("opened {format:?}")),
                CaptureEvent::Lost { reason } => say(&format!("lost {reason}")),
                CaptureEvent::Reopened(format) => {
                    self.next = 0;
                    say(&format!("reopened {format:?}"));
                }
                CaptureEvent::Overrun { samples } => say(&format!("overrun {samples}")),
                other => say(&format!("{other:?}")),
            }
        }
    }

    let capture = Capture::new(Microphone::default());
    let stopper = capture.stop_handle();
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        stopper.stop();
    });
    let mut writer = Writer {
        file: BufWriter::new(fs::File::create(path).expect("a fresh folder")),
        next: 0,
        heard: 0,
    };
    match capture.run(&mut writer) {
        Ok(()) => {
            let listed = input_devices().expect("one was just open");
            assert!(listed.iter().any(|device| device.is_default), "{listed:?}");
        }
        Err(error) => say(&format!("error {error}")),
    }
}

fn say(line: &str) {
    // The harness prints `test name ... ` without a line's end before it.
    let mut stdout = io::stdout();
    let _ = writeln!(stdout, "\n{line}");
    let _ = stdout.flush();
}

pub(super) fn start_server(folder: &tempfile::TempDir) -> Child {
    let mut server = in_room(folder, "pulseaudio")
        .args([
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--log-level=error",
            "-n",
        ])
        .args(["-L", "module-null-sink sink_name=mic rate=48000"])
        .args(["-L", "module-native-protocol-unix"])
        .stderr(Stdio::null())
        .spawn()
        .expect("pulseaudio is installed");
    let deadline = Instant::now() + PATIENCE;
    while !has_microphone(folder) {
        if Instant::now() >= deadline {
            let _ = server.kill();
            let _ = server.wait();
            panic!("pulseaudio does not come up");
        }
        thread::sleep(Duration::from_millis(50));
    }
    server
}

/// Makes the null sink's monitor the microphone, if the service is up.
fn has_microphone(folder: &tempfile::TempDir) -> bool {
    let mut pactl = in_room(folder, "pactl");
    let set = pactl.args(["set-default-source", "mic.monitor"]);
    set.output().is_ok_and(|output| output.status.success())
}

/// A command that finds this room's PulseAudio and no other.
fn in_room(folder: &tempfile::TempDir, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env("HOME", folder.path())
        .env("XDG_RUNTIME_DIR", folder.path().join("run"))
        .env("XDG_CONFIG_HOME", folder.path())
        .env_remove("PULSE_SERVER")
        .env_remove("PULSE_RUNTIME_PATH")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("DISPLAY");
    command
}

fn run(command: &mut Command) {
    let output = command.output().expect("it is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

/// The missing tool for these tests, if any.
fn lacking() -> Option<String> {
    let missing = PROGRAMS.iter().find(|program| {
        let version = Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        version.is_err()
    });
    if let Some(program) = missing {
        return Some(format!("the program {program}"));
    }
    let folders = [
        "/usr/lib",
        "/usr/lib64",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
    ];
    let plugin = "alsa-lib/libasound_module_pcm_pulse.so";
    let found = folders
        .iter()
        .any(|folder| Path::new(folder).join(plugin).exists());
    (!found).then(|| "ALSA's PulseAudio plugin (Debian: libasound2-plugins)".to_owned())
}
