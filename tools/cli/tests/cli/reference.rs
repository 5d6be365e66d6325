//! docs/cli.md lists every command, argument and option of both programs, as their help describes them.
//!
//! After a change of a command: `SORDINO_WRITE_DOCS=1 cargo test --test cli reference` writes the page's generated
//! part.

use std::{env, fmt::Write as _, fs, path::Path, process::Command};

use crate::support::{CommandResult, collector_program};

const PAGE: &str = "../../docs/cli.md";
/// The text after this line is generated.
const MARKER: &str =
    "<!-- Generated from the help of the programs. See tools/cli/tests/cli/reference.rs. -->\n";
/// Options that every command has.
const COMMON: [&str; 3] = ["--json", "-h, --help", "-V, --version"];

#[test]
fn the_command_reference_matches_the_help() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let text = fs::read_to_string(&page).unwrap();
    let (head, _) = text.split_once(MARKER).expect("the marker");
    let expected = format!("{head}{MARKER}{}", reference());
    if env::var_os("SORDINO_WRITE_DOCS").is_some() {
        fs::write(&page, &expected).unwrap();
    } else {
        assert!(
            text == expected,
            "docs/cli.md is out of date; run SORDINO_WRITE_DOCS=1 cargo test --test cli reference"
        );
    }
}

fn reference() -> String {
    let sordino = Path::new(env!("CARGO_BIN_EXE_sordino"));
    let collector = collector_program();
    let mut out = String::new();
    for (program, name) in [(sordino, "sordino"), (&*collector, "sordino-collector")] {
        let pages = pages(program, name, &[]);
        let _ = write!(
            out,
            "\n## {name}\n\n| command | description |\n| --- | --- |\n"
        );
        for page in pages.iter().filter(|page| page.commands.is_empty()) {
            let _ = writeln!(
                out,
                "| [`{}`](#{}) | {} |",
                page.name,
                slug(&page.name),
                cell(&page.about)
            );
        }
        for page in pages.iter().filter(|page| page.commands.is_empty()) {
            out.push_str(&page.markdown());
        }
    }
    out
}

/// The help of a command, and of each command below it.
fn pages(program: &Path, name: &str, path: &[&str]) -> Vec<Page> {
    let mut command = Command::new(program);
    command.arg("help").args(path).env_clear();
    let help = CommandResult::run(&mut command, name).ok().stdout;
    let page = Page::parse(&help, name);
    let below: Vec<Page> = page
        .commands
        .iter()
        .flat_map(|command| {
            let path: Vec<&str> = path.iter().copied().chain([command.as_str()]).collect();
            pages(program, &format!("{name} {command}"), &path)
        })
        .collect();
    [page].into_iter().chain(below).collect()
}

struct Page {
    name: String,
    about: String,
    usage: String,
    commands: Vec<String>,
    arguments: Vec<Argument>,
}

struct Argument {
    spec: String,
    help: Vec<String>,
}

impl Page {
    fn parse(help: &str, name: &str) -> Self {
        let (about, rest) = help.split_once("\n\nUsage: ").expect("a usage");
        let (usage, rest) = rest.split_once('\n').expect("its end");
        let mut page = Self {
            name: name.to_owned(),
            about: about.replace('\n', " "),
            usage: usage.to_owned(),
            commands: Vec::new(),
            arguments: Vec::new(),
        };
        let mut section = "";
        for line in rest.lines() {
            let text = line.trim();
            let indent = line.len() - line.trim_start().len();
            if indent == 0 && line.ends_with(':') {
                section = line;
            } else if section == "Commands:" {
                let command = text.split("  ").next().expect("a name");
                if indent == 2 && command != "help" {
                    page.commands.push(command.to_owned());
                }
            } else if indent > 0 && indent < 8 {
                let (spec, help) = text.split_once("  ").unwrap_or((text, ""));
                page.arguments.push(Argument {
                    spec: spec.to_owned(),
                    help: vec![help.trim().to_owned()],
                });
            } else if !text.is_empty() {
                let argument = page.arguments.last_mut().expect("an argument");
                argument.help.push(text.to_owned());
            }
        }
        page.arguments
            .retain(|argument| !COMMON.contains(&argument.spec.as_str()));
        page
    }

    fn markdown(&self) -> String {
        let mut out = format!(
            "\n### `{}`\n\n{}.\n\n```text\n{}\n```\n",
            self.name, self.about, self.usage
        );
        if !self.arguments.is_empty() {
            out.push_str("\n| argument | description |\n| --- | --- |\n");
        }
        for argument in &self.arguments {
            let help: Vec<&str> = argument
                .help
                .iter()
                .map(String::as_str)
                .filter(|help| !help.is_empty())
                .collect();
            let _ = writeln!(
                out,
                "| `{}` | {} |",
                escape_bars(&argument.spec),
                cell(&help.join(" "))
            );
        }
        out
    }
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    escape_bars(text).replace('<', "\\<")
}

/// A bar would end the cell, also within backticks.
fn escape_bars(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The anchor of a heading, as forges make it.
fn slug(heading: &str) -> String {
    heading.replace(' ', "-")
}
