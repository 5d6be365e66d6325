//! The HTML report: what was heard, what left, what never did.
//!
//! * **In**: a [`Report`] of plain values: texts, sounds, spans, annotations.
//! * **Out**: one HTML file that needs nothing else: styles, script, pictures and sound are inside,
//!   so that it opens from a disk, years later, without a network.
//! * **Promises**: every text is escaped; a Content-Security-Policy in the page forbids each request
//!   and each script but its own; without the script all can still be read and played.
//! * **Never**: decides what may be shown. A [`SampleView::before`] is sound with voices in it: give
//!   it only for recordings that are public anyway, like those of the demo.

mod axis;
mod colour;
mod escape;
mod notes;
mod page;
mod picture;
mod sample;
mod sound;
#[cfg(test)]
mod tests;
mod timeline;

use std::io;

use sordino::{
    anonymize::{Removal, Span},
    sampler::Annotation,
};

pub use sound::Sound;

/// A whole report, in the order in which it is read.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Heading and window title.
    pub title: String,
    /// What the reader is looking at; an empty line parts paragraphs.
    pub intro: String,
    /// Figures of the whole, shown large.
    pub facts: Vec<Fact>,
    /// Tables under them.
    pub tables: Vec<Table>,
    /// What follows.
    pub sections: Vec<Section>,
}

/// A figure with its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fact {
    /// What it counts: `samples sent`.
    pub label: String,
    /// Its value, with its unit: `3`, `41 kB`.
    pub value: String,
}

/// A table; its first column names the rows.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Headings.
    pub columns: Vec<String>,
    /// Cells, as many a row as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// A part of the report.
#[derive(Clone, Debug)]
pub enum Section {
    /// A device and its samples.
    Device(Device),
    /// A list: what never left, what a withdrawal took back.
    List(List),
}

/// A device, or a dataset where there is none.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// Heading.
    pub name: String,
    /// What happened to it; an empty line parts paragraphs.
    pub story: String,
    /// Its figures.
    pub counters: Vec<Fact>,
    /// Its samples, in the order in which they are shown.
    pub samples: Vec<SampleView>,
}

/// A list of things, each with its why.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Heading.
    pub title: String,
    /// What is listed; an empty line parts paragraphs.
    pub intro: String,
    /// What, and why.
    pub items: Vec<Item>,
    /// What to say where there is no item.
    pub otherwise: String,
}

/// An entry of a [`List`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// A name or an id.
    pub what: String,
    /// The reason.
    pub why: String,
}

/// A recording and what became of it. Times are seconds in the time of the input.
#[derive(Clone, Debug, Default)]
pub struct SampleView {
    /// Heading: a file's name or a sample's id.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What the microphone heard. See the module's warning.
    pub before: Option<Sound>,
    /// What is left: the kept stretches one after another.
    pub after: Option<Sound>,
    /// Which stretches of the input stand in `after`, in its order.
    pub kept: Vec<Span>,
    /// Which were taken out.
    pub removed: Vec<Removed>,
    /// What the app said of it.
    pub annotation: Option<Annotation>,
    /// More to know: the manifest's members.
    pub facts: Vec<Fact>,
}

/// What became of a recording.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Says it at a glance, by a colour and a word.
    pub fate: Fate,
    /// Says it in a sentence: when it left, why it was withheld.
    pub text: String,
}

/// Where a recording ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// Sealed, and at the collector or on its way.
    #[default]
    Sent,
    /// Nothing safe was left of it.
    Withheld,
    /// It never left, for want of consent, budget or chance.
    Stayed,
    /// It had left, and a withdrawal or deletion took it back.
    TakenBack,
}

/// A stretch that was taken out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Removed {
    /// Seconds in the time of the input.
    pub start_s: f64,
    /// Seconds in the time of the input.
    pub end_s: f64,
    /// Why, in a word: `voice`.
    pub reason: String,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The place it is written to failed.
    #[error("the report cannot be written: {0}")]
    Write(#[from] io::Error),
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
    pub fn new(label: impl Into<String>, value: impl ToString) -> Self {
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

/// Writes `report` as one self-contained HTML file. Samples are drawn on all cores.
///
/// # Errors
/// [`ReportError`]; what was written until then is no report.
pub fn write_html(report: &Report, mut out: impl io::Write) -> Result<(), ReportError> {
    let page = page::render(report)?;
    out.write_all(page.as_bytes())?;
    out.flush()?;
    Ok(())
}
