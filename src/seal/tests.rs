//! The stage as a whole: only the holder of the key can open its output.

mod manifest;

use std::{
    io::{Read as _, Write as _},
    process::Command,
    sync::Arc,
};

use age::secrecy::ExposeSecret as _;
use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    AUDIO_NAME, MANIFEST_NAME, Manifest, Platform, SealError, SealedSample, recipients_digest,
    seal, sha256,
};
use crate::{
    anonymize::AnonymousClip,
    consent::{Grants, TestGrant},
    id::Id,
    plan::Recipient,
    purpose::Purposes,
    sampler::{Annotation, Note, Selection, Trigger},
    state::{Clock, SystemClock},
    testing::cases,
    week::Week,
};

const SELECTION: Selection = Selection {
    trigger: Trigger::Random,
    probability: 0.25,
};

#[test]
fn a_sealed_sample_holds_the_sound_and_a_manifest_of_the_clip() {
    let samples = music(50_000);
    let (grants, _) = grants();
    let sealed = seal_samples(samples.clone(), &grants).unwrap();
    let opened = open(&sealed);

    assert_eq!(opened.names, [MANIFEST_NAME, AUDIO_NAME]);
    let manifest = Manifest::from_json(&opened.manifest).unwrap();
    assert_eq!(manifest.sample, sealed.id());
    assert_eq!(manifest.consent, grants.record());
    assert_eq!(manifest.purposes, grants.purposes());
    assert_eq!(manifest.notice_version, grants.notice_version());
    assert_eq!(manifest.week, week());
    assert_eq!(manifest.platform, Platform::CURRENT);
    assert_eq!(manifest.sdk_version, env!("CARGO_PKG_VERSION"));
    assert_eq!((manifest.input_rate, manifest.rate), (48_000, 16_000));
    assert_eq!(manifest.selection, SELECTION);
    assert_eq!(manifest.annotation, annotation());
    assert_eq!(manifest.anonymizer.version, crate::anonymize::VERSION);

    let mut audio = claxon::FlacReader::new(opened.audio.as_slice()).unwrap();
    let decoded: Vec<i32> = audio.samples().collect::<Result<_, _>>().unwrap();
    assert!(
        decoded
            .into_iter()
            .eq(samples.iter().map(|&sample| i32::from(sample)))
    );
}

#[test]
fn the_properties_of_a_sealed_sample_are_correct() {
    let (grants, _) = grants();
    let sealed = seal_samples(music(40_000), &grants).unwrap();
    assert_eq!(sealed.consent(), grants.record());
    assert_eq!(*sealed.purposes(), grants.purposes());
    assert_eq!(sealed.week(), week());
    assert_eq!(sealed.seconds(), 2.5);
    assert_eq!(sealed.selection(), SELECTION);
    assert_eq!(*sealed.sha256(), sha256(sealed.bytes()));
    let lines = format!("{}\n", recipient(&key()));
    assert_eq!(*sealed.recipients_sha256(), sha256(lines.as_bytes()));
    let other = seal_samples(music(40_000), &grants).unwrap();
    assert_ne!(sealed.id(), other.id());
}

#[test]
fn nothing_in_the_archive_points_to_a_device() {
    let opened = open(&sealed_full());
    assert_eq!(opened.headers.len(), 2);
    for header in &opened.headers {
        assert_eq!(header.mode().unwrap(), 0o644);
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.mtime().unwrap(), 0);
        assert_eq!(header.username().unwrap(), Some(""));
        assert_eq!(header.groupname().unwrap(), Some(""));
        assert!(header.entry_type().is_file());
    }
    assert!(opened.after_the_end.iter().all(|&byte| byte == 0));
}

#[test]
fn the_age_program_and_tar_give_just_the_two_files() {
    if Command::new("age").arg("--version").output().is_err() {
        let line = "skipped: the age program is not installed (Debian: apt-get install age)\n";
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{line}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (sample, identity) = (folder.path().join("x.age"), folder.path().join("qa.key"));
    std::fs::write(&sample, sealed_full().bytes()).unwrap();
    std::fs::write(&identity, key().to_string().expose_secret()).unwrap();
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let script = "set -o pipefail; age -d -i \"$1\" \"$2\" | tar -x -C \"$3\"";
    let output = Command::new("bash")
        .args(["-c", script, "bash"])
        .args([&identity, &sample, &out])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let mut names: Vec<_> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, [AUDIO_NAME, MANIFEST_NAME]);
}

