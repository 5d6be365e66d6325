//! Tables for a terminal.

use sordino::text::printable_line;

/// A table whose first column is aligned to the left and the others to the right.
#[derive(Default)]
pub(crate) struct Columns {
    rows: Vec<Vec<String>>,
}

impl Columns {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let headings = headings.iter().map(|&heading| heading.to_owned()).collect();
        Self {
            rows: vec![headings],
        }
    }

    pub(crate) fn push(&mut self, row: Vec<String>) {
        // Cells may be untrusted text.
        let row = row.iter().map(|cell| printable_line(cell).into_owned());
        self.rows.push(row.collect());
    }

    /// The rows, one per line, without trailing spaces.
    pub(crate) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).enumerate();
            let cells = cells.map(|(column, (cell, &width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The reason for a missing interval.
pub(crate) const TOO_FEW: &str = "too few people";

/// A share, rounded to a thousandth.
pub(crate) fn share(value: f64) -> String {
    format!("{value:.3}")
}

/// An interval, or the reason for a missing one.
pub(crate) fn interval(interval: Option<[f64; 2]>) -> String {
    interval.map_or_else(
        || TOO_FEW.to_owned(),
        |[low, high]| format!("{low:.3}–{high:.3}"),
    )
}
