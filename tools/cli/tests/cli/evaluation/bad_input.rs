//! Recognizers that do not work, datasets that hold nothing, and results of something else: one clear
//! line each.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::ExitStatusExt as _,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{TestDataset, all_right, clips};
use crate::support::{Clip, clip_id};

/// The time that a child of a recognizer runs: longer than all the rest takes on any machine, so that only a
/// command that waits for it takes as long.
const LEFT_RUNNING: Duration = Duration::from_secs(600);

/// The lowest octave of a cello, whose frequencies are MIDI note numbers too.
#[test]
fn frequencies_are_never_scored_as_midi_note_numbers() {
    let low: Vec<(u8, f64)> = (0..8)
        .map(|step| (36 + step, 1.0 + f64::from(step)))
        .collect();
    let dataset = TestDataset::of(&[Clip::new(0, &low)]);
    let hz = |midi: u8| 440.0 * 2_f64.powf((f64::from(midi) - 69.0) / 12.0);
    let prints = |line: &dyn Fn(u8, f64) -> String| {
        let lines: Vec<String> = low.iter().map(|&(midi, onset)| line(midi, onset)).collect();
        dataset.write("notes", &lines.join("\n"));
    };
    let f1 = |more: &[&str]| dataset.evaluate("sh -c 'cat notes'", more).ok().stdout;

    prints(&|midi, onset| format!("{onset} {} {:.2}", onset + 0.3, hz(midi)));
    dataset
        .evaluate("sh -c 'cat notes'", &["--out", "result.json"])
        .refused(&["--pitch hz", "--pitch midi", "8 of them"]);
    assert!(!dataset.path("result.json").exists());
    assert!(f1(&["--pitch", "hz"]).contains("1.000"));
    assert!(f1(&["--pitch", "midi"]).contains("0.000"));

    prints(&|midi, onset| format!("{onset} {:.2} Hz", hz(midi)));
    assert!(f1(&[]).contains("1.000"));
    prints(&|midi, onset| format!("{onset} {midi}.0"));
    assert!(f1(&[]).contains("1.000"));
}

