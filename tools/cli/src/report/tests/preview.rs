//! A report as the demo's could be, on the shipped recordings.

use std::path::{Path, PathBuf};

use sordino::{anonymize::Span, sampler::Annotation};

use super::super::{model::Removed, *};

pub(super) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A report as the demo's could be.
pub(super) fn report() -> Report {
    let audio = workspace().join("samples/audio");
    let truth = std::fs::read(audio.join("truth.json")).unwrap();
    let truth: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&truth).unwrap();
    let views: Vec<SampleView> = truth
        .iter()
        .map(|(name, facts)| sample(&audio, name, facts))
        .collect();
    let never = views
        .iter()
        .filter(|view| view.outcome.disposition != Disposition::Sent);
    let never = never
        .map(|view| Item {
            what: view.name.clone(),
            why: view.outcome.text.clone(),
        })
        .collect();
    let device = |name: &str, description: &str, samples: &[SampleView]| {
        Section::Device(DeviceSection {
            name: name.into(),
            description: description.into(),
            counters: vec![
                Fact::new("offered", samples.len()),
                Fact::new(
                    "sent",
                    samples
                        .iter()
                        .filter(|view| view.outcome.disposition == Disposition::Sent)
                        .count(),
                ),
                Fact::new("bytes over the wire", "412 kB"),
            ],
            samples: samples.to_vec(),
        })
    };
    Report {
        title: "What a week of practice gave away".into(),
        intro: "Thirteen recordings were played to four devices. This page shows what the microphone \
                heard, what was left of it, and what never left.\n\nWhat is called “before” exists here \
                only because these recordings are public."
            .into(),
        facts: vec![
            Fact::new("recordings", views.len()),
            Fact::new("samples sent", 9),
            Fact::new("bytes sent without consent", 0),
            Fact::new("seconds of voice sent", 0),
        ],
        maps: Vec::new(),
        tables: vec![Table {
            caption: "The four devices".into(),
            columns: ["Device", "Consent", "Offered", "Sent", "Withheld", "Bytes sent", "At the end"]
                .map(String::from)
                .to_vec(),
            rows: [
                ["Adult", "both purposes", "5", "4", "1", "412 kB", "4 pulled"],
                ["Never asked", "none", "3", "0", "–", "0", "nothing was made"],
                ["Child", "guardian approved, then withdrew", "3", "2", "0", "201 kB", "2 withdrawn"],
                ["Offline", "quality assurance", "2", "2", "0", "188 kB", "2 pulled after a SIGKILL"],
            ]
            .map(|row| row.map(String::from).to_vec())
            .to_vec(),
        }],
        sections: vec![
            device(
                "An adult who consents to both purposes",
                "The notice was read and both purposes were granted. Moments that the recognizer was \
                 unsure of were sampled; voices were taken out before anything was written.",
                &views[..7],
            ),
            device("A child whose guardian decides", "Nothing was sampled before the approval.", &views[7..]),
            Section::List(List {
                title: "What never left".into(),
                intro: "Offered, and kept back.".into(),
                items: never,
                otherwise: String::new(),
            }),
            Section::List(List {
                title: "What the withdrawal deleted".into(),
                intro: "Deleted at the collector and in the pulled copies.".into(),
                items: Vec::new(),
                otherwise: "Nothing was withdrawn.".into(),
            }),
        ],
    }
}

/// Cuts speech, half a second wider, out of a shipped recording.
fn sample(audio: &Path, name: &str, truth: &serde_json::Value) -> SampleView {
    let mut reader = hound::WavReader::open(audio.join(format!("{name}.wav"))).unwrap();
    let spec = reader.spec();
    let channels = usize::from(spec.channels);
    let all: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    let mono: Vec<i16> = all.chunks(channels).map(|frame| frame[0]).collect();
    let before = Sound::from_i16(&mono, spec.sample_rate);
    let seconds = before.seconds();
    let spans: Vec<(f64, f64)> = serde_json::from_value(truth["speech"].clone()).unwrap();
    let mut kept = Vec::new();
    let mut removed: Vec<Removed> = Vec::new();
    let mut at = 0.0;
    for (start, end) in spans {
        let (start, end) = ((start - 0.5).max(0.0), (end + 0.5).min(seconds));
        match removed.last_mut() {
            Some(last) if start <= at => last.end_s = end,
            _ => {
                if start > at {
                    kept.push(Span(at, start));
                }
                removed.push(Removed {
                    start_s: start,
                    end_s: end,
                    reason: "voice".into(),
                });
            }
        }
        at = end;
    }
    if at < seconds {
        kept.push(Span(at, seconds));
    }
    let left: f64 = kept.iter().map(|span| span.1 - span.0).sum();
    let cut = |span: &Span| {
        let index = |time: f64| (time * f64::from(spec.sample_rate)) as usize;
        before.samples[index(span.0)..index(span.1).min(before.samples.len())].to_vec()
    };
    let withheld = left < 2.0;
    let after = (!withheld).then(|| Sound {
        samples: kept.iter().flat_map(cut).collect(),
        rate: spec.sample_rate,
    });
    let annotation = std::fs::read(audio.join(format!("{name}.json"))).unwrap();
    SampleView {
        name: name.into(),
        outcome: SampleStatus {
            disposition: if withheld {
                Disposition::Withheld
            } else {
                Disposition::Sent
            },
            text: if withheld {
                "Less than 2 s were left without a voice.".into()
            } else {
                format!("{left:.1} of {seconds:.1} s left the device, sealed to one recipient.")
            },
        },
        before: Some(before),
        after,
        kept,
        removed,
        annotation: Some(Annotation::from_json(&annotation).unwrap()),
        facts: vec![
            Fact::new("Sample", "5f1d0c3b9a7e4c2688aa10d2b4e6f901"),
            Fact::new("Week", "2026-W48"),
            Fact::new("Purposes", "quality-assurance, recognition-research"),
            Fact::new("Chosen", "marked by the app, probability 1"),
        ],
        ..SampleView::default()
    }
}
