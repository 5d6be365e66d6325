//! How a dataset lies in its folder.
//!
//! * AudioFolder (Hugging Face `datasets`): `audio/ID.flac`, `metadata.jsonl` with a line a file.
//! * WebDataset: `shard-000000.tar` …, holding `ID.flac` and `ID.json` one after the other.
//! * Bundle: `ID/audio.flac` and `ID/manifest.json`, as they were sealed.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use sordino::{Id, seal::Manifest};

use super::{Entry, Index};
use crate::{args::FormatArgument, failure::Failure, files};

/// What lies in a shard, in the order of its names, so that a sample's files stand side by side.
pub(super) type Members = BTreeMap<String, Vec<u8>>;

/// A shard is begun anew beyond this many samples.
const SAMPLES_A_SHARD: usize = 500;

/// Writes a sample's files; says which shard they went to.
pub(super) fn write(
    index: &mut Index,
    manifest: &Manifest,
    flac: &[u8],
) -> Result<Option<u32>, Failure> {
    let id = manifest.sample;
    match index.format() {
        FormatArgument::AudioFolder => {
            let path = audio_path(index.folder(), id);
            files::make_folder(&index.folder().join("audio"))?;
            files::write(&path, flac)?;
            Ok(None)
        }
        FormatArgument::Bundle => {
            let folder = index.folder().join(id.to_string());
            files::make_folder(&folder)?;
            files::write(&folder.join("audio.flac"), flac)?;
            files::write(&folder.join("manifest.json"), &json(manifest)?)?;
            Ok(None)
        }
        FormatArgument::WebDataset => {
            let shard = open_shard(index);
            let members = staged(index, shard)?;
            members.insert(format!("{id}.flac"), flac.to_vec());
            members.insert(format!("{id}.json"), json(manifest)?);
            Ok(Some(shard))
        }
    }
}

/// Writes anew what a sample's files say of it.
pub(super) fn rewrite_manifest(index: &mut Index, entry: &Entry) -> Result<(), Failure> {
    let id = entry.manifest.sample;
    match (index.format(), entry.shard) {
        (FormatArgument::Bundle, _) => {
            let path = index.folder().join(id.to_string()).join("manifest.json");
            files::write(&path, &json(&entry.manifest)?)
        }
        (FormatArgument::WebDataset, Some(shard)) => {
            staged(index, shard)?.insert(format!("{id}.json"), json(&entry.manifest)?);
            Ok(())
        }
        // The table says it, and is written with the index.
        _ => Ok(()),
    }
}

/// Removes a sample's files.
pub(super) fn remove(index: &mut Index, entry: &Entry) -> Result<(), Failure> {
    let id = entry.manifest.sample;
    match (index.format(), entry.shard) {
        (FormatArgument::AudioFolder, _) => remove_file(&audio_path(index.folder(), id)),
        (FormatArgument::Bundle, _) => {
            let folder = index.folder().join(id.to_string());
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(Failure::file("remove", &folder)(error))
                }
                _ => Ok(()),
            }
        }
        (FormatArgument::WebDataset, Some(shard)) => {
            let members = staged(index, shard)?;
            members.remove(&format!("{id}.flac"));
            members.remove(&format!("{id}.json"));
            Ok(())
        }
        (FormatArgument::WebDataset, None) => Ok(()),
    }
}

/// Writes what belongs to the whole: changed shards, or the table of an AudioFolder, a line a
/// sample.
pub(super) fn save(index: &mut Index) -> Result<(), Failure> {
    for (shard, members) in std::mem::take(&mut index.staged) {
        write_shard(index, shard, &members)?;
    }
    if index.format() != FormatArgument::AudioFolder {
        return Ok(());
    }
    let mut lines = Vec::new();
    for entry in index.entries() {
        let row = Row {
            file_name: format!("audio/{}.flac", entry.manifest.sample),
            manifest: &entry.manifest,
        };
        serde_json::to_writer(&mut lines, &row).map_err(Failure::said)?;
        lines.push(b'\n');
    }
    files::write(&index.folder().join("metadata.jsonl"), &lines)
}

/// A line of an AudioFolder's table.
#[derive(Serialize)]
struct Row<'a> {
    file_name: String,
    #[serde(flatten)]
    manifest: &'a Manifest,
}

/// A sample's FLAC.
pub(crate) fn audio_of(index: &Index, entry: &Entry) -> Result<Vec<u8>, Failure> {
    let id = entry.manifest.sample;
    match (index.format(), entry.shard) {
        (FormatArgument::AudioFolder, _) => files::read(&audio_path(index.folder(), id)),
        (FormatArgument::Bundle, _) => {
            files::read(&index.folder().join(id.to_string()).join("audio.flac"))
        }
        (FormatArgument::WebDataset, shard) => {
            let shard = shard.unwrap_or_default();
            let path = shard_path(index.folder(), shard);
            read_shard(index, shard)?
                .remove(&format!("{id}.flac"))
                .ok_or_else(|| Failure::content(&path)(format!("sample {id} is missing from it")))
        }
    }
}

fn audio_path(folder: &Path, id: Id) -> PathBuf {
    folder.join("audio").join(format!("{id}.flac"))
}

fn shard_path(folder: &Path, shard: u32) -> PathBuf {
    folder.join(format!("shard-{shard:06}.tar"))
}

/// The shard that the next sample goes to.
fn open_shard(index: &Index) -> u32 {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for shard in index.entries().filter_map(|entry| entry.shard) {
        *counts.entry(shard).or_default() += 1;
    }
    match counts.last_key_value() {
        Some((&shard, &count)) if count >= SAMPLES_A_SHARD => shard + 1,
        Some((&shard, _)) => shard,
        None => 0,
    }
}

/// A shard to be changed; it is written once, when the index is saved.
fn staged(index: &mut Index, shard: u32) -> Result<&mut Members, Failure> {
    if !index.staged.contains_key(&shard) {
        let members = read_shard(index, shard)?;
        index.staged.insert(shard, members);
    }
    Ok(index.staged.entry(shard).or_default())
}

fn read_shard(index: &Index, shard: u32) -> Result<Members, Failure> {
    let path = shard_path(index.folder(), shard);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(Failure::file("read", &path)(error)),
    };
    let mut members = BTreeMap::new();
    let mut archive = tar::Archive::new(io::BufReader::new(file));
    for member in archive.entries().map_err(Failure::content(&path))? {
        let mut member = member.map_err(Failure::content(&path))?;
        let name = member
            .path()
            .map_err(Failure::content(&path))?
            .display()
            .to_string();
        let mut bytes = Vec::new();
        member
            .read_to_end(&mut bytes)
            .map_err(Failure::content(&path))?;
        members.insert(name, bytes);
    }
    Ok(members)
}

fn write_shard(index: &Index, shard: u32, members: &Members) -> Result<(), Failure> {
    let path = shard_path(index.folder(), shard);
    if members.is_empty() {
        return remove_file(&path);
    }
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive
            .append_data(&mut header, name, bytes.as_slice())
            .map_err(Failure::file("write", &path))?;
    }
    let bytes = archive
        .into_inner()
        .map_err(Failure::file("write", &path))?;
    files::write(&path, &bytes)
}

fn remove_file(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn json(manifest: &Manifest) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec_pretty(manifest).map_err(Failure::said)
}
