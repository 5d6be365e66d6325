//! One recording offered to a device, and the person's word on what would be sent of it.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use sordino::{
    Id, PreviewSound, Sordino, SubmitOutcome, WithheldReason,
    plan::{Plan, Review},
    text::printable_line,
};

use super::{
    anonymize::read_clip,
    device::{self, annotation_of},
};
use crate::{
    failure::Failure,
    output::{Output, Outputs, Overwrite},
    playing::Played,
    reply::Reply,
    wav,
};

/// How the person answers where review is required.
pub(super) struct Answer {
    /// Where what would be sent is written, to be heard.
    pub(super) preview: Option<PathBuf>,
    /// Whether the person has said yes already.
    pub(super) yes: bool,
    /// Whether [`Self::preview`] may be overwritten.
    pub(super) overwrite: Overwrite,
}

pub(super) fn run(
    device: &Sordino,
    dir: &Path,
    file: &Path,
    annotation: Option<&Path>,
    answer: &Answer,
    json: bool,
) -> Result<Reply, Failure> {
    let state = device::state_files(dir);
    let inputs = [Some(file), annotation].into_iter().flatten();
    let inputs = inputs.chain(state.iter().map(PathBuf::as_path));
    let outputs = Outputs::new(inputs, answer.overwrite).named("--preview");
    // One that was heard is replaced by the next.
    let preview = |path: &PathBuf| {
        let preview = outputs.private(path)?;
        preview.replacing(wav::is_marked).checked()
    };
    let preview = answer.preview.as_ref().map(preview).transpose()?;
    // Without leave to sample, the sound is not even read.
    if let Some(reason) = device.sampling_blocked()? {
        return offered(SubmitOutcome::Withheld { reason });
    }
    let is_reviewed = |plan: Plan| plan.review == Review::Required;
    if answer.preview.is_some() && !device.plan().is_some_and(is_reviewed) {
        return Err(Failure::Said(
            "the plan in force requires no review, so it would be queued unheard; leave out --preview"
                .to_owned(),
        ));
    }
    let annotation = annotation
        .map(annotation_of)
        .transpose()?
        .unwrap_or_default();
    match device.submit(read_clip(file, annotation)?)? {
        SubmitOutcome::AwaitsReview { preview_id } => {
            review(device, preview_id, answer, preview.as_ref(), json)
        }
        offer => offered(offer),
    }
}

/// A clip waits in memory only, so it is answered before the command ends.
fn review(
    device: &Sordino,
    id: Id,
    answer: &Answer,
    preview: Option<&Output>,
    json: bool,
) -> Result<Reply, Failure> {
    if let Some(preview) = preview {
        let PreviewSound { rate, samples } = device.preview(id)?;
        preview.write(&wav::encode_marked(&samples, rate)?)?;
    }
    let said = match answer.yes {
        true => Some(true),
        // A script is not asked, and where there is no terminal nobody is.
        false if json || !io::stdin().is_terminal() => None,
        false => Some(asks(device, id, answer.preview.as_deref())?),
    };
    if said == Some(true) {
        return offered(device.accept_preview(id)?);
    }
    device.discard_preview(id)?;
    let text = match said {
        Some(_) => "withheld: the person said no to it",
        None => {
            "withheld: the person is to hear it first, and nobody could be asked; --yes says yes for them"
        }
    };
    let reason = WithheldReason::Unreviewed;
    Reply::new(text, SubmitOutcome::Withheld { reason })
}

/// Asks on the terminal.
fn asks(device: &Sordino, id: Id, heard: Option<&Path>) -> Result<bool, Failure> {
    let previews = device.previews();
    let clip = previews.iter().find(|preview| preview.id == id);
    let clip = clip.ok_or(sordino::Error::NoPreview(id))?;
    let what = match heard {
        Some(path) => {
            let path = path.display().to_string();
            format!("{} is what would be sent", printable_line(&path))
        }
        None => "what came of it would be sent unheard".to_owned(),
    };
    let (seconds, purposes) = (clip.seconds, &clip.purposes);
    write!(
        io::stderr(),
        "{what}: {seconds:.1} s, for {purposes}. Send it? [y/N] "
    )
    .map_err(Failure::said)?;
    let mut word = String::new();
    io::stdin().read_line(&mut word).map_err(Failure::said)?;
    Ok(matches!(word.trim(), "y" | "Y" | "yes"))
}

/// Nobody hears what is played to a device by a command: what waits for review is wiped and told of.
pub(super) fn discard_all(device: &Sordino, played: &mut Played) -> Result<(), Failure> {
    for preview in device.previews() {
        device.discard_preview(preview.id)?;
        played.withheld.push(WithheldReason::Unreviewed);
    }
    Ok(())
}

fn offered(offer: SubmitOutcome) -> Result<Reply, Failure> {
    let text = match offer {
        SubmitOutcome::Queued { sample_id } => format!("queued as {sample_id}"),
        SubmitOutcome::AwaitsReview { preview_id } => format!("waits for review as {preview_id}"),
        SubmitOutcome::Withheld { reason } => format!("withheld: {reason}"),
    };
    Reply::new(text, offer)
}
