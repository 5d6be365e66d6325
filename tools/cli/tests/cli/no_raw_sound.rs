//! Nothing that a device process writes, to whatever file or socket, holds the sound that it heard.
//!
//! The real command runs under strace, which records every byte that leaves the process; a search
//! goes over all of them. That is a proof only if no byte can leave unseen and the search finds
//! sound where it is, so both are tested: ways out that carry no bytes in a call's arguments (shared
//! maps of files, splice, io_uring) must not be used, and programs that do write the sound, as it is
//! or anonymized, must be found out. What it does not cover is memory that the system itself writes,
//! to swap or a core dump.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use audio_search::{ENCODINGS, Recording};

use crate::support::holds;

const CALLS: &str = "trace=write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg,mmap,\
                     sendfile,copy_file_range,splice,vmsplice,tee,io_uring_setup,process_vm_writev";
const UNSEEN: [&str; 7] = [
    "sendfile(",
    "copy_file_range(",
    "splice(",
    "vmsplice(",
    "tee(",
    "io_uring_setup(",
    "process_vm_writev(",
];

#[test]
fn a_device_never_writes_raw_sound() {
    if !has_strace("a_device_never_writes_raw_sound") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let device = Device::new(folder.path());
    let recording = recording("violin-alone.wav");
    let heard = Recording::read(&recording).unwrap();
    let anonymized = folder.path().join("anonymized");
    sordino(&[
        "anonymize".as_ref(),
        recording.as_ref(),
        "--out".as_ref(),
        anonymized.as_ref(),
    ]);
    let anonymized = Recording::read(&anonymized.join("violin-alone.wav")).unwrap();

    for command in ["submit", "listen"] {
        // The recording is submitted again if it is withheld, as in all tests that need a sample.
        let (written, all) = (0..4)
            .map(|_| traced(&device.command(command, &recording)))
            .map(|written| {
                let all = written.concat();
                (written, all)
            })
            .find(|(_, all)| holds(all, b"age-encryption.org/v1"))
            .unwrap_or_else(|| panic!("{command} sealed nothing"));
        assert!(holds(&all, b"queued"), "{command} queued nothing");
        for plain in [b"fLaC".as_slice(), b"manifest.json", b"RIFF"] {
            assert!(!holds(&all, plain), "{command} wrote a plain container");
        }
        for (name, sound) in [("raw", &heard), ("anonymized", &anonymized)] {
            let found = sound.find_in(&written);
            assert!(found.is_none(), "{command} wrote {name} sound: {found:?}");
        }
    }
}

#[test]
fn a_program_that_writes_raw_sound_is_detected() {
    if !has_strace("a_program_that_writes_raw_sound_is_detected") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let recording = recording("violin-alone.wav");
    let heard = Recording::read(&recording).unwrap();

    let mut copy = Command::new("dd");
    copy.arg(format!("if={}", recording.display()))
        .arg(format!("of={}", folder.path().join("copy.wav").display()))
        .args(["bs=4096", "status=none"]);
    assert!(heard.find_in(&traced(&copy)).is_some());

    // The output is filtered, dithered, and at another rate and level.
    let mut anonymize = Command::new(env!("CARGO_BIN_EXE_sordino"));
    anonymize
        .arg("anonymize")
        .arg(&recording)
        .arg("--out")
        .arg(folder.path());
    assert!(heard.find_in(&traced(&anonymize)).is_some());
}

#[test]
fn sound_is_found_in_any_format_and_level_but_not_in_noise() {
    let heard = Recording::read(&recording("violin-alone.wav")).unwrap();
    let from = heard.samples().len() / 2;
    let piece = &heard.samples()[from..from + 20_000];
    let slower: Vec<f32> = piece
        .chunks(3)
        .map(|three| three.iter().sum::<f32>() / 3.0)
        .collect();
    for gain in [1.0, 0.37, -2.0] {
        for samples in [piece, &slower] {
            for (name, encode) in ENCODINGS {
                let mut bytes = b"odd".to_vec();
                bytes.extend(samples.iter().flat_map(|sample| encode(sample * gain)));
                assert!(heard.find_in(&[bytes]).is_some(), "{name} at {gain}");
            }
        }
    }
    for (name, encode) in ENCODINGS {
        let few: Vec<u8> = piece[..40]
            .iter()
            .flat_map(|&sample| encode(sample))
            .collect();
        assert!(heard.find_in(&[few]).is_some(), "40 samples as {name}");
    }
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..200_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    assert!(heard.find_in(&[noise]).is_none());
}

