//! Prints the tables of docs/benchmarks.md with their targets. Criterion gives means; these are quantiles, and the cost of
//! a whole process.

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

/// Set for the process whose memory is measured.
const CHILD: &str = "SORDINO_BENCH_MEMORY";
/// Set by `benches/run` to the libraries that it built: `NAME=PATH`, separated by spaces.
const LIBRARIES: &str = "SORDINO_BENCH_LIBRARIES";
const CLIPS: usize = 100;

fn main() -> io::Result<()> {
    // `cargo test --benches` runs it too, and wants no measurement.
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
    aim: &'static str,
}

fn row(what: impl Into<String>, measured: impl Into<String>, aim: &'static str) -> Row {
    Row {
        what: what.into(),
        measured: measured.into(),
        aim,
    }
}

#[allow(clippy::print_stdout, reason = "the table is what it is for")]
fn print(rows: &[Row]) {
    println!("| what | measured | aim |\n| --- | --- | --- |");
    for Row {
        what,
        measured,
        aim,
    } in rows
    {
        println!("| {what} | {measured} | {aim} |");
    }
}

/// Real time, as a sound card calls it, but ten times as often.
fn callback() -> Row {
    const CALLS: usize = 50_000;
    let (mut feed, source) = pcm_channel(48_000, 2).expect("a format");
    let drain = rig::Drain::start(source);
    let sound = rig::ten_milliseconds();
    let mut times = Vec::with_capacity(CALLS);
    for call in 0..CALLS {
        let began = Instant::now();
        let _lost = feed.push(&sound);
        times.push(began.elapsed());
        if call % 10 == 9 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    drop(feed);
    drain.join();
    let (half, most) = (quantile(&mut times, 0.5), quantile(&mut times, 0.9999));
    row(
        "audio callback, 10 ms of stereo: p50, p99.99",
        format!("{:.2} µs, {:.2} µs", micros(half), micros(most)),
        "",
    )
}

/// Each on one core, on 10 s of a violin at 48 kHz.
fn stages() -> Vec<Row> {
    let device = rig::Device::new();
    let (grants, recipients) = (device.grants(), device.recipients());
    let mut anonymizer = Anonymizer::new().expect("the weights are whole");
    let (mut anonymizing, mut sealing, mut both) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..CLIPS {
        let clip = rig::clip();
        let began = Instant::now();
        let anonymous = anonymizer.anonymize(clip, Settings::default());
        let anonymized = began.elapsed();
        let anonymous = anonymous.expect("a violin holds no voice");
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

/// Baselines on the violin's 9.4 s; each does only what its row says.
fn peers() -> Vec<Row> {
    let path = rig::recording();
    let recording = read_wav(&path).expect("it comes with the source");
    let seconds = recording.samples.len() as f64 / f64::from(recording.rate);
    let times = peers::all(&path, &recording.samples);
    let said = |time: Option<Duration>| match time {
        Some(time) => format!("{:.0} × real time", seconds / time.as_secs_f64()),
        None => "not available here".to_owned(),
    };
    times
        .into_iter()
        .map(|(who, time)| row(format!("baseline: {who}"), said(time), ""))
        .collect()
}

/// From the complete clip to the sample that survives a power cut.
fn trigger_to_sealed() -> Row {
    let device = rig::Device::new();
    let mut times: Vec<Duration> = (0..=CLIPS)
        .map(|_| {
            let clip = rig::clip();
            let began = Instant::now();
            let offer = device.engine.submit(clip).expect("a disk with room");
            let took = began.elapsed();
            assert!(matches!(offer, SubmitOutcome::Queued { .. }), "{offer:?}");
            took
        })
        // The first makes the detector ready.
        .skip(1)
        .collect();
    let (half, most) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    row(
        "trigger to durably sealed, 10 s clip: p50, p99",
        format!("{:.0} ms, {:.0} ms", millis(half), millis(most)),
        "≤ 50 ms",
    )
}

/// Checking a grant, as at each frame; and creating all grants, as each second.
fn grants() -> Vec<Row> {
    const CHECKS: u32 = 1_000_000;
    const LOOKS: usize = 1_000;
    let device = rig::Device::new();
    let grants = device.grants();
    let grant = grants.quality_assurance().expect("it was given");
    let began = Instant::now();
    let live = (0..CHECKS)
        .filter(|_| std::hint::black_box(grant).is_live())
        .count();
    let check = began.elapsed() / CHECKS;
    assert_eq!(live, CHECKS as usize);
    let mut looks: Vec<Duration> = (0..LOOKS)
        .map(|_| {
            let began = Instant::now();
            std::hint::black_box(device.grants());
            began.elapsed()
        })
        .collect();
    vec![
        row(
            "check of a grant, mean",
            format!("{} ns", check.as_nanos()),
            "≤ 100 ns",
        ),
        row(
            "creating all grants of a record, median",
            format!("{:.0} µs", micros(quantile(&mut looks, 0.5))),
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
        let said = String::from_utf8_lossy(&child.stdout);
        let mut numbers = said
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
                "{:.1} MB over {:.1} MB",
                *over as f64 / 1024.0,
                *idle as f64 / 1024.0
            ),
            "≤ 16 MB",
        )
    }))
}

/// A device that is open and idle, and then plays a recording with a mark in it, twice.
#[allow(clippy::print_stdout, reason = "the parent reads it")]
fn memory_child() -> io::Result<()> {
    let device = rig::Device::new();
    let idle = status_of("VmRSS")?;
    for _ in 0..2 {
        play(&device.engine);
    }
    println!("{idle} {}", status_of("VmHWM")?);
    Ok(())
}

fn play(engine: &Sordino) {
    let (queued, is_queued) = std::sync::mpsc::channel();
    engine.on_event(move |event| {
        if let Event::Queued(_) = event {
            let _ = queued.send(());
        }
    });
    let marking = engine.clone();
    let listening = engine.listen(WavFile::new(rig::recording(), Pace::Unthrottled), {
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
    listening.expect("a recording").wait().expect("it ends");
    is_queued.try_recv().expect("a clip was sealed");
}

/// A line of `/proc/self/status`, in KiB.
fn status_of(name: &str) -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .ok_or_else(|| io::Error::other(format!("/proc/self/status has no {name}")))
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

fn quantile(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * part).round() as usize]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
