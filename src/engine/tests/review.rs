//! The preview that the person hears before a clip is sealed.

use std::fs;

use super::Device;
use crate::{
    Error, Id, SubmitOutcome, WithheldReason,
    capture::read_wav,
    consent::{AgeBand, ConsentState},
    outbox::Quota,
    plan::{Plan, Review},
    sampler::{Annotation, RawClip, Selection, Trigger},
    testing::{QA, both, folder, plan},
};

fn reviewed(version: u64) -> Plan {
    Plan {
        review: Review::Required,
        ..plan(version)
    }
}

fn clip() -> RawClip {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/audio/flute-alone.wav");
    let recording = read_wav(path.as_ref()).unwrap();
    let selection = Selection {
        trigger: Trigger::Mark,
        probability: 1.0,
    };
    RawClip::new(
        recording.samples,
        recording.rate,
        selection,
        Annotation::default(),
    )
    .unwrap()
}

fn waits(device: &Device) -> Id {
    match device.engine.submit(clip()).unwrap() {
        SubmitOutcome::AwaitsReview { preview_id } => preview_id,
        offer => panic!("{offer:?}"),
    }
}

fn files(device: &Device) -> usize {
    fs::read_dir(device.folder.path().join("outbox"))
        .unwrap()
        .count()
}

#[test]
fn nothing_is_sealed_before_the_person_accepts_it() {
    let device = Device::with(folder(), reviewed(1), Quota::default());
    device.consent_to(both());
    let (accepted, discarded) = (waits(&device), waits(&device));
    assert_eq!(
        (files(&device), device.engine.samples().unwrap().len()),
        (0, 0)
    );
    let previews = device.engine.previews();
    assert_eq!(
        previews
            .iter()
            .map(|preview| preview.id)
            .collect::<Vec<_>>(),
        [accepted, discarded]
    );
    assert_eq!(previews[0].purposes, both());
    let sound = device.engine.preview(accepted).unwrap();
    assert_eq!(sound.rate, 16_000);
    let seconds = sound.samples.len() as f64 / 16_000.0;
    assert!((seconds - previews[0].seconds).abs() < 1e-9 && seconds > 2.0);

    device.engine.discard_preview(discarded).unwrap();
    let offer = device.engine.accept_preview(accepted).unwrap();
    assert!(matches!(offer, SubmitOutcome::Queued { .. }), "{offer:?}");
    assert_eq!(files(&device), 1);
    assert!(device.engine.previews().is_empty());
    for answered in [accepted, discarded] {
        assert!(matches!(
            device.engine.preview(answered),
            Err(Error::NoPreview(_))
        ));
        assert!(device.engine.accept_preview(answered).is_err());
    }
}

#[test]
fn withdrawal_new_consent_or_exit_wipe_clips_in_review() {
    let device = Device::with(folder(), reviewed(1), Quota::default());
    device.consent_to(both());
    waits(&device);
    device.engine.withdraw(Some(QA)).unwrap();
    assert!(device.engine.previews().is_empty());
    let waiting = waits(&device);
    device.consent_as(both(), AgeBand::Child);
    assert!(device.engine.accept_preview(waiting).is_err());
    device.consent_to(both());
    waits(&device);
    let device = device.restart(|_| {});
    assert!(device.engine.previews().is_empty());
    assert_eq!(files(&device), 0);
}

#[test]
fn accepting_a_clip_after_withdrawal_has_no_effect() {
    let device = Device::with(folder(), reviewed(1), Quota::default());
    device.consent_to(both());
    let waiting = waits(&device);
    device.clock.advance(crate::testing::days(366));
    assert_eq!(
        device.engine.consent().unwrap().state,
        ConsentState::Expired
    );
    let reason = WithheldReason::NoConsent;
    assert_eq!(
        device.engine.accept_preview(waiting).unwrap(),
        SubmitOutcome::Withheld { reason }
    );
    assert_eq!(files(&device), 0);
}

#[test]
fn the_oldest_unreviewed_clips_are_dropped_first() {
    let device = Device::with(folder(), reviewed(1), Quota::default());
    device.consent_to(both());
    let all: Vec<Id> = (0..5).map(|_| waits(&device)).collect();
    let left: Vec<Id> = device
        .engine
        .previews()
        .iter()
        .map(|preview| preview.id)
        .collect();
    assert_eq!(left, all[1..]);
    assert!(device.received(&crate::Event::Withheld(WithheldReason::Unreviewed)));
}

#[test]
fn the_host_can_require_review_where_the_plan_does_not() {
    let device = Device::new();
    device.consent_to(both());
    let stopped = device.stop();
    let engine = crate::Sordino::open(crate::Config {
        review: Review::Required,
        ..stopped.config()
    });
    let engine = engine.unwrap();
    let offer = engine.submit(clip()).unwrap();
    assert!(
        matches!(offer, SubmitOutcome::AwaitsReview { .. }),
        "{offer:?}"
    );
    drop(engine);
    // Without it, the same clip is sealed at once.
    assert!(matches!(
        stopped.start().engine.submit(clip()).unwrap(),
        SubmitOutcome::Queued { .. }
    ));
}
