//! The demo's report.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use sordino::{Id, WithheldReason, capture, plan::Plan};

use super::{
    checks::Check,
    scenarios::{Device, PlayedRecording, Recording, name_of},
};
use crate::{
    commands::sample_view,
    error::CliError,
    output_files::OutputFile,
    pull::{Index, Summary},
    report::{
        self, Disposition, Fact, Item, List, Report, SampleStatus, SampleView, Section, Sound,
        Table,
    },
};

/// The content of the report.
pub(super) struct DemoReport<'a> {
    pub(super) devices: &'a [Device; 4],
    pub(super) recordings: &'a [Recording],
    pub(super) plan: &'a Plan,
    /// The dataset before the child withdrew consent.
    pub(super) pulled: &'a BTreeMap<Id, SampleView>,
    pub(super) first: &'a Summary,
    pub(super) second: &'a Summary,
    pub(super) checks: &'a [Check],
}

/// The samples of a pulled dataset.
pub(super) fn views(dataset: &Path) -> Result<BTreeMap<Id, SampleView>, CliError> {
    let Some(index) = Index::read(dataset)? else {
        return Ok(BTreeMap::new());
    };
    index
        .entries()
        .map(|entry| {
            let view = sample_view(entry, &index.flac(entry)?)?;
            Ok((entry.manifest.sample, view))
        })
        .collect()
}

