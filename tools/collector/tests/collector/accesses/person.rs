//! A real device: the SDK with a sample at the collector.

use std::path::Path;

use sordino::{
    Config, Id, Purpose, Sordino, SubmitOutcome,
    capture::read_wav,
    consent::{AgeBand, App, ConsentResponse, Notice},
    plan::SignedPlan,
    sampler::{Annotation, RawClip, Selection, Trigger},
    signed::PublicKey,
    upload::{self, Accesses, Body, TaskStatus, UploadResult},
};
use tempfile::TempDir;

use crate::support::*;

/// A real device: the SDK with a sample at the collector.
pub(super) struct Person {
    pub(super) engine: Sordino,
    pub(super) sample: Id,
    pub(super) _folder: TempDir,
}

impl Person {
    pub(super) fn new(collector: &Collector) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let organization = key();
        let content = plan(
            1,
            "2999-01-01",
            &[recipient(1)],
            &[Purpose::QualityAssurance],
        );
        let signed = SignedPlan::sign(content.clone(), &organization).unwrap();
        let config = Config::new(
            folder.path(),
            PublicKey::from_key_pair(&organization),
            collector.url().parse().unwrap(),
        );
        let engine = Sordino::open(config).unwrap();
        engine.install_plan(signed.to_json().as_bytes()).unwrap();
        let app = App::new("Etude", "privacy@etude.example").unwrap();
        let notice = Notice::bundled(1, "en", &app, &content).unwrap();
        let answer = ConsentResponse {
            purposes: Purpose::QualityAssurance.into(),
            age_band: AgeBand::Adult,
            guardian: None,
            notice: notice.notice(),
        };
        engine.give_consent(&answer).unwrap();
        let sample = offered(&engine);
        let person = Self {
            engine,
            sample,
            _folder: folder,
        };
        person.uploads(collector);
        person
    }

    pub(super) fn uploads(&self, collector: &Collector) {
        while let Some(request) = self
            .engine
            .next_upload_task_now(&Default::default())
            .unwrap()
        {
            let outcome = self.sends(collector, &request);
            let finished = self
                .engine
                .process_upload_result(&request.task, outcome)
                .unwrap();
            assert_eq!(finished, TaskStatus::Done, "{}", request.task);
        }
    }

    pub(super) fn asks(&self, collector: &Collector) -> Accesses {
        let request = self.engine.accesses_request(self.sample).unwrap();
        let outcome = self.sends(collector, &request);
        self.engine.read_accesses(&request.task, outcome).unwrap()
    }

    pub(super) fn sends(&self, collector: &Collector, request: &upload::Request) -> UploadResult {
        let (_, rest) = request.url.split_once("://").unwrap();
        let (authority, path) = rest.split_once('/').unwrap();
        let mut sent = Request::new(request.method, format!("/{path}")).set("Host", authority);
        sent.headers.extend(request.headers.clone());
        sent.body = match &request.body {
            Body::Empty => None,
            Body::Bytes(bytes) => Some(bytes.clone()),
            Body::File(path) => Some(std::fs::read(path).unwrap()),
        };
        let response = collector.send(&sent);
        let lines = response.head.lines().skip(1);
        let headers = lines.filter_map(|line| line.split_once(':'));
        UploadResult::Response(upload::HttpResponse {
            status: response.status,
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
                .collect(),
            body: response.body,
        })
    }
}

/// Submits a recording without voices. It is retried, because the randomized anonymizer occasionally withholds one.
pub(super) fn offered(engine: &Sordino) -> Id {
    let recordings = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/audio");
    let recording = read_wav(&Path::new(recordings).join("flute-alone.wav")).unwrap();
    let queued = (0..4).find_map(|_| {
        let (samples, rate) = (recording.samples.clone(), recording.rate);
        let selection = Selection {
            trigger: Trigger::Mark,
            probability: 1.0,
        };
        let clip = RawClip::new(samples, rate, selection, Annotation::default());
        match engine.submit(clip.unwrap()).unwrap() {
            SubmitOutcome::Queued { sample_id } => Some(sample_id),
            _ => None,
        }
    });
    queued.unwrap()
}
