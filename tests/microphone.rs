//! A real capture: PulseAudio plays into a null sink whose monitor is the machine's microphone.
//!
//! Each test starts a PulseAudio of its own in a folder of its own. ALSA reads its settings once, when
//! it is loaded, so the capture itself runs in a child process: this same test, told by
//! [`RECORDER`] to be the recorder.
#![cfg(all(feature = "microphone", target_os = "linux"))]

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use sordino::capture::{Capture, CaptureEvent, Frame, Microphone, Sink, devices, read_wav};

/// Set in the recorder: the file that it writes its samples to, as 32-bit floats.
const RECORDER: &str = "SORDINO_TEST_RECORDER";
const PROGRAMS: [&str; 4] = ["pulseaudio", "pactl", "paplay", "sox"];
/// How long anything here may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(30);
const RATE: usize = 48_000;

#[test]
fn a_tone_played_into_the_microphone_is_heard_at_its_pitch_and_length_and_without_gaps() {
    let Some(room) = Room::enter("a_tone_played") else {
        return;
    };
    room.make("tone.wav", "synth 2 sine 440 vol 0.5");
    let heard = room.record("a_tone_played", |_| room.play("tone.wav"));

    let loud: Vec<bool> = heard
        .chunks(RATE / 200)
        .map(|part| rms(part) > 0.25)
        .collect();
    let first = loud
        .iter()
        .position(|loud| *loud)
        .expect("the tone is there");
    let last = loud
        .iter()
        .rposition(|loud| *loud)
        .expect("the tone is there");
    assert!(
        loud[first..=last].iter().all(|loud| *loud),
        "the tone has a gap"
    );
    let seconds = (last + 1 - first) as f64 / 200.0;
    assert!(
        (seconds - 2.0).abs() <= 0.02,
        "it lasts {seconds} s, not 2 s"
    );

    let step = RATE / 200;
    let pitch = pitch(&heard[(first + 2) * step..(last - 1) * step]);
    assert!(
        (pitch - 440.0).abs() < 0.5,
        "it sounds at {pitch} Hz, not 440 Hz"
    );
    // A sine of amplitude 0.5: nothing on the way scales it.
    let level = rms(&heard[(first + 2) * step..(last - 1) * step]);
    assert!(
        (level - 0.5 / 2.0_f64.sqrt()).abs() < 0.01,
        "its level is {level}"
    );
}

#[test]
fn a_recording_played_into_the_microphone_is_captured_sample_by_sample() {
    let Some(room) = Room::enter("a_recording_played") else {
        return;
    };
    // Noise that swells like bow strokes: nothing in it comes twice, so each part has one place.
    room.make("recording.wav", "synth 4 pinknoise tremolo 3 80");
    let played = read_wav(&room.path("recording.wav"))
        .expect("sox wrote it")
        .samples;
    let heard = room.record("a_recording_played", |_| room.play("recording.wav"));

    let played = &played[RATE / 2..]; // without the silence before it
    // Both ends of the recording lie equally late: nothing was lost or came twice between them.
    let length = played.len();
    let (head, tail) = (&played[..length / 4], &played[length - length / 4..]);
    let head_at = place_of(head, &heard);
    let tail_at = place_of(tail, &heard);
    assert_eq!(
        tail_at - head_at,
        length - length / 4,
        "samples were lost or added"
    );
    let correlation = correlation(played, &heard[head_at..head_at + length]);
    assert!(correlation > 0.99, "the correlation is {correlation}");
}

#[test]
fn a_microphone_that_goes_away_is_opened_anew_and_the_app_is_told() {
    let Some(mut room) = Room::enter("a_microphone_that_goes") else {
        return;
    };
    room.make("tone.wav", "synth 1 sine 440 vol 0.5");
    let recorder = Recorder::start(&room, "a_microphone_that_goes");
    recorder.wait_for("opened");
    room.play("tone.wav");
    room.server.kill().expect("it runs");
    room.server.wait().expect("it was killed");
    recorder.wait_for("lost");
    // Long enough for a few vain attempts.
    thread::sleep(Duration::from_secs(1));
    room.server = start_server(&room.folder);
    recorder.wait_for("reopened");
    room.play("tone.wav");
    let heard = recorder.finish();

    // What was on its way when the service died is lost with it.
    let loud = heard
        .chunks(RATE / 100)
        .filter(|part| rms(part) > 0.3)
        .count();
    assert!(
        (170..=201).contains(&loud),
        "{loud}0 ms of two tones of 1 s were heard"
    );
}

#[test]
fn without_a_sound_service_the_error_is_one_clear_line() {
    let Some(mut room) = Room::enter("without_a_sound") else {
        return;
    };
    room.server.kill().expect("it runs");
    room.server.wait().expect("it was killed");
    let recorder = Recorder::start(&room, "without_a_sound");
    let line = recorder.wait_for("error");
    assert!(line.len() > 20, "{line}");
}

