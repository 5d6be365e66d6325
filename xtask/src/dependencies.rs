//! Checks that docs/dependencies.md names every direct dependency of the workspace's packages, and no other crate in its
//! tables.

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::process::{cargo, read, root};

const PAGE: &str = "docs/dependencies.md";

pub fn check() -> Result<()> {
    let page = fs::read_to_string(root().join(PAGE)).context(PAGE)?;
    let direct = direct_dependencies()?;
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    let named: BTreeSet<&str> = page.split(|char| !is_word(char)).collect();
    let missing: Vec<_> = direct
        .iter()
        .filter(|name| !named.contains(name.as_str()))
        .collect();
    ensure!(missing.is_empty(), "{PAGE} lacks {missing:?}");
    let unused: Vec<_> = crates_in_tables(&page)
        .filter(|name| !direct.contains(*name))
        .collect();
    ensure!(
        unused.is_empty(),
        "{PAGE} lists {unused:?}, which no Cargo.toml has"
    );
    Ok(())
}

/// The names of all dependencies in the Cargo.toml files of the workspace, except its own packages.
fn direct_dependencies() -> Result<BTreeSet<String>> {
    let metadata = read(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    Ok(packages
        .iter()
        .filter_map(|package| package["dependencies"].as_array())
        .flatten()
        .filter(|dependency| dependency["path"].is_null())
        .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
        .collect())
}

/// The first column of the tables with the header `crate`: names, each with a version.
fn crates_in_tables(page: &str) -> impl Iterator<Item = &str> {
    let mut is_inside = false;
    page.lines()
        .filter_map(move |line| {
            let cell = line
                .strip_prefix("| ")
                .and_then(|row| row.split(" | ").next());
            is_inside = cell.is_some_and(|cell| is_inside || cell == "crate");
            cell.filter(|cell| is_inside && *cell != "crate" && *cell != "---")
        })
        .flat_map(|cell| cell.split(", "))
        .filter_map(|entry| entry.split(' ').next())
}
