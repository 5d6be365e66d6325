//! Samples as sealed, damaged and forged.

mod identities;
mod silent_flac;

use self::silent_flac::silence;
use super::{flac::decode, limits::*, *};

#[test]
fn a_sealed_sample_opens() {
    let opened = open_sample(SEALED, &identities()).unwrap();
    assert_eq!(opened.rate, 16_000);
    assert_eq!(opened.samples.len(), 8_000);
    assert_eq!(opened.manifest.annotation.expected[0].midi, 60);
}

#[test]
fn another_identity_is_reported() {
    let error = open_sample(SEALED, &[Identity::generate()]).unwrap_err();
    assert!(matches!(error, OpenError::WrongIdentity), "{error}");
}

#[test]
fn a_sample_cut_or_changed_anywhere_is_refused() {
    // Every byte of the header, then every n-th byte.
    for place in (0..300).chain((300..SEALED.len()).step_by(997)) {
        let mut changed = SEALED.to_vec();
        changed[place] ^= 1;
        assert!(
            open_sample(changed.as_slice(), &identities()).is_err(),
            "{place}"
        );
        assert!(
            open_sample(&SEALED[..place], &identities()).is_err(),
            "{place}"
        );
    }
}

#[test]
fn an_endless_sample_is_refused() {
    let error = open_sample(io::repeat(b'a'), &identities()).unwrap_err();
    assert!(matches!(error, OpenError::TooLarge), "{error}");
}

#[test]
fn an_archive_with_anything_but_the_two_files_is_refused() {
    let (manifest, flac) = contents();
    let file = tar::EntryType::Regular;
    let fine = [
        (MANIFEST_NAME, file, &manifest[..]),
        (AUDIO_NAME, file, &flac[..]),
    ];
    assert!(open_archive(&fine).is_ok());
    let [first, second] = fine;
    let with_name = |name| [first, (name, file, &flac[..])];
    let with_type = |kind| [first, (AUDIO_NAME, kind, &flac[..])];
    for entries in [
        &[][..],
        &[first],
        &[second],
        &[second, first],
        &[first, first],
        &[first, second, second],
        &[first, second, ("extra", file, b"x")],
        &[("extra", file, b"x"), first, second],
        &with_name("../audio.flac"),
        &with_name("/audio.flac"),
        &with_name("./audio.flac"),
        &with_name("audio.flac/"),
        &with_name("AUDIO.FLAC"),
        &with_type(tar::EntryType::Symlink),
        &with_type(tar::EntryType::Link),
        &with_type(tar::EntryType::Directory),
        &with_type(tar::EntryType::GNULongName),
        &with_type(tar::EntryType::XHeader),
        &with_type(tar::EntryType::GNUSparse),
    ] {
        let error = open_archive(entries).unwrap_err();
        assert!(matches!(error, OpenError::Archive(_)), "{error}");
        assert_eq!(error.to_string().lines().count(), 1);
    }
}

#[test]
fn an_archive_with_something_hidden_in_its_padding_is_refused() {
    let mut archive = plaintext();
    *archive.last_mut().unwrap() = 1;
    let error = open_sample(seal(&archive).as_slice(), &identities()).unwrap_err();
    assert!(matches!(error, OpenError::Archive(_)), "{error}");
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    let archive = plaintext();
    let end = archive.iter().rposition(|&byte| byte != 0).unwrap() + 2 * TAR_BLOCK;
    for length in (0..end).step_by(509) {
        let error = open_sample(seal(&archive[..length]).as_slice(), &identities()).unwrap_err();
        assert!(matches!(error, OpenError::Archive(_)), "{length}: {error}");
    }
}

#[test]
fn a_size_that_the_archive_does_not_hold_is_refused() {
    let archive = plaintext();
    for size in [1_000_000, u64::from(u32::MAX), u64::MAX] {
        let mut forged = archive.clone();
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes().copy_from_slice(&forged[..TAR_BLOCK]);
        header.set_size(size);
        header.set_cksum();
        forged[..TAR_BLOCK].copy_from_slice(header.as_bytes());
        assert!(
            open_sample(seal(&forged).as_slice(), &identities()).is_err(),
            "{size}"
        );
    }
}

