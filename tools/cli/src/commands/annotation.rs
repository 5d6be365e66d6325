//! Annotations of recordings.

use std::path::Path;

use sordino::sampler::Annotation;

use crate::{error::CliError, files};

/// Reads an app's annotation.
pub(crate) fn read_annotation(path: &Path) -> Result<Annotation, CliError> {
    Annotation::from_json(files::read_text(path)?.as_bytes()).map_err(CliError::content(path))
}
