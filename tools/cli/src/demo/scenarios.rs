//! The scenarios of the four devices.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde::Serialize;
use sordino::{
    Id, Purpose, Purposes, Sordino, WithheldReason,
    capture::Pace,
    consent::{AgeBand, ConsentResponse, GuardianMethod},
    outbox::SampleState,
    sampler::Annotation,
    upload::{Client, NetworkSettings},
};

use super::{environment::Environment, proxy::Proxy};
use crate::{commands::unnamed_notice, error::CliError, playback};

/// Network settings without a proxy, for the demo's collector on this machine.
fn own_client() -> Client {
    Client::with_settings(&NetworkSettings::direct())
}

/// A shipped recording.
pub(super) struct Recording {
    pub(super) file: PathBuf,
    pub(super) annotation: Annotation,
}

/// The result of a recording on a device.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlayedRecording {
    pub(super) name: String,
    pub(super) queued: Vec<Id>,
    pub(super) withheld: Vec<WithheldReason>,
    pub(super) frames: u64,
    pub(super) note: Option<&'static str>,
}

/// A device at the end of its scenario.
#[derive(Serialize)]
pub(crate) struct Device {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) heard: Vec<PlayedRecording>,
    pub(super) connections: u64,
    pub(super) bytes_up: u64,
    pub(super) sent: usize,
    pub(super) pending: usize,
    /// Connections and bytes before the guardian approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before_approval: Option<(u64, u64)>,
    /// Whether only complete files were found after the kill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) whole_after_kill: Option<bool>,
    /// Samples that a withdrawal deleted.
    pub(super) withdrawn: usize,
    #[serde(skip)]
    line: Option<Proxy>,
    #[serde(skip)]
    engine: Option<Sordino>,
}

impl Device {
    pub(super) fn queued(&self) -> usize {
        self.heard.iter().map(|heard| heard.queued.len()).sum()
    }

    /// The device's row in the tables of the terminal and of the report.
    pub(super) fn row(&self) -> Vec<String> {
        vec![
            self.name.to_owned(),
            self.heard.len().to_string(),
            self.queued().to_string(),
            self.sent.to_string(),
            self.connections.to_string(),
            self.bytes_up.to_string(),
        ]
    }

    pub(super) fn received_all_frames(&self) -> bool {
        self.heard
            .iter()
            .all(|heard| heard.frames > 0 || heard.note.is_some())
    }

    fn new(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            heard: Vec::new(),
            connections: 0,
            bytes_up: 0,
            sent: 0,
            pending: 0,
            before_approval: None,
            whole_after_kill: None,
            withdrawn: 0,
            line: None,
            engine: None,
        }
    }

    fn count(&mut self) -> Result<(), CliError> {
        if let Some(line) = &self.line {
            self.connections = line.connections();
            self.bytes_up = line.bytes_up();
        }
        if let Some(engine) = &self.engine {
            let status = engine.status()?;
            (self.sent, self.pending) = (status.sent, status.pending);
        }
        Ok(())
    }
}

pub(super) fn adult(setting: &Environment, recordings: &[Recording]) -> Result<Device, CliError> {
    let mut device = Device::new(
        "an adult, both purposes",
        "Consented to quality assurance and to recognition research. The app marks a moment near the \
         end of each recording, and the plan draws others at random. What may hold a voice is cut \
         or withheld; the rest is sealed and sent.",
    );
    let line = start_proxy(setting)?;
    let engine = setting.device("adult", &line.url())?;
    give_consent(&engine, AgeBand::Adult, &Purposes::all())?;
    device.heard = play_all(&engine, recordings)?;
    engine.upload(&own_client())?;
    (device.line, device.engine) = (Some(line), Some(engine));
    device.count()?;
    Ok(device)
}

pub(super) fn no_consent(
    setting: &Environment,
    recordings: &[Recording],
) -> Result<Device, CliError> {
    let mut device = Device::new(
        "a person without consent",
        "Was never asked. The recognizer gets every frame; nothing else does. The device does not \
         even hold the last seconds in memory, and opens no connection.",
    );
    let line = start_proxy(setting)?;
    let engine = setting.device("unasked", &line.url())?;
    device.heard = play_all(&engine, recordings)?;
    engine.upload(&own_client())?;
    (device.line, device.engine) = (Some(line), Some(engine));
    device.count()?;
    Ok(device)
}

pub(super) fn child(setting: &Environment, recordings: &[Recording]) -> Result<Device, CliError> {
    let mut device = Device::new(
        "a child, with a guardian",
        "Consented, but nothing is sampled until the guardian approves. Then samples are made, sent \
         and pulled. At last the child withdraws consent: what was sent is deleted at the collector \
         and in the dataset.",
    );
    let line = start_proxy(setting)?;
    let engine = setting.device("child", &line.url())?;
    give_consent(&engine, AgeBand::Child, &Purpose::QualityAssurance.into())?;
    let before = recordings.len() / 2;
    let mut heard = play_all(&engine, &recordings[..before])?;
    engine.upload(&own_client())?;
    heard
        .iter_mut()
        .for_each(|heard| heard.note = Some("before the guardian's consent"));
    device.before_approval = Some((line.connections(), line.bytes_up()));
    engine.approve(GuardianMethod::TextPlus)?;
    heard.extend(play_all(&engine, recordings)?);
    engine.upload(&own_client())?;
    device.heard = heard;
    (device.line, device.engine) = (Some(line), Some(engine));
    device.count()?;
    Ok(device)
}

