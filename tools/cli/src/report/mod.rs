//! The HTML report.
//!
//! * **In**: a [`Report`] of plain values: texts, sounds, spans, annotations.
//! * **Out**: one HTML file that needs nothing else: styles, script, pictures and sound are inside,
//!   so that it opens from a disk, years later, without a network.
//! * **Promises**: every text is escaped; a Content-Security-Policy in the page forbids each request
//!   and each script but its own; without the script all can still be read and played.
//! * **Never**: decides what may be shown. A [`SampleView::before`] is sound with voices in it: give
//!   it only for recordings that are public anyway, like those of the demo.

mod axis;
mod color;
mod comparison;
mod escape;
mod map;
mod model;
mod page;
mod piano_roll;
mod picture;
mod sample;
mod sound;
mod styles;
#[cfg(test)]
mod tests;
mod timeline;
mod track;

use std::io;

pub(crate) use map::ErrorMap;
pub(crate) use model::{
    DeviceSection, Disposition, Fact, Item, Link, List, Listing, Report, ReportError, ReviewView,
    SampleStatus, SampleView, Section, Table,
};
pub(crate) use page::is_report;
pub(crate) use sound::Sound;

/// Writes `report` as one self-contained HTML file. Samples are drawn on all cores.
///
/// # Errors
/// [`ReportError`]; what was written until then is incomplete.
pub(crate) fn write_html(report: &Report, mut out: impl io::Write) -> Result<(), ReportError> {
    let page = page::render(report)?;
    out.write_all(page.as_bytes())?;
    out.flush()?;
    Ok(())
}
