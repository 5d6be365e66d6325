//! Any bytes as a WAV file: read, anonymized, and either refused in one line or given back as a clip
//! that keeps what it promises.

#![no_main]

use std::{cell::RefCell, fs, path::PathBuf, process, sync::LazyLock};

use libfuzzer_sys::{Corpus, fuzz_target};
use sordino::{
    anonymize::{Anonymizer, AnonymousClip, Settings},
    capture::read_wav,
    sampler::{Annotation, RawClip, Selection, Trigger},
};

/// Some seconds at a low rate; beyond it only time is lost.
const MAX_BYTES: usize = 1 << 17;

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("sordino-fuzz-{}.wav", process::id())));

thread_local! {
    static ANONYMIZER: RefCell<Anonymizer> =
        RefCell::new(Anonymizer::new().expect("the weights are whole"));
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    if bytes.len() > MAX_BYTES {
        return Corpus::Reject;
    }
    fs::write(&*FILE, bytes).expect("a folder that can be written to");
    let recording = match read_wav(&FILE) {
        Ok(recording) => recording,
        Err(error) => {
            assert!(!error.to_string().contains('\n'), "{error}");
            return Corpus::Keep;
        }
    };
    let selection = Selection {
        trigger: Trigger::Mark,
        probability: 1.0,
    };
    let keep_time = bytes.len() % 2 == 0;
    if let Ok(clip) = RawClip::new(
        recording.samples,
        recording.rate,
        selection,
        Annotation::default(),
    ) {
        let anonymous =
            ANONYMIZER.with_borrow_mut(|made| made.anonymize(clip, Settings { keep_time }));
        if let Ok(clip) = anonymous {
            keeps_its_promises(&clip);
        }
    }
    Corpus::Keep
});

fn keeps_its_promises(clip: &AnonymousClip) {
    assert_eq!(clip.rate(), 16_000);
    assert!(!clip.samples().is_empty());
    for pair in clip.kept().windows(2) {
        assert!(pair[0].1 <= pair[1].0, "kept spans in order: {pair:?}");
    }
    for span in clip.kept() {
        assert!(span.0.is_finite() && span.0 < span.1, "{span:?}");
    }
}