pub(super) fn withdraw_child(device: &mut Device) -> Result<(), CliError> {
    let Some(engine) = &device.engine else {
        return Ok(());
    };
    engine.withdraw(None)?;
    engine.upload(&own_client())?;
    device.withdrawn = engine
        .samples()?
        .iter()
        .filter(|entry| entry.state == SampleState::Deleted)
        .count();
    device.count()
}

pub(super) fn offline(setting: &Environment, recordings: &[Recording]) -> Result<Device, CliError> {
    const NAME: &str = "offline";
    let mut device = Device::new(
        "offline, killed, and back",
        "Had no network and was killed with SIGKILL while it sealed. When it came back, every \
         sample that it had queued was whole, nothing half-written was left, and no raw sound was \
         on its disk. Online again, it sent what had waited.",
    );
    let line = start_proxy(setting)?;
    line.cut();
    let url = line.url();
    let engine = setting.device(NAME, &url)?;
    give_consent(&engine, AgeBand::Adult, &Purposes::all())?;
    // Only one process at a time can open the state.
    drop(engine);

    let folder = setting.device_folder(NAME);
    kill_while_sealing(&folder, recordings)?;
    let engine = setting.device(NAME, &url)?;
    let pending = engine.status()?.pending;
    let (whole, others) = outbox_files(&folder.join("outbox"))?;
    device.whole_after_kill = Some(others == 0 && whole == pending);
    device.heard = engine
        .samples()?
        .iter()
        .map(|entry| PlayedRecording {
            name: "before the kill".to_owned(),
            queued: vec![entry.id],
            withheld: Vec::new(),
            frames: 0,
            note: Some("queued before the kill"),
        })
        .collect();
    device.heard.extend(play_all(&engine, recordings)?);

    let summary = engine.upload(&own_client())?;
    if summary.failed == 0 {
        return Err(CliError::Message(
            "a device without a network reached something".to_owned(),
        ));
    }
    line.restore();
    engine.upload(&own_client())?;
    (device.line, device.engine) = (Some(line), Some(engine));
    device.count()?;
    Ok(device)
}

fn start_proxy(setting: &Environment) -> Result<Proxy, CliError> {
    Proxy::start(setting.collector()).map_err(CliError::message)
}

fn give_consent(engine: &Sordino, age_band: AgeBand, purposes: &Purposes) -> Result<(), CliError> {
    let notice = match engine.plan() {
        Some(plan) => unnamed_notice(plan.notice_version, &plan)?,
        None => unnamed_notice(1, 365)?,
    };
    let answer = ConsentResponse {
        purposes: purposes.clone(),
        age_band,
        guardian: None,
        notice: &notice,
    };
    engine.give_consent(&answer)?;
    Ok(())
}

fn play_all(engine: &Sordino, recordings: &[Recording]) -> Result<Vec<PlayedRecording>, CliError> {
    recordings
        .iter()
        .map(|recording| {
            let annotation = Some(recording.annotation.clone());
            let played = playback::play(engine, &recording.file, annotation, Pace::Unthrottled)?;
            if let Some(failure) = played.failed.first() {
                return Err(CliError::content(&recording.file)(failure));
            }
            Ok(PlayedRecording {
                name: name_of(&recording.file),
                queued: played.queued,
                withheld: played.withheld,
                frames: played.frames,
                note: None,
            })
        })
        .collect()
}

pub(super) fn name_of(file: &Path) -> String {
    file.file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

/// Runs a device in its own process, and kills it while a sealed sample is
/// being written.
fn kill_while_sealing(folder: &Path, recordings: &[Recording]) -> Result<(), CliError> {
    let program = std::env::current_exe().map_err(CliError::message)?;
    let mut device = Command::new(program)
        .arg("device")
        .arg(folder)
        .args(["listen", "--mark"])
        .args(recordings.iter().map(|recording| &recording.file))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(CliError::message)?;
    let outbox = folder.join("outbox");
    let killed = loop {
        let (whole, others) = outbox_files(&outbox).unwrap_or_default();
        // The second sample, so that a complete one can survive; or right after it, if the incomplete file was too
        // short-lived to be observed.
        if (whole >= 1 && others > 0) || whole >= 2 {
            break Ok(());
        }
        // The process exits when all recordings are played.
        if device.try_wait().map_err(CliError::message)?.is_some() {
            break Err(whole);
        }
        thread::sleep(Duration::from_micros(50));
    };
    let _ = device.kill();
    device.wait().map_err(CliError::message)?;
    killed.map_err(|sealed| {
        CliError::Message(format!(
            "the device that was to be killed had sealed only {sealed} samples"
        ))
    })
}

/// The numbers of complete samples and of other files in an outbox.
fn outbox_files(outbox: &Path) -> Result<(usize, usize), CliError> {
    let listing = fs::read_dir(outbox).map_err(CliError::file("read", outbox))?;
    let (whole, others): (Vec<PathBuf>, Vec<PathBuf>) = listing
        .flatten()
        .map(|file| file.path())
        .partition(|path| path.extension().is_some_and(|ending| ending == "age"));
    Ok((whole.len(), others.len()))
}
