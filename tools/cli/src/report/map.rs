//! The error map: which note was recognized for which.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
};

use super::{escape::Text, notes};

/// Notes expected by notes recognized.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorMap {
    /// Heading.
    pub(crate) title: String,
    /// What is counted; an empty line parts paragraphs.
    pub(crate) intro: String,
    /// Which note was taken for which, how often.
    pub(crate) cells: BTreeMap<Taken, Counted>,
}

/// The pitch expected and the pitch recognized; none stands for no note.
pub(crate) type Taken = (Option<u8>, Option<u8>);

/// How often it happened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counted {
    pub(crate) notes: usize,
    /// With each note counted as often as the moments that its clip stands for.
    pub(crate) weighted: f64,
}

/// Steps of color.
const LEVELS: f64 = 9.0;

impl ErrorMap {
    /// Counts a note of a clip with this weight.
    pub(crate) fn add(&mut self, expected: Option<u8>, recognized: Option<u8>, weight: f64) {
        let cell = self.cells.entry((expected, recognized)).or_default();
        cell.notes += 1;
        cell.weighted += weight;
    }

    /// All that happened where this was expected.
    pub(crate) fn of_expected(&self, expected: Option<u8>) -> Counted {
        let row = self.cells.iter().filter(|((of, _), _)| *of == expected);
        row.fold(Counted::default(), |sum, (_, cell)| Counted {
            notes: sum.notes + cell.notes,
            weighted: sum.weighted + cell.weighted,
        })
    }
}

/// Writes the map as a table whose cells are darker the larger their share of the row is.
pub(super) fn write(page: &mut String, map: &ErrorMap, number: usize) -> fmt::Result {
    let rows: BTreeSet<u8> = map
        .cells
        .keys()
        .filter_map(|(expected, _)| *expected)
        .collect();
    let columns: BTreeSet<u8> = map.cells.keys().filter_map(|(_, heard)| *heard).collect();
    // What is missed stands beside the names, where a narrow window shows it.
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
        let all = map.of_expected(expected);
        let name = match expected {
            Some(midi) => notes::name(midi),
            None => "extra".to_owned(),
        };
        write!(page, "<tr><th scope=\"row\">{name}</th>")?;
        for &heard in &columns {
            match map.cells.get(&(expected, heard)) {
                None => page.push_str("<td></td>"),
                Some(cell) => write_cell(page, cell, all.weighted, expected == heard)?,
            }
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div></section>\n");
    Ok(())
}

fn write_cell(page: &mut String, cell: &Counted, row: f64, right: bool) -> fmt::Result {
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
