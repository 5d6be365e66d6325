//! Datasets as `pull` leaves them, of whatever people a test wants.

use std::{collections::BTreeMap, fs, path::Path};

use flacenc::{bitsink::ByteSink, component::BitRepr as _, error::Verify as _, source::MemSource};
use serde_json::{Value, json};

/// A clip of ten seconds.
#[derive(Clone, Debug)]
pub(crate) struct Clip {
    /// The number of the consent record.
    pub(crate) record: u64,
    pub(crate) trigger: &'static str,
    pub(crate) probability: f64,
    pub(crate) tag: Option<&'static str>,
    /// MIDI and onset.
    pub(crate) expected: Vec<(u8, f64)>,
    pub(crate) recognized: Vec<(u8, f64)>,
    pub(crate) kept: Vec<(f64, f64)>,
}

impl Clip {
    /// A clip drawn at random, of which all was kept and all was recognized.
    pub(crate) fn new(record: u64, expected: &[(u8, f64)]) -> Self {
        Self {
            record,
            trigger: "random",
            probability: 0.5,
            tag: Some("etude/1"),
            expected: expected.to_vec(),
            recognized: expected.to_vec(),
            kept: vec![(0.0, 10.0)],
        }
    }
}

/// The id of the clip at `place`.
pub(crate) fn clip_id(place: usize) -> String {
    format!("{:032x}", place + 1)
}

/// Writes a dataset of `clips`, as bundles, each a second of silence.
pub(crate) fn write_dataset(folder: &Path, clips: &[Clip]) {
    let flac = silence();
    let mut samples = BTreeMap::new();
    for (place, clip) in clips.iter().enumerate() {
        let id = clip_id(place);
        fs::create_dir_all(folder.join(&id)).unwrap();
        fs::write(folder.join(&id).join("audio.flac"), &flac).unwrap();
        let entry = json!({"pulled_for": ["quality-assurance"], "manifest": manifest(&id, clip)});
        samples.insert(id, entry);
    }
    fs::create_dir_all(folder).unwrap();
    let index = json!({"collector": "http://127.0.0.1:1/", "format": "bundle", "samples": samples});
    fs::write(folder.join(".sordino-pull.json"), index.to_string()).unwrap();
}

fn manifest(id: &str, clip: &Clip) -> Value {
    let notes = |notes: &[(u8, f64)]| -> Vec<Value> {
        let note = |&(midi, onset): &(u8, f64)| json!({"midi": midi, "onset": onset, "offset": onset + 0.3});
        notes.iter().map(note).collect()
    };
    let mut annotation =
        json!({"expected": notes(&clip.expected), "recognised": notes(&clip.recognized)});
    if let Some(tag) = clip.tag {
        annotation["tag"] = tag.into();
    }
    json!({
        "schema": 1, "sample": id, "purposes": ["quality-assurance"],
        "consent": format!("{:032x}", clip.record), "notice_version": 1, "week": "2026-W48",
        "sdk_version": "0.1.0", "platform": "linux", "input_rate": 48_000, "rate": 16_000,
        "kept": clip.kept, "removed": [], "erased": [],
        "selection": {"trigger": clip.trigger, "probability": clip.probability},
        "annotation": annotation,
        "anonymizer": {
            "version": "2", "detector": "none", "threshold": 0.5, "padding_s": 0.2, "gate": "none",
            "gate_threshold": 0.5, "shortest_kept_s": 1.0, "rate": 16_000, "high_pass_hz": 30.0,
            "level_dbfs": -20.0, "ceiling_dbfs": -1.0, "keep_time": false,
        },
    })
}

fn silence() -> Vec<u8> {
    let samples = vec![0; 16_000];
    let config = flacenc::config::Encoder::default().into_verified().unwrap();
    let source = MemSource::from_samples(&samples, 1, 16, 16_000);
    let stream = flacenc::encode_with_fixed_block_size(&config, source, config.block_size).unwrap();
    let mut sink = ByteSink::new();
    stream.write(&mut sink).unwrap();
    sink.as_slice().to_vec()
}
