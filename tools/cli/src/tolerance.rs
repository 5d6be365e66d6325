//! `--tolerance` of the commands that compare notes.

use clap::Args;
use sordino_scoring::ONSET_TOLERANCE;

#[derive(Args)]
pub(crate) struct ToleranceArgs {
    /// Maximum distance of an onset from the expected one
    #[arg(
        long = "tolerance",
        value_name = "MS",
        value_parser = milliseconds,
        default_value_t = ONSET_TOLERANCE * 1e3,
    )]
    pub(crate) tolerance_ms: f64,
}

impl ToleranceArgs {
    pub(crate) fn seconds(&self) -> f64 {
        self.tolerance_ms / 1e3
    }
}

fn milliseconds(text: &str) -> Result<f64, String> {
    parse_in_range(text, 1.0, 1_000.0)
}

/// Parses a number from `min` to `max`.
pub(crate) fn parse_in_range(text: &str, min: f64, max: f64) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match (min..=max).contains(&value) {
        true => Ok(value),
        false => Err(format!("must be {min} to {max}")),
    }
}
