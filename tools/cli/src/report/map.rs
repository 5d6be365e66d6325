//! The error map: which note was recognized for which.

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
};

use sordino_scoring::{Confusion, ConfusionMatrix};

use super::escape::Text;
use crate::notes;

/// A titled confusion matrix.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorMap {
    /// Heading.
    pub(crate) title: String,
    /// What it counts; an empty line separates paragraphs.
    pub(crate) intro: String,
    pub(crate) matrix: ConfusionMatrix,
}

/// Steps of color.
const LEVELS: f64 = 9.0;

/// Writes the map as a table whose cells are darker the larger their share of the row is.
pub(super) fn write(page: &mut String, map: &ErrorMap, number: usize) -> fmt::Result {
    let rows: BTreeSet<u8> = map
        .matrix
        .cells
        .keys()
        .filter_map(|(expected, _)| *expected)
        .collect();
    let columns: BTreeSet<u8> = map
        .matrix
        .cells
        .keys()
        .filter_map(|(_, heard)| *heard)
        .collect();
    // Missed notes are next to the names, visible in a narrow window.
    let columns: Vec<Option<u8>> = [None]
        .into_iter()
        .chain(columns.into_iter().map(Some))
        .collect();
    let rows = rows.into_iter().map(Some).chain([None]);
    write!(
        page,
        "<section class=\"map\"><h2 id=\"map-{number}\">{}</h2>\
         <div class=\"story\">{}</div>\
         <div class=\"table\" tabindex=\"0\" role=\"region\" aria-labelledby=\"map-{number}\">\
         <table class=\"matrix\"><caption>Rows: the note expected. Columns: what was recognized for \
         it.</caption><thead><tr><td></td>",
        Text(&map.title),
        super::escape::Paragraphs(&map.intro)
    )?;
    for heard in &columns {
        match *heard {
            Some(midi) => write!(page, "<th scope=\"col\">{}</th>", notes::name(midi))?,
            None => page.push_str("<th scope=\"col\">missed</th>"),
        }
    }
    page.push_str("</tr></thead><tbody>");
    for expected in rows {
        let all = map.matrix.row_total(expected);
        let name = match expected {
            Some(midi) => notes::name(midi),
            None => "extra".to_owned(),
        };
        write!(page, "<tr><th scope=\"row\">{name}</th>")?;
        for &heard in &columns {
            match map.matrix.cells.get(&(expected, heard)) {
                None => page.push_str("<td></td>"),
                Some(cell) => write_cell(page, cell, all.weighted, expected == heard)?,
            }
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div></section>\n");
    Ok(())
}

fn write_cell(page: &mut String, cell: &Confusion, row: f64, right: bool) -> fmt::Result {
    let share = cell.weighted / row.max(f64::MIN_POSITIVE);
    let level = (share * LEVELS).ceil().clamp(1.0, LEVELS);
    let kind = if right { "hit" } else { "miss" };
    write!(
        page,
        "<td class=\"{kind} l{level:.0}\" title=\"weighted {:.0}, {:.1} % of the row\">{}</td>",
        cell.weighted,
        share * 100.0,
        cell.notes
    )
}
