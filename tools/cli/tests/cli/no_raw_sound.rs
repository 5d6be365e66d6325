//! Nothing that a device process writes, to whatever file or socket, holds the sound that it heard.
//!
//! The real command runs under strace, which records every byte that leaves the process; a search
//! goes over all of them. That is a proof only if no byte can leave unseen and the search finds
//! sound where it is, so both are tested: ways out that carry no bytes in a call's arguments (shared
//! maps of files, splice, io_uring) must not be used, and programs that do write the sound, as it is
//! or anonymised, must be found out. What it does not cover is memory that the system itself writes,
//! to swap or a core dump.

use std::{
    collections::HashSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex};

/// Samples in a row that are no accident: 16 of them are at least 256 bits.
const RUN: usize = 16;
/// Samples that are compared at once, whatever their level.
const WINDOW: usize = 1_024;
/// Windows are taken this far apart: 0.25 s at 16 kHz, while a clip has a second at least.
const HOP: usize = 4_096;
/// What counts as the same sound. Noise stays below 0.2.
const ALIKE: f64 = 0.6;

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
fn no_write_of_a_device_holds_the_sound_that_it_heard() {
    if !has_strace("no_write_of_a_device_holds_the_sound_that_it_heard") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let device = Device::new(folder.path());
    let recording = recording("violin-alone.wav");
    let heard = Sound::read(&recording);
    let anonymised = folder.path().join("anonymised");
    sordino(&[
        "anonymize".as_ref(),
        recording.as_ref(),
        "--out".as_ref(),
        anonymised.as_ref(),
    ]);
    let anonymised = Sound::read(&anonymised.join("violin-alone.wav"));

    for command in ["offer", "listen"] {
        let written = traced(&device.command(command, &recording));
        let all: Vec<u8> = written.concat();
        assert!(
            holds(&all, b"age-encryption.org/v1"),
            "{command} sealed nothing"
        );
        assert!(holds(&all, b"queued"), "{command} queued nothing");
        for plain in [b"fLaC".as_slice(), b"manifest.json", b"RIFF"] {
            assert!(!holds(&all, plain), "{command} wrote a plain container");
        }
        for (name, sound) in [("raw", &heard), ("anonymised", &anonymised)] {
            let found = sound.found_in(&written);
            assert!(found.is_none(), "{command} wrote {name} sound: {found:?}");
        }
    }
}

#[test]
fn a_program_that_does_write_the_sound_is_found_out() {
    if !has_strace("a_program_that_does_write_the_sound_is_found_out") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let recording = recording("violin-alone.wav");
    let heard = Sound::read(&recording);

    let mut copy = Command::new("dd");
    copy.arg(format!("if={}", recording.display()))
        .arg(format!("of={}", folder.path().join("copy.wav").display()))
        .args(["bs=4096", "status=none"]);
    assert!(heard.found_in(&traced(&copy)).is_some());

    // Its output is filtered, at another rate and level, and dithered.
    let mut anonymize = Command::new(env!("CARGO_BIN_EXE_sordino"));
    anonymize
        .arg("anonymize")
        .arg(&recording)
        .arg("--out")
        .arg(folder.path());
    assert!(heard.found_in(&traced(&anonymize)).is_some());
}

