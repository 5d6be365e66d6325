//! `sordino seal` and `sordino open`: one sample.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use sordino::{
    Config, Purposes, Sordino, Week,
    anonymize::{Anonymizer, Settings},
    consent::{AgeBand, ConsentResponse, Grants},
    open,
    plan::{Plan, Recipient, SignedPlan},
    sampler::Annotation,
    seal::{self, Manifest},
    signed::PublicKey,
};

use super::{anonymize::read_clip, consent::unnamed_notice, plan};
use crate::{
    command_output::CommandOutput,
    error::CliError,
    files,
    output_files::{OutputFiles, Overwrite},
    wav,
};

#[derive(Args)]
pub(crate) struct SealArgs {
    /// The recording, in a format that `anonymize` reads; `-` is standard input
    file: PathBuf,
    /// Recipients that can decrypt the sample
    #[arg(long, required = true, num_args = 1..)]
    recipient: Vec<Recipient>,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    overwrite: Overwrite,
}

#[derive(Args)]
pub(crate) struct OpenArgs {
    /// The sealed sample
    file: PathBuf,
    /// The age identity
    #[arg(long)]
    identity: PathBuf,
    /// The folder to write to
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(crate) fn seal(args: &SealArgs) -> Result<CommandOutput, CliError> {
    let SealArgs {
        file,
        recipient: recipients,
        out,
        overwrite,
    } = args;
    plan::check_recipients(recipients).map_err(CliError::Message)?;
    let output = OutputFiles::new([file.as_path()], *overwrite)
        .public(out)?
        .checked()?;
    let clip = read_clip(file, Annotation::default())?;
    let anonymous = Anonymizer::new()
        .map_err(CliError::message)?
        .anonymize(clip, Settings::default())
        .map_err(CliError::content(file))?;
    let folder = tempfile::tempdir().map_err(CliError::message)?;
    let grants = own_grants(folder.path(), recipients)?;
    let sealed = seal::seal(
        anonymous,
        &grants,
        recipients,
        Week::from_timestamp(Timestamp::now()),
    )
    .map_err(CliError::content(file))?;
    output.write(sealed.bytes())?;
    CommandOutput::new(
        format!(
            "sealed {:.1} s to {} as sample {}",
            sealed.seconds(),
            out.display(),
            sealed.id()
        ),
        json!({
            "sample_id": sealed.id(),
            "file": out,
            "seconds": sealed.seconds(),
            "bytes": sealed.bytes().len(),
        }),
    )
}

/// The consent of the person who runs the command, in a temporary store.
fn own_grants(folder: &Path, recipients: &[Recipient]) -> Result<Grants, CliError> {
    let (_, key) = plan::new_key()?;
    let purposes = Purposes::all();
    let plan = Plan {
        recipients: recipients.to_vec(),
        purposes: purposes.clone(),
        ..plan::example()?
    };
    let signed = SignedPlan::sign(plan, &key).map_err(CliError::message)?;

    let nowhere = "http://127.0.0.1:9".parse().map_err(CliError::message)?;
    let device = Sordino::open(Config::new(folder, PublicKey::from_key_pair(&key), nowhere))?;
    device.install_plan(signed.to_json().as_bytes())?;
    let plan = signed.content();
    let notice = unnamed_notice(plan.notice_version, plan)?;
    let answer = ConsentResponse {
        purposes,
        age_band: AgeBand::Adult,
        guardian: None,
        notice: &notice,
    };
    device.give_consent(&answer)?;
    Ok(device.grants()?)
}

pub(crate) fn open(args: &OpenArgs) -> Result<CommandOutput, CliError> {
    let OpenArgs {
        file,
        identity,
        out,
        overwrite,
    } = args;
    let identities = open::read_identity_file(identity).map_err(CliError::message)?;
    let sealed = File::open(file).map_err(CliError::file("read", file))?;
    let opened = open::open_sample(sealed, &identities).map_err(CliError::content(file))?;
    files::make_private_folder(out)?;
    let outputs = OutputFiles::new([file.as_path(), identity], *overwrite);
    let id = opened.manifest.sample;
    let is_of_sample =
        move |json: &[u8]| Manifest::from_json(json).is_ok_and(|manifest| manifest.sample == id);
    let manifest = outputs
        .private(&out.join("manifest.json"))?
        .replace_if(is_of_sample);
    // A file of an earlier run has the same bytes. A different file is someone else's and is not replaced.
    let audio = outputs.private(&out.join("audio.wav"))?;
    let json = serde_json::to_vec_pretty(&opened.manifest).map_err(CliError::message)?;
    let json = manifest.stage(&json)?;
    let sound = audio.stage(&wav::encode(&opened.samples, opened.rate)?)?;
    json.commit()?;
    sound.commit()?;
    let seconds = opened.samples.len() as f64 / f64::from(opened.rate);
    CommandOutput::new(
        format!(
            "{}: manifest.json and audio.wav ({seconds:.1} s)",
            out.display()
        ),
        json!({ "manifest": opened.manifest, "seconds": seconds, "out": out }),
    )
}
