//! Listening: marks that are abandoned, and callbacks that panic or block.

use std::sync::mpsc;

use super::Device;
use crate::{Error, Event, WithheldReason, capture::pcm_channel, sampler::Moment, testing::QA};

#[test]
fn an_abandoned_mark_is_reported() {
    let device = Device::new();
    let (feed, listening, _heard) = device.marked_after_half_a_second();
    // Half a second is too short for a clip.
    drop(feed);
    listening.wait().unwrap();
    assert!(device.received(&Event::Withheld(WithheldReason::TooShort)));
}

#[test]
fn a_mark_abandoned_by_a_withdrawal_is_reported() {
    let device = Device::new();
    let (mut feed, listening, _heard) = device.marked_after_half_a_second();
    device.engine.withdraw(None).unwrap();
    assert_eq!(feed.push(&[0.1_f32; 24_000]), 0);
    drop(feed);
    listening.wait().unwrap();
    assert!(device.received(&Event::Withheld(WithheldReason::NoConsent)));
}

#[test]
fn a_panicking_callback_discards_audio_and_not_the_engine() {
    let device = Device::new();
    device.consent_to(QA);
    for _ in 0..2 {
        let (mut feed, source) = pcm_channel(48_000, 1).unwrap();
        let listening = device.engine.listen(source, |_| panic!("the app's defect"));
        let listening = listening.unwrap();
        assert_eq!(feed.push(&[0.1_f32; 4_800]), 0);
        assert!(matches!(listening.wait(), Err(Error::Panicked)));
        assert!(device.engine.inner().unwrap().sampler().is_none());
    }
}

#[test]
fn a_callback_that_never_returns_does_not_block_stop() {
    let device = Device::new();
    device.consent_to(QA);
    let (mut feed, source) = pcm_channel(48_000, 1).unwrap();
    let (free, is_free) = mpsc::channel::<()>();
    let (called, is_called) = mpsc::channel();
    let mut is_free = Some(is_free);
    let listening = device.engine.listen(source, move |_| {
        if let Some(is_free) = is_free.take() {
            called.send(()).unwrap();
            let _ = is_free.recv();
        }
    });
    let listening = listening.unwrap();
    assert_eq!(feed.push(&[0.1_f32; 4_800]), 0);
    is_called.recv().unwrap();
    assert!(matches!(listening.stop(), Err(Error::ListenerBlocked)));
    // Nothing is held meanwhile, and everything but listening continues.
    assert!(device.engine.mark(Moment::default()).is_err());
    device.engine.withdraw(None).unwrap();
    let (_feed, source) = pcm_channel(48_000, 1).unwrap();
    let again = device.engine.listen(source, |_| {});
    assert!(matches!(again, Err(Error::AlreadyListening)));
    // Once it returns, the engine can listen again.
    drop(free);
    while device.engine.inner().unwrap().sampler().is_some() {
        std::thread::yield_now();
    }
    let (feed, source) = pcm_channel(48_000, 1).unwrap();
    let listening = device.engine.listen(source, |_| {}).unwrap();
    drop(feed);
    listening.wait().unwrap();
}