#[test]
fn sound_is_found_in_any_format_and_at_any_level_and_noise_is_none() {
    let heard = Sound::read(&recording("violin-alone.wav"));
    let from = heard.samples.len() / 2;
    let piece = &heard.samples[from..from + 20_000];
    let slower: Vec<f32> = piece
        .chunks(3)
        .map(|three| three.iter().sum::<f32>() / 3.0)
        .collect();
    for gain in [1.0, 0.37, -2.0] {
        for samples in [piece, &slower] {
            for (name, encode) in ENCODINGS {
                let mut bytes = b"odd".to_vec();
                bytes.extend(samples.iter().flat_map(|sample| encode(sample * gain)));
                assert!(heard.found_in(&[bytes]).is_some(), "{name} at {gain}");
            }
        }
    }
    for (name, encode) in ENCODINGS {
        let few: Vec<u8> = piece[..40]
            .iter()
            .flat_map(|&sample| encode(sample))
            .collect();
        assert!(heard.found_in(&[few]).is_some(), "40 samples as {name}");
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
    assert!(heard.found_in(&[noise]).is_none());
}

/// How a sample may be written.
type Encode = fn(f32) -> Vec<u8>;
const ENCODINGS: [(&str, Encode); 4] = [
    ("i16", |sample| {
        ((sample * 32_768.0) as i16).to_le_bytes().to_vec()
    }),
    ("i24", |sample| {
        ((sample * 8_388_608.0) as i32).to_le_bytes()[..3].to_vec()
    }),
    ("i32", |sample| {
        ((sample * 2_147_483_648.0) as i32).to_le_bytes().to_vec()
    }),
    ("f32", |sample| sample.to_le_bytes().to_vec()),
];

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
        let plan = root().join("samples/plan.toml");
        sordino(&[
            "plan".as_ref(),
            "sign".as_ref(),
            plan.as_ref(),
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

/// A recording, and where it is looked up.
struct Sound {
    samples: Vec<f32>,
    /// Every run of it, in every encoding.
    runs: HashSet<Vec<u8>>,
    /// It as it is, and at a third of its rate.
    references: [Reference; 2],
}

impl Sound {
    fn read(path: &Path) -> Self {
        let mut reader = hound::WavReader::open(path).unwrap();
        assert_eq!(
            (reader.spec().channels, reader.spec().bits_per_sample),
            (1, 16)
        );
        let samples: Vec<f32> = reader
            .samples::<i16>()
            .map(|sample| f32::from(sample.unwrap()) / 32_768.0)
            .collect();
        let mut runs = HashSet::new();
        for (_, encode) in ENCODINGS {
            for run in samples.chunks_exact(RUN).filter(|run| is_telling(run)) {
                runs.insert(run.iter().flat_map(|&sample| encode(sample)).collect());
            }
        }
        let slower: Vec<f32> = samples
            .chunks(3)
            .map(|three| three.iter().sum::<f32>() / 3.0)
            .collect();
        let references = [Reference::new(&samples), Reference::new(&slower)];
        Self {
            samples,
            runs,
            references,
        }
    }

    /// Which buffer holds it, and how it was found.
    fn found_in(&self, written: &[Vec<u8>]) -> Option<(usize, String)> {
        written.iter().enumerate().find_map(|(index, bytes)| {
            let how = self.run_in(bytes).or_else(|| self.likeness_in(bytes))?;
            Some((index, how))
        })
    }

    fn run_in(&self, bytes: &[u8]) -> Option<String> {
        // Twice as long a stretch as a run holds a whole one.
        [2, 3, 4].into_iter().find_map(|width| {
            let found = bytes
                .windows(RUN * width)
                .any(|run| self.runs.contains(run));
            found.then(|| format!("{RUN} samples of {width} bytes"))
        })
    }

    fn likeness_in(&self, bytes: &[u8]) -> Option<String> {
        let decoded = DECODINGS.iter().flat_map(|(name, width, decode)| {
            (0..*width).map(move |phase| {
                let samples: Vec<f32> = bytes
                    .get(phase..)
                    .unwrap_or_default()
                    .chunks_exact(*width)
                    .map(decode)
                    .collect();
                (*name, samples)
            })
        });
        for (name, samples) in decoded {
            for window in samples.windows(WINDOW).step_by(HOP) {
                for reference in &self.references {
                    let likeness = reference.likeness(window);
                    if likeness > ALIKE {
                        return Some(format!("a likeness of {likeness:.2} as {name}"));
                    }
                }
            }
        }
        None
    }
}

type Decode = fn(&[u8]) -> f32;
const DECODINGS: [(&str, usize, Decode); 4] = [
    ("i16", 2, |bytes| {
        f32::from(i16::from_le_bytes([bytes[0], bytes[1]]))
    }),
    ("i24", 3, |bytes| {
        i32::from_le_bytes([0, bytes[0], bytes[1], bytes[2]]) as f32
    }),
    ("i32", 4, |bytes| {
        i32::from_le_bytes(bytes.try_into().unwrap()) as f32
    }),
    ("f32", 4, |bytes| {
        f32::from_le_bytes(bytes.try_into().unwrap())
    }),
];

/// Not silence, nor any other simple pattern that may stand in a file by chance.
fn is_telling(run: &[f32]) -> bool {
    let distinct: HashSet<u32> = run.iter().map(|sample| sample.to_bits()).collect();
    distinct.len() >= RUN / 2
}

/// Compares with every place of a sound, whatever the level: normalised cross-correlation.
struct Reference {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    spectrum: Vec<Complex<f32>>,
    /// Root of the energy of each place about its mean; 0 where there is next to none.
    norms: Vec<f64>,
    length: usize,
}

impl Reference {
    fn new(samples: &[f32]) -> Self {
        let length = (samples.len() + WINDOW).next_power_of_two();
        let mut padded = samples.to_vec();
        padded.resize(length, 0.0);
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(length);
        let inverse = planner.plan_fft_inverse(length);
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut padded, &mut spectrum).unwrap();
        let places = samples.len().saturating_sub(WINDOW) + 1;
        let (mut sum, mut energy) = (0.0_f64, 0.0_f64);
        let mut norms = Vec::with_capacity(places);
        for (index, &sample) in samples.iter().enumerate() {
            sum += f64::from(sample);
            energy += f64::from(sample).powi(2);
            if index + 1 >= WINDOW {
                let about_mean = energy - sum * sum / WINDOW as f64;
                let is_sound = about_mean / WINDOW as f64 > 1e-8;
                norms.push(if is_sound { about_mean.sqrt() } else { 0.0 });
                let first = f64::from(samples[index + 1 - WINDOW]);
                sum -= first;
                energy -= first * first;
            }
        }
        Self {
            forward,
            inverse,
            spectrum,
            norms,
            length,
        }
    }

    fn likeness(&self, window: &[f32]) -> f64 {
        let mean = window.iter().map(|&sample| f64::from(sample)).sum::<f64>() / WINDOW as f64;
        let about_mean = window
            .iter()
            .map(|&sample| (f64::from(sample) - mean).powi(2));
        let norm = about_mean.sum::<f64>().sqrt();
        if !norm.is_normal() || norm > 1e15 {
            return 0.0;
        }
        let mut padded: Vec<f32> = window
            .iter()
            .map(|&sample| ((f64::from(sample) - mean) / norm) as f32)
            .collect();
        padded.resize(self.length, 0.0);
        let mut spectrum = self.forward.make_output_vec();
        self.forward.process(&mut padded, &mut spectrum).unwrap();
        for (bin, of_sound) in spectrum.iter_mut().zip(&self.spectrum) {
            *bin = bin.conj() * of_sound;
        }
        // Rounding leaves an imaginary part where there is none.
        spectrum[0].im = 0.0;
        spectrum.last_mut().unwrap().im = 0.0;
        self.inverse.process(&mut spectrum, &mut padded).unwrap();
        let places = self
            .norms
            .iter()
            .zip(&padded)
            .filter(|(norm, _)| **norm > 0.0);
        places
            .map(|(norm, product)| f64::from(*product).abs() / self.length as f64 / norm)
            .fold(0.0, f64::max)
    }
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|place| place == wanted)
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
    eprintln!("skipped: {test} lacks strace");
    false
}
