//! A run's summary for a terminal.

use sordino_scoring::Ratio;

use super::summary::{Estimates, Group, Summary, is_testable};
use crate::table::{Columns, TOO_FEW, interval, share};

pub(super) fn render(summary: &Summary) -> String {
    let mut parts = vec![heading(summary)];
    for group in &summary.groups {
        parts.push(table(group));
    }
    parts.join("\n\n")
}

fn heading(summary: &Summary) -> String {
    let mut line = format!(
        "{} samples of {} consent records, {} expected notes, onsets within {} ms",
        summary.samples, summary.records, summary.expected, summary.tolerance_ms
    );
    if summary.left_out > 0 {
        line += &format!("; {} notes in removed parts left out", summary.left_out);
    }
    if summary.failed > 0 {
        line += &format!("; {} failed", summary.failed);
    }
    if summary.without_baseline > 0 {
        line += &format!("; {} without a baseline", summary.without_baseline);
    }
    line
}

fn table(group: &Group) -> String {
    let changed = group.all.change.is_some();
    let offsets = group.all.f1_with_offset.is_some();
    let mut headings = vec![
        group.trigger,
        "samples",
        "precision",
        "recall",
        "F1",
        "95 %",
    ];
    if offsets {
        headings.extend(["with offsets", "overlap"]);
    }
    if changed {
        headings.extend(["before", "difference", "95 %", "p"]);
    }
    let mut columns = Columns::new(&headings);
    columns.push(row("all", &group.all, offsets, changed));
    for (exercise, found) in &group.exercises {
        columns.push(row(exercise, found, offsets, changed));
    }
    let few = group
        .all
        .change
        .as_ref()
        .filter(|change| !is_testable(change));
    let warning = few.map_or_else(String::new, |change| {
        format!(
            "\n{} consent records are too few for any difference to be significant.",
            change.records
        )
    });
    columns.text() + &warning
}

fn row(name: &str, row: &Estimates, offsets: bool, changed: bool) -> Vec<String> {
    let value = |ratio: Option<Ratio>| ratio.map_or_else(nothing, |ratio| share(ratio.value));
    let mut cells = vec![
        name.to_owned(),
        row.samples.to_string(),
        value(row.precision),
        value(row.recall),
        value(row.f1),
        row.f1.map_or_else(nothing, |f1| interval(f1.interval)),
    ];
    if offsets {
        cells.extend([value(row.f1_with_offset), value(row.overlap)]);
    }
    match &row.change {
        Some(change) => {
            let found = &change.comparison;
            let ends = found.interval.map_or_else(
                || TOO_FEW.to_owned(),
                |[low, high]| format!("{low:+.3} to {high:+.3}"),
            );
            cells.extend([
                share(change.before),
                format!("{:+.3}", found.difference),
                ends,
                format!("{:.4}", found.p),
            ]);
        }
        None if changed => cells.extend(std::iter::repeat_with(nothing).take(4)),
        None => {}
    }
    cells
}

fn nothing() -> String {
    "–".to_owned()
}
