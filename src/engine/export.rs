//! Export of all data that the device holds about the person.

use std::io::{self, Cursor, Write as _};

use serde::Serialize;
use zip::{CompressionMethod, DateTime, ZipWriter, result::ZipError, write::SimpleFileOptions};

use super::Sordino;
use crate::{Error, state::StateError};

/// The archive's introduction.
const README: &str = "\
This is all that the app's sampling holds of you on this device.

consent/ID.json      each answer that you gave, as a signed receipt; `sordino consent verify` checks it
consent/states.json  the state of each consent, what you withdrew, and what is due
notices/HASH.txt     the exact texts that you agreed to, by the hash that the receipts name
samples.json         each sample that was ever made: when (the week), why, how long, for what, and
                     where it is now
plan.json            what the organization asks for, signed by it

It holds no sound: a sample can be opened by nobody but the holder of the organization's key. Who opened a
sample is kept by the collector; the app can ask it.
";

impl Sordino {
    /// A zip archive of the person's records, receipts, notices, and the list of samples. It holds
    /// no keys.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn export_my_data(&self) -> Result<Vec<u8>, Error> {
        let inner = self.inner()?;
        let mut archive = Archive(ZipWriter::new(Cursor::new(Vec::new())));
        archive.add("README.txt", README.as_bytes())?;
        let history = inner.consent.history()?;
        for receipt in &history.receipts {
            let json = receipt.to_pretty_json() + "\n";
            let name = format!("consent/{}.json", receipt.content().id);
            archive.add(&name, json.as_bytes())?;
        }
        archive.add_json("consent/states.json", &history.states)?;
        for (sha256, text) in &history.notices {
            archive.add(&format!("notices/{sha256}.txt"), text.as_bytes())?;
        }
        archive.add_json("samples.json", &self.samples()?)?;
        if let Some(plan) = inner.signed_plan() {
            archive.add("plan.json", (plan.to_pretty_json() + "\n").as_bytes())?;
        }
        Ok(archive.0.finish().map_err(failed)?.into_inner())
    }
}

struct Archive(ZipWriter<Cursor<Vec<u8>>>);

impl Archive {
    fn add(&mut self, name: &str, content: &[u8]) -> Result<(), Error> {
        // The same time in each entry, so that none is revealed.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default());
        self.0.start_file(name, options).map_err(failed)?;
        self.0
            .write_all(content)
            .map_err(|error| failed(ZipError::Io(error)))
    }

    fn add_json(&mut self, name: &str, content: &impl Serialize) -> Result<(), Error> {
        let mut json = serde_json::to_vec_pretty(content)
            .map_err(|error| failed(io::Error::other(error).into()))?;
        json.push(b'\n');
        self.add(name, &json)
    }
}

/// Writing to memory does not fail.
fn failed(error: ZipError) -> Error {
    Error::State(StateError::Damaged(format!(
        "the person's data cannot be exported: {error}"
    )))
}