#[test]
fn nothing_is_sealed_after_a_withdrawal() {
    let (grants, live) = grants();
    live.revoke();
    let refused = seal_samples(music(16_000), &grants);
    assert!(matches!(refused, Err(SealError::Withdrawn)));
}

/// Somebody withdraws while the sample is sealed: right after the first check of the grants.
struct WithdrawsWhenAsked(Arc<TestGrant>);

impl Clock for WithdrawsWhenAsked {
    fn now(&self) -> Timestamp {
        self.0.revoke();
        SystemClock.now()
    }
}

#[test]
fn withdrawal_during_sealing_drops_the_sample() {
    let live = TestGrant::new();
    let clock = Arc::new(WithdrawsWhenAsked(Arc::clone(&live)));
    let record = Id::random().unwrap();
    let grants = Grants::for_test_by(clock, record, Purposes::all(), &live);
    let outcome = seal_samples(music(16_000), &grants);
    assert!(matches!(outcome, Err(SealError::Withdrawn)));

    // It was not withdrawn before.
    let live = TestGrant::new();
    let clock = Arc::new(WithdrawsWhenAsked(Arc::clone(&live)));
    let grants = Grants::for_test_by(clock, record, Purposes::all(), &live);
    assert!(grants.is_live());
    assert!(!grants.is_live());
}

#[test]
fn clips_that_cannot_be_sealed_are_refused_in_one_line() {
    let (grants, _) = grants();
    let sound = recipient(&key());
    let weak = Recipient::from([0; 32]);
    let clip = |samples, probability| {
        let selection = Selection {
            probability,
            ..SELECTION
        };
        AnonymousClip::for_test(samples, selection, annotation())
    };
    for (outcome, said) in [
        (seal(clip(vec![], 0.5), &grants, &[sound], week()), "empty"),
        (
            seal(clip(vec![1], 0.5), &grants, &[], week()),
            "no recipients",
        ),
        (
            seal(clip(vec![1], 0.5), &grants, &[sound, weak], week()),
            "low order",
        ),
        (
            seal(clip(vec![1], f64::NAN), &grants, &[sound], week()),
            "selection.probability",
        ),
    ] {
        let said_of_it = outcome.unwrap_err().to_string();
        assert!(said_of_it.contains(said), "{said_of_it}");
        assert_eq!(said_of_it.lines().count(), 1);
    }
}

#[test]
fn a_recipient_named_twice_gets_one_stanza() {
    let (grants, _) = grants();
    let (one, other) = (
        recipient(&key()),
        recipient(&age::x25519::Identity::generate()),
    );
    let clip = || AnonymousClip::for_test(music(100), SELECTION, annotation());
    let sealed = seal(clip(), &grants, &[other, one, other, one], week()).unwrap();
    let stanzas = sealed
        .bytes()
        .windows(10)
        .filter(|bytes| bytes == b"-> X25519 ")
        .count();
    assert_eq!(stanzas, 2);
    assert_eq!(
        *sealed.recipients_sha256(),
        recipients_digest(&[one, other])
    );
}

proptest! {
    #![proptest_config(cases(32, 2_000))]

    #[test]
    fn any_short_clip_has_the_size_of_any_other(length in 1..8_000usize, level in any::<i16>()) {
        let (grants, _) = grants();
        let short = seal_samples(vec![level; 1], &grants).unwrap();
        let other = seal_samples(music(length), &grants).unwrap();
        prop_assert_eq!(short.bytes().len(), other.bytes().len());
    }

    #[test]
    fn any_byte_changed_keeps_the_sample_shut(place in any::<prop::sample::Index>(), bit in 0..8) {
        let (grants, _) = grants();
        let mut bytes = seal_samples(music(9_000), &grants).unwrap().bytes;
        let place = place.index(bytes.len());
        bytes[place] ^= 1u8 << bit;
        prop_assert!(decrypt(&bytes).is_err());
    }
}

