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
    /// What the reader is looking at; an empty line parts paragraphs.
    pub(crate) intro: String,
    /// Figures of the whole, shown large.
    pub(crate) facts: Vec<Fact>,
    /// Which notes were recognized for which.
    pub(crate) maps: Vec<ErrorMap>,
    /// Tables under them.
    pub(crate) tables: Vec<Table>,
    /// What follows.
    pub(crate) sections: Vec<Section>,
}

/// A figure with its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fact {
    /// What it counts: `samples sent`.
    pub(crate) label: String,
    /// Its value, with its unit: `3`, `41 kB`.
    pub(crate) value: String,
}

/// A table; its first column names the rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// What it shows.
    pub(crate) caption: String,
    /// Headings.
    pub(crate) columns: Vec<String>,
    /// Cells, as many a row as there are columns.
    pub(crate) rows: Vec<Vec<String>>,
}

/// A part of the report.
#[derive(Clone, Debug)]
pub(crate) enum Section {
    /// A device and its samples.
    Device(DeviceSection),
    /// A list: what never left, what a withdrawal deleted.
    List(List),
    /// Samples as rows, where they are too many to be drawn.
    Listing(Listing),
}

/// Samples, a row each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// What they are; an empty line parts paragraphs.
    pub(crate) intro: String,
    /// The caption is the heading, and the first column names the sample.
    pub(crate) table: Table,
    /// Where each row leads to.
    pub(crate) links: Vec<Link>,
}

/// A place in the page, and the file that it is of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    /// The id that the place has in the page.
    pub(crate) anchor: String,
    /// A URL, relative to the page.
    pub(crate) href: String,
}

/// A device, or a dataset where there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviceSection {
    /// Heading.
    pub(crate) name: String,
    /// What happened to it; an empty line parts paragraphs.
    pub(crate) story: String,
    /// Its figures.
    pub(crate) counters: Vec<Fact>,
    /// Its samples, in the order in which they are shown.
    pub(crate) samples: Vec<SampleView>,
}

/// A list of things, each with its why.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    /// Heading.
    pub(crate) title: String,
    /// What is listed; an empty line parts paragraphs.
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
    /// The id of its place in the page, where others may lead to it.
    pub(crate) anchor: Option<String>,
    /// The file with its sound: a URL, relative to the page.
    pub(crate) file: Option<String>,
    /// How far an onset may be from the expected one, in seconds; as everywhere, if none.
    pub(crate) onset_tolerance: Option<f64>,
    /// Its status.
    pub(crate) outcome: SampleStatus,
    /// The microphone's sound. See the module's warning.
    pub(crate) before: Option<Sound>,
    /// What is left: the kept stretches one after another.
    pub(crate) after: Option<Sound>,
    /// The parts of the input in `after`, in its order.
    pub(crate) kept: Vec<Span>,
    /// Which were taken out.
    pub(crate) removed: Vec<Removed>,
    /// The app's annotation.
    pub(crate) annotation: Option<Annotation>,
    /// The reviews.
    pub(crate) verdicts: Vec<ReviewView>,
    /// More to know: the manifest's members.
    pub(crate) facts: Vec<Fact>,
}

/// A review of a recording.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReviewView {
    /// Who, and when: `first, 2026-W48`.
    pub(crate) who: String,
    /// The verdict, for people.
    pub(crate) verdict: String,
    /// More words; may be empty.
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
    /// Nothing safe was left of it.
    Withheld,
    /// It never left: no consent, no budget, or not selected.
    NotSampled,
    /// It was sent, and deleted by a withdrawal or deletion.
    Withdrawn,
}

/// A stretch that was taken out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Removed {
    /// Seconds in the time of the input.
    pub(crate) start_s: f64,
    /// Seconds in the time of the input.
    pub(crate) end_s: f64,
    /// Why, in a word: `voice`.
    pub(crate) reason: String,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// The place it is written to failed.
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
        /// What went wrong.
        reason: String,
    },
    /// A sound could not be packed.
    #[error("the sound of `{sample}` cannot be packed as FLAC: {reason}")]
    Sound {
        /// The sample's name.
        sample: String,
        /// What went wrong.
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
