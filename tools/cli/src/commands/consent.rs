//! `sordino consent`: what people agree to, away from any device.

use serde_json::json;
use sordino::{
    Purpose,
    consent::{App, BundledNotice, Notice, NoticeTerms},
    plan::{Controller, Plan},
};

use super::receipt;
use crate::{
    args::{ConsentCommand, NoticeArguments},
    command_output::CommandOutput,
    error::CliError,
};

pub(super) fn run(command: ConsentCommand) -> Result<CommandOutput, CliError> {
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

/// The bundled notice as a plan asks for it.
pub(super) fn notice_of(plan: &Plan, shown: &NoticeArguments) -> Result<BundledNotice, CliError> {
    let app = app_of(plan)?;
    bundled(shown, app, plan.notice_version, plan.into())
}

/// The bundled English notice as a plan asks for it, of an app without a name.
pub(crate) fn unnamed_notice(
    version: u32,
    terms: impl Into<NoticeTerms>,
) -> Result<Notice, CliError> {
    let language = "en";
    let app = App::unnamed(language).map_err(CliError::message)?;
    let bundled = Notice::bundled(version, language, &app, terms).map_err(CliError::message)?;
    Ok(bundled.into_notice())
}

/// The app that the plan speaks for, where it says who answers for it.
fn app_of(plan: &Plan) -> Result<Option<App>, CliError> {
    let app = |controller: &Controller| App::new(&controller.name, &controller.contact);
    let app = plan.controller.as_ref().map(app).transpose();
    app.map_err(CliError::message)
}

/// Name and contact are the command line's, else the plan's, else words that stand in for them.
fn bundled(
    shown: &NoticeArguments,
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

/// As text, what is printed is what is hashed, to the byte.
fn notice(bundled: &BundledNotice) -> Result<CommandOutput, CliError> {
    let purposes: serde_json::Map<_, _> = Purpose::ALL
        .iter()
        .map(|&purpose| (purpose.to_string(), bundled.purpose(purpose).into()))
        .collect();
    let fell_back = bundled.fallback();
    let json = json!({
        "version": bundled.notice().version(),
        "asked_language": bundled.asked_language(),
        "language": bundled.language(),
        "fell_back": fell_back.is_some(),
        "title": bundled.title(),
        "short": bundled.short(),
        "full": bundled.full(),
        "purposes": purposes,
        "text": bundled.text(),
        "sha256": bundled.notice().reference().sha256,
    });
    let note = fell_back.map(|fell_back| fell_back.to_string());
    Ok(CommandOutput::new(bundled.text(), json)?.with_note(note))
}
