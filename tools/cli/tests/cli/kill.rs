//! A device process killed with SIGKILL at instants between capture and outbox: no half-written file, no lost sample,
//! no raw sound, and a state that opens.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
    thread,
};

use crate::support::{CommandResult, PLAYED, QA, Stage, files_below, instants, killed_after, time};
use test_tiers::sized;

/// Devices that are killed side by side.
const DEVICES: usize = 2;
/// The length of a recording that is played, in seconds, so that runs are short.
const SECONDS: u32 = 5;
/// Bytes of a run of raw sound that is looked for: that many do not meet by chance.
const RUN: usize = 16;
/// Bytes from one place in a file that is looked at to the next: a hundredth of a second of raw
/// sound is ten times as long.
const STRIDE: usize = 64;

/// Folders of each device, and how often it is killed in each. A run opens the state, plays, and twice removes voices,
/// seals and queues, then says so: one kill in each tenth of it meets each of these, before, in and after a seal, and
/// the two devices are killed ten times each. A soak makes it two hundred, at instants of which nobody thought.
fn folders_and_kills() -> (usize, usize) {
    sized((1, 10), (4, 25))
}

#[test]
fn kills_leave_no_partial_file_no_loss_and_no_raw_sound() {
    let mut stage = Stage::new();
    stage.stop_collector();
    // Each run seals and queues a short clip at each of two marks. That many do not fill the outbox,
    // from which the oldest would go.
    stage.sign_plan(
        "plan",
        &[
            ("version", "2"),
            ("clip_seconds", "2"),
            ("pre_roll_seconds", "2"),
            ("random_probability", "0.0"),
            ("samples_per_day", "1000000"),
            ("bytes_per_day", "1000000000"),
        ],
    );
    stage.start_collector();
    write_short(&stage);
    let raw = RawSound::of(&stage);
    let (folders, kills_a_folder) = folders_and_kills();
    let kills: usize = thread::scope(|scope| {
        let devices: Vec<_> = (0..DEVICES)
            .map(|device| {
                let (stage, raw) = (&stage, &raw);
                scope.spawn(move || {
                    (0..folders)
                        .map(|folder| {
                            kill_often(stage, &format!("d{device}-{folder}"), raw, kills_a_folder)
                        })
                        .sum::<usize>()
                })
            })
            .collect();
        devices
            .into_iter()
            .map(|device| device.join().unwrap())
            .sum()
    });
    assert_eq!(kills, DEVICES * folders * kills_a_folder);
    // Complete means that it can be opened.
    let pulled = stage.pull("data", "bundle");
    assert_eq!(pulled["unreadable"], 0, "{pulled}");
    assert_eq!(pulled["total"], stage.objects().len());
}

/// Kills a device in a folder of its own that many times, and lets it send in the end what it queued.
fn kill_often(stage: &Stage, name: &str, raw: &RawSound, wanted: usize) -> usize {
    stage.granted(name, QA);
    let line = format!("device {name} listen short.wav short.wav --mark --json");
    let (mut whole, _) = time(|| stage.sordino(&line).ok());
    let folder = stage.path(name);
    let mut queued = check(stage, name, &BTreeMap::new());
    assert!(!queued.is_empty());
    let mut known = HashSet::new();
    let instants = instants(wanted);
    let mut kills = 0;
    while kills < wanted {
        let life = whole.mul_f64(instants[kills]);
        let result = match killed_after(life, &mut stage.command(&line)) {
            None => {
                kills += 1;
                Vec::new()
            }
            Some(output) => {
                // It was quicker than the kill, so a whole run is shorter than was thought; and what it said that it
                // queued is queued.
                whole = life;
                queued_of(CommandResult::from_output(output, &line))
            }
        };
        assert!(!raw.is_in(&folder, &mut known), "raw sound below {name}");
        let now = check(stage, name, &queued);
        for id in result {
            assert!(
                now.contains_key(&id),
                "{id} was said to be queued and is lost"
            );
        }
        queued = now;
    }
    let result = stage.upload(name);
    assert_eq!(result["samples"], queued.len(), "{result}");
    assert!(stage.objects().is_superset(&queued.into_keys().collect()));
    kills
}