impl DemoReport<'_> {
    pub(super) fn write(&self, output: &OutputFile) -> Result<(), CliError> {
        let mut page = Vec::new();
        report::write_html(&self.report()?, &mut page).map_err(CliError::message)?;
        output.write(&page)
    }

    fn report(&self) -> Result<Report, CliError> {
        let [adult, _, child, offline] = self.devices;
        let held = self.checks.iter().filter(|check| check.holds).count();
        let mut sections = Vec::new();
        for device in self.devices {
            sections.push(Section::Device(self.device(device)?));
        }
        sections.push(Section::List(self.never_left()));
        sections.push(Section::List(withdrawn(child, self.second)));
        Ok(Report {
            title: "Sordino: what left, what did not, and what was withdrawn".to_owned(),
            intro: format!(
                "Four devices heard the same {} recordings. Each had a line to the collector on \
                 which every byte was counted.",
                self.recordings.len()
            ),
            facts: vec![
                Fact::new("samples sent", adult.sent + child.withdrawn + offline.sent),
                Fact::new("pulled", self.first.pulled),
                Fact::new("withdrawn", self.second.removed),
                Fact::new("promises held", format!("{held} of {}", self.checks.len())),
            ],
            maps: Vec::new(),
            tables: vec![self.devices_table(), self.checks_table()],
            sections,
        })
    }

    fn device(&self, device: &Device) -> Result<report::DeviceSection, CliError> {
        let mut samples = Vec::new();
        for heard in &device.heard {
            samples.extend(self.heard(device, heard)?);
        }
        Ok(report::DeviceSection {
            name: device.name.to_owned(),
            description: device.description.to_owned(),
            counters: vec![
                Fact::new("recordings heard", device.heard.len()),
                Fact::new("samples", device.queued()),
                Fact::new("connections", device.connections),
                Fact::new("bytes sent", device.bytes_up),
            ],
            samples,
        })
    }

    /// The original sound is shown for the first device only, because all devices play the same recordings.
    fn heard(&self, device: &Device, heard: &PlayedRecording) -> Result<Vec<SampleView>, CliError> {
        let recording = self
            .recordings
            .iter()
            .find(|recording| name_of(&recording.file) == heard.name);
        let is_first = std::ptr::eq(device, &self.devices[0]);
        let before = match recording {
            Some(recording) if is_first => Some(self.last_seconds(recording)?),
            _ => None,
        };
        let mut views = Vec::new();
        for id in &heard.queued {
            let Some(view) = self.pulled.get(id) else {
                continue;
            };
            let mut view = view.clone();
            let is_marked = view
                .facts
                .iter()
                .any(|fact| fact.value == "marked by the app");
            view.name = match is_marked {
                true => heard.name.clone(),
                false => format!("{} (drawn at random)", heard.name),
            };
            // A random clip covers another part of the recording than the marked one.
            view.before = before.clone().filter(|_| is_marked);
            view.outcome = match device.withdrawn > 0 {
                true => SampleStatus {
                    disposition: Disposition::Withdrawn,
                    text: "sent and pulled; then deleted everywhere".to_owned(),
                },
                false => SampleStatus {
                    disposition: Disposition::Sent,
                    text: "sent and pulled".to_owned(),
                },
            };
            views.push(view);
        }
        if views.is_empty()
            && let Some(sound) = before
        {
            let reasons: BTreeSet<String> =
                heard.withheld.iter().map(ToString::to_string).collect();
            let reasons = Vec::from_iter(reasons).join(", ");
            views.push(SampleView {
                name: heard.name.clone(),
                outcome: SampleStatus {
                    disposition: disposition_of(&heard.withheld),
                    text: format!("withheld: {reasons}"),
                },
                before: Some(sound),
                annotation: recording.map(|recording| recording.annotation.clone()),
                ..SampleView::default()
            });
        }
        Ok(views)
    }

    /// The part of the recording in the clip, which ends with the recording.
    fn last_seconds(&self, recording: &Recording) -> Result<Sound, CliError> {
        let sound = capture::read_wav(&recording.file).map_err(CliError::message)?;
        let wanted = (self.plan.clip_seconds * sound.rate) as usize;
        let start = sound.samples.len().saturating_sub(wanted);
        Ok(Sound {
            samples: sound.samples[start..].to_vec(),
            rate: sound.rate,
        })
    }

    fn never_left(&self) -> List {
        let mut items = Vec::new();
        for device in self.devices {
            for heard in &device.heard {
                for reason in BTreeSet::from_iter(heard.withheld.iter().map(ToString::to_string)) {
                    items.push(Item {
                        what: format!("{}: {}", device.name, heard.name),
                        why: reason,
                    });
                }
            }
        }
        List {
            title: "What never left".to_owned(),
            intro: "Moments that a device heard and that became no sample. They were in memory \
                    only, if at all, and were wiped."
                .to_owned(),
            items,
            otherwise: "Every moment became a sample.".to_owned(),
        }
    }

    fn devices_table(&self) -> Table {
        Table {
            caption: "The four devices".to_owned(),
            columns: [
                "device",
                "recordings",
                "samples",
                "held by the collector",
                "connections",
                "bytes sent",
            ]
            .map(str::to_owned)
            .to_vec(),
            rows: self.devices.iter().map(Device::row).collect(),
        }
    }

    fn checks_table(&self) -> Table {
        let row = |check: &Check| {
            let held = if check.holds { "held" } else { "BROKEN" };
            vec![check.what.to_owned(), held.to_owned()]
        };
        Table {
            caption: "What was promised".to_owned(),
            columns: ["promise", "here"].map(str::to_owned).to_vec(),
            rows: self.checks.iter().map(row).collect(),
        }
    }
}

/// Distinguishes clips withheld because of their sound from clips that were never sampled.
fn disposition_of(withheld: &[WithheldReason]) -> Disposition {
    let by_its_sound = |reason: &WithheldReason| {
        use WithheldReason::{Failed, Silence, TooShort, Voice};
        matches!(reason, Voice | Silence | TooShort | Failed)
    };
    match withheld.iter().any(by_its_sound) {
        true => Disposition::Withheld,
        false => Disposition::NotSampled,
    }
}

fn withdrawn(child: &Device, second: &Summary) -> List {
    let items = child
        .heard
        .iter()
        .flat_map(|heard| heard.queued.iter().map(move |id| (heard, id)))
        .map(|(heard, id)| Item {
            what: format!("{} ({id})", heard.name),
            why: "deleted at the collector and in the dataset".to_owned(),
        })
        .collect();
    List {
        title: "What the withdrawal deleted".to_owned(),
        intro: format!(
            "The child withdrew consent after {} samples had been pulled. The collector keeps only the id of \
             each, to reject late copies.",
            second.removed
        ),
        items,
        otherwise: "Nothing had been sent.".to_owned(),
    }
}
