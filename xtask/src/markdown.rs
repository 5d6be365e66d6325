//! Extracts the programs of the quick starts.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use crate::process::root;

/// The code blocks in `language` of `page`, a path from the root, in order.
pub fn code_blocks(page: &str, language: &str) -> Result<Vec<String>> {
    let page = root().join(Path::new(page));
    let text =
        fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let mut blocks = Vec::new();
    let mut inside = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut inside) {
            (Some(info), None) => inside = Some((info == language, String::new())),
            (Some(_), Some((wanted, block))) => {
                if *wanted {
                    blocks.push(std::mem::take(block));
                }
                inside = None;
            }
            (None, Some((_, block))) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    Ok(blocks)
}
