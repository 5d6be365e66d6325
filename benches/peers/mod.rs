//! Baselines: other software that does a part of the work, on the same audio in the same run, on one core.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nnnoiseless::DenoiseState;

/// Set by `cargo xtask bench` to a Python with `silero-vad`, if `eval/setup.sh` has installed one.
const PYTHON: &str = "SORDINO_BENCH_PYTHON";
const ROUNDS: usize = 9;

/// The published package in ONNX Runtime with one thread, frame by frame, as its `get_speech_timestamps` does. Prints
/// the median time of its rounds, in seconds.
const SILERO: &str = r#"
import sys, time, torch, wave, numpy
from silero_vad import load_silero_vad
torch.set_num_threads(1)
with wave.open(sys.argv[1]) as file:
    sound = numpy.frombuffer(file.readframes(file.getnframes()), "<i2").astype("f4") / 32768
sound, model, times = torch.from_numpy(sound[::3].copy()), load_silero_vad(onnx=True), []
for _ in range(int(sys.argv[2])):
    model.reset_states()
    began = time.perf_counter()
    for start in range(0, len(sound) - 511, 512):
        model(sound[start : start + 512], 16_000)
    times.append(time.perf_counter() - began)
print(sorted(times)[len(times) // 2])
"#;

/// Each baseline and its time for `recording` (mono, 48 kHz, 16 bit); `None` if it is not installed.
pub(crate) fn all(recording: &Path, samples: &[f32]) -> Vec<(&'static str, Option<Duration>)> {
    vec![
        (
            "Silero VAD (published package), one pass, without resampling",
            silero(recording),
        ),
        ("RNNoise (nnnoiseless) at 48 kHz", Some(rnnoise(samples))),
        ("`sox`, resampling to 16 kHz only", sox(recording)),
    ]
}

fn silero(recording: &Path) -> Option<Duration> {
    let python = env::var_os(PYTHON).filter(|python| !python.is_empty())?;
    let output = Command::new(python)
        .args(["-c", SILERO])
        .arg(recording)
        .arg(ROUNDS.to_string())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let seconds = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn rnnoise(samples: &[f32]) -> Duration {
    median(|| {
        let mut state = DenoiseState::new();
        let mut out = [0.0; DenoiseState::FRAME_SIZE];
        for frame in samples.chunks_exact(DenoiseState::FRAME_SIZE) {
            state.process_frame(&mut out, frame);
        }
        Some(())
    })
    .unwrap_or_default()
}

/// As a process, including some milliseconds to start it.
fn sox(recording: &Path) -> Option<Duration> {
    median(|| {
        let done = Command::new("sox")
            .arg(recording)
            .args(["-t", "raw", "-r", "16000", "/dev/null"])
            .stderr(Stdio::null())
            .status();
        done.is_ok_and(|status| status.success()).then_some(())
    })
}

fn median(mut round: impl FnMut() -> Option<()>) -> Option<Duration> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        round()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Some(times[ROUNDS / 2])
}
