//! Processes that are forked from the one that opened the engine.

use std::{
    fs, mem,
    sync::atomic::{AtomicBool, Ordering},
};

use super::*;
use crate::{
    capture::pcm_channel,
    sampler::{Annotation, Moment, RawClip, Selection, Trigger},
    state::StateError,
    testing::fork::in_child,
};

fn clip() -> RawClip {
    let selection = Selection {
        trigger: Trigger::Mark,
        probability: 1.0,
    };
    RawClip::new(vec![0.1; 48_000], 48_000, selection, Annotation::default()).unwrap()
}

/// Ends the other thread, also where an assertion fails.
struct SaysOver<'a>(&'a AtomicBool);

impl Drop for SaysOver<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn assert_forked<T>(outcome: Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::Forked(_))));
}

impl Device {
    fn waiting(&self) -> usize {
        let outbox = self.folder.path().join("outbox");
        fs::read_dir(outbox).unwrap().count()
    }

    fn assert_holds_its_folder(&self) {
        let config = Config::new(
            self.folder.path(),
            self.organization.key(),
            self.collector.clone(),
        );
        let second = Sordino::open(config);
        assert!(matches!(second, Err(Error::State(StateError::InUse(_)))));
    }
}

#[test]
fn no_call_in_a_forked_process_touches_the_engine() {
    let device = Device::new();
    device.consent_to(both());
    device.queue().unwrap();
    let (feed, source) = pcm_channel(48_000, 1).unwrap();
    let mut listening = Some(device.engine.listen(source, |_| {}).unwrap());
    let plan = device.organization.sign(plan(2));
    let inner = Arc::clone(device.engine.inner().unwrap());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _over = SaysOver(&is_over);
        // At any instant of the fork, locks of the engine may be held.
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                device.engine.status().unwrap();
                device.engine.install_plan(&plan).unwrap();
            }
        });
        for _ in 0..20 {
            in_child(|| {
                let engine = &device.engine;
                assert_forked(engine.status());
                assert_forked(engine.submit(clip()));
                assert_forked(engine.withdraw(None));
                assert_forked(engine.delete_all());
                assert_forked(engine.install_plan(&plan));
                assert_forked(engine.export_my_data());
                assert_forked(engine.next_upload_task());
                assert_forked(engine.preview(Id::random().unwrap()));
                assert!(engine.plan().is_none() && engine.previews().is_empty());
                assert!(engine.mark(Moment::default()).is_err());
                let (_feed, source) = pcm_channel(48_000, 1).unwrap();
                assert_forked(engine.listen(source, |_| {}));
                assert_forked(listening.take().unwrap().stop());
                let written = inner.state.write(|_| Ok::<(), StateError>(()));
                assert!(matches!(written, Err(StateError::Forked(_))));
            });
        }
    });
    assert_eq!(device.waiting(), 1);
    device.assert_holds_its_folder();
    // The parent's engine continues.
    drop(feed);
    listening.unwrap().wait().unwrap();
    device.queue().unwrap();
    assert_eq!(device.engine.withdraw(None).unwrap().shredded, 2);
    assert_eq!(device.waiting(), 0);
}

#[test]
fn dropping_the_engine_in_a_forked_process_releases_nothing() {
    let device = Device::new();
    device.consent_to(QA);
    let mut device = Some(device);
    in_child(|| {
        let Device { folder, engine, .. } = device.take().unwrap();
        mem::forget(folder);
        drop(engine);
    });
    let device = device.unwrap();
    device.assert_holds_its_folder();
    device.queue().unwrap();
    let device = device.restart(|_| {});
    assert_eq!(device.engine.status().unwrap().pending, 1);
}

#[test]
fn a_forked_process_may_open_a_folder_of_its_own() {
    let device = Device::new();
    in_child(|| {
        let other = Device::new();
        other.consent_to(QA);
        other.queue().unwrap();
        assert_eq!(other.engine.status().unwrap().pending, 1);
    });
    assert_eq!(device.engine.status().unwrap().pending, 0);
}
