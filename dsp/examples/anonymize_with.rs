//! Anonymizes recordings with given thresholds, for `eval/calibrate.py`.
//!
//! usage: anonymize_with NETWORK VAD BOTH RENDERED RENDERED_AGAIN RENDERED_SUSPECT MIN_RESIDUAL OUT FILE…
//!
//! Files are WAV, mono, 16 bit. For each it writes OUT/NAME.wav, unless the clip is rejected, and OUT/NAME.json as
//! `sordino anonymize` does: {"kept": [[start_s, end_s], …], "erased": […]}. The seed depends on the name only.

use std::{convert::Infallible, error::Error, fs, path::Path};

use sordino_dsp::{Pipeline, SAMPLE_RATE, Seed, Settings, Thresholds};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((thresholds, [out, files @ ..])) = args.split_first_chunk::<7>() else {
        return Err("usage: anonymize_with NETWORK VAD BOTH RENDERED RENDERED_AGAIN RENDERED_SUSPECT MIN_RESIDUAL OUT FILE…".into());
    };
    let [
        network,
        vad,
        both,
        rendered,
        rendered_again,
        rendered_suspect,
        min_residual,
    ] = thresholds.each_ref().map(|value| value.parse::<f64>());
    let thresholds = Thresholds {
        network: network?,
        vad: vad?,
        both: both?,
        rendered: rendered?,
        rendered_again: rendered_again?,
        rendered_suspect: rendered_suspect?,
        min_residual: min_residual?,
    };
    let mut pipeline = Pipeline::new()?.with_thresholds(thresholds);
    fs::create_dir_all(out)?;
    for file in files {
        anonymize(&mut pipeline, Path::new(file), Path::new(out))
            .map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(())
}

fn anonymize(pipeline: &mut Pipeline, file: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let name = file.file_stem().ok_or("no file name")?;
    let mut reader = hound::WavReader::open(file)?;
    let full_scale = -f32::from(i16::MIN);
    let samples = reader.samples::<i16>();
    let samples = samples.map(|sample| Ok(f32::from(sample?) / full_scale));
    let samples: Vec<f32> = samples.collect::<Result<_, hound::Error>>()?;
    let rate = reader.spec().sample_rate;
    let mut state = name.as_encoded_bytes().iter().fold(7u32, |hash, &byte| {
        hash.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    let seed = Seed::from_source(|bytes| {
        bytes.iter_mut().for_each(|byte| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        });
        Ok::<_, Infallible>(())
    })?;
    let (mut kept, mut erased) = (Vec::new(), Vec::new());
    if let Ok(clip) = pipeline.process(&samples, rate, Settings::default(), &seed) {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(out.join(name).with_extension("wav"), spec)?;
        for sample in clip.samples.iter() {
            writer.write_sample(*sample)?;
        }
        writer.finalize()?;
        (kept, erased) = (clip.kept, clip.erased);
    }
    let json = serde_json::json!({ "kept": kept, "erased": erased });
    fs::write(out.join(name).with_extension("json"), json.to_string())?;
    Ok(())
}
