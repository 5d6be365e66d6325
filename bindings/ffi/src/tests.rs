//! Panics inside the library, caused by listeners in Rust: listeners in another language cannot panic, since UniFFI turns
//! their exceptions into errors.

use std::sync::{Arc, Mutex, Weak, mpsc};

use test_fixtures::folder;

use crate::{
    builder::EngineBuilder,
    capture::input_devices,
    engine::Engine,
    error::Error,
    event::Event,
    features::library_features,
    listeners::{EventListener, Frame, FrameListener, ListenerError},
    pcm_writer::PcmWriter,
};

struct PanickingListener;

impl FrameListener for PanickingListener {
    fn on_frame(&self, _: Frame) -> Result<(), ListenerError> {
        panic!("a frame too many")
    }
}

impl EventListener for PanickingListener {
    fn on_event(&self, _: Event) -> Result<(), ListenerError> {
        panic!("an event too many")
    }
}

fn builder(folder: &std::path::Path) -> EngineBuilder {
    let key = "e1fa6e530500a82d17cef943aa5509b894b5df0ecc08ba4c996369d889e6df7c";
    EngineBuilder::new(
        folder.to_string_lossy().into_owned(),
        key.parse().unwrap(),
        "https://collector.example".parse().unwrap(),
    )
    .unwrap()
}

/// Checks that it is closed and that its folder can be opened again.
fn assert_closed(engine: &Engine, folder: &std::path::Path) {
    assert!(matches!(engine.status(), Err(Error::Closed { .. })));
    let next = builder(folder).open().unwrap();
    next.status().unwrap();
    next.close().unwrap();
}

#[test]
fn a_panic_in_a_call_is_an_internal_error_and_closes_the_engine() {
    let folder = folder();
    let listening = builder(folder.path()).event_listener(Arc::new(PanickingListener));
    let engine = listening.open().unwrap();
    // This call emits the first event, on this thread.
    let writer = engine.listen_to_pcm_source(48_000, 1, None).unwrap();
    let outcome = engine.withdraw(None);
    let Err(Error::Internal { message, .. }) = outcome else {
        panic!("the panic was not reported");
    };
    assert!(message.contains("an event too many"), "{message}");
    assert_closed(&engine, folder.path());
    assert!(matches!(writer.push(&[0; 4]), Err(Error::Stopped { .. })));
}

#[test]
fn a_panic_on_the_capture_thread_is_reported_by_stop() {
    let folder = folder();
    let engine = builder(folder.path()).open().unwrap();
    let writer = engine.listen_to_pcm_source(48_000, 1, Some(Arc::new(PanickingListener)));
    let writer = writer.unwrap();
    assert_eq!(writer.push(&[0; 4 * 4_800]).unwrap(), 0);
    assert!(matches!(writer.stop(), Err(Error::Internal { .. })));
    assert_closed(&engine, folder.path());
}

/// Ten seconds, five times the buffer.
static TEN_SECONDS: [u8; 2 * 80_000] = [0; 2 * 80_000];

#[test]
fn a_recording_can_be_written_at_once() {
    let folder = folder();
    let engine = builder(folder.path()).open().unwrap();
    let writer = engine.listen_to_pcm_source(8_000, 1, None).unwrap();
    assert_eq!(writer.write_i16(&TEN_SECONDS, f64::INFINITY).unwrap(), 0);
    for (bytes, timeout) in [(2, -1.0), (2, f64::NAN), (3, 1.0)] {
        let refused = writer.write_i16(&TEN_SECONDS[..bytes], timeout);
        assert!(matches!(refused, Err(Error::Argument { .. })));
    }
    writer.stop().unwrap();
    assert!(matches!(
        writer.write(&TEN_SECONDS, 1.0),
        Err(Error::Stopped { .. })
    ));
}

/// Writes while it handles the first frame, and sends the result.
struct WritingListener {
    writer: Mutex<Option<Weak<PcmWriter>>>,
    written: mpsc::SyncSender<Result<u64, Error>>,
}

