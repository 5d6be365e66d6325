//! A sample as its reader finds it, opened by the age and tar crates alone.

use std::{
    fs,
    io::{Cursor, Read as _},
    path::Path,
};

/// A file in the archive.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) mode: u32,
    /// Numbers of owner and group, then their names.
    pub(crate) owners: String,
    /// Seconds since 1970.
    pub(crate) time: u64,
    pub(crate) content: Vec<u8>,
}

/// The plaintext of `file`, decrypted with the key in the file `identity`.
pub(crate) fn plaintext(file: &[u8], identity: &Path) -> Vec<u8> {
    let keys = fs::read_to_string(identity).unwrap();
    let key = keys
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-"))
        .unwrap();
    let key: age::x25519::Identity = key.parse().unwrap();
    let decryptor = age::Decryptor::new_buffered(file).unwrap();
    let mut opened = Vec::new();
    decryptor
        .decrypt(std::iter::once(&key as &dyn age::Identity))
        .unwrap()
        .read_to_end(&mut opened)
        .unwrap();
    opened
}

pub(crate) fn entries(plaintext: &[u8]) -> Vec<Entry> {
    let mut archive = tar::Archive::new(plaintext);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        let named = |name: Option<&[u8]>| {
            String::from_utf8_lossy(name.unwrap_or_default())
                .trim_matches('\0')
                .to_owned()
        };
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        Entry {
            name: header.path().unwrap().display().to_string(),
            mode: header.mode().unwrap(),
            owners: format!(
                "{}:{}:{}:{}",
                header.uid().unwrap(),
                header.gid().unwrap(),
                named(header.username_bytes()),
                named(header.groupname_bytes())
            ),
            time: header.mtime().unwrap(),
            content,
        }
    });
    entries.collect()
}

/// The same archive with another manifest.
pub(crate) fn with_manifest(plaintext: &[u8], change: impl Fn(String) -> String) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in entries(plaintext) {
        let content = match entry.name.as_str() {
            "manifest.json" => change(String::from_utf8(entry.content).unwrap()).into_bytes(),
            _ => entry.content,
        };
        let mut header = tar::Header::new_ustar();
        header.set_path(&entry.name).unwrap();
        header.set_size(content.len() as u64);
        header.set_mode(entry.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(entry.time);
        header.set_cksum();
        archive.append(&header, Cursor::new(content)).unwrap();
    }
    archive.into_inner().unwrap()
}

/// RFC 9639 section 8: STREAMINFO is the only metadata block, and says mono, 16 bit, 16 kHz.
pub(crate) fn check_flac(flac: &[u8]) -> Result<(), String> {
    const LAST_AND_STREAMINFO: [u8; 4] = [0x80, 0, 0, 34];
    if !flac.starts_with(b"fLaC") || flac.get(4..8) != Some(&LAST_AND_STREAMINFO) {
        return Err(format!("metadata {:02x?}", &flac[..flac.len().min(8)]));
    }
    // 20 bits of rate, 3 of channels less one, 5 of bits less one.
    let packed = u32::from_be_bytes(flac[18..22].try_into().unwrap());
    let (rate, channels, bits) = (packed >> 12, (packed >> 9 & 7) + 1, (packed >> 4 & 31) + 1);
    match (rate, channels, bits) {
        (16_000, 1, 16) => Ok(()),
        other => Err(format!("rate, channels, bits: {other:?}")),
    }
}
