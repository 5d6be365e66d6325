//! Lays out a rendered template: paragraphs are wrapped, and placeholders listed at the top.

use std::fmt;

use askama::filters::Escaper;

use super::facts::Placeholder;

/// The maximum length of a line in a paragraph.
const WIDTH: usize = 110;
/// The line of a template that is replaced by the list of placeholders.
const MARKER: &str = "<!-- placeholders -->";
const OPENING: &str = "[TO FILL: ";

/// Escapes text in a cell of a table, which a `|` or a line feed would end.
#[derive(Clone, Copy)]
pub(super) struct Cell;

impl Escaper for Cell {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        dest.write_str(&text.replace('|', "\\|").replace('\n', " "))
    }
}

/// Lays out the document in `rendered`, with a list of the `placeholders` in it at the top.
pub(super) fn lay_out(rendered: &str, placeholders: &[Placeholder]) -> String {
    let stated: Vec<String> = placeholders
        .iter()
        .map(|placeholder| (format!("{OPENING}{}]", placeholder.name), &placeholder.asks))
        .filter(|(name, _)| rendered.contains(name))
        .map(|(name, asks)| format!("- {name}: {asks}"))
        .collect();
    let list = match stated.is_empty() {
        true => String::new(),
        false => format!("To fill in below:\n\n{}", stated.join("\n")),
    };
    let blocks: Vec<String> = blocks(rendered)
        .into_iter()
        .map(|block| match block == MARKER {
            true => list.clone(),
            false => block,
        })
        .filter(|block| !block.is_empty())
        .collect();
    blocks.join("\n\n") + "\n"
}

/// Splits into headings, tables, lists and paragraphs.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if !line.trim().is_empty() {
            block.push(line);
        } else if !block.is_empty() {
            blocks.push(laid_out(&block));
            block.clear();
        }
    }
    blocks
}

fn laid_out(lines: &[&str]) -> String {
    match lines[0] {
        first if first.starts_with('|') => lines.join("\n"),
        first if first.starts_with("- ") => {
            let text = lines.join("\n");
            let items = text[2..]
                .split("\n- ")
                .map(|item| format!("- {}", wrapped(item, "  ")));
            items.collect::<Vec<_>>().join("\n")
        }
        first if first.starts_with('#') || first == MARKER => lines.join(" "),
        _ => wrapped(&lines.join(" "), ""),
    }
}

/// Wraps at spaces, with `indent` before each line after the first. A placeholder is not wrapped, so that it can be
/// searched for.
fn wrapped(text: &str, indent: &str) -> String {
    let mut wrapped = String::new();
    let mut column = 0;
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let mut word = word.to_owned();
        while let Some(start) = word.rfind("[TO")
            && !word[start..].contains(']')
            && let Some(next) = words.next()
        {
            word = format!("{word} {next}");
        }
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            wrapped.push('\n');
            wrapped.push_str(indent);
            column = indent.len();
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(&word);
        column += length;
    }
    wrapped
}