/// A folder with a PulseAudio whose microphone can be spoken into.
struct Room {
    folder: tempfile::TempDir,
    server: Child,
}

impl Room {
    /// `None`: this process is the recorder and has done its work, or the machine lacks something.
    fn enter(test: &str) -> Option<Self> {
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

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes `name` with sox: half a second of silence, since PulseAudio throws away the first
    /// samples of what begins to play, then `effects`.
    fn make(&self, name: &str, effects: &str) {
        let mut sox = Command::new("sox");
        sox.args(["-n", "-r", "48000", "-b", "16", "-c", "2"])
            .arg(self.path(name))
            .args(effects.split(' '))
            .args(["pad", "0.5"]);
        run(&mut sox);
    }

    /// Plays into the microphone; over when the last sample has sounded.
    fn play(&self, name: &str) {
        run(in_room(&self.folder, "paplay")
            .arg("-d")
            .arg("mic")
            .arg(self.path(name)));
    }

    /// What the microphone hears while `act` is done.
    fn record(&self, test: &str, act: impl FnOnce(&Recorder)) -> Vec<f32> {
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
struct Recorder {
    child: Child,
    /// Closing it ends the recording.
    stdin: ChildStdin,
    lines: Receiver<String>,
    samples: PathBuf,
}

impl Recorder {
    fn start(room: &Room, test: &str) -> Self {
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
    fn wait_for(&self, event: &str) -> String {
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

    /// Ends the recording and returns it.
    fn finish(mut self) -> Vec<f32> {
        // What was played last is still on its way.
        thread::sleep(Duration::from_millis(700));
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
    }

    impl Sink for Writer {
        fn frame(&mut self, frame: Frame<'_>) {
            assert_eq!(frame.position, self.next + frame.lost, "positions are true");
            assert!(frame.samples.len() <= RATE / 100);
            self.next = frame.position + frame.samples.len() as u64;
            for sample in frame.samples {
                self.file
                    .write_all(&sample.to_le_bytes())
                    .expect("room on disk");
            }
        }

        fn event(&mut self, event: CaptureEvent) {
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
    let stopper = capture.stopper();
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        stopper.stop();
    });
    let mut writer = Writer {
        file: BufWriter::new(fs::File::create(path).expect("a fresh folder")),
        next: 0,
    };
    match capture.run(&mut writer) {
        Ok(()) => {
            let listed = devices().expect("one was just open");
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

fn start_server(folder: &tempfile::TempDir) -> Child {
    let server = in_room(folder, "pulseaudio")
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
    loop {
        let mut pactl = in_room(folder, "pactl");
        let set = pactl.args(["set-default-source", "mic.monitor"]);
        if set.output().is_ok_and(|output| output.status.success()) {
            return server;
        }
        assert!(Instant::now() < deadline, "pulseaudio does not come up");
        thread::sleep(Duration::from_millis(50));
    }
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

/// What the machine lacks for these tests, if anything.
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

fn rms(samples: &[f32]) -> f64 {
    let sum: f64 = samples
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// Frequency of a tone, from the places where it rises through zero.
fn pitch(samples: &[f32]) -> f64 {
    let rises: Vec<f64> = samples
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0] < 0.0 && pair[1] >= 0.0)
        .map(|(index, pair)| index as f64 + f64::from(pair[0] / (pair[0] - pair[1])))
        .collect();
    let (first, last) = (rises[0], rises[rises.len() - 1]);
    (rises.len() - 1) as f64 * RATE as f64 / (last - first)
}

/// Where in `heard` `part` begins: the place where its loudest 50 ms differ least. (They would
/// correlate as well a period later.)
fn place_of(part: &[f32], heard: &[f32]) -> usize {
    let length = RATE / 20;
    let loudest = (0..part.len() - length)
        .step_by(length / 4)
        .max_by(|one, other| {
            rms(&part[*one..one + length]).total_cmp(&rms(&part[*other..other + length]))
        })
        .expect("longer than 50 ms");
    let needle = &part[loudest..loudest + length];
    let (mut least, mut place) = (f32::INFINITY, 0);
    for (start, window) in heard.windows(length).enumerate() {
        let mut difference = 0.0;
        for (one, other) in needle.chunks(64).zip(window.chunks(64)) {
            let pairs = one.iter().zip(other);
            difference += pairs.map(|(one, other)| (one - other).powi(2)).sum::<f32>();
            if difference >= least {
                break;
            }
        }
        if difference < least {
            (least, place) = (difference, start);
        }
    }
    place - loudest
}

fn correlation(one: &[f32], other: &[f32]) -> f64 {
    let dot: f32 = one.iter().zip(other).map(|(one, other)| one * other).sum();
    let norm = rms(one) * rms(other) * one.len() as f64;
    f64::from(dot) / norm.max(1e-9)
}
