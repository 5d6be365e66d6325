//! The output opens with three readers that share no code with the writer: the `age` crate,
//! the `age` program (Go), and pyrage. A reader that is not installed is named as skipped; with `CI=true`
//! that is a failure.

use std::{
    io::{self, Read as _, Write},
    process::{Command, Stdio},
};

use age::secrecy::ExposeSecret as _;
use proptest::{collection::vec, prelude::*};

use super::super::{AgeError, AgeWriter, stream::CHUNK_BYTES};
use crate::{hex, plan::Recipient};

/// Lengths around the boundaries of chunks.
const LENGTHS: [usize; 9] = [
    0,
    1,
    CHUNK_BYTES - 1,
    CHUNK_BYTES,
    CHUNK_BYTES + 1,
    2 * CHUNK_BYTES - 1,
    2 * CHUNK_BYTES,
    2 * CHUNK_BYTES + 1,
    5 * CHUNK_BYTES + 4321,
];

#[test]
fn the_age_crate_opens_every_length_around_a_chunk() {
    let key = Key::generate();
    for length in LENGTHS {
        let plaintext = plaintext(length);
        let file = encrypt(&[key.recipient], &plaintext);
        assert!(
            open_with_crate(&file, &key).unwrap() == plaintext,
            "{length} bytes"
        );
    }
}

#[test]
fn only_the_recipients_can_open_a_file() {
    let keys: Vec<Key> = (0..5).map(|_| Key::generate()).collect();
    let recipients: Vec<Recipient> = keys.iter().map(|key| key.recipient).collect();
    let file = encrypt(&recipients, b"for five");
    for key in &keys {
        assert_eq!(open_with_crate(&file, key).unwrap(), b"for five");
    }
    assert!(open_with_crate(&file, &Key::generate()).is_err());
}

#[test]
fn the_age_program_opens_every_length_around_a_chunk() {
    if !is_there("age", &["--version"]) {
        return skip("the age program is not installed (Debian: apt-get install age)");
    }
    let keys = [Key::generate(), Key::generate()];
    for (length, key) in LENGTHS.into_iter().zip(keys.iter().cycle()) {
        let plaintext = plaintext(length);
        let file = encrypt(&[keys[0].recipient, keys[1].recipient], &plaintext);
        let identity = key.file();
        let identity = identity.path().to_str().unwrap();
        let opened = run("age", &["--decrypt", "--identity", identity], &file);
        assert!(opened == plaintext, "{length} bytes");
    }
}

#[test]
fn pyrage_opens_every_length_around_a_chunk() {
    let python = std::env::var("SORDINO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if !is_there(&python, &["-c", "import pyrage"]) {
        return skip("no pyrage (pip install pyrage; SORDINO_PYTHON names the Python that has it)");
    }
    let keys = [Key::generate(), Key::generate()];
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/python/open_with_pyrage.py"
    );
    for (length, key) in LENGTHS.into_iter().zip(keys.iter().cycle()) {
        let plaintext = plaintext(length);
        let file = encrypt(&[keys[0].recipient, keys[1].recipient], &plaintext);
        let identity = key.file();
        let identity = identity.path().to_str().unwrap();
        let opened = run(&python, &[script, identity], &file);
        assert!(opened == plaintext, "{length} bytes");
    }
}

proptest! {
    #![proptest_config(crate::testing::cases(64, 2_000))]

    #[test]
    fn any_payload_in_any_pieces_comes_back(
        pieces in vec((any::<u8>(), piece_lengths()), 0..6)
    ) {
        let key = Key::generate();
        let mut writer = AgeWriter::new(&[key.recipient], Vec::new()).unwrap();
        let mut plaintext = Vec::new();
        for (byte, length) in pieces {
            let piece = vec![byte; length];
            writer.write_all(&piece).unwrap();
            // An empty write after a whole chunk must not take it for an inner one.
            assert_eq!(writer.write(&[]).unwrap(), 0);
            writer.flush().unwrap();
            plaintext.extend(piece);
        }
        let file = writer.finish().unwrap();
        prop_assert!(open_with_crate(&file, &key).unwrap() == plaintext);
    }

    #[test]
    fn a_file_with_any_byte_changed_is_refused(
        length in prop_oneof![0..500usize, CHUNK_BYTES - 9..CHUNK_BYTES + 500],
        place in any::<prop::sample::Index>(),
        change in 1..=255u8,
    ) {
        let key = Key::generate();
        let mut file = encrypt(&[key.recipient], &plaintext(length));
        let place = place.index(file.len());
        file[place] ^= change;
        prop_assert!(open_with_crate(&file, &key).is_err(), "byte {}", place);
    }

    #[test]
    fn a_file_cut_anywhere_is_refused(
        length in prop_oneof![0..500usize, 2 * CHUNK_BYTES - 9..2 * CHUNK_BYTES + 500],
        place in any::<prop::sample::Index>(),
    ) {
        let key = Key::generate();
        let file = encrypt(&[key.recipient], &plaintext(length));
        let cut = &file[..place.index(file.len())];
        prop_assert!(open_with_crate(cut, &key).is_err());
    }

    #[test]
    fn a_failing_output_is_reported_and_leaves_no_valid_file(
        length in 0..3 * CHUNK_BYTES,
        room in 0..3 * CHUNK_BYTES + 300,
        kind in prop::sample::select(vec![
            io::ErrorKind::StorageFull, io::ErrorKind::WouldBlock, io::ErrorKind::BrokenPipe,
        ]),
    ) {
        let key = Key::generate();
        let whole = encrypt(&[key.recipient], &plaintext(length)).len();
        let mut output = Full { room, kind, written: Vec::new() };
        let outcome = write_all(&key, &mut output, &plaintext(length));
        prop_assert_eq!(outcome.is_ok(), whole <= room);
        prop_assert_eq!(open_with_crate(&output.written, &key).is_ok(), whole <= room);
    }

    #[test]
    fn after_a_failure_not_one_byte_more_is_written(room in 300..3 * CHUNK_BYTES) {
        let key = Key::generate();
        let kind = io::ErrorKind::StorageFull;
        let mut output = Full { room, kind, written: Vec::new() };
        let mut writer = AgeWriter::new(&[key.recipient], &mut output).unwrap();
        let failed = writer.write_all(&plaintext(4 * CHUNK_BYTES)).unwrap_err();
        prop_assert_eq!(failed.kind(), kind);
        // If there were space again, continuing would encrypt with a nonce that was used.
        writer.output_for_test().room = usize::MAX;
        prop_assert!(writer.write_all(&plaintext(4 * CHUNK_BYTES)).is_err());
        prop_assert!(writer.flush().is_err());
        prop_assert!(writer.finish().is_err());
        prop_assert_eq!(output.written.len(), room);
    }
}

