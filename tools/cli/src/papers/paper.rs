//! A paper in Markdown, put together from above to below.

use std::fmt::Write as _;

use sordino::disclosure::Evidence;

use super::blank::Blank;

/// Columns after which a paragraph's line is broken.
const WIDTH: usize = 110;

/// Stands for a space at which no line is broken.
const HELD: &str = "\u{1}";

/// A paper that is being written.
pub(super) struct Paper {
    title: &'static str,
    about: String,
    body: String,
}

impl Paper {
    /// Begins one: `about` says what it is and what it is not.
    pub(super) fn new(title: &'static str, about: impl Into<String>) -> Self {
        Self {
            title,
            about: about.into(),
            body: String::new(),
        }
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.block(&format!("## {text}"));
    }

    pub(super) fn subheading(&mut self, text: &str) {
        self.block(&format!("### {text}"));
    }

    pub(super) fn paragraph(&mut self, text: impl AsRef<str>) {
        self.block(&wrapped(text.as_ref(), ""));
    }

    pub(super) fn list<T: AsRef<str>>(&mut self, items: impl IntoIterator<Item = T>) {
        let lines: Vec<String> = items
            .into_iter()
            .map(|item| format!("- {}", wrapped(item.as_ref(), "  ")))
            .collect();
        self.block(&lines.join("\n"));
    }

    /// A table, each of whose rows has a cell for each head.
    pub(super) fn table<T: AsRef<str>>(
        &mut self,
        heads: &[&str],
        rows: impl IntoIterator<Item = Vec<T>>,
    ) {
        let mut table = format!(
            "| {} |\n|{}",
            heads.join(" | "),
            " --- |".repeat(heads.len())
        );
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| escaped(cell.as_ref())).collect();
            let _ = write!(table, "\n| {} |", cells.join(" | "));
        }
        self.block(&table);
    }

    /// The whole, with what is to fill in it stated at the top.
    pub(super) fn finish(self) -> String {
        let mut top = format!("# {}\n\n{}\n", self.title, wrapped(&self.about, ""));
        top.push_str(
            "\nWritten by `sordino papers` from the tables in src/disclosure/; do not edit the copy in docs/papers.\n\
             Links lead from there.\n",
        );
        let blanks: Vec<Blank> = Blank::ALL
            .into_iter()
            .filter(|blank| self.body.contains(&blank.to_string()))
            .collect();
        if !blanks.is_empty() {
            top.push_str("\nTo fill in, each where it stands below:\n\n");
            for blank in blanks {
                let _ = writeln!(top, "- {blank}: {}", blank.asks());
            }
        }
        top + &self.body
    }

    fn block(&mut self, text: &str) {
        let _ = write!(self.body, "\n{}\n", text.trim_end());
    }
}

/// Where a claim can be checked, as links from docs/papers.
pub(super) fn evidence(evidence: &[Evidence]) -> String {
    let links: Vec<String> = evidence
        .iter()
        .map(|Evidence { path, test }| match test {
            Some(test) => format!("[{path}](../../{path}) `{test}`"),
            None => format!("[{path}](../../{path})"),
        })
        .collect();
    links.join("<br>")
}

/// A cell in which nothing ends it.
fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|").replace('\n', " ")
}

/// Broken at spaces, each line after the first begun with `indent`.
fn wrapped(text: &str, indent: &str) -> String {
    // A blank stays whole, so that it can be searched for.
    let text = Blank::ALL.iter().fold(text.to_owned(), |text, blank| {
        let blank = blank.to_string();
        text.replace(&blank, &blank.replace(' ', HELD))
    });
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let word = word.replace(HELD, " ");
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            lines.push('\n');
            lines.push_str(indent);
            column = indent.len();
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(&word);
        column += length;
    }
    lines
}