#[test]
fn an_invalid_manifest_is_rejected() {
    let (manifest, flac) = contents();
    let text = String::from_utf8(manifest).unwrap();
    let large = vec![b' '; MAX_MANIFEST_BYTES as usize + 1];
    for forged in [
        b"".to_vec(),
        b"[".repeat(100_000),
        text.replace("\"schema\": 1", "\"schema\": 2").into_bytes(),
        text.replace("\"schema\": 1", "\"schema\": 1, \"device\": \"x\"")
            .into_bytes(),
        text.replace("\"rate\": 16000", "\"rate\": 44100")
            .into_bytes(),
        large,
    ] {
        assert_ne!(forged, text.as_bytes());
        let file = tar::EntryType::Regular;
        assert!(
            open_archive(&[(MANIFEST_NAME, file, &forged), (AUDIO_NAME, file, &flac)]).is_err()
        );
    }
}

#[test]
fn sound_that_is_damaged_is_refused_and_never_panics() {
    let (_, flac) = contents();
    // STREAMINFO and the first frame's header byte by byte, then every n-th byte.
    for place in (0..120).chain((120..flac.len()).step_by(131)) {
        for bit in 0..8 {
            let mut changed = flac.clone();
            changed[place] ^= 1 << bit;
            let _ = decode_flac(&changed);
        }
        if place < flac.len() {
            assert!(decode_flac(&flac[..place]).is_err(), "{place}");
        }
    }
}

/// A constant block of FLAC stands for up to 65 535 samples in some 12 bytes.
#[test]
fn audio_that_decodes_to_hours_is_rejected() {
    let blocks = MAX_SECONDS as usize * 16_000 / 4_096 + 1;
    for stated in [0, 4_096, u64::from(MAX_SECONDS) * 16_000] {
        let error = decode_flac(&silence(blocks, 16_000, stated)).unwrap_err();
        assert!(error.to_string().contains("longer than 120 s"), "{error}");
    }
    assert!(decode_flac(&silence(3, 16_000, 0)).is_ok());
    assert!(decode_flac(&silence(3, 16_000, 3 * 4_096)).is_ok());
}

