//! The content of a report.

use std::io;

use sordino::{
    anonymize::{Removal, Span},
    sampler::Annotation,
};

use super::{map::ErrorMap, sound::Sound};

/// A whole report, in the order in which it is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// Heading and window title.
    pub(crate) title: String,
    /// Introduction; an empty line separates paragraphs.
    pub(crate) intro: String,
    /// Figures of the whole report, shown large.
    pub(crate) facts: Vec<Fact>,
    /// The error maps.
    pub(crate) maps: Vec<ErrorMap>,
    /// Tables below the maps.
    pub(crate) tables: Vec<Table>,
    /// The remaining parts.
    pub(crate) sections: Vec<Section>,
}

/// A figure with its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fact {
    /// The name: `samples sent`.
    pub(crate) label: String,
    /// The value with its unit: `3`, `41 kB`.
    pub(crate) value: String,
}

/// A table; its first column names the rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Caption.
    pub(crate) caption: String,
    /// Headings.
    pub(crate) columns: Vec<String>,
    /// Cells, as many per row as there are columns.
    pub(crate) rows: Vec<Vec<String>>,
}

/// A part of the report.
#[derive(Clone, Debug)]
pub(crate) enum Section {
    /// A device and its samples.
    Device(DeviceSection),
    /// A list, for example of deleted samples.
    List(List),
    /// Samples as rows, if they are too many to be drawn.
    Listing(Listing),
}

/// Samples, one per row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// Introduction; an empty line separates paragraphs.
    pub(crate) intro: String,
    /// The caption is the heading, and the first column names the sample.
    pub(crate) table: Table,
    /// The target of each row.
    pub(crate) links: Vec<Link>,
}

/// An anchor in the page, and the file that it describes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    /// The id of the element in the page.
    pub(crate) anchor: String,
    /// A URL, relative to the page.
    pub(crate) href: String,
}

/// A device, or a dataset without devices.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviceSection {
    /// Heading.
    pub(crate) name: String,
    /// Description; an empty line separates paragraphs.
    pub(crate) description: String,
    /// Figures of the device.
    pub(crate) counters: Vec<Fact>,
    /// Samples in the order in which they are shown.
    pub(crate) samples: Vec<SampleView>,
}

/// A list of items with reasons.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    /// Heading.
    pub(crate) title: String,
    /// Introduction; an empty line separates paragraphs.
    pub(crate) intro: String,
    /// The items.
    pub(crate) items: Vec<Item>,
    /// The text if there are no items.
    pub(crate) otherwise: String,
}

/// An entry of a [`List`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Item {
    /// A name or an id.
    pub(crate) what: String,
    /// The reason.
    pub(crate) why: String,
}

/// A recording and its status. Times are seconds in the time of the input.
#[derive(Clone, Debug, Default)]
pub(crate) struct SampleView {
    /// Heading: a file's name or a sample's id.
    pub(crate) name: String,
    /// The id of its element, as a target of links.
    pub(crate) anchor: Option<String>,
    /// The URL of the sound file, relative to the page.
    pub(crate) file: Option<String>,
    /// The onset tolerance in seconds; `None` for the default.
    pub(crate) onset_tolerance: Option<f64>,
    /// The status.
    pub(crate) outcome: SampleStatus,
    /// The original sound. See the module's warning.
    pub(crate) before: Option<Sound>,
    /// The anonymized sound: the kept parts, concatenated.
    pub(crate) after: Option<Sound>,
    /// The parts of the input in `after`, in its order.
    pub(crate) kept: Vec<Span>,
    /// The removed parts.
    pub(crate) removed: Vec<Removed>,
    /// The app's annotation.
    pub(crate) annotation: Option<Annotation>,
    /// The reviews.
    pub(crate) verdicts: Vec<ReviewView>,
    /// The manifest's members.
    pub(crate) facts: Vec<Fact>,
}

/// A review of a recording.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReviewView {
    /// Reader and week: `first, 2026-W48`.
    pub(crate) who: String,
    /// The label of the verdict.
    pub(crate) verdict: String,
    /// A note; may be empty.
    pub(crate) note: String,
}

/// The status of a recording.
#[derive(Clone, Debug, Default)]
pub(crate) struct SampleStatus {
    /// The status as a color and a word.
    pub(crate) disposition: Disposition,
    /// The status as a sentence: when it was sent, why it was withheld.
    pub(crate) text: String,
}

/// The disposition of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// Sealed, and at the collector or on its way.
    #[default]
    Sent,
    /// Too little sound without voices was left.
    Withheld,
    /// Not sampled: no consent, no budget, or not selected.
    NotSampled,
    /// Sent, and deleted later.
    Withdrawn,
}

/// A part that was removed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Removed {
    /// Seconds in the time of the input.
    pub(crate) start_s: f64,
    /// Seconds in the time of the input.
    pub(crate) end_s: f64,
    /// The reason in a word: `voice`.
    pub(crate) reason: String,
}

/// The report could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// The output failed.
    #[error("the report cannot be written: {0}")]
    Write(#[from] io::Error),
    /// A template could not be rendered.
    #[error("the report cannot be rendered: {0}")]
    Render(#[from] askama::Error),
    /// A picture could not be drawn.
    #[error("the spectrogram of `{sample}` cannot be drawn: {reason}")]
    Picture {
        /// The sample's name.
        sample: String,
        /// The cause.
        reason: String,
    },
    /// A sound could not be packed.
    #[error("the sound of `{sample}` cannot be packed as FLAC: {reason}")]
    Sound {
        /// The sample's name.
        sample: String,
        /// The cause.
        reason: String,
    },
}

impl Fact {
    /// A figure with its name.
    pub(crate) fn new(label: impl Into<String>, value: impl ToString) -> Self {
        Self {
            label: label.into(),
            value: value.to_string(),
        }
    }
}

impl From<Removal> for Removed {
    fn from(removal: Removal) -> Self {
        let reason = match serde_json::to_value(removal.reason) {
            Ok(serde_json::Value::String(reason)) => reason,
            _ => format!("{:?}", removal.reason),
        };
        Self {
            start_s: removal.start_s,
            end_s: removal.end_s,
            reason,
        }
    }
}