/// A device that may sample.
struct Device(PathBuf);

impl Device {
    fn new(folder: &Path) -> Self {
        let path = |name: &str| folder.join(name).into_os_string();
        let said = sordino(&[
            "plan".as_ref(),
            "keygen".as_ref(),
            "--out".as_ref(),
            &path("key"),
        ]);
        let key = said.split_whitespace().last().unwrap().to_owned();
        let said = sordino(&["keygen".as_ref(), "--out".as_ref(), &path("qa.key")]);
        let recipient = said.split_whitespace().last().unwrap();
        let example = fs::read_to_string(root().join("samples/plan.toml")).unwrap();
        let (before, rest) = example.split_once("age1").unwrap();
        let (_, after) = rest.split_once('"').unwrap();
        fs::write(path("plan.toml"), format!("{before}{recipient}\"{after}")).unwrap();
        sordino(&[
            "plan".as_ref(),
            "sign".as_ref(),
            &path("plan.toml"),
            "--key".as_ref(),
            &path("key"),
            "--out".as_ref(),
            &path("plan.json"),
        ]);
        let device = Self(folder.join("device"));
        for command in [
            &[
                "init",
                "--plan",
                path("plan.json").to_str().unwrap(),
                "--plan-key",
                &key,
                "--collector",
                "http://127.0.0.1:9",
            ][..],
            &[
                "consent",
                "--purpose",
                "quality-assurance",
                "--age-band",
                "adult",
            ],
        ] {
            let mut arguments: Vec<&std::ffi::OsStr> = vec!["device".as_ref(), device.0.as_ref()];
            arguments.extend(command.iter().map(std::ffi::OsStr::new));
            sordino(&arguments);
        }
        device
    }

    /// Offers the recording, or hears it as a microphone would and marks its end.
    fn command(&self, name: &str, recording: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sordino"));
        command
            .args(["--json", "device"])
            .arg(&self.0)
            .arg(name)
            .arg(recording);
        if name == "listen" {
            command.arg("--mark");
        }
        command
    }
}

/// Runs the command and returns what it said.
fn sordino(arguments: &[&std::ffi::OsStr]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sordino"))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs `command` to its end and returns every buffer that it or a child of it wrote.
fn traced(command: &Command) -> Vec<Vec<u8>> {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new("strace")
        .args([
            "-f",
            "-xx",
            "-s",
            "1000000000",
            "-e",
            CALLS,
            "-e",
            "signal=none",
            "-o",
        ])
        .arg(trace.path())
        .arg(command.get_program())
        .args(command.get_args())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    let mut written = Vec::new();
    for line in fs::read_to_string(trace.path()).unwrap().lines() {
        for way in UNSEEN {
            assert!(!line.contains(way), "bytes may leave unseen: {line}");
        }
        let is_shared_file = line.contains("mmap(")
            && line.contains("MAP_SHARED")
            && line.contains("PROT_WRITE")
            && !line.contains("MAP_ANONYMOUS");
        assert!(!is_shared_file, "bytes may leave unseen: {line}");
        assert!(!line.contains("\"..."), "strace cut a buffer short");
        // A call that a thread interrupts has its buffer in its first line.
        written.extend(line.split('"').skip(1).step_by(2).map(unescaped));
    }
    assert!(!written.is_empty());
    written
}

/// The bytes of `\x01\x02…`.
fn unescaped(hex: &str) -> Vec<u8> {
    hex.split("\\x")
        .skip(1)
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn recording(name: &str) -> PathBuf {
    root().join("samples/audio").join(name)
}

fn has_strace(test: &str) -> bool {
    if Command::new("strace").arg("-V").output().is_ok() {
        return true;
    }
    assert!(env::var_os("CI").is_none(), "CI must have strace");
    let _ = writeln!(io::stderr(), "skipped: {test} lacks strace");
    false
}