/// Writes what `tests/vectors/sealed` holds. Run it once for each schema, and never again for one
/// that was released.
#[test]
#[ignore = "rewrites tests/vectors/sealed"]
fn write_the_sealed_vector() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/sealed");
    std::fs::create_dir_all(folder).unwrap();
    let sample = format!("{folder}/schema-{}.age", Manifest::SCHEMA);
    std::fs::write(sample, sealed_full().bytes()).unwrap();
    let line = format!(
        "# public key: {}\n{}\n",
        key().to_public(),
        key().to_string().expose_secret()
    );
    std::fs::write(format!("{folder}/qa.key"), line).unwrap();
}

#[test]
fn samples_of_every_schema_that_was_released_still_open() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/sealed");
    for schema in 1..=Manifest::SCHEMA {
        let bytes = std::fs::read(format!("{folder}/schema-{schema}.age")).unwrap();
        let opened = Opened::read(&decrypt(&bytes).unwrap());
        let manifest = Manifest::from_json(&opened.manifest).unwrap();
        assert_eq!(manifest.annotation, annotation());
    }
}

/// A sample with every member of the manifest filled.
pub(super) fn sealed_full() -> SealedSample {
    let (grants, _) = grants();
    seal_samples(music(8_000), &grants).unwrap()
}

/// A sample as an age tool and tar read it.
pub(super) struct Opened {
    pub(super) manifest: Vec<u8>,
    pub(super) audio: Vec<u8>,
    names: Vec<String>,
    headers: Vec<tar::Header>,
    after_the_end: Vec<u8>,
}

pub(super) fn open(sealed: &SealedSample) -> Opened {
    Opened::read(&decrypt(sealed.bytes()).unwrap())
}

impl Opened {
    fn read(archive: &[u8]) -> Self {
        let (mut contents, mut names, mut headers, mut end) = (vec![], vec![], vec![], 0);
        for entry in tar::Archive::new(archive).entries().unwrap() {
            let mut entry = entry.unwrap();
            names.push(entry.path().unwrap().to_str().unwrap().to_owned());
            headers.push(entry.header().clone());
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            end = entry.raw_file_position() as usize + content.len();
            contents.push(content);
        }
        let audio = contents.pop().unwrap();
        Self {
            manifest: contents.pop().unwrap(),
            audio,
            names,
            headers,
            after_the_end: archive[end..].to_vec(),
        }
    }
}

fn decrypt(bytes: &[u8]) -> Result<Vec<u8>, age::DecryptError> {
    age::decrypt(&key(), bytes)
}

fn seal_samples(samples: Vec<i16>, grants: &Grants) -> Result<SealedSample, SealError> {
    let clip = AnonymousClip::for_test(samples, SELECTION, annotation());
    seal(clip, grants, &[recipient(&key())], week())
}

fn grants() -> (Grants, Arc<TestGrant>) {
    let live = TestGrant::new();
    let purposes = Purposes::all();
    (
        Grants::for_test(Id::random().unwrap(), purposes, &live),
        live,
    )
}

/// A key for tests alone: that of the community's age vectors.
fn key() -> age::x25519::Identity {
    "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0"
        .parse()
        .unwrap()
}

fn recipient(key: &age::x25519::Identity) -> Recipient {
    key.to_public().to_string().parse().unwrap()
}

fn week() -> Week {
    "2026-W48".parse().unwrap()
}

fn annotation() -> Annotation {
    let note = Note {
        midi: 60,
        onset: 1.0,
        offset: Some(2.0),
    };
    Annotation {
        expected: vec![note],
        recognized: vec![Note { midi: 62, ..note }],
        tag: Some("etude/3.bar-12".to_owned()),
    }
}

/// Two tones and a little noise, so that it compresses like music.
fn music(length: usize) -> Vec<i16> {
    (0..length)
        .map(|n| {
            let t = n as f32 / 16_000.0;
            let tones = (t * 2_764.6).sin() * 6_000.0 + (t * 4_147.0).sin() * 3_000.0;
            (tones + ((n * 7_919) % 64) as f32) as i16
        })
        .collect()
}
