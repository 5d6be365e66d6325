//! `sordino consent`: notices and receipts, without a device.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use sordino::{
    Purpose,
    consent::{App, BundledNotice, Notice, NoticeTerms},
    plan::{Controller, Plan},
};

use super::receipt;
use crate::{command_output::CommandOutput, error::CliError};

#[derive(Subcommand)]
pub(crate) enum ConsentCommand {
    /// Print the notice of the SDK, exactly as a person agrees to it
    // `--version` is the version of the notice.
    #[command(disable_version_flag = true)]
    Notice {
        #[command(flatten)]
        shown: NoticeArgs,
        /// The organization's version number of the notice
        #[arg(long, default_value_t = 1)]
        version: u32,
        /// Days until consent expires
        #[arg(long, default_value_t = 365)]
        days: u32,
        /// Days for which samples are kept for a purpose; by default until consent is withdrawn
        #[arg(long, value_name = "PURPOSE=DAYS", value_parser = retention)]
        retention_days: Vec<(Purpose, u32)>,
    },
    /// Verify a receipt offline, and print what was agreed to
    Verify {
        /// The receipt, as `device DIR consent` prints it
        receipt: PathBuf,
        /// Check also that this file is the text that the person agreed to
        #[arg(long)]
        notice: Option<PathBuf>,
    },
}

/// Options of the bundled notice.
#[derive(Args)]
pub(crate) struct NoticeArgs {
    /// The language of the notice, a BCP 47 tag
    #[arg(long, value_name = "TAG", default_value = "en")]
    pub(crate) language: String,
    /// The app's name
    #[arg(long, value_name = "NAME")]
    pub(crate) app: Option<String>,
    /// The contact for a person's questions
    #[arg(long)]
    pub(crate) contact: Option<String>,
}

/// `PURPOSE=DAYS`.
fn retention(text: &str) -> Result<(Purpose, u32), String> {
    let (purpose, days) = text.split_once('=').ok_or("expected PURPOSE=DAYS")?;
    let purpose = purpose
        .parse::<Purpose>()
        .map_err(|error| error.to_string())?;
    let days = days
        .parse()
        .map_err(|_| format!("`{days}` is not a number of days"))?;
    Ok((purpose, days))
}

pub(crate) fn run(command: ConsentCommand) -> Result<CommandOutput, CliError> {
    match command {
        ConsentCommand::Notice {
            shown,
            version,
            days,
            retention_days,
        } => {
            let terms = NoticeTerms {
                consent_days: days,
                retention_days: retention_days.into_iter().collect(),
            };
            notice(&bundled(&shown, None, version, terms)?)
        }
        ConsentCommand::Verify { receipt, notice } => receipt::verify(&receipt, notice.as_deref()),
    }
}

/// The bundled notice with the values of a plan.
pub(super) fn notice_of(plan: &Plan, shown: &NoticeArgs) -> Result<BundledNotice, CliError> {
    let app = app_of(plan)?;
    bundled(shown, app, plan.notice_version, plan.into())
}

/// The bundled English notice with the values of a plan, for an app without a name.
pub(crate) fn unnamed_notice(
    version: u32,
    terms: impl Into<NoticeTerms>,
) -> Result<Notice, CliError> {
    let language = "en";
    let app = App::unnamed(language).map_err(CliError::message)?;
    let bundled = Notice::bundled(version, language, &app, terms).map_err(CliError::message)?;
    Ok(bundled.into_notice())
}

/// The app of the plan's controller, if the plan names one.
fn app_of(plan: &Plan) -> Result<Option<App>, CliError> {
    let app = |controller: &Controller| App::new(&controller.name, &controller.contact);
    let app = plan.controller.as_ref().map(app).transpose();
    app.map_err(CliError::message)
}

/// Name and contact are taken from the command line, else from the plan, else placeholders are used.
fn bundled(
    shown: &NoticeArgs,
    planned: Option<App>,
    version: u32,
    terms: NoticeTerms,
) -> Result<BundledNotice, CliError> {
    let language = &shown.language;
    let planned = match planned {
        Some(app) => app,
        None => App::unnamed(language).map_err(CliError::message)?,
    };
    let name = shown.app.as_deref().unwrap_or(planned.name());
    let contact = shown.contact.as_deref().unwrap_or(planned.contact());
    let app = App::new(name, contact).map_err(CliError::message)?;
    Notice::bundled(version, language, &app, terms).map_err(CliError::message)
}

/// The printed text is byte for byte the text that is hashed.
fn notice(bundled: &BundledNotice) -> Result<CommandOutput, CliError> {
    let purposes: serde_json::Map<_, _> = Purpose::ALL
        .iter()
        .map(|&purpose| (purpose.to_string(), bundled.purpose(purpose).into()))
        .collect();
    let fallback = bundled.fallback();
    let json = json!({
        "version": bundled.notice().version(),
        "asked_language": bundled.asked_language(),
        "language": bundled.language(),
        "fell_back": fallback.is_some(), // words: ignore
        "title": bundled.title(),
        "short": bundled.short(),
        "full": bundled.full(),
        "purposes": purposes,
        "text": bundled.text(),
        "sha256": bundled.notice().reference().sha256,
    });
    let note = fallback.map(|fallback| fallback.to_string());
    Ok(CommandOutput::new(bundled.text(), json)?.with_note(note))
}
