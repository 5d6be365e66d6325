//! What only a defect inside would do, done by listeners of Rust's that panic: those of another language
//! cannot, since UniFFI turns what they raise into errors.

use std::sync::{Arc, Mutex, Weak, mpsc};

use crate::{
    Builder, Engine, Error, Event, EventListener, Feed, Frame, FrameListener, ListenerError,
    input_devices, library_features,
};
use tempfile::TempDir;

#[cfg(unix)]
#[path = "../../../src/testing/fork.rs"]
mod fork;

/// A folder of a test's own, in memory where there is such a place: a device syncs a lot.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

struct Panics;

impl FrameListener for Panics {
    fn on_frame(&self, _: Frame) -> Result<(), ListenerError> {
        panic!("a frame too many")
    }
}

impl EventListener for Panics {
    fn on_event(&self, _: Event) -> Result<(), ListenerError> {
        panic!("an event too many")
    }
}

fn builder(folder: &std::path::Path) -> Builder {
    let key = "e1fa6e530500a82d17cef943aa5509b894b5df0ecc08ba4c996369d889e6df7c";
    Builder::new(
        folder.to_string_lossy().into_owned(),
        key.parse().unwrap(),
        "https://collector.example".parse().unwrap(),
    )
    .unwrap()
}

/// It is closed, and its folder is free for the next one.
fn assert_closed(engine: &Engine, folder: &std::path::Path) {
    assert!(matches!(engine.status(), Err(Error::Closed(_))));
    let next = builder(folder).open().unwrap();
    next.status().unwrap();
    next.shut_down().unwrap();
}

#[test]
fn a_panic_in_a_call_is_an_error_that_says_so_and_closes_the_engine() {
    let folder = folder();
    let listening = builder(folder.path()).event_listener(Arc::new(Panics));
    let engine = listening.open().unwrap();
    // The first event comes of this call, on this thread.
    let feed = engine.listen_to_host(48_000, 1, None).unwrap();
    let outcome = engine.withdraw(None);
    let Err(Error::Internal(reason)) = outcome else {
        panic!("it said nothing of the panic");
    };
    assert!(reason.contains("an event too many"), "{reason}");
    assert_closed(&engine, folder.path());
    assert!(matches!(feed.push(&[0; 4]), Err(Error::Listening(_))));
}

#[test]
fn a_panic_on_the_thread_that_listens_is_told_by_stopping_and_closes_the_engine() {
    let folder = folder();
    let engine = builder(folder.path()).open().unwrap();
    let feed = engine.listen_to_host(48_000, 1, Some(Arc::new(Panics)));
    let feed = feed.unwrap();
    assert_eq!(feed.push(&[0; 4 * 4_800]).unwrap(), 0);
    assert!(matches!(feed.stop(), Err(Error::Internal(_))));
    assert_closed(&engine, folder.path());
}

/// Ten seconds, five times what there is room for.
static TEN_SECONDS: [u8; 2 * 80_000] = [0; 2 * 80_000];

#[test]
fn a_recording_that_is_written_at_once_is_taken_whole() {
    let folder = folder();
    let engine = builder(folder.path()).open().unwrap();
    let feed = engine.listen_to_host(8_000, 1, None).unwrap();
    assert_eq!(feed.write_i16(&TEN_SECONDS, f64::INFINITY).unwrap(), 0);
    for (bytes, timeout) in [(2, -1.0), (2, f64::NAN), (3, 1.0)] {
        let refused = feed.write_i16(&TEN_SECONDS[..bytes], timeout);
        assert!(matches!(refused, Err(Error::Argument(_))));
    }
    feed.stop().unwrap();
    assert!(matches!(
        feed.write(&TEN_SECONDS, 1.0),
        Err(Error::Listening(_))
    ));
}

/// Keeps the first frame until it is let go, and notes what came of writing while it had it.
struct Writes {
    feed: Mutex<Option<Weak<Feed>>>,
    written: mpsc::SyncSender<Result<u64, Error>>,
}

