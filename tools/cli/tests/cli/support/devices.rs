//! Devices and datasets of a stage.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    iter,
    process::{Child, Stdio},
};

use serde_json::Value;

use super::*;

impl Stage {
    /// Creates the device `name` for the stage's collector.
    pub(crate) fn device(&self, name: &str) {
        self.device_at(name, &self.url());
    }

    /// Creates the device `name` for the collector at `url`, or updates its plan.
    pub(crate) fn device_at(&self, name: &str, url: &str) {
        let key = &self.plan_key;
        self.sordino(&format!(
            "device {name} init --plan plan.json --plan-key {key} --collector {url}"
        ))
        .ok();
    }

    /// Seals a shipped recording to QA's key, as `one.age`.
    pub(crate) fn seal(&self, recording: &str) {
        let recipient = &self.recipient;
        self.sordino(&format!(
            "seal audio/{recording}.wav --recipient {recipient} --out one.age"
        ))
        .ok();
    }

    /// Like [`Self::device`], for an adult who consented to `purposes`.
    pub(crate) fn granted(&self, name: &str, purposes: &str) {
        self.device(name);
        self.consent(name, purposes);
    }

    pub(crate) fn consent(&self, name: &str, purposes: &str) {
        self.sordino(&format!(
            "device {name} consent --age-band adult --purpose {purposes}"
        ))
        .ok();
    }

    pub(crate) fn status(&self, name: &str) -> Value {
        self.json(&format!("device {name} status"))
    }

    /// Submits a shipped recording and returns the id of its sample.
    pub(crate) fn submit(&self, name: &str, recording: &str) -> String {
        self.submit_with(name, recording, "")
    }

    /// Like [`Self::submit`], with more arguments.
    pub(crate) fn submit_with(&self, name: &str, recording: &str, flags: &str) -> String {
        let line = format!("device {name} submit audio/{recording}.wav {flags}");
        queued(|| self.json(&line))
    }

    /// Starts a device that listens for minutes, and returns when it holds its state.
    pub(crate) fn listening(&self, name: &str, envs: &[(&str, &str)]) -> Child {
        // In real time, so that the test is never too slow.
        write_long(self, "ten-minutes.wav", 600);
        fs::write(self.path("ten-minutes.json"), r#"{"tag": "a-bar"}"#).unwrap();
        let line = format!("device {name} listen ten-minutes.wav --mark --real-time");
        let listen = || {
            let mut command = self.command(&line);
            command.envs(envs.iter().copied());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        };
        let (mut listening, mut refused) = (listen(), 0);
        while self.sordino(&format!("device {name} status")).status == Some(0) {
            // It may have been refused because `status` held the state.
            if listening.try_wait().unwrap().is_some() {
                refused += 1;
                assert!(refused < 100, "{line} does not run");
                listening = listen();
            }
        }
        assert!(listening.try_wait().unwrap().is_none(), "{line} has ended");
        listening
    }

    /// The ids of the sealed samples in the device's outbox.
    pub(crate) fn outbox(&self, name: &str) -> BTreeSet<String> {
        sealed_in(&self.path(name).join("outbox"))
    }

    pub(crate) fn upload(&self, name: &str) -> Value {
        self.json(&format!("device {name} upload"))
    }

    /// Pulls to the folder `out`, in the format of that name.
    pub(crate) fn pull(&self, out: &str, format: &str) -> Value {
        self.json(&self.pull_line(out, format))
    }

    pub(crate) fn pull_line(&self, out: &str, format: &str) -> String {
        let url = self.url();
        format!(
            "pull --collector {url} --token-file token --identity qa.key --out {out} --format {format}"
        )
    }

    /// Pulls in every format, each to the folder of its name.
    pub(crate) fn pull_everything(&self) {
        for format in FORMATS {
            let pulled = self.pull(format, format);
            assert_eq!(pulled["unreadable"], 0, "{pulled}");
        }
    }

    /// Whether a sample is in those datasets: in all or none, since a copy in one would be too
    /// many.
    pub(crate) fn is_pulled(&self, id: &str) -> bool {
        let holding = FORMATS
            .iter()
            .filter(|format| self.mentions(format, id.as_bytes()))
            .count();
        assert!(
            holding == 0 || holding == FORMATS.len(),
            "{id} is in {holding} datasets"
        );
        holding > 0
    }

    /// Whether `needle` is in a name or in the bytes of any file below the folder `name`.
    pub(crate) fn mentions(&self, name: &str, needle: &[u8]) -> bool {
        files_below(&self.path(name)).iter().any(|path| {
            holds(path.as_os_str().as_encoded_bytes(), needle)
                || holds(&fs::read(path).unwrap(), needle)
        })
    }
}

/// The id of the sample that `submit` queues. The anonymizer is randomized; now and then the gate takes the rest
/// of a clip for a voice, and the recording is submitted again. Of 360 clips of [`PLAYED`] none was withheld, so
/// that four in a row are less than one in ten million.
#[track_caller]
pub(crate) fn queued(submit: impl FnMut() -> Value) -> String {
    let submitted = iter::repeat_with(submit).take(4);
    let queued = submitted
        .filter(|submitted| submitted["outcome"] == "queued")
        .find_map(|submitted| submitted["sample_id"].as_str().map(str::to_owned));
    queued.expect("a recording that is not withheld each time")
}

/// Writes that many seconds of silence as NAME, 8 kHz, 8 bit, mono: a header, and a hole in the file in place of
/// the sound.
pub(crate) fn write_long(stage: &Stage, name: &str, seconds: u32) {
    let length = seconds * 8000;
    let mut header = Vec::new();
    header.extend_from_slice(b"RIFF");
    header.extend_from_slice(&(36 + length).to_le_bytes());
    header.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    header.extend_from_slice(&8000_u32.to_le_bytes());
    header.extend_from_slice(&8000_u32.to_le_bytes());
    header.extend_from_slice(b"\x01\0\x08\0data");
    header.extend_from_slice(&length.to_le_bytes());
    let mut file = fs::File::create(stage.path(name)).unwrap();
    file.write_all(&header).unwrap();
    file.set_len(header.len() as u64 + u64::from(length))
        .unwrap();
}