#[test]
fn missing_recipients_are_rejected_before_writing() {
    let mut output = Vec::new();
    let refused = AgeWriter::new(&[], &mut output);
    assert!(matches!(refused, Err(AgeError::NoRecipients)));
    assert!(output.is_empty());
}

/// The points whose order divides the cofactor, of <https://cr.yp.to/ecdh.html#validate>, each with
/// and without the top bit, which X25519 ignores: with each of them every shared secret is zero.
#[test]
fn every_point_of_low_order_is_refused_as_a_recipient() {
    let points = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let sound = Key::generate().recipient;
    for (point, top_bit) in points
        .into_iter()
        .flat_map(|point| [(point, 0), (point, 0x80)])
    {
        let mut bytes = hex::decode::<32>(point).unwrap();
        bytes[31] |= top_bit;
        let weak = Recipient::from(bytes);
        let mut output = Vec::new();
        let refused = AgeWriter::new(&[sound, weak], &mut output);
        assert!(
            matches!(refused, Err(AgeError::LowOrder(named)) if named == weak),
            "{weak}"
        );
        assert!(output.is_empty(), "{weak}");
    }
}

#[test]
fn two_files_of_one_payload_share_no_secret() {
    let key = Key::generate();
    let one = encrypt(&[key.recipient], &[0; 64]);
    let other = encrypt(&[key.recipient], &[0; 64]);
    let version = b"age-encryption.org/v1\n-> X25519 ".len();
    let pairs = one[version..].chunks(16).zip(other[version..].chunks(16));
    assert!(pairs.into_iter().all(|(a, b)| a != b));
}

/// Whole chunks and nothing at all oftener than chance would have them.
fn piece_lengths() -> impl Strategy<Value = usize> {
    prop_oneof![0..CHUNK_BYTES + 999, Just(CHUNK_BYTES), Just(0)]
}

/// A key pair made by the `age` crate.
struct Key {
    identity: age::x25519::Identity,
    recipient: Recipient,
}

impl Key {
    fn generate() -> Self {
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string().parse().unwrap();
        Self {
            identity,
            recipient,
        }
    }

    fn file(&self) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{}", self.identity.to_string().expose_secret()).unwrap();
        file
    }
}

fn encrypt(recipients: &[Recipient], plaintext: &[u8]) -> Vec<u8> {
    let mut writer = AgeWriter::new(recipients, Vec::new()).unwrap();
    writer.write_all(plaintext).unwrap();
    writer.finish().unwrap()
}

fn write_all(key: &Key, output: &mut Full, plaintext: &[u8]) -> Result<(), AgeError> {
    let mut writer = AgeWriter::new(&[key.recipient], output)?;
    writer.write_all(plaintext)?;
    writer.finish()?;
    Ok(())
}

fn open_with_crate(file: &[u8], key: &Key) -> Result<Vec<u8>, String> {
    let decryptor = age::Decryptor::new(file).map_err(|error| error.to_string())?;
    let identity: &dyn age::Identity = &key.identity;
    let mut reader = decryptor
        .decrypt(std::iter::once(identity))
        .map_err(|error| error.to_string())?;
    let mut plaintext = Vec::new();
    reader
        .read_to_end(&mut plaintext)
        .map_err(|error| error.to_string())?;
    Ok(plaintext)
}

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 31 + n / 251) as u8).collect()
}

/// An output with space for `room` bytes.
#[derive(Debug)]
struct Full {
    room: usize,
    kind: io::ErrorKind,
    written: Vec<u8>,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room - self.written.len());
        if taken == 0 {
            return Err(self.kind.into());
        }
        self.written.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_there(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Says so on the terminal also where the test harness captures output, and fails in CI.
fn skip(lack: &str) {
    let line = format!("skipped: {lack}\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{line}");
}

fn run(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    // Through a file: a pipe could fill up.
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input).unwrap();
    io::Seek::rewind(&mut file).unwrap();
    let output = Command::new(program)
        .args(arguments)
        .stdin(file)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {complaint}");
    output.stdout
}
