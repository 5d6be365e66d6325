//! Links from the page to the files of the dataset.

use std::{
    fmt::Write as _,
    path::{Component, Path, PathBuf},
};

use crate::{dataset::Sample, error::CliError};

/// The path from the page to the dataset's folder.
pub(super) struct Links {
    folder: PathBuf,
}

impl Links {
    /// Links of a page that is written to `out`.
    pub(super) fn new(dataset: &Path, out: &Path) -> Result<Self, CliError> {
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let absolute = |path: &Path| {
            path.canonicalize()
                .map_err(CliError::file("write to", path))
        };
        let (from, to) = (absolute(parent)?, absolute(dataset)?);
        let mut from = from.components().peekable();
        let mut to = to.components().peekable();
        while from.peek().is_some() && from.peek() == to.peek() {
            from.next();
            to.next();
        }
        let mut folder: PathBuf = from.map(|_| Component::ParentDir).collect();
        folder.extend(to);
        Ok(Self { folder })
    }

    /// The file that holds a sample's sound, as a relative URL.
    pub(super) fn href(&self, sample: &Sample<'_>) -> String {
        let path = self.folder.join(sample.file());
        let parts: Vec<String> = path
            .components()
            .map(|part| escaped(&part.as_os_str().to_string_lossy()))
            .collect();
        parts.join("/")
    }
}

/// The id of a sample's element in the page.
pub(super) fn anchor(sample: &Sample<'_>) -> String {
    format!("sample-{}", sample.id())
}

/// A path segment with all but RFC 3986's unreserved characters percent-encoded, so that none
/// is taken for a scheme, a query or a fragment.
fn escaped(part: &str) -> String {
    let mut url = String::new();
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                url.push(char::from(byte));
            }
            other => {
                let _ = write!(url, "%{other:02X}");
            }
        }
    }
    url
}
