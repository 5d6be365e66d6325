//! The page around the samples.

use std::fmt::{self, Display, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rayon::prelude::*;
use ring::digest;

use super::{
    color::css_gradient,
    escape::{Paragraphs, Text},
    map,
    model::{DeviceSection, Disposition, Fact, List, Listing, Report, ReportError, Section, Table},
    picture::RANGE,
    sample, styles,
};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// By which a page is known for a report.
const GENERATOR: &str = "<meta name=\"generator\" content=\"sordino\"/>";

/// Whether a file is a report that was written here.
pub(crate) fn is_report(page: &[u8]) -> bool {
    let head = &page[..page.len().min(HEAD_BYTES)];
    head.windows(GENERATOR.len())
        .any(|window| window == GENERATOR.as_bytes())
}

/// The mark is before the style and the title's end.
const HEAD_BYTES: usize = 4096;

/// The whole file.
pub(super) fn render(report: &Report) -> Result<String, ReportError> {
    let drawn = draw_samples(report)?;
    let mut body = String::new();
    write_body(&mut body, report, &drawn).map_err(|_| std::io::Error::other("out of memory"))?;
    let (body, rules) = styles::lifted(&body);
    let style = format!("\n{STYLE}{rules}");
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta name=\"referrer\" content=\"no-referrer\"/>\n\
         {GENERATOR}\n\
         <title>{}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\
         <script>{SCRIPT}</script>\n</body>\n</html>\n",
        policy(&style),
        Text(&report.title)
    ))
}

