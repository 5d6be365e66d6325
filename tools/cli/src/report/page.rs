//! The page around the samples.

use askama::Template;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rayon::prelude::*;
use ring::digest;

use super::{
    color::css_gradient,
    map::MapTable,
    model::{Disposition, Report, ReportError, Section},
    picture::RANGE,
    sample, styles,
};

const STYLE: &str = include_str!("../../templates/report/report.css");
const SCRIPT: &str = include_str!("../../templates/report/report.js");

/// The element that identifies a page as a report.
const GENERATOR: &str = "<meta name=\"generator\" content=\"sordino\"/>";

/// Whether a file is a report that was written here.
pub(crate) fn is_report(page: &[u8]) -> bool {
    let head = &page[..page.len().min(HEAD_BYTES)];
    head.windows(GENERATOR.len())
        .any(|window| window == GENERATOR.as_bytes())
}

/// [`GENERATOR`] is within this many bytes: it precedes the title and the style sheet.
const HEAD_BYTES: usize = 4096;

/// The file with its head, style sheet and script.
#[derive(Template)]
#[template(path = "report/page.html", whitespace = "minimize")]
struct Page<'a> {
    title: &'a str,
    generator: &'static str,
    /// The Content-Security-Policy.
    policy: &'a str,
    style: &'a str,
    script: &'static str,
    body: &'a str,
}

/// The visible part of the page.
#[derive(Template)]
#[template(path = "report/body.html", whitespace = "minimize")]
struct Body<'a> {
    report: &'a Report,
    maps: &'a [MapTable<'a>],
    /// The samples of each section, as HTML.
    samples: &'a [Vec<String>],
    version: &'static str,
}

/// The whole file.
pub(super) fn render(report: &Report) -> Result<String, ReportError> {
    let maps: Vec<MapTable<'_>> = report.maps.iter().map(MapTable::new).collect();
    let body = Body {
        report,
        maps: &maps,
        samples: &render_samples(report)?,
        version: env!("CARGO_PKG_VERSION"),
    };
    let (body, rules) = styles::lifted(&body.render()?);
    let style = format!("\n{STYLE}{rules}");
    let page = Page {
        title: &report.title,
        generator: GENERATOR,
        policy: &policy(&style),
        style: &style,
        script: SCRIPT,
        body: &body,
    };
    Ok(page.render()?)
}

/// The samples of each section as HTML, drawn on all cores; one list per section.
fn render_samples(report: &Report) -> Result<Vec<Vec<String>>, ReportError> {
    let render = |(number, section): (usize, &Section)| match section {
        Section::Device(device) => device
            .samples
            .par_iter()
            .enumerate()
            .map(|(index, view)| match &view.anchor {
                Some(anchor) => sample::render(view, anchor),
                None => sample::render(view, &format!("sample-{number}-{index}")),
            })
            .collect(),
        Section::List(_) | Section::Listing(_) => Ok(Vec::new()),
    };
    report.sections.iter().enumerate().map(render).collect()
}

/// Allows only the style sheet and the script of the page, by their digests.
fn policy(style: &str) -> String {
    let digest = |text: &str| BASE64.encode(digest::digest(&digest::SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; img-src data:; media-src data:; style-src 'sha256-{}'; \
         script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(style),
        digest(SCRIPT)
    )
}

impl Body<'_> {
    fn has_samples(&self) -> bool {
        self.samples.iter().any(|samples| !samples.is_empty())
    }
}

impl Section {
    /// The heading, as the table of contents lists it.
    fn heading(&self) -> &str {
        match self {
            Self::Device(device) => &device.name,
            Self::List(list) => &list.title,
            Self::Listing(listing) => &listing.table.caption,
        }
    }
}

/// The paragraphs of a text, which empty lines separate.
fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty())
}

/// Whether a cell is set like a number, to the right.
fn is_figure(cell: &str) -> bool {
    cell == "–" || cell.starts_with(|first: char| first.is_ascii_digit())
}

impl Disposition {
    /// The class that colors it.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Withheld => "withheld",
            Self::NotSampled => "not-sampled",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The label in the page.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Sent => "Sent",
            Self::Withheld => "Withheld",
            Self::NotSampled => "Never left",
            Self::Withdrawn => "Withdrawn",
        }
    }

    /// The heading of the anonymized sound.
    pub(super) fn after_heading(self) -> &'static str {
        match self {
            Self::Sent => "After: all that left the device",
            Self::Withheld => "After: nothing that could leave",
            Self::NotSampled => "After: stayed on the device",
            Self::Withdrawn => "After: was sent, and deleted after withdrawal",
        }
    }
}