#[test]
fn a_recognizer_without_output_is_reported_and_not_scored() {
    let dataset = TestDataset::of(&clips(1));
    dataset.write("forever.sh", "sleep 600 & sleep 600; wait");
    dataset.write("gigabyte.sh", "head -c 1000000000 /dev/zero | tr '\\0' x");
    dataset.write(
        "wordy.sh",
        "head -c 10000000 /dev/zero >&2; echo at last >&2; exit 3",
    );
    dataset.write("left.sh", "sleep 600 & echo '# none'; exit 4");
    for (with, says) in [
        ("true", "printed nothing"),
        ("false", "ended with exit status: 1"),
        ("sh -c 'kill -SEGV $$'", "signal"),
        (
            "sh -c 'echo no such model >&2; exit 2' x",
            "status: 2: no such model",
        ),
        ("sh wordy.sh", "status: 3: at last"),
        ("sh left.sh", "status: 4"),
        ("sh gigabyte.sh", "more than 1 MiB"),
        ("sh forever.sh", "longer than 1 s"),
        ("echo", "line 1 of its output"),
        ("printf '\\377\\376'", "other than text"),
        ("sh -c 'echo nan 60'", "note 1 has an `onset`"),
        ("sh -c 'echo -1 60'", "note 1 has an `onset`"),
        ("sh -c 'echo 1 200'", "note 1 has a `midi`"),
        (
            "sh -c 'echo {\\\"recognised\\\": [{\\\"midi\\\": NaN}]}'",
            "JSON",
        ),
    ] {
        let begun = Instant::now();
        // A recognizer that ends by itself has enough time on a slow machine too.
        let limit = if with == "sh forever.sh" { "1" } else { "600" };
        let words = [
            "evaluate",
            "data",
            "--with",
            with,
            "--timeout",
            limit,
            "--jobs",
            "1",
        ];
        let ran = dataset.run(&words);
        ran.refused(&["failed for every sample", "2 of 2", &clip_id(0), says]);
        // Two samples; none of them waits for what the recognizer left running.
        assert!(
            begun.elapsed() < LEFT_RUNNING,
            "{with}: {:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn children_of_a_recognizer_are_stopped_with_it() {
    let dataset = TestDataset::of(&clips(1));
    // Stopped once it has noted what it started, for printing too much; or when its time is over, before or after that.
    dataset.write(
        "flood.sh",
        "sleep 600 & echo $! >> flooding; head -c 2000000 /dev/zero | tr '\\0' x; wait",
    );
    dataset.write("child.sh", "sleep 600 & echo $! >> children; wait");
    fs::write(dataset.path("children"), "").unwrap();
    let begun = Instant::now();
    dataset
        .evaluate("sh flood.sh", &[])
        .refused(&["more than 1 MiB"]);
    dataset
        .evaluate("sh child.sh", &["--timeout", "1"])
        .refused(&["longer than 1 s"]);
    let [flooding, children] =
        ["flooding", "children"].map(|name| fs::read_to_string(dataset.path(name)).unwrap());
    assert_eq!(flooding.lines().count(), 2);
    for child in flooding.lines().chain(children.lines()) {
        assert_ends(child, begun);
    }
}

#[test]
fn a_signal_also_ends_the_recognizer_and_its_children() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let dataset = TestDataset::of(&clips(1));
        // Both processes hold the pipe `lives` open.
        dataset.write("child.sh", "exec 3> lives; sleep 600 & echo $! >&3; wait");
        let made = Command::new("mkfifo").arg(dataset.path("lives")).status();
        assert!(made.unwrap().success());
        let begun = Instant::now();
        let mut program = dataset
            .command(&["evaluate", "data", "--with", "sh child.sh"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Opened once the other end is.
        let mut lives = BufReader::new(File::open(dataset.path("lives")).unwrap());
        let mut child = String::new();
        lives.read_line(&mut child).unwrap();
        assert!(is_running(child.trim()));
        kill_process(Pid::from_child(&program), signal).unwrap();
        let status = program.wait().unwrap();
        assert_eq!(status.signal(), Some(signal.as_raw()), "ended by itself");
        // This reads until nobody holds the other end, which `sleep` alone would for long.
        lives.read_to_end(&mut Vec::new()).unwrap();
        assert!(begun.elapsed() < LEFT_RUNNING, "{signal:?}");
        assert_ends(child.trim(), begun);
    }
}

/// Waits until a stopped process is gone, which takes a moment. By itself it ends
/// [`LEFT_RUNNING`] after it was `begun`.
#[track_caller]
fn assert_ends(process: &str, begun: Instant) {
    while is_running(process) {
        assert!(begun.elapsed() < LEFT_RUNNING, "{process}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a process is neither gone nor dead and not yet collected.
fn is_running(process: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    !status.is_empty() && !status.contains(") Z ")
}

#[test]
fn a_missing_recognizer_command_fails_at_once() {
    let dataset = TestDataset::of(&clips(3));
    dataset.write("no-program", "echo");
    for with in ["no-such-program --fast", "./no-program", "'a b'"] {
        dataset.evaluate(with, &["--out", "made.json"]).refused(&[
            "cannot run",
            with.split_whitespace().next().unwrap().trim_matches('\''),
        ]);
    }
    for with in ["", "  ", "sh -c 'x"] {
        dataset.evaluate(with, &[]).misused();
    }
    for more in [
        ["--tolerance", "0"],
        ["--tolerance", "NaN"],
        ["--jobs", "0"],
        ["--timeout", "-1"],
        ["--fail-if-worse", "--json"],
    ] {
        dataset
            .run(&[&["evaluate", "data", "--with", "true"], &more[..]].concat())
            .misused();
    }
    assert!(!dataset.path("made.json").exists());
}

#[test]
fn a_folder_without_a_dataset_or_notes_is_refused() {
    let mut silent = clips(2);
    for clip in &mut silent {
        clip.expected.clear();
        clip.recognized.clear();
    }
    let dataset = TestDataset::of(&silent);
    fs::create_dir(dataset.path("empty")).unwrap();
    crate::support::write_dataset(&dataset.path("none"), &[]);
    for (folder, says) in [
        ("empty", "sordino pull"),
        ("nowhere", "sordino pull"),
        ("none", "no sample"),
        ("data", "notes"),
    ] {
        dataset
            .run(&["evaluate", folder, "--with", "true"])
            .refused(&[folder, says]);
        dataset.run(&["query", folder]).refused(&[folder, says]);
    }
    // Expected, but all of it in parts that were taken out.
    let mut cut = clips(2);
    for clip in &mut cut {
        clip.kept = vec![(9.5, 10.0)];
    }
    TestDataset::of(&cut)
        .evaluate("true", &[])
        .refused(&["can be heard"]);
}

#[test]
fn a_missing_or_corrupt_sound_names_the_sample() {
    let all = clips(2);
    let dataset = TestDataset::of(&all);
    let right = dataset.recognizer("right", &all_right(&all));
    let sound = dataset.path("data").join(clip_id(2)).join("audio.flac");
    fs::write(&sound, b"fLaC and no more").unwrap();
    dataset.evaluate(&right, &[]).refused(&[&clip_id(2)]);
    fs::remove_file(&sound).unwrap();
    dataset.evaluate(&right, &[]).refused(&[&clip_id(2)]);
}

#[test]
fn a_baseline_of_something_else_is_refused() {
    let all = clips(3);
    let dataset = TestDataset::of(&all);
    let right = dataset.recognizer("right", &all_right(&all));
    dataset.evaluate(&right, &["--out", "before.json"]).ok();
    let before = fs::read_to_string(dataset.path("before.json")).unwrap();
    let edited = |name: &str, from: &str, to: &str| {
        assert!(before.contains(from), "{before}");
        dataset.write(name, &before.replace(from, to));
    };
    edited("later.json", "\"schema\": 1", "\"schema\": 2");
    edited("kind.json", "sordino evaluate", "something else");
    edited(
        "wide.json",
        "\"tolerance_ms\": 50.0",
        "\"tolerance_ms\": 100.0",
    );
    edited("other.json", "\"0000", "\"ffff");
    edited("version.json", "\"expected\": 8", "\"expected\": 9");
    edited("member.json", "\"matched\"", "\"matchde\"");
    dataset.write("garbage.json", "garbage");
    dataset.write("list.json", "[]");
    for (baseline, says) in [
        ("later.json", "schema 2"),
        ("kind.json", "not a result"),
        ("wide.json", "--tolerance 100"),
        ("other.json", "scored no sample of this dataset"),
        ("version.json", "expects 9 notes"),
        ("member.json", "not a result"),
        ("garbage.json", "not a result"),
        ("list.json", "not a result"),
        ("nowhere.json", "cannot read"),
    ] {
        let words = ["evaluate", "data", "--with", &right, "--baseline", baseline];
        dataset.run(&words).refused(&[baseline, says]);
    }
    dataset
        .evaluate(&right, &["--out", "nowhere/made.json"])
        .refused(&["nowhere"]);
}