/// Nothing is decoded then: there is not one frame in it.
#[test]
fn audio_that_claims_to_be_too_long_is_not_decoded() {
    let too_many = u64::from(MAX_SECONDS) * 16_000 + 1;
    for (rate, stated, said) in [
        (16_000, too_many, "longer than 120 s"),
        (16_000, (1 << 36) - 1, "longer than 120 s"),
        (MAX_RATE + 1, 0, "48001 Hz"),
        (384_000, 0, "384000 Hz"),
        (655_350, 0, "655350 Hz"),
        (MIN_RATE - 1, 0, "7999 Hz"),
    ] {
        let error = decode_flac(&silence(0, rate, stated)).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    let error = decode(&silence(0, 48_000, 0), Some(16_000)).unwrap_err();
    assert!(
        error.to_string().contains("the manifest says 16000"),
        "{error}"
    );
    for kind in [0x02, 0x0e] {
        let mut channels = silence(0, 16_000, 0);
        // Two channels, and eight.
        channels[20] |= kind;
        let error = decode_flac(&channels).unwrap_err();
        assert!(error.to_string().contains("16-bit mono"), "{error}");
    }
}

/// The decoder allocates the stated size of a metadata block before it reads it.
#[test]
fn oversized_metadata_is_rejected() {
    let flac = silence(3, 16_000, 0);
    let (start, frames) = flac.split_at(42);
    let with = |kind: u8, stated: usize, length: usize| {
        let mut changed = start.to_vec();
        changed[4] = 0;
        changed.push(0x80 | kind);
        changed.extend(&(stated as u32).to_be_bytes()[1..]);
        changed.resize(changed.len() + length, 0);
        changed.extend(frames);
        changed
    };
    for kind in 1..7 {
        let long = with(kind, MAX_FLAC_METADATA_BYTES, MAX_FLAC_METADATA_BYTES);
        let error = decode_flac(&long).unwrap_err();
        assert!(error.to_string().contains("64 KiB of metadata"), "{error}");
        let error = decode_flac(&with(kind, 9 << 20, 0)).unwrap_err();
        assert!(error.to_string().contains("cut off"), "{error}");
    }
    assert!(decode_flac(&with(1, 4_096, 4_096)).is_ok());
    let mut no_streaminfo = flac.clone();
    no_streaminfo[4] = 0x81;
    assert!(decode_flac(&no_streaminfo).is_err());
    for length in 0..42 {
        assert!(decode_flac(&flac[..length]).is_err(), "{length}");
    }
}

/// The parser's work grows with the square of a header's length.
#[test]
fn an_oversized_header_is_rejected_before_parsing() {
    let refused = |sealed: &[u8]| match open_sample(sealed, &identities()).unwrap_err() {
        OpenError::Header(reason) => reason,
        other => panic!("{other}"),
    };
    let version = "age-encryption.org/v1\n";
    for size in [17 << 10, 64 << 10, 128 << 10, 1 << 20] {
        let stanzas = format!("{version}{}", "-> a\n\n".repeat(size / 6));
        assert!(refused(stanzas.as_bytes()).contains("64 recipients"));
        let arguments = format!("{version}-> {}", "a ".repeat(size / 2));
        assert!(refused(arguments.as_bytes()).contains("16 KiB"));
        let line = format!("{}\n", "A".repeat(64));
        let body = format!("{version}-> a\n{}", line.repeat(size / 65));
        assert!(refused(body.as_bytes()).contains("16 KiB"));
    }
}

#[test]
fn a_sample_for_as_many_recipients_as_are_allowed_opens() {
    let identities = identities();
    let own = identities[0].to_public();
    let others: Vec<_> = (1..MAX_STANZAS)
        .map(|_| Identity::generate().to_public())
        .collect();
    let seal = |count: usize| {
        let others = others
            .iter()
            .take(count)
            .map(|other| other as &dyn age::Recipient);
        let recipients = others.chain([&own as &dyn age::Recipient]);
        let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
        let mut sealed = Vec::new();
        let mut writer = encryptor.wrap_output(&mut sealed).unwrap();
        writer.write_all(&plaintext()).unwrap();
        writer.finish().unwrap();
        sealed
    };
    // The `age` crate adds a stanza of its own.
    assert!(open_sample(seal(MAX_STANZAS - 2).as_slice(), &identities).is_ok());
    let error = open_sample(seal(MAX_STANZAS - 1).as_slice(), &identities).unwrap_err();
    assert!(matches!(error, OpenError::Header(_)), "{error}");
}

/// Text of a sender could otherwise control the reader's terminal.
#[test]
fn no_error_hands_on_control_characters_of_the_sample() {
    let (manifest, flac) = contents();
    let file = tar::EntryType::Regular;
    let forged = String::from_utf8(manifest)
        .unwrap()
        .replace("\"schema\": 1", "\"schema\": 1, \"\\u001b[2J\\n\": 1");
    let entries = [
        (MANIFEST_NAME, file, forged.as_bytes()),
        (AUDIO_NAME, file, &flac[..]),
    ];
    let by_manifest = open_archive(&entries).unwrap_err().to_string();
    assert!(by_manifest.contains("[2J"), "{by_manifest}");
    let mut archive = plaintext();
    // The checksum, after a name.
    archive[..6].copy_from_slice(b"\x1b[2J\n.");
    archive[148..156].copy_from_slice(b"\xff\x1b[2J\n\xff.");
    let sealed = seal(&archive);
    let by_archive = open_sample(sealed.as_slice(), &identities())
        .unwrap_err()
        .to_string();
    for error in [by_manifest, by_archive] {
        assert!(!error.chars().any(char::is_control), "{error:?}");
    }
}

#[test]
fn a_file_that_is_not_age_is_reported_as_such() {
    for file in [
        &b"RIFF"[..],
        &[b'a'; 100_000],
        b"age-encryption.org/v1\n-> X25519",
        b"age-encryption.org/v2\n-> X25519 a\n--- a\n",
    ] {
        let error = open_sample(file, &identities()).unwrap_err();
        assert!(matches!(error, OpenError::Damaged(_)), "{error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

/// Half a second of tones, sealed by the SDK; `tests/vectors/sealed/README.md`.
const SEALED: &[u8] = include_bytes!("../../tests/vectors/sealed/schema-1.age");

fn identities() -> Vec<Identity> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/sealed/qa.key");
    read_identity_file(Path::new(path)).unwrap()
}

fn plaintext() -> Vec<u8> {
    decrypt(SEALED, &identities()).unwrap()
}

fn contents() -> (Vec<u8>, Vec<u8>) {
    unpack(&plaintext()).unwrap()
}

fn seal(plaintext: &[u8]) -> Vec<u8> {
    age::encrypt(&identities()[0].to_public(), plaintext).unwrap()
}

fn open_archive(entries: &[(&str, tar::EntryType, &[u8])]) -> Result<Opened, OpenError> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_ustar();
        // Not `set_path`, which refuses what a forger would write.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    open_sample(
        seal(&archive.into_inner().unwrap()).as_slice(),
        &identities(),
    )
}