impl FrameListener for WritingListener {
    fn on_frame(&self, _: Frame) -> Result<(), ListenerError> {
        if let Some(writer) = self.writer.lock().unwrap().take() {
            let writer = writer.upgrade().unwrap();
            self.written.send(writer.write(&[0; 4], 600.0)).unwrap();
        }
        Ok(())
    }
}

#[test]
fn write_in_a_listener_fails_instead_of_waiting_forever() {
    let folder = folder();
    let engine = builder(folder.path()).open().unwrap();
    let (written, is_written) = mpsc::sync_channel(1);
    let listener = Arc::new(WritingListener {
        writer: Mutex::default(),
        written,
    });
    let writer = engine.listen_to_pcm_source(8_000, 1, Some(listener.clone()));
    let writer = Arc::new(writer.unwrap());
    *listener.writer.lock().unwrap() = Some(Arc::downgrade(&writer));
    assert_eq!(writer.push(&[0; 4 * 800]).unwrap(), 0);
    let refused = is_written.recv().unwrap();
    assert!(
        matches!(refused, Err(Error::ListenerBlocked { .. })),
        "{refused:?}"
    );
}

#[cfg(unix)]
#[test]
fn calls_in_a_forked_process_fail_and_the_parent_continues() {
    let folder = folder();
    let engine = builder(folder.path()).open().unwrap();
    let mut writer = Some(engine.listen_to_pcm_source(8_000, 1, None).unwrap());
    let mut engine = Some(engine);
    test_fixtures::fork::in_child(|| {
        let (engine, writer) = (engine.take().unwrap(), writer.take().unwrap());
        engine.set_event_listener(Some(Arc::new(PanickingListener)));
        assert!(matches!(engine.status(), Err(Error::Closed { .. })));
        assert!(matches!(engine.plan(), Err(Error::Closed { .. })));
        assert!(matches!(engine.close(), Err(Error::Closed { .. })));
        assert!(matches!(writer.push(&[0; 4]), Err(Error::Closed { .. })));
        assert!(matches!(
            writer.write(&[0; 4], 1.0),
            Err(Error::Closed { .. })
        ));
        assert!(matches!(writer.stop(), Err(Error::Closed { .. })));
        drop((writer, engine));
    });
    let (engine, writer) = (engine.unwrap(), writer.unwrap());
    assert!(matches!(
        builder(folder.path()).open(),
        Err(Error::State { .. })
    ));
    assert_eq!(writer.push(&[0; 4]).unwrap(), 0);
    writer.stop().unwrap();
    engine.close().unwrap();
}

#[test]
fn builder_methods_leave_the_builder_unchanged() {
    let folder = folder();
    let plain = builder(folder.path());
    drop(plain.event_listener(Arc::new(PanickingListener)));
    let engine = plain.open().unwrap();
    engine.withdraw(None).unwrap();
}

#[test]
fn calls_that_need_a_missing_feature_name_it() {
    let folder = folder();
    let engine = builder(folder.path()).open().unwrap();
    let features = library_features();
    let lacks = |error: Option<Error>, feature: &str| {
        let error = error.map_or_else(String::new, |error| error.to_string());
        error.contains(&format!("built without the feature `{feature}`"))
    };

    let heard = engine.listen_to_microphone(None, None).err();
    assert!(matches!(
        heard,
        None | Some(Error::Capture { .. } | Error::NoDevice { .. })
    ));
    assert_eq!(lacks(heard, "microphone"), !features.microphone);
    assert_eq!(
        lacks(input_devices().err(), "microphone"),
        !features.microphone
    );
    assert_eq!(lacks(engine.upload().err(), "http"), !features.http);
    let sample = "07".repeat(16).parse().unwrap();
    let accesses = engine.accesses(sample).err();
    assert_eq!(lacks(accesses, "http"), !features.http);

    // A PCM source needs neither.
    engine.close().unwrap();
    let engine = builder(folder.path()).open().unwrap();
    engine.listen_to_pcm_source(48_000, 1, None).unwrap();
}
