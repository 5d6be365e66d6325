//! The error map: which note was recognized for which.

use std::collections::BTreeSet;

use sordino_scoring::{Confusion, ConfusionMatrix};

use crate::notes;

/// A titled confusion matrix.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorMap {
    /// Heading.
    pub(crate) title: String,
    /// Introduction; an empty line separates paragraphs.
    pub(crate) intro: String,
    pub(crate) matrix: ConfusionMatrix,
}

/// An error map as a table, a row per expected note.
pub(super) struct MapTable<'a> {
    pub(super) title: &'a str,
    pub(super) intro: &'a str,
    /// Names of the recognized notes.
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<MapRow>,
}

pub(super) struct MapRow {
    /// Name of the expected note.
    pub(super) name: String,
    /// A cell per column; `None` where nothing was counted.
    pub(super) cells: Vec<Option<MapCell>>,
}

pub(super) struct MapCell {
    /// Whether the recognized note is the expected one.
    pub(super) is_right: bool,
    /// Step of color, from 1 to [`LEVELS`]; the darker the larger the share of the row is.
    pub(super) level: u8,
    /// Notes, weighted.
    pub(super) weighted: f64,
    /// Share of the row, in percent.
    pub(super) percent: f64,
    /// Notes, unweighted.
    pub(super) notes: usize,
}

/// Steps of color.
const LEVELS: f64 = 9.0;

impl<'a> MapTable<'a> {
    pub(super) fn new(map: &'a ErrorMap) -> Self {
        let cells = &map.matrix.cells;
        let expected: BTreeSet<u8> = cells.keys().filter_map(|pair| pair.0).collect();
        let recognized: BTreeSet<u8> = cells.keys().filter_map(|pair| pair.1).collect();
        // Missed notes are next to the names, visible in a narrow window.
        let columns: Vec<Option<u8>> = [None]
            .into_iter()
            .chain(recognized.into_iter().map(Some))
            .collect();
        let row = |expected: Option<u8>| {
            let total = map.matrix.row_total(expected).weighted;
            let cell = |&recognized: &Option<u8>| {
                let confusion = cells.get(&(expected, recognized))?;
                Some(MapCell::new(confusion, total, expected == recognized))
            };
            MapRow {
                name: expected.map_or_else(|| "extra".to_owned(), notes::name),
                cells: columns.iter().map(cell).collect(),
            }
        };
        Self {
            title: &map.title,
            intro: &map.intro,
            rows: expected
                .into_iter()
                .map(Some)
                .chain([None])
                .map(row)
                .collect(),
            columns: columns
                .iter()
                .map(|midi| midi.map_or_else(|| "missed".to_owned(), notes::name))
                .collect(),
        }
    }
}

impl MapCell {
    fn new(confusion: &Confusion, row_total: f64, is_right: bool) -> Self {
        let share = confusion.weighted / row_total.max(f64::MIN_POSITIVE);
        Self {
            is_right,
            level: (share * LEVELS).ceil().clamp(1.0, LEVELS) as u8,
            weighted: confusion.weighted,
            percent: share * 100.0,
            notes: confusion.notes,
        }
    }
}