/// Opens the state and returns what is queued, which is all that was queued `before`, each a whole
/// file; and no other file is there.
fn check(stage: &Stage, name: &str, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let status = stage.status(name);
    assert_eq!(status["consent"], "granted");
    let samples = stage.json(&format!("device {name} samples"));
    let queued: BTreeMap<String, u64> = samples
        .as_array()
        .unwrap()
        .iter()
        .map(|sample| {
            assert_eq!(sample["state"], "pending", "{sample}");
            (
                sample["id"].as_str().unwrap().to_owned(),
                sample["bytes"].as_u64().unwrap(),
            )
        })
        .collect();
    for (id, bytes) in before {
        assert_eq!(queued.get(id), Some(bytes), "{id} was queued and is lost");
    }
    let files: BTreeMap<String, u64> = fs::read_dir(stage.path(name).join("outbox"))
        .unwrap()
        .map(|file| file.unwrap())
        .map(|file| {
            (
                file.file_name().into_string().unwrap(),
                file.metadata().unwrap().len(),
            )
        })
        .collect();
    let expected = queued
        .iter()
        .map(|(id, bytes)| (format!("{id}.age"), *bytes))
        .collect();
    assert_eq!(files, expected, "the outbox holds just the whole samples");
    assert_eq!(status["pending"], queued.len());
    assert_eq!(status["pending_bytes"], queued.values().sum::<u64>());
    queued
}

/// The ids that a run said it had queued.
fn queued_of(ran: CommandResult) -> Vec<String> {
    let result = ran.ok().document();
    let files = result.as_array().unwrap().iter();
    let ids = files.flat_map(|file| file["queued"].as_array().unwrap());
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// The beginning of a shipped recording and of its annotation.
fn write_short(stage: &Stage) {
    let wav = hound::WavReader::open(stage.path(format!("audio/{}.wav", PLAYED[0]))).unwrap();
    let spec = wav.spec();
    assert_eq!(spec.channels, 1);
    let mut short = hound::WavWriter::create(stage.path("short.wav"), spec).unwrap();
    let count = (SECONDS * spec.sample_rate) as usize;
    for sample in wav.into_samples::<i16>().take(count) {
        short.write_sample(sample.unwrap()).unwrap();
    }
    short.finalize().unwrap();
    fs::write(stage.path("short.json"), r#"{"tag": "a-bar"}"#).unwrap();
}

/// Every run of samples of what is played, as 16-bit integers and as 32-bit floats.
struct RawSound {
    runs: HashSet<[u8; RUN]>,
}

impl RawSound {
    fn of(stage: &Stage) -> Self {
        let wav = hound::WavReader::open(stage.path("short.wav")).unwrap();
        let samples: Vec<i16> = wav.into_samples().map(Result::unwrap).collect();
        let integers = bytes_of(samples.iter().map(|sample| sample.to_le_bytes()));
        let floats = bytes_of(
            samples
                .iter()
                .map(|&sample| (f32::from(sample) / 32_768.0).to_le_bytes()),
        );
        let mut runs = HashSet::new();
        for (bytes, width) in [(integers, 2), (floats, 4)] {
            runs.extend(
                bytes
                    .windows(RUN)
                    .step_by(width)
                    // Near silence is zeros and ones, which any file holds.
                    .filter(|run| distinct(run) > RUN / 2)
                    .map(|run| <[u8; RUN]>::try_from(run).unwrap()),
            );
        }
        assert!(runs.len() > 100_000);
        Self { runs }
    }

    /// Whether a file below `folder` that is not in `known` holds any of it, however it is aligned.
    /// Whole samples, which never change, are added to `known`.
    fn is_in(&self, folder: &Path, known: &mut HashSet<PathBuf>) -> bool {
        files_below(folder).into_iter().any(|path| {
            if known.contains(&path) {
                return false;
            }
            let bytes = fs::read(&path).unwrap();
            if path.extension().is_some_and(|ending| ending == "age") {
                known.insert(path);
            }
            let mut places = bytes.windows(RUN).enumerate();
            // A float's four bytes begin at one of four places.
            places.any(|(at, run)| at % STRIDE < 4 && self.runs.contains(run))
        })
    }
}

/// The number of distinct bytes.
fn distinct(bytes: &[u8]) -> usize {
    let mut is_met = [false; 256];
    bytes
        .iter()
        .for_each(|&byte| is_met[usize::from(byte)] = true);
    is_met.iter().filter(|is_met| **is_met).count()
}

fn bytes_of<const WIDTH: usize>(samples: impl Iterator<Item = [u8; WIDTH]>) -> Vec<u8> {
    samples.flatten().collect()
}

/// The search finds what it is to find.
#[test]
fn raw_sound_would_be_found() {
    let stage = Stage::without_collector();
    write_short(&stage);
    let raw = RawSound::of(&stage);
    let wav = fs::read(stage.path("short.wav")).unwrap();
    let integers = &wav[wav.len() / 2..][..960];
    let floats = integers.chunks_exact(2).map(|sample| {
        let sample = i16::from_le_bytes([sample[0], sample[1]]);
        (f32::from(sample) / 32_768.0).to_le_bytes()
    });
    for piece in [integers, &bytes_of(floats)] {
        for before in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let file = [&vec![7; before], piece].concat();
            fs::write(folder.path().join("file"), file).unwrap();
            assert!(
                raw.is_in(folder.path(), &mut HashSet::new()),
                "after {before} bytes"
            );
        }
    }
}
