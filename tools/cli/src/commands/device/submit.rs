//! `sordino device DIR submit`: one recording, with the person's review of the anonymized sound.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use sordino::{
    Id, PreviewSound, Sordino, SubmitOutcome, WithheldReason,
    plan::{Plan, Review},
    text::printable_line,
};

use clap::Args;

use super::state::state_files;
use crate::{
    command_output::CommandOutput,
    commands::{anonymize::read_clip, read_annotation},
    error::CliError,
    output_files::{OutputFile, OutputFiles, Overwrite},
    playback::Playback,
    wav,
};

#[derive(Args)]
pub(crate) struct SubmitArgs {
    /// The recording, in a format that `anonymize` reads; `-` is standard input
    file: PathBuf,
    /// The app's annotation: expected and recognized notes, a tag
    #[arg(long)]
    annotation: Option<PathBuf>,
    /// If the plan requires review, first write the sound that would be sent to this WAV file
    #[arg(long, value_name = "FILE")]
    preview: Option<PathBuf>,
    /// If the plan requires review: accept it for the person, without a question
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(super) fn run(
    device: &Sordino,
    dir: &Path,
    args: &SubmitArgs,
    json: bool,
) -> Result<CommandOutput, CliError> {
    let (file, annotation) = (args.file.as_path(), args.annotation.as_deref());
    let state = state_files(dir);
    let inputs = [Some(file), annotation].into_iter().flatten();
    let inputs = inputs.chain(state.iter().map(PathBuf::as_path));
    let outputs = OutputFiles::new(inputs, args.overwrite).with_option("--preview");
    // An earlier preview is replaced.
    let preview = |path: &PathBuf| {
        let preview = outputs.private(path)?;
        preview.replace_if(wav::is_marked).checked()
    };
    let preview = args.preview.as_ref().map(preview).transpose()?;
    // If sampling is blocked, the sound is not read.
    if let Some(reason) = device.sampling_blocked()? {
        return output(SubmitOutcome::Withheld { reason });
    }
    let is_reviewed = |plan: Plan| plan.review == Review::Required;
    if args.preview.is_some() && !device.plan().is_some_and(is_reviewed) {
        return Err(CliError::Message(
            "the plan requires no review, so it would be queued unheard; leave out --preview"
                .to_owned(),
        ));
    }
    let annotation = annotation
        .map(read_annotation)
        .transpose()?
        .unwrap_or_default();
    match device.submit(read_clip(file, annotation)?)? {
        SubmitOutcome::AwaitsReview { preview_id } => {
            review(device, preview_id, args, preview.as_ref(), json)
        }
        outcome => output(outcome),
    }
}

/// Accepts or discards the clip before the command ends, since it waits in memory only.
fn review(
    device: &Sordino,
    id: Id,
    args: &SubmitArgs,
    preview: Option<&OutputFile>,
    json: bool,
) -> Result<CommandOutput, CliError> {
    if let Some(preview) = preview {
        let PreviewSound { rate, samples } = device.preview(id)?;
        preview.write(&wav::encode_marked(&samples, rate)?)?;
    }
    let said = match args.yes {
        true => Some(true),
        // No question without a terminal or for a script.
        false if json || !io::stdin().is_terminal() => None,
        false => Some(ask(device, id, args.preview.as_deref())?),
    };
    if said == Some(true) {
        return output(device.accept_preview(id)?);
    }
    device.discard_preview(id)?;
    let text = match said {
        Some(_) => "withheld: the person declined it",
        None => {
            "withheld: the person must hear it first, and could not be asked; --yes accepts it for them"
        }
    };
    let reason = WithheldReason::Unreviewed;
    CommandOutput::new(text, SubmitOutcome::Withheld { reason })
}

/// Asks on the terminal.
fn ask(device: &Sordino, id: Id, heard: Option<&Path>) -> Result<bool, CliError> {
    let previews = device.previews();
    let clip = previews.iter().find(|preview| preview.id == id);
    let clip = clip.ok_or(sordino::Error::NoPreview(id))?;
    let what = match heard {
        Some(path) => {
            let path = path.display().to_string();
            format!("{} is what would be sent", printable_line(&path))
        }
        None => "the result would be sent unheard".to_owned(),
    };
    let (seconds, purposes) = (clip.seconds, &clip.purposes);
    write!(
        io::stderr(),
        "{what}: {seconds:.1} s, for {purposes}. Send it? [y/N] "
    )
    .map_err(CliError::message)?;
    let mut word = String::new();
    io::stdin()
        .read_line(&mut word)
        .map_err(CliError::message)?;
    Ok(matches!(word.trim(), "y" | "Y" | "yes"))
}

/// Discards and reports clips that wait for review: nobody can review what a command plays to a device.
pub(super) fn discard_all(device: &Sordino, played: &mut Playback) -> Result<(), CliError> {
    for preview in device.previews() {
        device.discard_preview(preview.id)?;
        played.withheld.push(WithheldReason::Unreviewed);
    }
    Ok(())
}

fn output(outcome: SubmitOutcome) -> Result<CommandOutput, CliError> {
    let text = match outcome {
        SubmitOutcome::Queued { sample_id } => format!("queued as {sample_id}"),
        SubmitOutcome::AwaitsReview { preview_id } => format!("waits for review as {preview_id}"),
        SubmitOutcome::Withheld { reason } => format!("withheld: {reason}"),
    };
    CommandOutput::new(text, outcome)
}