impl FrameListener for Writes {
    fn on_frame(&self, _: Frame) -> Result<(), ListenerError> {
        if let Some(feed) = self.feed.lock().unwrap().take() {
            let feed = feed.upgrade().unwrap();
            self.written.send(feed.write(&[0; 4], 600.0)).unwrap();
        }
        Ok(())
    }
}

#[test]
fn a_listener_does_not_wait_for_the_room_that_it_makes() {
    let folder = folder();
    let engine = builder(folder.path()).open().unwrap();
    let (written, is_written) = mpsc::sync_channel(1);
    let listener = Arc::new(Writes {
        feed: Mutex::default(),
        written,
    });
    let feed = engine.listen_to_host(8_000, 1, Some(listener.clone()));
    let feed = Arc::new(feed.unwrap());
    *listener.feed.lock().unwrap() = Some(Arc::downgrade(&feed));
    assert_eq!(feed.push(&[0; 4 * 800]).unwrap(), 0);
    let refused = is_written.recv().unwrap();
    assert!(matches!(refused, Err(Error::Listening(_))), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn every_call_in_a_forked_process_says_closed_and_the_parent_goes_on() {
    let folder = folder();
    let engine = builder(folder.path()).open().unwrap();
    let mut feed = Some(engine.listen_to_host(8_000, 1, None).unwrap());
    let mut engine = Some(engine);
    fork::in_child(|| {
        let (engine, feed) = (engine.take().unwrap(), feed.take().unwrap());
        engine.set_event_listener(Some(Arc::new(Panics)));
        assert!(matches!(engine.status(), Err(Error::Closed(_))));
        assert!(matches!(engine.plan(), Err(Error::Closed(_))));
        assert!(matches!(engine.shut_down(), Err(Error::Closed(_))));
        assert!(matches!(feed.push(&[0; 4]), Err(Error::Closed(_))));
        assert!(matches!(feed.write(&[0; 4], 1.0), Err(Error::Closed(_))));
        assert!(matches!(feed.stop(), Err(Error::Closed(_))));
        drop((feed, engine));
    });
    let (engine, feed) = (engine.unwrap(), feed.unwrap());
    assert!(matches!(
        builder(folder.path()).open(),
        Err(Error::State(_))
    ));
    assert_eq!(feed.push(&[0; 4]).unwrap(), 0);
    feed.stop().unwrap();
    engine.shut_down().unwrap();
}

#[test]
fn a_builder_is_not_changed_by_what_is_made_of_it() {
    let folder = folder();
    let plain = builder(folder.path());
    drop(plain.event_listener(Arc::new(Panics)));
    let engine = plain.open().unwrap();
    engine.withdraw(None).unwrap();
}

#[test]
fn what_needs_a_feature_that_the_library_lacks_says_so_and_nothing_else_does() {
    let folder = folder();
    let engine = builder(folder.path()).open().unwrap();
    let features = library_features();
    let lacks = |error: Option<Error>, feature: &str| {
        let error = error.map_or_else(String::new, |error| error.to_string());
        error.contains(&format!("built without the feature `{feature}`"))
    };

    let heard = engine.listen_to_microphone(None, None).err();
    assert!(matches!(heard, None | Some(Error::Capture(_))));
    assert_eq!(lacks(heard, "microphone"), !features.microphone);
    assert_eq!(
        lacks(input_devices().err(), "microphone"),
        !features.microphone
    );
    assert_eq!(lacks(engine.upload_now().err(), "http"), !features.http);
    let sample = "07".repeat(16).parse().unwrap();
    let accesses = engine.accesses(sample).err();
    assert_eq!(lacks(accesses, "http"), !features.http);

    // A feed needs neither.
    engine.shut_down().unwrap();
    let engine = builder(folder.path()).open().unwrap();
    engine.listen_to_host(48_000, 1, None).unwrap();
}