/// The samples of each section, drawn; one list a section.
fn draw_samples(report: &Report) -> Result<Vec<Vec<String>>, ReportError> {
    let draw = |(number, section): (usize, &Section)| match section {
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
    report.sections.iter().enumerate().map(draw).collect()
}

fn write_body(page: &mut String, report: &Report, drawn: &[Vec<String>]) -> fmt::Result {
    let title = Text(&report.title);
    write!(
        page,
        "<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<header class=\"top\">\
         <p class=\"brand\">Sordino</p><h1>{title}</h1><div class=\"intro\">{}</div>{}</header>\n",
        Paragraphs(&report.intro),
        Figures(&report.facts)
    )?;
    write_contents(page, report)?;
    page.push_str("<main id=\"content\">\n");
    for (number, map) in report.maps.iter().enumerate() {
        map::write(page, map, number)?;
    }
    for table in &report.tables {
        write_table(page, table)?;
    }
    if drawn.iter().any(|samples| !samples.is_empty()) {
        write_key(page)?;
    }
    for (number, (section, samples)) in report.sections.iter().zip(drawn).enumerate() {
        match section {
            Section::Device(device) => write_device(page, device, number, samples)?,
            Section::List(list) => write_list(page, list, number)?,
            Section::Listing(listing) => write_listing(page, listing, number)?,
        }
    }
    write!(
        page,
        "</main>\n<footer><p>Written by sordino {}. This file holds all that it shows and asks for \
         nothing from elsewhere.</p></footer>\n",
        env!("CARGO_PKG_VERSION")
    )
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

fn write_contents(page: &mut String, report: &Report) -> fmt::Result {
    if report.sections.len() + report.maps.len() < 2 {
        return Ok(());
    }
    page.push_str("<nav aria-label=\"Contents\"><ol>");
    for (number, map) in report.maps.iter().enumerate() {
        write!(
            page,
            "<li><a href=\"#map-{number}\">{}</a></li>",
            Text(&map.title)
        )?;
    }
    for (number, section) in report.sections.iter().enumerate() {
        let name = match section {
            Section::Device(device) => &device.name,
            Section::List(list) => &list.title,
            Section::Listing(listing) => &listing.table.caption,
        };
        write!(
            page,
            "<li><a href=\"#section-{number}\">{}</a></li>",
            Text(name)
        )?;
    }
    page.push_str("</ol></nav>\n");
    Ok(())
}

fn write_table(page: &mut String, table: &Table) -> fmt::Result {
    write!(
        page,
        "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table>\
         <caption>{0}</caption><thead><tr>",
        Text(&table.caption)
    )?;
    for column in &table.columns {
        write!(page, "<th scope=\"col\">{}</th>", Text(column))?;
    }
    page.push_str("</tr></thead><tbody>");
    for row in &table.rows {
        page.push_str("<tr>");
        for (index, cell) in row.iter().enumerate() {
            let (open, close) = match index {
                0 => ("<th scope=\"row\">", "</th>"),
                _ if is_figure(cell) => ("<td class=\"figure\">", "</td>"),
                _ => ("<td>", "</td>"),
            };
            write!(page, "{open}{}{close}", Text(cell))?;
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div>\n");
    Ok(())
}

/// A table whose rows can be linked to, each with a link to its file.
fn write_listing(page: &mut String, listing: &Listing, number: usize) -> fmt::Result {
    let caption = Text(&listing.table.caption);
    write!(
        page,
        "<section class=\"list\" aria-labelledby=\"section-{number}\">\
         <h2 id=\"section-{number}\">{caption}</h2><div class=\"story\">{}</div>\
         <div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table>\
         <thead><tr>",
        Paragraphs(&listing.intro)
    )?;
    for column in &listing.table.columns {
        write!(page, "<th scope=\"col\">{}</th>", Text(column))?;
    }
    page.push_str("</tr></thead><tbody>");
    for (row, link) in listing.table.rows.iter().zip(&listing.links) {
        write!(page, "<tr id=\"{}\">", Text(&link.anchor))?;
        for (index, cell) in row.iter().enumerate() {
            let cell = Text(cell);
            match index {
                0 => write!(
                    page,
                    "<th scope=\"row\"><a href=\"{}\">{cell}</a></th>",
                    Text(&link.href)
                )?,
                _ => write!(page, "<td>{cell}</td>")?,
            }
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div></section>\n");
    Ok(())
}

/// Whether a cell is set like a number, to the right.
fn is_figure(cell: &str) -> bool {
    cell == "–" || cell.starts_with(|first: char| first.is_ascii_digit())
}

/// How to read the pictures.
fn write_key(page: &mut String) -> fmt::Result {
    write!(
        page,
        "<section class=\"key\" aria-labelledby=\"key\"><h2 id=\"key\">How to read the pictures</h2>\
         <p>Time runs to the right and is the recording’s own, above and below: what was taken out \
         leaves a gap. Frequency rises by octaves, 50 Hz to 8 kHz. Press a picture to listen from \
         there; with the keyboard, <kbd>Space</kbd> plays and the arrow keys move.</p>\
         <ul class=\"legend\">\
         <li><span class=\"swatch ramp\" style=\"background:{}\"></span>level, from \
         −{RANGE:.0} dB to the loudest</li>\
         <li><span class=\"swatch gone\"></span>taken out</li>\
         <li><span class=\"swatch note expected\"></span>note expected</li>\
         <li><span class=\"swatch note right\"></span>recognized rightly</li>\
         <li><span class=\"swatch note wrong\"></span>wrong: another note recognized</li>\
         <li><span class=\"swatch note octave\"></span>wrong: in another octave</li>\
         <li><span class=\"swatch note expected missed\"></span>missed</li>\
         <li><span class=\"swatch note extra\"></span>extra: nothing expected</li>\
         </ul><label class=\"toggle\" hidden=\"hidden\"><input type=\"checkbox\" id=\"overlay\" \
         checked=\"checked\"/> notes over the spectrograms</label></section>",
        css_gradient()
    )
}

fn write_device(
    page: &mut String,
    device: &DeviceSection,
    number: usize,
    samples: &[String],
) -> fmt::Result {
    write!(
        page,
        "<section class=\"device\" aria-labelledby=\"section-{number}\">\
         <h2 id=\"section-{number}\">{}</h2><div class=\"story\">{}</div>{}",
        Text(&device.name),
        Paragraphs(&device.story),
        Figures(&device.counters)
    )?;
    for sample in samples {
        page.push_str(sample);
    }
    page.push_str("</section>\n");
    Ok(())
}

fn write_list(page: &mut String, list: &List, number: usize) -> fmt::Result {
    write!(
        page,
        "<section class=\"list\" aria-labelledby=\"section-{number}\">\
         <h2 id=\"section-{number}\">{}</h2><div class=\"story\">{}</div>",
        Text(&list.title),
        Paragraphs(&list.intro)
    )?;
    if list.items.is_empty() {
        write!(page, "<p class=\"otherwise\">{}</p>", Text(&list.otherwise))?;
    } else {
        page.push_str("<ul class=\"items\">");
        for item in &list.items {
            write!(
                page,
                "<li><span class=\"what\">{}</span> <span class=\"why\">{}</span></li>",
                Text(&item.what),
                Text(&item.why)
            )?;
        }
        page.push_str("</ul>");
    }
    page.push_str("</section>\n");
    Ok(())
}

/// Figures with their names, in a row.
struct Figures<'a>(&'a [Fact]);

impl Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str("<dl class=\"figures\">")?;
        for Fact { label, value } in self.0 {
            write!(
                f,
                "<div><dt>{}</dt><dd>{}</dd></div>",
                Text(label),
                Text(value)
            )?;
        }
        f.write_str("</dl>")
    }
}

impl Disposition {
    /// The class that colors it.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Withheld => "withheld",
            Self::NotSampled => "stayed",
            Self::Withdrawn => "taken-back",
        }
    }

    /// The word that says it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Sent => "Sent",
            Self::Withheld => "Withheld",
            Self::NotSampled => "Never left",
            Self::Withdrawn => "Withdrawn",
        }
    }

    /// What is over the picture of what was left of a recording.
    pub(super) fn of_what_is_left(self) -> &'static str {
        match self {
            Self::Sent => "After: all that left the device",
            Self::Withheld => "After: nothing that could leave",
            Self::NotSampled => "After: stayed on the device",
            Self::Withdrawn => "After: was sent, and deleted after withdrawal",
        }
    }
}
