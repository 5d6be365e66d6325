//! Recordings played to a device.

use std::path::PathBuf;

use clap::Args;
use sordino::{Sordino, capture::Pace, text::printable_line};

use super::submit;
use crate::{command_output::CommandOutput, commands::read_annotation, error::CliError, playback};

#[derive(Args)]
pub(crate) struct ListenArgs {
    /// The recordings, one after another
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Mark the end of each recording with its annotation: NAME.json next to NAME.wav
    #[arg(long)]
    mark: bool,
    /// Play in real time instead of as fast as possible
    #[arg(long)]
    real_time: bool,
}

pub(super) fn listen(device: &Sordino, args: &ListenArgs) -> Result<CommandOutput, CliError> {
    let pace = match args.real_time {
        true => Pace::RealTime,
        false => Pace::Unthrottled,
    };
    let mut all = Vec::new();
    for file in &args.files {
        let annotation = match args.mark {
            true => Some(read_annotation(&file.with_extension("json"))?),
            false => None,
        };
        let mut played = playback::play(device, file, annotation, pace)?;
        submit::discard_all(device, &mut played)?;
        all.push(played);
    }
    let lines: Vec<String> = all
        .iter()
        .map(|played| {
            let withheld: Vec<String> = played.withheld.iter().map(ToString::to_string).collect();
            let withheld = match withheld.is_empty() {
                true => String::new(),
                false => format!("; withheld: {}", withheld.join(", ")),
            };
            format!(
                "{}: {} queued{withheld}",
                printable_line(&played.file.display().to_string()),
                played.queued.len()
            )
        })
        .collect();
    let problem = all.iter().flat_map(|played| &played.failed).next().cloned();
    Ok(CommandOutput::new(lines.join("\n"), all)?.with_problem(problem))
}
