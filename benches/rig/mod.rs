//! Fixtures of the benches: a device with consent, and ten seconds of recorded music.

#![allow(dead_code, reason = "each bench uses a part")]

use std::{
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

use sordino::{
    Config, Purposes, Sordino, Week,
    anonymize::{Anonymizer, AnonymousClip, Settings},
    capture::{Capture, CaptureEvent, CaptureHandler, Frame, PcmSource, read_wav},
    consent::{AgeBand, ConsentResponse, Grants, Notice},
    plan::{Plan, Recipient},
    sampler::{Annotation, RawClip, Selection, Trigger},
};
use test_fixtures::Organization;

pub(crate) const CLIP_SECONDS: u64 = 10;

/// A device whose folder is on the disk of the target folder, not in memory, so that syncing takes time.
pub(crate) struct Device {
    pub(crate) engine: Sordino,
    pub(crate) folder: tempfile::TempDir,
}

impl Device {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let organization = Organization::new();
        let collector = "http://127.0.0.1:9".parse().expect("a URL");
        let config = Config::new(folder.path().join("device"), organization.key(), collector);
        let engine = Sordino::open(config).expect("a new folder");
        engine
            .install_plan(&organization.sign(plan()))
            .expect("a plan");
        let answer = ConsentResponse {
            purposes: Purposes::all(),
            age_band: AgeBand::Adult,
            guardian: None,
            notice: &Notice::new(1, "en", "May we?"),
        };
        engine.give_consent(&answer).expect("the plan asks for it");
        Self { engine, folder }
    }

    pub(crate) fn grants(&self) -> Grants {
        self.engine.grants().expect("consent was given")
    }

    pub(crate) fn recipients(&self) -> Vec<Recipient> {
        self.engine.plan().expect("it was installed").recipients
    }
}

/// No budget is reached.
fn plan() -> Plan {
    Plan {
        samples_per_day: u32::MAX,
        bytes_per_day: 1 << 40,
        ..test_fixtures::plan(1)
    }
}

/// A violin without a voice: nothing is cut, so that every step processes the whole clip.
pub(crate) fn recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/audio/violin-alone.wav")
}

/// Ten seconds of it at 48 kHz; the start is repeated at the end.
pub(crate) fn clip() -> RawClip {
    let recording = read_wav(&recording()).expect("it comes with the source");
    let wanted = (CLIP_SECONDS as usize) * recording.rate as usize;
    let samples = recording
        .samples
        .iter()
        .copied()
        .cycle()
        .take(wanted)
        .collect();
    let selection = Selection {
        trigger: Trigger::Mark,
        probability: 1.0,
    };
    RawClip::new(samples, recording.rate, selection, Annotation::default()).expect("a clip")
}

pub(crate) fn anonymous() -> AnonymousClip {
    let mut anonymizer = Anonymizer::new().expect("embedded weights");
    anonymizer
        .anonymize(clip(), Settings::default())
        .expect("music without a voice")
}

pub(crate) fn week() -> Week {
    "2026-W10".parse().expect("a week")
}

/// 10 ms of 16-bit stereo at 48 kHz, as phones deliver it.
pub(crate) fn ten_milliseconds() -> Vec<i16> {
    (0..960)
        .map(|index| (index * 31 % 4_001) as i16 - 2_000)
        .collect()
}

/// A thread that discards what a source delivers, so that its ring buffer does not fill.
pub(crate) struct Drain(JoinHandle<()>);

impl Drain {
    pub(crate) fn start(source: PcmSource) -> Self {
        Self(thread::spawn(move || {
            Capture::new(source)
                .run(&mut Discard)
                .expect("a source that ends");
        }))
    }

    pub(crate) fn join(self) {
        self.0.join().expect("no panic");
    }
}

struct Discard;

impl CaptureHandler for Discard {
    fn on_frame(&mut self, _: Frame<'_>) {}

    fn on_event(&mut self, _: CaptureEvent) {}
}
