//! Fuzzing. fuzz/README.md describes the targets.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use crate::process::{cargo, cmd, create_folder, read, root, run};

pub fn is_installed() -> bool {
    cargo()
        .args(["fuzz", "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

pub fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        let name = path.file_stem().context("a target without a name")?;
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

pub fn run_target(target: &str, seconds: u32) -> Result<()> {
    let corpus = root().join("fuzz/corpus").join(target);
    create_folder(&corpus)?;
    if matches!(target, "wav" | "wav_to_clip") {
        write_recordings(&corpus)?;
    }
    if target == "wav" {
        write_other_containers(&corpus)?;
    }
    // The cargo of rustup, which alone takes `+nightly`; CARGO names that of the toolchain which runs this program.
    let mut fuzz = cmd("cargo");
    fuzz.args(["+nightly", "fuzz", "run", target]).arg(&corpus);
    let seeds = match target {
        "records" => "tests/vectors/consent".to_owned(),
        "age_header" => "tests/vectors/age".to_owned(),
        _ => format!("fuzz/seeds/{target}"),
    };
    if root().join(&seeds).exists() {
        fuzz.arg(seeds);
    }
    fuzz.arg("--").arg(format!("-max_total_time={seconds}"));
    fuzz.args([
        "-max_len=131072",
        "-rss_limit_mb=2048",
        "-timeout=300",
        "-report_slow_units=300",
    ]);
    run(fuzz.env_remove("RUSTUP_TOOLCHAIN"))
}

/// Writes recordings of at most a second in the formats that phones write.
fn write_recordings(corpus: &Path) -> Result<()> {
    for entry in fs::read_dir(root().join("samples/audio"))? {
        let recording = entry?.path();
        if recording
            .extension()
            .is_none_or(|extension| extension != "wav")
        {
            continue;
        }
        let name = recording
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for (kind, options, end) in [
            ("8", "-r 8000 -b 8", "2"),
            ("16", "-r 16000 -b 16 -c 2", "1.5"),
            ("32", "-r 11025 -e floating-point -b 32", "1.5"),
            ("24", "-r 8000 -b 24", "1.5"),
        ] {
            let out = corpus.join(format!("{name}-{kind}.wav"));
            sox(&recording, options, &out, end)?;
        }
    }
    Ok(())
}

/// Writes other containers and codings, and a file with the open sizes that pipes have.
fn write_other_containers(corpus: &Path) -> Result<()> {
    let recording = root().join("samples/audio/flute-alone.wav");
    for coding in ["a-law", "u-law", "ms-adpcm", "gsm-full-rate"] {
        let out = corpus.join(format!("{coding}.wav"));
        sox(&recording, &format!("-r 8000 -e {coding}"), &out, "0.1")?;
    }
    sox(
        &recording,
        "-r 8000 -e floating-point -b 64",
        &corpus.join("64.wav"),
        "0.1",
    )?;
    sox(&recording, "-r 8000 -c 2", &corpus.join("sony.w64"), "0.1")?;
    let mut pipe = cmd("sox");
    pipe.arg(&recording)
        .args(["-r", "8000", "-t", "wav", "-", "trim", "1", "0.1"]);
    let piped = pipe.output().context("cannot run sox")?.stdout;
    let tail = |from: usize| piped.get(from..).context("sox wrote no WAV file");
    fs::write(corpus.join("pipe.wav"), &piped)?;
    fs::write(corpus.join("rifx.wav"), [b"RIFX", tail(4)?].concat())?;
    let ds64 = [
        &b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0"[..],
        &[0; 28],
        tail(12)?,
    ]
    .concat();
    fs::write(corpus.join("rf64.wav"), ds64)?;
    Ok(())
}

fn sox(recording: &Path, options: &str, out: &Path, end: &str) -> Result<()> {
    let mut sox = cmd("sox");
    sox.arg(recording)
        .args(options.split(' '))
        .arg(out)
        .args(["trim", "1", end]);
    read(&mut sox).map(drop)
}
