//! Prints the table of benchmarks: measured values and targets. Unlike Criterion's means, it has quantiles, and the
//! memory of a whole process.

mod peers;
mod rig;

use std::{
    env, fs, io,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use sordino::{
    Event, Sordino, SubmitOutcome,
    anonymize::{Anonymizer, Settings},
    capture::{Frame, Pace, WavFile, pcm_channel, read_wav},
    sampler::Moment,
    seal::seal,
};

/// Set in the child process whose memory is measured.
const CHILD: &str = "SORDINO_BENCH_MEMORY";
/// Set by `cargo xtask bench` to the libraries that it built, as `NAME=PATH` separated by spaces.
const LIBRARIES: &str = "SORDINO_BENCH_LIBRARIES";
const CLIPS: usize = 100;

fn main() -> io::Result<()> {
    // `cargo test --benches` runs it too, without measuring.
    if !env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    if env::var_os(CHILD).is_some() {
        return memory_child();
    }
    let mut rows = vec![callback()];
    rows.extend(stages());
    rows.extend(peers());
    rows.push(trigger_to_sealed());
    rows.extend(grants());
    rows.extend(memory()?);
    rows.extend(libraries()?);
    print(&rows);
    Ok(())
}

struct Row {
    what: String,
    measured: String,
    target: &'static str,
}

fn row(what: impl Into<String>, measured: impl Into<String>, target: &'static str) -> Row {
    Row {
        what: what.into(),
        measured: measured.into(),
        target,
    }
}

#[allow(clippy::print_stdout, reason = "the table is its output")]
fn print(rows: &[Row]) {
    println!("| what | measured | target |\n| --- | --- | --- |");
    for Row {
        what,
        measured,
        target,
    } in rows
    {
        println!("| {what} | {measured} | {target} |");
    }
}

/// The audio callback, called as by a sound card, but ten times as often.
fn callback() -> Row {
    const CALLS: usize = 50_000;
    let (mut writer, source) = pcm_channel(48_000, 2).expect("a format");
    let drain = rig::Drain::start(source);
    let samples = rig::ten_milliseconds();
    let mut times = Vec::with_capacity(CALLS);
    for call in 0..CALLS {
        let began = Instant::now();
        let _lost = writer.push(&samples);
        times.push(began.elapsed());
        if call % 10 == 9 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    drop(writer);
    drain.join();
    let (p50, high) = (quantile(&mut times, 0.5), quantile(&mut times, 0.9999));
    row(
        "audio callback per 10 ms of stereo: p50, p99.99",
        format!("{:.2} µs, {:.2} µs", micros(p50), micros(high)),
        "",
    )
}

/// Each on one core, on 10 s of a violin at 48 kHz.
fn stages() -> Vec<Row> {
    let device = rig::Device::new();
    let (grants, recipients) = (device.grants(), device.recipients());
    let mut anonymizer = Anonymizer::new().expect("embedded weights");
    let (mut anonymizing, mut sealing, mut both) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..CLIPS {
        let clip = rig::clip();
        let began = Instant::now();
        let anonymous = anonymizer.anonymize(clip, Settings::default());
        let anonymized = began.elapsed();
        let anonymous = anonymous.expect("music without a voice");
        let sealed = seal(anonymous, &grants, &recipients, rig::week());
        let all = began.elapsed();
        sealed.expect("consent is valid");
        anonymizing.push(anonymized);
        sealing.push(all - anonymized);
        both.push(all);
    }
    let times = |times: &mut Vec<Duration>| {
        let median = quantile(times, 0.5);
        let multiple = Duration::from_secs(rig::CLIP_SECONDS).as_secs_f64() / median.as_secs_f64();
        format!("{multiple:.0} × real time ({:.1} ms)", millis(median))
    };
    vec![
        row("anonymize a 10 s clip, median", times(&mut anonymizing), ""),
        row("seal it, median", times(&mut sealing), ""),
        row("both, median", times(&mut both), "≥ 300 ×"),
    ]
}

/// Baselines on the 9.4 s of the recording; each does only what its row says.
fn peers() -> Vec<Row> {
    let path = rig::recording();
    let recording = read_wav(&path).expect("it comes with the source");
    let seconds = recording.samples.len() as f64 / f64::from(recording.rate);
    let times = peers::all(&path, &recording.samples);
    let measured = |time: Option<Duration>| match time {
        Some(time) => format!("{:.0} × real time", seconds / time.as_secs_f64()),
        None => "not installed".to_owned(),
    };
    times
        .into_iter()
        .map(|(name, time)| row(format!("Baseline: {name}"), measured(time), ""))
        .collect()
}

/// From the complete clip to the sample that is durable on disk.
fn trigger_to_sealed() -> Row {
    let device = rig::Device::new();
    let mut times: Vec<Duration> = (0..=CLIPS)
        .map(|_| {
            let clip = rig::clip();
            let began = Instant::now();
            let outcome = device.engine.submit(clip).expect("free disk space");
            let took = began.elapsed();
            assert!(
                matches!(outcome, SubmitOutcome::Queued { .. }),
                "{outcome:?}"
            );
            took
        })
        // The first loads the detector.
        .skip(1)
        .collect();
    let (p50, high) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    row(
        "trigger to durably sealed, 10 s clip: p50, p99",
        format!("{:.0} ms, {:.0} ms", millis(p50), millis(high)),
        "≤ 50 ms",
    )
}

/// Checking a grant, as at each frame; and creating all grants from the record, as each second.
fn grants() -> Vec<Row> {
    const CHECKS: u32 = 1_000_000;
    const REPEATS: usize = 1_000;
    let device = rig::Device::new();
    let grants = device.grants();
    let grant = grants.quality_assurance().expect("it was given");
    let began = Instant::now();
    let live = (0..CHECKS)
        .filter(|_| std::hint::black_box(grant).is_live())
        .count();
    let check = began.elapsed() / CHECKS;
    assert_eq!(live, CHECKS as usize);
    let mut times: Vec<Duration> = (0..REPEATS)
        .map(|_| {
            let began = Instant::now();
            std::hint::black_box(device.grants());
            began.elapsed()
        })
        .collect();
    vec![
        row(
            "checking whether a grant is valid, mean",
            format!("{} ns", check.as_nanos()),
            "≤ 100 ns",
        ),
        row(
            "creating the valid grants from the record, median",
            format!("{:.0} µs", micros(quantile(&mut times, 0.5))),
            "",
        ),
    ]
}

fn memory() -> io::Result<Option<Row>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    let mut peaks = Vec::new();
    for _ in 0..5 {
        let child = Command::new(env::current_exe()?)
            .arg("--bench")
            .env(CHILD, "1")
            .output()?;
        let output = String::from_utf8_lossy(&child.stdout);
        let mut numbers = output
            .split_whitespace()
            .filter_map(|number| number.parse::<u64>().ok());
        if let (Some(idle), Some(peak)) = (numbers.next(), numbers.next()) {
            peaks.push((peak.saturating_sub(idle), idle));
        }
    }
    peaks.sort_unstable();
    Ok(peaks.get(peaks.len() / 2).map(|(over, idle)| {
        row(
            "peak memory of a device process above idle, capturing and sealing 10 s clips",
            format!(
                "{:.1} MB above {:.1} MB",
                *over as f64 / 1024.0,
                *idle as f64 / 1024.0
            ),
            "≤ 16 MB",
        )
    }))
}

/// Opens a device, measures it idle, and captures a recording with a mark twice.
#[allow(clippy::print_stdout, reason = "the parent process reads it")]
fn memory_child() -> io::Result<()> {
    let device = rig::Device::new();
    let idle = status_of("VmRSS")?;
    for _ in 0..2 {
        capture(&device.engine);
    }
    println!("{idle} {}", status_of("VmHWM")?);
    Ok(())
}

fn capture(engine: &Sordino) {
    let (queued, is_queued) = std::sync::mpsc::channel();
    engine.on_event(move |event| {
        if let Event::Queued(_) = event {
            let _ = queued.send(());
        }
    });
    let marking = engine.clone();
    let session = engine.listen(WavFile::new(rig::recording(), Pace::Unthrottled), {
        let mut marked = false;
        move |frame: Frame<'_>| {
            if !marked && frame.position >= 8 * u64::from(frame.rate) {
                marked = marking
                    .mark(Moment {
                        at: Some(frame.position),
                        ..Moment::default()
                    })
                    .is_ok();
            }
        }
    });
    session.expect("a recording").wait().expect("it ends");
    is_queued.try_recv().expect("a clip was sealed");
}

/// A line of `/proc/self/status`, in KiB.
fn status_of(name: &str) -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .ok_or_else(|| io::Error::other(format!("{name} is missing in /proc/self/status")))
}

fn libraries() -> io::Result<Vec<Row>> {
    let named = env::var(LIBRARIES).unwrap_or_default();
    named
        .split_whitespace()
        .filter_map(|library| library.split_once('='))
        .map(|(name, path)| {
            let bytes = fs::metadata(path)?.len() as f64;
            Ok(row(
                format!("stripped library, features {name}"),
                format!("{:.2} MB", bytes / 1e6),
                "≤ 2.5 MB",
            ))
        })
        .collect()
}

fn quantile(times: &mut [Duration], q: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * q).round() as usize]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
